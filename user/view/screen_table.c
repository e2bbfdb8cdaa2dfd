// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The table of processes and threads: columns as data, as many as the screen has room for. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/histogram.h"
#include "model/probes_basis.h"
#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"
#include "view/bar.h"
#include "view/screen_parts.h"

enum {
	NAME_LEAST = 12,
	NAME_MOST = 24,
	BAR_LEAST = 8,
	BAR_MOST = 48,
};

/* A place to draw one cell of the table at. */
struct place {
	const struct gw_screen *screen;
	struct gw_grid *grid;
	int row, column, width;
};

struct column {
	const char *title;
	int width;	     /* with a space before it */
	int least;	     /* columns of the screen from which on it is shown */
	enum gw_state state; /* of a share, marked in the title where it is an estimate */
	void (*draw)(const struct place *place, const struct gw_row *row);
};

/* ---- cells ---- */

static const struct gw_states *states_of(const struct gw_row *row)
{
	return row->thread ? &row->thread->states : &row->process->states;
}

/*
 * What shares are of: a thread's own time; of a process, the time in which it was watched, so that
 * 200 is two threads all the time.
 */
static int64_t whole_ns(const struct gw_row *row)
{
	return row->thread ? row->thread->wall_ns : row->process->elapsed_ns;
}

static int64_t state_ns(const struct gw_row *row, enum gw_state state)
{
	const struct gw_states *states = states_of(row);

	return gw_state_known(states, row->process->basis, state) ? states->ns[state]
								  : GW_ABSENT_NS;
}

static void put_right(const struct place *at, const char *text)
{
	gw_grid_put_right(at->grid, at->row, at->column, at->width, GW_PEN_PLAIN, text);
}

static void draw_id(const struct place *at, const struct gw_row *row)
{
	char text[16];

	snprintf(text, sizeof(text), "%" PRIu32, row->tid ? row->tid : row->pid);
	gw_grid_put_right(at->grid, at->row, at->column, at->width,
			  row->tid ? GW_PEN_PLAIN : GW_PEN_BOLD, text);
}

static void draw_name(const struct place *at, const struct gw_row *row)
{
	char name[65];

	snprintf(name, sizeof(name), "%.64s", row->name);
	gw_grid_put_name(at->grid, at->row, at->column + 1, at->width - 1,
			 row->tid ? GW_PEN_PLAIN : GW_PEN_BOLD, name);
}

static void draw_bar(const struct place *at, const struct gw_row *row)
{
	int64_t whole = row->thread ? row->thread->wall_ns : row->process->threads_wall_ns;

	gw_bar_states(at->grid, at->row, at->column + 1, at->width - 1, states_of(row),
		      row->process->basis, whole);
}

static void draw_share(const struct place *at, const struct gw_row *row, enum gw_state state)
{
	put_right(at, gw_percent(state_ns(row, state), whole_ns(row)).text);
}

static void draw_python(const struct place *at, const struct gw_row *row)
{
	draw_share(at, row, GW_STATE_PYTHON);
}

static void draw_native(const struct place *at, const struct gw_row *row)
{
	draw_share(at, row, GW_STATE_NATIVE);
}

static void draw_gil_wait(const struct place *at, const struct gw_row *row)
{
	draw_share(at, row, GW_STATE_GIL_WAIT);
}

static void draw_runqueue(const struct place *at, const struct gw_row *row)
{
	draw_share(at, row, GW_STATE_RUNQUEUE);
}

/* A share and its largest cause: "0.2 runq", " 14 sleep". */
static void draw_cause(const struct place *at, int64_t ns, int64_t whole, const char *cause)
{
	char share[32], text[64];

	snprintf(share, sizeof(share), "%s", gw_percent(ns, whole).text);
	if (ns >= whole / 10 && whole > 0)
		snprintf(share, sizeof(share), "%.0f", 100.0 * (double)ns / (double)whole);
	snprintf(text, sizeof(text), "%3s %s", share, ns > 0 ? cause : "");
	gw_grid_put(at->grid, at->row, at->column + 1, at->width - 1, GW_PEN_PLAIN, text);
}

static void draw_held_off(const struct place *at, const struct gw_row *row)
{
	const int64_t *by =
		row->thread ? row->thread->held_off_by_ns : row->process->held_off_by_ns;
	int most = GW_RUNNABLE;

	for (int i = GW_RUNNABLE; i < GW_WHERE_COUNT; i++)
		if (by[i] > by[most])
			most = i;
	draw_cause(at, state_ns(row, GW_STATE_HELD_OFF), whole_ns(row),
		   gw_text_cause((enum gw_where)most));
}

static void draw_blocked(const struct place *at, const struct gw_row *row)
{
	enum gw_where most = GW_BLOCKED_OTHER;
	int64_t ns = gw_blocked_ns(states_of(row), row->process->basis, &most);

	draw_cause(at, ns, whole_ns(row), gw_text_cause(most));
}

/* Wait of others, in per cent of the time: 200 is two others all the time. */
static void draw_inflicted(const struct place *at, const struct gw_row *row)
{
	const struct gw_process_view *p = row->process;
	int64_t ns = 0;

	if (p->inflicted_basis.kind == GW_BASIS_ABSENT)
		ns = GW_ABSENT_NS;
	else if (row->thread)
		ns = row->thread->inflicted_ns;
	else
		for (size_t i = 0; i < p->thread_count; i++)
			ns = gw_sum(ns, p->thread[i].inflicted_ns);
	put_right(at, gw_percent(ns, p->elapsed_ns).text);
}

/* What it does now, and for how long: where it is blocked, it is seen whether that ever ends. */
static void draw_now(const struct place *at, const struct gw_row *row)
{
	static const char *const kind[] = {[GW_OPEN_HOLD] = "holds", [GW_OPEN_WAIT] = "waits"};
	const struct gw_process_view *now = gw_screen_process_now(at->screen);
	const struct gw_open *open;
	char text[48];

	if (!row->thread) {
		gw_grid_put_right(at->grid, at->row, at->column, at->width, GW_PEN_WARNING,
				  row->process->ended == GW_ENDED_TARGET_EXIT	? "ended"
				  : row->process->ended == GW_ENDED_TARGET_EXEC ? "replaced"
										: "");
		return;
	}
	if (!now || now->pid != row->pid)
		now = row->process;
	open = gw_screen_open(now, row->tid);
	if (!open)
		return;
	snprintf(text, sizeof(text), "%s %s",
		 open->kind == GW_OPEN_BLOCK ? gw_text_cause(open->where) : kind[open->kind],
		 gw_screen_age(open->age_ns).text);
	gw_grid_put_right(at->grid, at->row, at->column, at->width,
			  open->kind == GW_OPEN_BLOCK ? GW_PEN_PLAIN : GW_PEN_WARNING, text);
}

static void draw_cpu(const struct place *at, const struct gw_row *row)
{
	char text[16];

	if (!row->thread)
		return;
	snprintf(text, sizeof(text), "%" PRIu32, row->thread->last_cpu);
	put_right(at, text);
}

static void draw_migrations(const struct place *at, const struct gw_row *row)
{
	const int64_t *migrations =
		row->thread ? row->thread->migrations : row->process->migrations;
	int64_t sum = 0;

	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		sum = gw_sum(sum, migrations[i]);
	put_right(at, gw_rate(sum, row->process->elapsed_ns).text);
}

static void draw_wait(const struct place *at, const struct gw_row *row)
{
	if (row->thread)
		put_right(at, gw_duration(gw_histogram_shown_ns(&row->thread->wait, 990)).text);
}

static void draw_hold(const struct place *at, const struct gw_row *row)
{
	if (row->thread)
		put_right(at, gw_duration(gw_histogram_shown_ns(&row->thread->hold, 990)).text);
}

static void draw_resume(const struct place *at, const struct gw_row *row)
{
	const struct gw_resume *resume = row->thread ? &row->thread->resume : &row->process->resume;

	put_right(at, gw_duration(gw_histogram_shown_ns(&resume->latency, 990)).text);
}

static void draw_acquisitions(const struct place *at, const struct gw_row *row)
{
	if (row->thread)
		put_right(at, gw_rate(row->thread->acquisitions, gw_probed_ns(row->process)).text);
}

static void draw_forced(const struct place *at, const struct gw_row *row)
{
	if (row->thread)
		put_right(at,
			  gw_rate(row->thread->forced_releases, gw_probed_ns(row->process)).text);
}

/* ---- columns ---- */

#define NO_STATE GW_STATE_COUNT

/* From left to right; the name and the bar take what room is left. */
static const struct column columns[] = {
	{"number", 7, 0, NO_STATE, draw_id},
	{" name", 0, 0, NO_STATE, draw_name},
	{" states", 0, 52, NO_STATE, draw_bar},
	{"py%", 5, 0, GW_STATE_PYTHON, draw_python},
	{"nat%", 5, 66, GW_STATE_NATIVE, draw_native},
	{"wait%", 6, 0, GW_STATE_GIL_WAIT, draw_gil_wait},
	{" held off", 10, 76, NO_STATE, draw_held_off},
	{"runq%", 6, 110, GW_STATE_RUNQUEUE, draw_runqueue},
	{" blocked", 10, 62, NO_STATE, draw_blocked},
	{"infl%", 5, 80, NO_STATE, draw_inflicted},
	{"cpu", 4, 96, NO_STATE, draw_cpu},
	{"moves", 8, 96, NO_STATE, draw_migrations},
	{"wait p99", 9, 120, NO_STATE, draw_wait},
	{"hold p99", 9, 140, NO_STATE, draw_hold},
	{"resume p99", 11, 150, NO_STATE, draw_resume},
	{"acquired", 10, 160, NO_STATE, draw_acquisitions},
	{"forced", 10, 170, NO_STATE, draw_forced},
	{"now", 11, 0, NO_STATE, draw_now},
};

#define COLUMNS (sizeof(columns) / sizeof(columns[0]))

enum {
	NAME_COLUMN = 1,
	BAR_COLUMN = 2,
};

/* First comes a mark: of the selected row, else of what is new or has ended. */
#define MARK_WIDTH 1

static void widths(int screen, int width[COLUMNS])
{
	int left = screen - MARK_WIDTH;

	for (size_t i = 0; i < COLUMNS; i++) {
		width[i] = screen >= columns[i].least ? columns[i].width : 0;
		left -= width[i];
	}
	width[NAME_COLUMN] = left;
	if (screen < columns[BAR_COLUMN].least)
		return;
	/* The name has what it needs first; of more room it takes a quarter. */
	left -= BAR_LEAST;
	width[NAME_COLUMN] = left <= NAME_LEAST ? left : NAME_LEAST + (left - NAME_LEAST) / 4;
	if (width[NAME_COLUMN] > NAME_MOST)
		width[NAME_COLUMN] = NAME_MOST;
	left -= width[NAME_COLUMN];
	width[BAR_COLUMN] = BAR_LEAST + (left < BAR_MOST ? left : BAR_MOST);
}

static void draw_titles(const struct gw_screen *screen, struct gw_grid *grid, int row,
			const int width[COLUMNS])
{
	const struct gw_process_view *p = gw_screen_process(screen);
	int at = MARK_WIDTH;

	gw_grid_paint(grid, row, 0, grid->columns, GW_PEN_TITLE);
	for (size_t i = 0; i < COLUMNS; i++) {
		const char *about = p && columns[i].state != NO_STATE && !p->error[0]
					    ? gw_text_about(&p->basis[columns[i].state])
					    : "";
		char title[32];

		snprintf(title, sizeof(title), "%s%s", about, columns[i].title);
		if (title[0] == ' ')
			gw_grid_put(grid, row, at, width[i], GW_PEN_TITLE, title);
		else
			gw_grid_put_right(grid, row, at, width[i], GW_PEN_TITLE, title);
		at += width[i];
	}
}

static void draw_ended(struct gw_grid *grid, int line, int at, const struct gw_row *row)
{
	gw_grid_paint(grid, line, 0, grid->columns, GW_PEN_DIM);
	gw_grid_put(grid, line, at + 1, grid->columns - at - 1, GW_PEN_DIM,
		    row->tid ? "ended" : "");
}

static void draw_row(const struct gw_screen *screen, struct gw_grid *grid, int line,
		     const int width[COLUMNS], const struct gw_row *row)
{
	static const char *const mark[] = {
		[GW_ROW_PLAIN] = " ", [GW_ROW_NEW] = "+", [GW_ROW_ENDED] = "-"};
	int at = MARK_WIDTH, error = row->process->error[0] && !row->tid;

	gw_grid_put(grid, line, 0, MARK_WIDTH, GW_PEN_GOOD, mark[row->mark]);
	for (size_t i = 0; i < COLUMNS; i++) {
		struct place place = {screen, grid, line, at, width[i]};

		at += width[i];
		if (!width[i])
			continue;
		if (i > NAME_COLUMN && (error || (row->tid && !row->thread))) {
			if (error)
				gw_grid_put(grid, line, place.column + 1, grid->columns,
					    GW_PEN_WARNING, row->process->error);
			else
				draw_ended(grid, line, place.column, row);
			return;
		}
		columns[i].draw(&place, row);
	}
}

void gw_screen_table(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows)
{
	const struct gw_view_state *s = screen->state;
	int width[COLUMNS];

	widths(grid->columns, width);
	draw_titles(screen, grid, row, width);
	for (int i = 0; i < rows - 1; i++) {
		size_t index = s->top + (size_t)i;

		if (index >= screen->rows->count)
			break;
		draw_row(screen, grid, row + 1 + i, width, &screen->rows->row[index]);
		if (index != s->selected)
			continue;
		gw_grid_paint(grid, row + 1 + i, 0, grid->columns, GW_PEN_SELECTED);
		gw_grid_put(grid, row + 1 + i, 0, 1, GW_PEN_SELECTED, ">");
	}
	if (!screen->rows->count && rows > 1)
		gw_grid_put(grid, row + 1, 1, grid->columns, GW_PEN_DIM,
			    s->filter[0] || s->typing ? "nothing fits the filter" : "no threads");
}
