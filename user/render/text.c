// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/text.h"

#include <errno.h>
#include <inttypes.h>
#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "render/escape.h"
#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"
#include "util/colour.h"

/* Of a thread in a sentence about two of them. */
#define LABEL_NAME_WIDTH 19

void gw_text_options_detect(struct gw_text_options *options, FILE *out)
{
	const char *term = getenv("TERM");
	struct winsize size;
	int fd = fileno(out), terminal = isatty(fd);

	*options = (struct gw_text_options){.rows = GW_PAGE_ROWS, .width = GW_PAGE_WIDTH_LEAST};
	options->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	options->colour = gw_colour_wanted(terminal && term && strcmp(term, "dumb") != 0);
	if (!terminal)
		return;
	if (!ioctl(fd, TIOCGWINSZ, &size) && size.ws_col > GW_PAGE_WIDTH_LEAST)
		options->width = size.ws_col;
}

const char *gw_text_about(const struct gw_basis *basis)
{
	return basis->kind == GW_BASIS_SAMPLED ? "\xe2\x89\x88" : "";
}

static const struct {
	const char *cause, *doing;
} where_words[GW_WHERE_COUNT] = {
	[GW_RUNNING] = {"cpu", "on a CPU"},
	[GW_RUNNABLE] = {"runq", "ready but without a CPU"},
	[GW_STOPPED] = {"stop", "stopped"},
	[GW_BLOCKED_GIL] = {"gil", "waiting for the GIL"},
	[GW_BLOCKED_LOCK] = {"lock", "blocked on another lock"},
	[GW_BLOCKED_SLEEP] = {"sleep", "sleeping"},
	[GW_BLOCKED_DISK] = {"disk", "blocked on a disk"},
	[GW_BLOCKED_NET] = {"net", "blocked on the network"},
	[GW_BLOCKED_PIPE] = {"pipe", "blocked on a pipe"},
	[GW_BLOCKED_POLL] = {"poll", "blocked in poll"},
	[GW_BLOCKED_FAULT] = {"fault", "blocked in a page fault"},
	[GW_BLOCKED_CHILD] = {"child", "waiting for a child process"},
	[GW_BLOCKED_OTHER] = {"other", "blocked in something else"},
};

const char *gw_text_cause(enum gw_where where)
{
	return (unsigned int)where < GW_WHERE_COUNT ? where_words[where].cause : "?";
}

const char *gw_text_doing(enum gw_where where)
{
	return (unsigned int)where < GW_WHERE_COUNT ? where_words[where].doing : "?";
}

struct gw_thread_label gw_text_thread(const struct gw_page *page, const struct gw_process_view *p,
				      uint32_t tid)
{
	struct gw_thread_label label;
	const char *name = "";
	char clean[sizeof(label.text)];

	for (size_t i = 0; i < p->thread_count; i++) {
		if (p->thread[i].tid == tid)
			name = p->thread[i].name;
	}
	gw_escape_terminal(name, sizeof(p->thread[0].name), clean, sizeof(clean), page->utf8);
	gw_cut_columns(clean, sizeof(clean), LABEL_NAME_WIDTH, page->utf8);
	snprintf(label.text, sizeof(label.text), "%" PRIu32 "%s%.80s", tid, clean[0] ? " " : "",
		 clean);
	return label;
}

static const char *how_it_ended(enum gw_ended ended)
{
	switch (ended) {
	case GW_ENDED_TARGET_EXIT:
		return ", until it ended";
	case GW_ENDED_TARGET_EXEC:
		return ", until it became another program (exec)";
	case GW_ENDED_INTERRUPTED:
		return ", until interrupted";
	default:
		return "";
	}
}

static void command_line(struct gw_page *page, const struct gw_process_view *p, const char *before)
{
	/* Escapes are cut with the rest at the end of the line: a command never takes two. */
	char text[sizeof(p->command) + 64];

	snprintf(text, sizeof(text), "%sprocess %" PRIu32 ": %.*s", before, p->pid,
		 (int)sizeof(p->command), p->command[0] ? p->command : p->comm);
	gw_page_style(page, GW_BOLD);
	gw_page_cell(page, page->width, GW_LEFT, text);
	gw_page_style(page, GW_PLAIN);
	gw_page_end_row(page);
}

static const char *gil_fact(const struct gw_process_view *p)
{
	if (p->free_threaded)
		return p->gil_enabled ? " (free-threaded build, but its GIL is on)"
				      : " (free-threaded build, its GIL is off)";
	return "";
}

static void thread_fact(const struct gw_process_view *p, char *text, size_t size)
{
	uint64_t count = p->thread_count + p->ended_count;
	size_t used = (size_t)snprintf(text, size, "%s thread%s", gw_count((int64_t)count).text,
				       count == 1 ? "" : "s");

	if (p->ended_count)
		snprintf(text + used, size - used, " (%s of them ended)",
			 gw_count((int64_t)p->ended_count).text);
}

static void target_facts(struct gw_page *page, const struct gw_process_view *p)
{
	char quota[96] = "", threads[96];

	if (p->cpu_quota > 0)
		snprintf(quota, sizeof(quota), " (quota %s CPUs, throttled for %s)",
			 gw_number(p->cpu_quota).text, gw_duration(p->throttled_ns).text);
	thread_fact(p, threads, sizeof(threads));
	gw_page_print(page, "", 2, "Watched for %s%s. %s%s%s, %s, %" PRIu32 " usable CPU%s%s.",
		      gw_duration(p->elapsed_ns).text, how_it_ended(p->ended),
		      p->python_version[0] ? "CPython " : "No CPython that gilwatch can read",
		      p->python_version, gil_fact(p), threads, p->cpus_usable,
		      p->cpus_usable == 1 ? "" : "s", quota);
}

static const char *how_measured(const struct gw_process_view *p)
{
	if (!strcmp(p->engine, "uprobe"))
		return "Measured with probes on the GIL";
	return p->windows ? "Measured by scheduler events, with probes in short windows"
			  : "Measured by scheduler events alone";
}

static void engine_facts(struct gw_page *page, const struct gw_process_view *p)
{
	char budget[64] = "";

	if (p->overhead_budget >= 0)
		snprintf(budget, sizeof(budget), " (budget %.3g %%)", p->overhead_budget * 100);
	gw_page_print(page, "", 2,
		      "%s (engine %.*s)%s%.*s. Estimated cost: %s of the process's CPU time%s.",
		      how_measured(p), (int)sizeof(p->engine), p->engine,
		      p->engine_reason[0] ? ": " : "", (int)sizeof(p->engine_reason),
		      p->engine_reason, gw_share(p->overhead_ratio).text, budget);
	for (size_t i = 0; i < p->engine_change_count && i < 3; i++)
		gw_page_print(page, "", 2, "Engine changed after %s from %s to %s: %s.",
			      gw_duration(p->engine_change[i].at_ns).text, p->engine_change[i].from,
			      p->engine_change[i].to, p->engine_change[i].reason);
	if (p->engine_change_count > 3)
		gw_page_print(
			page, "", 2, "Engine changed %s more times.",
			gw_count((int64_t)(p->engine_change_count - 3 + p->engine_change_rest))
				.text);
}

static void verdicts(struct gw_page *page, const struct gw_verdict *verdict, size_t count)
{
	static const struct {
		enum gw_style style;
		const char *label;
	} severity[] = {
		[GW_INFO] = {GW_GREEN, "INFO      "},
		[GW_WARNING] = {GW_YELLOW, "WARNING   "},
		[GW_CRITICAL] = {GW_RED, "CRITICAL  "},
	};

	if (count)
		gw_page_end_row(page);
	for (size_t i = 0; i < count && i < GW_VERDICTS_MAX; i++) {
		const struct gw_verdict *v = &verdict[i];

		gw_page_style(page, severity[v->severity].style);
		fputs(severity[v->severity].label, page->out);
		gw_page_style(page, GW_PLAIN);
		gw_page_hang(page, 10, v->text);
	}
}

static void process(struct gw_page *page, const struct gw_process_view *p, const char *before)
{
	page->reason_count = page->reason_told = 0;
	command_line(page, p, before);
	if (p->error[0]) {
		gw_page_wrap(page, "", 2, p->error);
		return;
	}
	target_facts(page, p);
	engine_facts(page, p);
	if (p->python_note[0])
		gw_page_print(page, "", 2, "Note: %s.", p->python_note);
	verdicts(page, p->verdict, p->verdict_count);
	gw_text_states(page, p);
	gw_text_threads(page, p);
	gw_text_gil(page, p);
	gw_text_cores(page, p);
	gw_text_open(page, p);
	gw_text_check(page, p);
}

/* The line above several processes. */
static void totals(struct gw_page *page, const struct gw_snapshot *s)
{
	struct gw_process_view sum;
	char failed[64] = "";
	size_t errors = 0;

	for (size_t i = 0; i < s->process_count; i++)
		errors += s->process[i].error[0] != '\0';
	if (errors)
		snprintf(failed, sizeof(failed), "; %zu could not be measured", errors);
	gw_total(s, &sum);
	gw_page_print(
		page, "", 2,
		"%zu processes, watched for %s%s%s. Together: %s%s CPUs busy with a GIL "
		"(python), %s%s without (native); %s of waiting for GILs, %s of waiting for "
		"a CPU.",
		s->process_count, gw_duration(s->elapsed_ns).text, how_it_ended(s->ended), failed,
		gw_text_about(&sum.basis[GW_STATE_PYTHON]), gw_number(sum.parallelism_python).text,
		gw_text_about(&sum.basis[GW_STATE_NATIVE]), gw_number(sum.parallelism_native).text,
		gw_duration(sum.states.ns[GW_STATE_GIL_WAIT]).text,
		gw_duration(sum.where_ns[GW_RUNNABLE]).text);
}

static void several(struct gw_page *page, const struct gw_snapshot *s,
		    const struct gw_process_view *const *order)
{
	char before[64];

	totals(page, s);
	verdicts(page, s->verdict, s->verdict_count);
	gw_text_processes(page, s, order);
	for (size_t i = 0; i < s->process_count; i++) {
		if (!gw_text_is_told(order, i))
			continue;
		fputc('\n', page->out);
		snprintf(before, sizeof(before), "[%zu/%zu] ", i + 1, s->process_count);
		process(page, order[i], before);
	}
}

int gw_text_write(const struct gw_snapshot *s, const struct gw_text_options *o, FILE *out)
{
	struct gw_page page = gw_page_of(o, out);
	const struct gw_process_view **order = gw_text_by_load(s);

	if (!order)
		return -ENOMEM;
	if (s->run.pid)
		gw_text_run(&page, s);
	if (s->process_count > 1)
		several(&page, s, order);
	else if (s->process_count)
		process(&page, order[0], "");
	free(order);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
