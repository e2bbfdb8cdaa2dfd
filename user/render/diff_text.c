// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "render/diff.h"
#include "render/names.h"
#include "render/text_parts.h"
#include "render/units.h"

/* States with less than this of all time before and after are left out. */
#define SHARE_TOLD   0.001
#define THREADS_TOLD 0.005
/* Of processes that were not asked for, as in a summary. */
#define CHILDREN_TOLD	3
#define CHANGES_TOLD	4
#define RATE_MOST	1e15 /* a file may hold anything */
#define LABEL_WIDTH	34
#define FIGURE_WIDTH	12
#define DIRECTION_WIDTH 7

static const char *const direction_word[] = {
	[GW_DIRECTION_SAME] = "same",
	[GW_DIRECTION_LESS] = "less",
	[GW_DIRECTION_MORE] = "more",
	[GW_DIRECTION_UNKNOWN] = "",
};

static const char *const figure_label[GW_DIFF_FIGURE_COUNT] = {
	[GW_DIFF_THREADS] = "threads, on average",
	[GW_DIFF_PARALLELISM_PYTHON] = "CPUs busy with the GIL (python)",
	[GW_DIFF_PARALLELISM_NATIVE] = "CPUs busy without it (native)",
	[GW_DIFF_GIL_HELD] = "GIL held, of the time",
	[GW_DIFF_INTERVAL] = "switch interval",
	[GW_DIFF_ACQUISITIONS] = "GIL taken",
	[GW_DIFF_FORCED_RELEASES] = "GIL given up because another asked",
	[GW_DIFF_HOLDER_CHANGES] = "GIL passed to another thread",
	[GW_DIFF_HOLD_P50] = "GIL held at a stretch, p50",
	[GW_DIFF_HOLD_P99] = "GIL held at a stretch, p99",
	[GW_DIFF_WAIT_P50] = "GIL waited for, p50",
	[GW_DIFF_WAIT_P99] = "GIL waited for, p99",
	[GW_DIFF_RESUME_P50] = "from wake-up to GIL, p50",
	[GW_DIFF_RESUME_P99] = "from wake-up to GIL, p99",
	[GW_DIFF_DELAY_RATIO] = "sleeps, times what was asked for",
	[GW_DIFF_MIGRATIONS] = "threads moved to another CPU",
};

static struct gw_figure figure_text(double value, enum gw_diff_unit unit)
{
	if (!isfinite(value))
		return gw_number(-1);
	switch (unit) {
	case GW_UNIT_RATIO:
		return gw_share(value);
	case GW_UNIT_SECONDS:
		return gw_duration((int64_t)(value * 1e9));
	case GW_UNIT_PER_SECOND:
		/* So many in a thousand seconds: rates below one are not 0. */
		return gw_rate((int64_t)(fmin(value, RATE_MOST) * 1000), INT64_C(1000000000000));
	default:
		return gw_number(value);
	}
}

/* ---- cells ---- */

static void direction_cell(struct gw_page *page, const struct gw_difference *d)
{
	enum gw_direction direction = gw_difference_direction(d);
	int changed = direction == GW_DIRECTION_LESS || direction == GW_DIRECTION_MORE;

	gw_page_cell(page, 2, GW_LEFT, "");
	if (changed)
		gw_page_style(page, GW_BOLD);
	gw_page_cell(page, DIRECTION_WIDTH, GW_LEFT,
		     isinf(d->noise) && isfinite(d->after - d->before) ? "too few"
								       : direction_word[direction]);
	if (changed)
		gw_page_style(page, GW_PLAIN);
}

static void difference_cells(struct gw_page *page, const struct gw_difference *d,
			     enum gw_diff_unit unit)
{
	gw_page_cell(page, FIGURE_WIDTH, GW_RIGHT, figure_text(d->before, unit).text);
	gw_page_cell(page, FIGURE_WIDTH, GW_RIGHT, figure_text(d->after, unit).text);
	direction_cell(page, d);
}

static void titles(struct gw_page *page, int label_width, int times)
{
	gw_page_cell(page, label_width, GW_LEFT, "");
	for (int i = 0; i < times; i++) {
		gw_page_cell(page, FIGURE_WIDTH, GW_RIGHT, "before");
		gw_page_cell(page, FIGURE_WIDTH, GW_RIGHT, "after");
		gw_page_cell(page, 2 + DIRECTION_WIDTH, GW_LEFT, "");
	}
	gw_page_end_row(page);
}

/* ---- what changed, in sentences ---- */

static const struct gw_difference *states_of(const struct gw_diff_pair *pair)
{
	return pair->by_threads ? pair->threads : pair->state;
}

static double change(const struct gw_difference *d)
{
	enum gw_direction direction = gw_difference_direction(d);

	return direction == GW_DIRECTION_LESS || direction == GW_DIRECTION_MORE
		       ? fabs(d->after - d->before)
		       : 0;
}

/* "less   gil wait 45.1 % → 3.2 % of wall", and after it whatever explains it. */
static void tell(struct gw_page *page, const struct gw_difference *d, enum gw_diff_unit unit,
		 const char *label, const char *of)
{
	char text[256];

	snprintf(text, sizeof(text), "%s %s \xe2\x86\x92 %s%s", label,
		 figure_text(d->before, unit).text, figure_text(d->after, unit).text, of);
	gw_page_style(page, GW_BOLD);
	fputs(gw_difference_direction(d) == GW_DIRECTION_LESS ? "  less   " : "  more   ",
	      page->out);
	gw_page_style(page, GW_PLAIN);
	gw_page_hang(page, 9, text);
}

static void tell_state(struct gw_page *page, const struct gw_diff_pair *pair, enum gw_state state)
{
	char of[128];

	snprintf(of, sizeof(of), " %s: %s", pair->by_threads ? "threads at any moment" : "of wall",
		 gw_text_state_meaning(state));
	tell(page, &states_of(pair)[state], pair->by_threads ? GW_UNIT_NUMBER : GW_UNIT_RATIO,
	     gw_text_state(state), of);
}

/* The largest changes first. */
static int tell_states(struct gw_page *page, const struct gw_diff_pair *pair)
{
	const struct gw_difference *states = states_of(pair);
	unsigned int told = 0;
	int count;

	for (count = 0; count < CHANGES_TOLD; count++) {
		int most = -1;

		for (int i = 0; i < GW_STATE_COUNT; i++)
			if (change(&states[i]) > 0 && !(told >> i & 1) &&
			    (most < 0 || change(&states[i]) > change(&states[most])))
				most = i;
		if (most < 0)
			break;
		told |= 1u << most;
		tell_state(page, pair, (enum gw_state)most);
	}
	return count;
}

static int tell_figures(struct gw_page *page, const struct gw_diff_pair *pair)
{
	static const enum gw_diff_figure figure[] = {
		GW_DIFF_PARALLELISM_PYTHON,
		GW_DIFF_PARALLELISM_NATIVE,
		GW_DIFF_RESUME_P99,
		GW_DIFF_DELAY_RATIO,
	};
	int count = 0;

	for (size_t i = 0; i < sizeof(figure) / sizeof(figure[0]); i++) {
		const struct gw_difference *d = &pair->figure[figure[i]];

		if (change(d) <= 0)
			continue;
		tell(page, d, gw_diff_unit(figure[i]), figure_label[figure[i]], "");
		count++;
	}
	return count;
}

static void changes(struct gw_page *page, const struct gw_diff_pair *pair)
{
	gw_page_heading(page, "WHAT CHANGED");
	if (tell_states(page, pair) + tell_figures(page, pair) == 0)
		gw_page_wrap(page, "  ", 4,
			     "Nothing that exceeds the error of the figures, and what two runs of "
			     "one program differ by.");
}

/* ---- verdicts ---- */

static void verdict(struct gw_page *page, const struct gw_diff_verdict *v)
{
	static const enum gw_style style[] = {GW_GREEN, GW_YELLOW, GW_RED};
	const struct gw_verdict *told = v->after ? v->after : v->before;
	const char *what = !v->after ? "  gone   " : !v->before ? "  new    " : "  still  ";
	char text[sizeof(told->code) + sizeof(told->text) + 64], was[32] = "";

	if (v->before && v->after && v->before->severity != v->after->severity)
		snprintf(was, sizeof(was), ", was %s",
			 gw_name(&gw_severity_names, v->before->severity));
	snprintf(text, sizeof(text), "%s (%s%s): %s", told->code,
		 gw_name(&gw_severity_names, told->severity), was, told->text);
	gw_page_style(page, v->after ? style[told->severity] : GW_BOLD);
	fputs(what, page->out);
	gw_page_style(page, GW_PLAIN);
	gw_page_hang(page, 9, text);
}

static void verdicts(struct gw_page *page, const struct gw_diff_pair *pair)
{
	gw_page_heading(page, "VERDICTS");
	for (size_t i = 0; i < pair->verdict_count; i++)
		verdict(page, &pair->verdict[i]);
	if (!pair->verdict_count)
		gw_page_wrap(page, "  ", 4, "None, before and after.");
}

/* ---- tables ---- */

static int is_told(const struct gw_diff_pair *pair, int state)
{
	const struct gw_difference *share = &pair->state[state], *number = &pair->threads[state];

	return fmax(share->before, share->after) >= SHARE_TOLD ||
	       fmax(number->before, number->after) >= THREADS_TOLD;
}

static void states(struct gw_page *page, const struct gw_diff_pair *pair)
{
	gw_page_heading(page, "STATES (of all threads' time; and threads in it, on average)");
	titles(page, 12, 2);
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		if (!is_told(pair, i))
			continue;
		gw_page_cell(page, 2, GW_LEFT, "");
		gw_page_cell(page, 10, GW_LEFT, gw_text_state((enum gw_state)i));
		difference_cells(page, &pair->state[i], GW_UNIT_RATIO);
		difference_cells(page, &pair->threads[i], GW_UNIT_NUMBER);
		gw_page_end_row(page);
	}
}

static void figures(struct gw_page *page, const struct gw_diff_pair *pair)
{
	gw_page_heading(page, "GIL, LATENCY AND CPUS");
	titles(page, 2 + LABEL_WIDTH, 1);
	for (int i = 0; i < GW_DIFF_FIGURE_COUNT; i++) {
		const struct gw_difference *d = &pair->figure[i];

		if (isnan(d->before) && isnan(d->after))
			continue;
		gw_page_cell(page, 2, GW_LEFT, "");
		gw_page_cell(page, LABEL_WIDTH, GW_LEFT, figure_label[i]);
		difference_cells(page, d, gw_diff_unit((enum gw_diff_figure)i));
		gw_page_end_row(page);
	}
}

/* ---- a pair ---- */

static void remarks(struct gw_page *page, const struct gw_diff_remarks *remarks)
{
	char text[sizeof(remarks->text[0]) + 1];

	for (size_t i = 0; i < remarks->count; i++) {
		snprintf(text, sizeof(text), "%s.", remarks->text[i]);
		gw_page_style(page, GW_YELLOW);
		fputs("NOTE      ", page->out);
		gw_page_style(page, GW_PLAIN);
		gw_page_hang(page, 10, text);
	}
}

static void title(struct gw_page *page, const struct gw_diff_pair *pair)
{
	const struct gw_process_view *p = pair->before ? pair->before : pair->after;
	char text[sizeof(p->command) + 128], pid[32] = "";
	const char *only = pair->after ? "after: " : "before: ";

	if (pair->before && pair->after && pair->before->pid != pair->after->pid)
		snprintf(pid, sizeof(pid), " \xe2\x86\x92 %" PRIu32, pair->after->pid);
	snprintf(text, sizeof(text), "%sprocess %" PRIu32 "%s: %.*s",
		 pair->before && pair->after ? "" : only, p->pid, pid, (int)sizeof(p->command),
		 p->command[0] ? p->command : p->comm);
	fputc('\n', page->out);
	gw_page_style(page, GW_BOLD);
	gw_page_cell(page, page->width, GW_LEFT, text);
	gw_page_style(page, GW_PLAIN);
	gw_page_end_row(page);
}

static void why_not_compared(struct gw_page *page, const struct gw_diff_pair *pair)
{
	const struct gw_process_view *side[] = {pair->before, pair->after};
	static const char *const when[] = {"before", "after"};

	for (int i = 0; i < 2; i++) {
		if (!side[i])
			gw_page_print(page, "  ", 4, "There is no such process %s.", when[i]);
		else if (side[i]->error[0])
			gw_page_print(page, "  ", 4, "It could not be measured %s: %.*s", when[i],
				      (int)sizeof(side[i]->error), side[i]->error);
	}
}

static void pair_of_processes(struct gw_page *page, const struct gw_diff_pair *pair)
{
	title(page, pair);
	if (!pair->compared) {
		why_not_compared(page, pair);
		for (size_t i = 0; i < pair->verdict_count; i++)
			verdict(page, &pair->verdict[i]);
		return;
	}
	remarks(page, &pair->remarks);
	changes(page, pair);
	verdicts(page, pair);
	states(page, pair);
	figures(page, pair);
}

static int is_child(const struct gw_diff_pair *pair)
{
	return pair->before ? pair->before->child : pair->after->child;
}

static void summary(struct gw_page *page, const char *label, const char *file,
		    const struct gw_snapshot *s)
{
	char text[4096 + 128];

	snprintf(text, sizeof(text), "%.4095s%s%s from %s on", file, file[0] ? ": " : "",
		 gw_duration(s->elapsed_ns).text, s->started);
	gw_page_style(page, GW_BOLD);
	fputs(label, page->out);
	gw_page_style(page, GW_PLAIN);
	gw_page_hang(page, 10, text);
}

static void together(struct gw_page *page, const struct gw_diff *diff)
{
	if (!diff->together.before)
		return;
	fputc('\n', page->out);
	gw_page_style(page, GW_BOLD);
	gw_page_print(page, "", 2, "all processes together: %zu before, %zu after",
		      diff->before->process_count, diff->after->process_count);
	gw_page_style(page, GW_PLAIN);
	changes(page, &diff->together);
	if (diff->together.verdict_count)
		verdicts(page, &diff->together);
	states(page, &diff->together);
	figures(page, &diff->together);
}

int gw_diff_text_write(const struct gw_diff *diff, const struct gw_diff_files *files,
		       const struct gw_text_options *options, FILE *out)
{
	struct gw_page page = gw_page_of(options, out);
	size_t children = 0;

	summary(&page, "BEFORE    ", files->before, diff->before);
	summary(&page, "AFTER     ", files->after, diff->after);
	remarks(&page, &diff->remarks);
	together(&page, diff);
	for (size_t i = 0; i < diff->pair_count; i++) {
		children += is_child(&diff->pair[i]);
		if (!is_child(&diff->pair[i]) || children <= CHILDREN_TOLD)
			pair_of_processes(&page, &diff->pair[i]);
	}
	if (children > CHILDREN_TOLD)
		gw_page_print(&page, "\n", 0, "%zu more child processes are compared with --json.",
			      children - CHILDREN_TOLD);
	return fflush(out) || ferror(out) ? -EIO : 0;
}
