// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <math.h>

#include "model/histogram.h"
#include "model/series.h"
#include "render/interval.h"
#include "render/text_page.h"
#include "render/total.h"

/* Wide enough for all columns; the last one, which holds text, is as long as it is. */
#define LINE_WIDTH 240

enum {
	TIME_WIDTH = 8,
	ID_WIDTH = 9,
	COUNT_WIDTH = 8,
	FIGURE_WIDTH = 7,
	LONG_WIDTH = 9,
	LAST_WIDTH = 60,
};

static const enum gw_state io[] = {GW_STATE_DISK, GW_STATE_NET, GW_STATE_PIPE, GW_STATE_POLL};
static const enum gw_state rest[] = {GW_STATE_FAULT, GW_STATE_CHILD, GW_STATE_STOPPED,
				     GW_STATE_OTHER, GW_STATE_UNKNOWN};

#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))

/* Columns are single words, and figures bare numbers: other programs read this too. */
static void heading(struct gw_page *page, int first)
{
	static const struct {
		const char *name;
		int width;
	} column[] = {
		{"id", ID_WIDTH},	  {"threads", COUNT_WIDTH}, {"held%", FIGURE_WIDTH},
		{"python", FIGURE_WIDTH}, {"native", FIGURE_WIDTH}, {"gil_wait", LONG_WIDTH},
		{"held_off", LONG_WIDTH}, {"runqueue", LONG_WIDTH}, {"io", FIGURE_WIDTH},
		{"sleep", FIGURE_WIDTH},  {"lock", FIGURE_WIDTH},   {"other", FIGURE_WIDTH},
		{"wait99_ms", 10},
	};

	if (first)
		gw_page_wrap(page, "# ", 2,
			     "States: how many threads were in each on average; for a thread, its "
			     "share of the interval. id: of a process, or of a thread below it.");
	gw_page_cell(page, TIME_WIDTH, GW_LEFT, "time");
	for (size_t i = 0; i < COUNT_OF(column); i++)
		gw_page_cell(page, column[i].width, GW_RIGHT, column[i].name);
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, LAST_WIDTH, GW_LEFT, "verdict/name");
	gw_page_end_row(page);
}

static void number_cell(struct gw_page *page, int width, double value, int decimals)
{
	char text[64];

	if (isfinite(value) && value >= 0)
		snprintf(text, sizeof(text), "%.*f", decimals, value);
	else
		snprintf(text, sizeof(text), "-");
	gw_page_cell(page, width, GW_RIGHT, text);
}

static double over(int64_t ns, int64_t elapsed_ns)
{
	if (ns < 0)
		return -1;
	return elapsed_ns > 0 ? (double)ns / (double)elapsed_ns : 0;
}

/* The sum of some states; absent if one of them is. */
static double share(const struct gw_process_view *p, const struct gw_states *states,
		    const enum gw_state *state, size_t count)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < count; i++)
		sum_ns = gw_state_known(states, p->basis, state[i])
				 ? gw_sum(sum_ns, states->ns[state[i]])
				 : GW_ABSENT_NS;
	return over(sum_ns, p->elapsed_ns);
}

static void state_cells(struct gw_page *page, const struct gw_process_view *p,
			const struct gw_states *states)
{
	static const struct {
		enum gw_state state;
		int width;
	} single[] = {
		{GW_STATE_PYTHON, FIGURE_WIDTH}, {GW_STATE_NATIVE, FIGURE_WIDTH},
		{GW_STATE_GIL_WAIT, LONG_WIDTH}, {GW_STATE_HELD_OFF, LONG_WIDTH},
		{GW_STATE_RUNQUEUE, LONG_WIDTH},
	};
	const enum gw_state sleep = GW_STATE_SLEEP, lock = GW_STATE_LOCK;

	for (size_t i = 0; i < COUNT_OF(single); i++)
		number_cell(page, single[i].width, share(p, states, &single[i].state, 1), 2);
	number_cell(page, FIGURE_WIDTH, share(p, states, io, COUNT_OF(io)), 2);
	number_cell(page, FIGURE_WIDTH, share(p, states, &sleep, 1), 2);
	number_cell(page, FIGURE_WIDTH, share(p, states, &lock, 1), 2);
	number_cell(page, FIGURE_WIDTH, share(p, states, rest, COUNT_OF(rest)), 2);
}

static void wait_cell(struct gw_page *page, const struct gw_histogram *wait)
{
	int64_t ns = gw_histogram_percentile_ns(wait, 990);

	number_cell(page, 10, ns == GW_ABSENT_NS ? -1 : (double)ns / 1e6, 2);
	gw_page_cell(page, 1, GW_LEFT, "");
}

/* The caller clears it. */
static struct gw_histogram all_waits(const struct gw_process_view *p)
{
	struct gw_histogram sum = {0};

	for (size_t i = 0; i < p->gil_count; i++)
		gw_histogram_merge(&sum, &p->gil[i].wait);
	return sum;
}

static const char *last_word(const struct gw_process_view *p)
{
	if (p->ended == GW_ENDED_TARGET_EXIT)
		return "ended";
	if (p->ended == GW_ENDED_TARGET_EXEC)
		return "became another program";
	return p->verdict_count ? p->verdict[0].code : "";
}

static void id_cells(struct gw_page *page, const char *time, uint32_t id, size_t threads)
{
	char text[32];

	gw_page_cell(page, TIME_WIDTH, GW_LEFT, time);
	snprintf(text, sizeof(text), "%" PRIu32, id);
	gw_page_cell(page, ID_WIDTH, GW_RIGHT, text);
	snprintf(text, sizeof(text), "%zu", threads);
	gw_page_cell(page, COUNT_WIDTH, GW_RIGHT, threads ? text : "-");
}

static void process_row(struct gw_page *page, const char *time, const struct gw_process_view *p)
{
	double held = gw_held_share(p);
	struct gw_histogram waits;

	id_cells(page, time, p->pid, p->thread_count);
	if (p->error[0]) {
		gw_page_cell(page, 1, GW_LEFT, "");
		gw_page_cell(page, LINE_WIDTH, GW_LEFT, p->error);
		gw_page_end_row(page);
		return;
	}
	number_cell(page, FIGURE_WIDTH, held < 0 ? held : held * 100, 1);
	state_cells(page, p, &p->states);
	waits = all_waits(p);
	wait_cell(page, &waits);
	gw_histogram_clear(&waits);
	gw_page_cell(page, LAST_WIDTH, GW_LEFT, last_word(p));
	gw_page_end_row(page);
}

static void thread_row(struct gw_page *page, const char *time, const struct gw_process_view *p,
		       const struct gw_thread_view *t)
{
	static const enum gw_state holding[] = {GW_STATE_PYTHON, GW_STATE_HELD_OFF};
	double held = share(p, &t->states, holding, COUNT_OF(holding));
	char name[sizeof(t->name) + 1];

	id_cells(page, time, t->tid, 0);
	number_cell(page, FIGURE_WIDTH, held < 0 ? held : held * 100, 1);
	state_cells(page, p, &t->states);
	wait_cell(page, &t->wait);
	snprintf(name, sizeof(name), "%.*s", (int)sizeof(t->name), t->name);
	gw_page_cell(page, LAST_WIDTH, GW_LEFT, name);
	gw_page_end_row(page);
}

int gw_interval_text_write(const struct gw_interval *interval,
			   const struct gw_text_options *options, FILE *out)
{
	struct gw_page page = {.out = out, .width = LINE_WIDTH, .utf8 = options->utf8};
	char time[TIME_WIDTH + 1];

	/* The time of day out of "2026-03-01T12:00:00+01:00". */
	snprintf(time, sizeof(time), "%.8s", interval->at[0] ? interval->at + 11 : "");
	if (interval->heading)
		heading(&page, interval->seq == 1);
	for (size_t i = 0; i < interval->between->process_count; i++) {
		const struct gw_process_view *p = &interval->between->process[i];

		process_row(&page, time, p);
		for (size_t j = 0; j < p->thread_count && j < (size_t)options->rows; j++)
			thread_row(&page, time, p, &p->thread[j]);
	}
	return fflush(out) || ferror(out) ? -EIO : 0;
}
