// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where the time went: of the process, and of its busiest threads. */
#include <string.h>

#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"

static const struct {
	const char *label, *meaning;
} state_words[GW_STATE_COUNT] = {
	[GW_STATE_PYTHON] = {"python", "on a CPU with the GIL, C code too"},
	[GW_STATE_NATIVE] = {"native", "on a CPU without the GIL: C, kernel"},
	[GW_STATE_GIL_WAIT] = {"gil wait", "waiting for the GIL"},
	[GW_STATE_HELD_OFF] = {"held off", "has the GIL but is not on a CPU"},
	[GW_STATE_RUNQUEUE] = {"runqueue", "ready to run, waiting for a CPU"},
	[GW_STATE_DISK] = {"disk", "waiting for a disk"},
	[GW_STATE_NET] = {"net", "waiting for the network"},
	[GW_STATE_PIPE] = {"pipe", "waiting for a pipe"},
	[GW_STATE_POLL] = {"poll", "waiting in select, poll or epoll"},
	[GW_STATE_SLEEP] = {"sleep", "sleeping"},
	[GW_STATE_LOCK] = {"lock", "on a lock, queue, event; not the GIL"},
	[GW_STATE_FAULT] = {"fault", "page fault: waiting for memory"},
	[GW_STATE_CHILD] = {"child", "waiting for a child process"},
	[GW_STATE_STOPPED] = {"stopped", "by a signal, debugger or freezer"},
	[GW_STATE_OTHER] = {"other", "blocked in something else"},
	[GW_STATE_UNKNOWN] = {"unknown", "with or without the GIL: not known"},
};

const char *gw_text_state(enum gw_state state)
{
	return (unsigned int)state < GW_STATE_COUNT ? state_words[state].label : "?";
}

const char *gw_text_state_meaning(enum gw_state state)
{
	return (unsigned int)state < GW_STATE_COUNT ? state_words[state].meaning : "?";
}

static int any_sampled(const struct gw_process_view *p)
{
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		if (p->basis[i].kind == GW_BASIS_SAMPLED)
			return 1;
	}
	return 0;
}

static void print_cell(struct gw_page *page, int width, const char *before, const char *figure,
		       const char *after)
{
	char text[64];

	snprintf(text, sizeof(text), "%s%s%s", before, figure, after);
	gw_page_cell(page, width, GW_RIGHT, text);
}

static void state_row(struct gw_page *page, const struct gw_process_view *p, enum gw_state state,
		      int sampled)
{
	const struct gw_basis *basis = &p->basis[state];
	int64_t ns = p->states.ns[state];

	gw_page_cell(page, 2, GW_LEFT, "");
	gw_page_cell(page, 9, GW_LEFT, state_words[state].label);
	print_cell(page, 10, gw_text_about(basis), gw_duration(ns).text, "");
	if (basis->kind == GW_BASIS_SAMPLED)
		print_cell(page, 13, "\xc2\xb1 ", gw_duration(basis->error_ns).text, "");
	else if (sampled)
		gw_page_cell(page, 13, GW_LEFT, "");
	print_cell(page, 8, "", gw_percent(ns, p->threads_wall_ns).text, " %");
	gw_page_cell(page, 2, GW_LEFT, "");
	gw_page_cell(page, page->width - (sampled ? 44 : 31), GW_LEFT, state_words[state].meaning);
	gw_page_end_row(page);
}

/* What the holders were doing instead of running, the longest first. */
static void held_off_row(struct gw_page *page, const struct gw_process_view *p)
{
	char text[256] = "";
	unsigned int told = 0;
	size_t used = 0;

	for (int n = 0; n < 3; n++) {
		int most = -1;

		for (int i = GW_RUNNABLE; i < GW_WHERE_COUNT; i++) {
			if (p->held_off_by_ns[i] > 0 && !(told >> i & 1) &&
			    (most < 0 || p->held_off_by_ns[i] > p->held_off_by_ns[most]))
				most = i;
		}
		if (most < 0)
			break;
		told |= 1u << most;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
					 used ? ", " : "", gw_text_doing((enum gw_where)most),
					 gw_duration(p->held_off_by_ns[most]).text);
	}
	if (used)
		gw_page_print(page, "           ", 11, "of it: %s", text);
}

/* The states that are absent, in one line, and what is known all the same. */
static void absent_states(struct gw_page *page, const struct gw_process_view *p)
{
	char text[256] = "";
	size_t used = 0;

	for (int i = 0; i < GW_STATE_COUNT; i++) {
		if (gw_state_known(&p->states, p->basis, (enum gw_state)i))
			continue;
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
					 state_words[i].label);
		gw_page_reason(page, gw_absence(&p->basis[i], ""));
	}
	if (used)
		gw_page_print(page, "  ", 4, "%s: \xe2\x80\x93", text);
}

/* Where threads were is known without the GIL: told where the states leave much unknown. */
static void where_line(struct gw_page *page, const struct gw_process_view *p)
{
	char text[1024] = "";
	size_t used = 0;

	if (gw_state_known(&p->states, p->basis, GW_STATE_UNKNOWN) &&
	    p->states.ns[GW_STATE_UNKNOWN] <= p->threads_wall_ns / 10)
		return;
	for (int i = 0; i < GW_WHERE_COUNT; i++) {
		if (p->where_ns[i] > 0)
			used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s",
						 used ? ", " : "", gw_text_doing((enum gw_where)i),
						 gw_duration(p->where_ns[i]).text);
	}
	if (used)
		gw_page_print(page, "  ", 4, "With or without the GIL, threads were: %s.", text);
}

static void sampling_line(struct gw_page *page, const struct gw_process_view *p)
{
	const char *how = p->basis[GW_STATE_PYTHON].reason;

	gw_page_print(page, "  ", 4,
		      "\xe2\x89\x88 is an estimate from samples%s%s%s; the true value lies within "
		      "\xc2\xb1 in 19 of 20 cases.",
		      how[0] ? " (" : "", how, how[0] ? ")" : "");
}

void gw_text_states(struct gw_page *page, const struct gw_process_view *p)
{
	int sampled = any_sampled(p);
	char title[96];

	snprintf(title, sizeof(title), "WHERE THE TIME WENT (100 %% = %s, all threads together)",
		 gw_duration(p->threads_wall_ns).text);
	gw_page_heading(page, title);
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		if (p->states.ns[i] && gw_state_known(&p->states, p->basis, (enum gw_state)i))
			state_row(page, p, (enum gw_state)i, sampled);
		if (i == GW_STATE_HELD_OFF)
			held_off_row(page, p);
	}
	if (sampled)
		sampling_line(page, p);
	absent_states(page, p);
	where_line(page, p);
	gw_page_reasons(page);
}

/* Columns of the table of threads; the rest is the name's. */
enum {
	TID_WIDTH = 7,
	NAME_WIDTH = 11,
	NAME_MOST = 20,
	SHARE_WIDTH = 7,
	WAIT_WIDTH = 9,
	CAUSE_WIDTH = 11,
	QUEUE_WIDTH = 6,
	TIME_WIDTH = 9,
	WALL_WIDTH = 9,
};

static int name_width(const struct gw_page *page)
{
	int width = NAME_WIDTH + page->width - 80;

	return width > NAME_MOST ? NAME_MOST : width;
}

static int shows_wall(const struct gw_page *page)
{
	return page->width >= 80 + NAME_MOST - NAME_WIDTH + WALL_WIDTH;
}

static void thread_titles(struct gw_page *page)
{
	gw_page_cell(page, TID_WIDTH, GW_RIGHT, "thread");
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, name_width(page), GW_LEFT, "name");
	if (shows_wall(page))
		gw_page_cell(page, WALL_WIDTH, GW_RIGHT, "watched");
	gw_page_cell(page, SHARE_WIDTH, GW_RIGHT, "python");
	gw_page_cell(page, SHARE_WIDTH, GW_RIGHT, "native");
	gw_page_cell(page, WAIT_WIDTH, GW_RIGHT, "gil wait");
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, CAUSE_WIDTH - 1, GW_LEFT, "held off");
	gw_page_cell(page, QUEUE_WIDTH, GW_RIGHT, "runq");
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, CAUSE_WIDTH - 1, GW_LEFT, "blocked");
	gw_page_cell(page, TIME_WIDTH, GW_RIGHT, "inflicted");
	gw_page_end_row(page);
}

static int64_t state_ns(const struct gw_process_view *p, const struct gw_thread_view *t,
			enum gw_state state)
{
	return gw_state_known(&t->states, p->basis, state) ? t->states.ns[state] : GW_ABSENT_NS;
}

/* "40.1 sleep": the share, and the largest of its causes. */
static void cause_cell(struct gw_page *page, int64_t ns, int64_t wall_ns, const char *cause)
{
	char text[64];

	if (ns <= 0)
		cause = "";
	snprintf(text, sizeof(text), "%4s%s%s", gw_percent(ns, wall_ns).text, cause[0] ? " " : "",
		 cause);
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, CAUSE_WIDTH - 1, GW_LEFT, text);
}

static void held_off_cell(struct gw_page *page, const struct gw_process_view *p,
			  const struct gw_thread_view *t)
{
	int most = GW_RUNNABLE;

	for (int i = GW_RUNNABLE; i < GW_WHERE_COUNT; i++) {
		if (t->held_off_by_ns[i] > t->held_off_by_ns[most])
			most = i;
	}
	cause_cell(page, state_ns(p, t, GW_STATE_HELD_OFF), t->wall_ns,
		   t->held_off_by_ns[most] > 0 ? gw_text_cause((enum gw_where)most) : "");
}

static void blocked_cell(struct gw_page *page, const struct gw_process_view *p,
			 const struct gw_thread_view *t)
{
	enum gw_where most = GW_BLOCKED_OTHER;
	int64_t ns = gw_blocked_ns(&t->states, p->basis, &most);

	cause_cell(page, ns, t->wall_ns, gw_text_cause(most));
}

/* A share of a thread's time in a state, marked where the process's figure is an estimate. */
static void share_cell(struct gw_page *page, int width, const struct gw_process_view *p,
		       const struct gw_thread_view *t, enum gw_state state)
{
	int64_t ns = state_ns(p, t, state);

	print_cell(page, width, ns > 0 ? gw_text_about(&p->basis[state]) : "",
		   gw_percent(ns, t->wall_ns).text, "");
	if (ns == GW_ABSENT_NS)
		gw_page_reason(page, gw_absence(&p->basis[state], ""));
}

static void inflicted_cell(struct gw_page *page, const struct gw_process_view *p, int64_t ns)
{
	if (ns < 0 || p->inflicted_basis.kind == GW_BASIS_ABSENT) {
		gw_page_reason(page, gw_absence(&p->inflicted_basis, ""));
		ns = GW_ABSENT_NS;
	}
	print_cell(page, TIME_WIDTH, ns > 0 ? gw_text_about(&p->inflicted_basis) : "",
		   gw_duration(ns).text, "");
}

static void thread_figures(struct gw_page *page, const struct gw_process_view *p,
			   const struct gw_thread_view *t)
{
	if (shows_wall(page))
		gw_page_cell(page, WALL_WIDTH, GW_RIGHT, gw_duration(t->wall_ns).text);
	share_cell(page, SHARE_WIDTH, p, t, GW_STATE_PYTHON);
	share_cell(page, SHARE_WIDTH, p, t, GW_STATE_NATIVE);
	share_cell(page, WAIT_WIDTH, p, t, GW_STATE_GIL_WAIT);
	held_off_cell(page, p, t);
	share_cell(page, QUEUE_WIDTH, p, t, GW_STATE_RUNQUEUE);
	blocked_cell(page, p, t);
}

static void thread_row(struct gw_page *page, const struct gw_process_view *p,
		       const struct gw_thread_view *t)
{
	char text[sizeof(t->name) + 16];

	snprintf(text, sizeof(text), "%u", t->tid);
	gw_page_cell(page, TID_WIDTH, GW_RIGHT, text);
	gw_page_cell(page, 1, GW_LEFT, "");
	snprintf(text, sizeof(text), "%.*s%s", (int)sizeof(t->name), t->name,
		 t->alive || p->ended == GW_ENDED_TARGET_EXIT ? "" : " (ended)");
	gw_page_cell(page, name_width(page), GW_LEFT, text);
	thread_figures(page, p, t);
	inflicted_cell(page, p, t->inflicted_ns);
	gw_page_end_row(page);
}

/* The threads that ended and were folded together. */
static void ended_row(struct gw_page *page, const struct gw_process_view *p)
{
	struct gw_thread_view ended = {.wall_ns = p->ended_wall_ns, .states = p->ended_states};
	char text[64];

	snprintf(text, sizeof(text), "%llu ended", (unsigned long long)p->ended_count);
	gw_page_cell(page, TID_WIDTH + 1, GW_RIGHT, "");
	gw_page_cell(page, name_width(page), GW_LEFT, text);
	thread_figures(page, p, &ended);
	gw_page_end_row(page);
}

/* How far the sampled shares of the threads shown may be off, in points of percent. */
static void thread_errors(struct gw_page *page, const struct gw_process_view *p, size_t shown)
{
	double most = 0;

	for (size_t i = 0; i < shown; i++) {
		const struct gw_thread_view *t = &p->thread[i];

		if (t->wall_ns > 0 && (double)t->python_error_ns / (double)t->wall_ns > most)
			most = (double)t->python_error_ns / (double)t->wall_ns;
	}
	if (most > 0)
		gw_page_print(
			page, "  ", 4,
			"\xe2\x89\x88: python and native are estimates, \xc2\xb1 %s points or "
			"better.",
			gw_number(most * 100).text);
}

void gw_text_threads(struct gw_page *page, const struct gw_process_view *p)
{
	size_t shown = p->thread_count;

	if (!p->thread_count && !p->ended_count)
		return;
	if (shown > (size_t)page->rows)
		shown = (size_t)page->rows;
	gw_page_heading(page, "BUSIEST THREADS (% of each thread's own time)");
	thread_titles(page);
	for (size_t i = 0; i < shown; i++)
		thread_row(page, p, &p->thread[i]);
	if (p->ended_count)
		ended_row(page, p);
	if (shown < p->thread_count)
		gw_page_print(page, "  ", 4, "%zu more threads are not shown; -n %zu shows all.",
			      p->thread_count - shown, p->thread_count);
	gw_page_wrap(
		page, "  ", 4,
		"runq: ready, but without a CPU. inflicted: how long others waited for the GIL "
		"while this thread held it.");
	thread_errors(page, p, shown);
	gw_page_reasons(page);
}
