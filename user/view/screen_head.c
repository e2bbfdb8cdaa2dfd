// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What stands above the table: title, facts, verdict, graphs, and the GIL; and the keys below it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "render/units.h"
#include "view/bar.h"
#include "view/screen_parts.h"

#define LINE_SIZE	 512
#define FIRST_VERDICT_NS 1500000000LL
/* Three minutes at an interval of one second. */
#define GRAPH_INTERVALS 180

/* ---- the title ---- */

static void clock_text(int64_t ns, char *text, size_t size)
{
	int64_t seconds = ns / 1000000000;

	snprintf(text, size, "%" PRId64 ":%02d:%02d", seconds / 3600, (int)(seconds / 60 % 60),
		 (int)(seconds % 60));
}

static void target_text(const struct gw_screen *screen, char *text, size_t size)
{
	const struct gw_process_view *p = gw_screen_process(screen);

	if (!p)
		snprintf(text, size, "gilwatch");
	else if (screen->shown->process_count > 1)
		snprintf(text, size, "gilwatch: %zu processes, here %" PRIu32 " %.*s",
			 screen->shown->process_count, p->pid, (int)sizeof(p->comm), p->comm);
	else
		snprintf(text, size, "gilwatch: %" PRIu32 " %.*s", p->pid, (int)sizeof(p->command),
			 p->command[0] ? p->command : p->comm);
}

static const char *mode_text(enum gw_view_mode mode)
{
	static const char *const text[GW_MODE_COUNT] = {
		[GW_MODE_INTERVAL] = "last interval",
		[GW_MODE_MARK] = "since reset",
		[GW_MODE_START] = "since start",
	};

	return text[mode];
}

void gw_screen_title(const struct gw_screen *screen, struct gw_grid *grid)
{
	char left[LINE_SIZE * 3], right[64], clock[32];
	int used;

	clock_text(screen->watched_ns, clock, sizeof(clock));
	snprintf(right, sizeof(right), "%s  %s%s", mode_text(screen->state->mode), clock,
		 screen->over		 ? "  ENDED"
		 : screen->state->paused ? "  PAUSED"
					 : "");
	used = (int)strlen(right);
	target_text(screen, left, sizeof(left));
	gw_grid_paint(grid, 0, 0, grid->columns, GW_PEN_TITLE);
	gw_grid_put(grid, 0, 0, grid->columns - used - 1, GW_PEN_TITLE, left);
	gw_grid_put(grid, 0, grid->columns - used, used, GW_PEN_TITLE, right);
}

/* ---- facts ---- */

static size_t python_text(const struct gw_process_view *p, char *text, size_t size)
{
	return (size_t)snprintf(text, size, "Python %s%s, engine %s, ",
				p->python_version[0] ? p->python_version : "of unknown version",
				!p->free_threaded ? ""
				: p->gil_enabled  ? " free-threaded, GIL on"
						  : " free-threaded, GIL off",
				p->engine);
}

void gw_screen_facts(const struct gw_screen *screen, struct gw_grid *grid, int row)
{
	const struct gw_process_view *p = gw_screen_process(screen);
	char text[LINE_SIZE], budget[48] = "", every[32];
	size_t used;

	if (!p || p->error[0])
		return;
	used = python_text(p, text, sizeof(text));
	if (p->overhead_budget >= 0)
		snprintf(budget, sizeof(budget), " of %.3g %%", 100 * p->overhead_budget);
	snprintf(text + used, sizeof(text) - used, "cost %s%s, %" PRIu32 " CPUs, %zu thread%s",
		 gw_share(p->overhead_ratio).text, budget, p->cpus_usable, p->thread_count,
		 p->thread_count == 1 ? "" : "s");
	snprintf(every, sizeof(every), "every %s",
		 gw_duration_short((int64_t)screen->state->interval_ns).text);
	gw_grid_put(grid, row, 0, grid->columns - (int)strlen(every) - 2, GW_PEN_PLAIN, text);
	gw_grid_put_right(grid, row, 0, grid->columns, GW_PEN_DIM, every);
}

/* ---- the verdict ---- */

/* The worst of all processes, the one the screen is about first. */
static const struct gw_process_view *worst_judged(const struct gw_screen *screen)
{
	const struct gw_process_view *worst = gw_screen_process(screen);

	for (size_t i = 0; i < screen->shown->process_count; i++) {
		const struct gw_process_view *p = &screen->shown->process[i];

		if (p->verdict_count && (!worst || !worst->verdict_count ||
					 p->verdict[0].severity > worst->verdict[0].severity))
			worst = p;
	}
	return worst;
}

/* Returns the lines used. */
static int verdict_lines(const struct gw_screen *screen, const struct gw_process_view *p,
			 const struct gw_verdict *verdict, struct gw_grid *grid, int row, int rows)
{
	static const struct {
		const char *label;
		enum gw_pen pen;
	} severity[] = {
		[GW_INFO] = {"INFO", GW_PEN_GOOD},
		[GW_WARNING] = {"WARNING", GW_PEN_WARNING},
		[GW_CRITICAL] = {"CRITICAL", GW_PEN_CRITICAL},
	};
	char text[sizeof(verdict->text) + 32];
	int first = gw_grid_put(grid, row, 0, 9, severity[verdict->severity].pen,
				severity[verdict->severity].label);
	int own = verdict >= p->verdict && verdict < p->verdict + GW_VERDICTS_MAX;

	/* What that verdict advises, to watch for longer, is what the view does. */
	if (screen->watched_ns < FIRST_VERDICT_NS && !strcmp(verdict->code, "insufficient_data"))
		snprintf(text, sizeof(text), "The first verdict comes after a second.");
	else if (own && screen->shown->process_count > 1)
		snprintf(text, sizeof(text), "%" PRIu32 ": %s", p->pid, verdict->text);
	else
		snprintf(text, sizeof(text), "%s", verdict->text);
	return gw_grid_wrap(grid, row, 0, first + 1, rows, GW_PEN_PLAIN, text);
}

/* Those of a process and those over several, the worst first. */
static size_t sort_verdicts(const struct gw_snapshot *shown, const struct gw_process_view *p,
			    const struct gw_verdict *verdict[2 * GW_VERDICTS_MAX])
{
	size_t of_process = 0, of_all = 0, count = 0;

	while (of_process < p->verdict_count || of_all < shown->verdict_count) {
		int all = of_process == p->verdict_count ||
			  (of_all < shown->verdict_count &&
			   shown->verdict[of_all].severity > p->verdict[of_process].severity);

		verdict[count++] = all ? &shown->verdict[of_all++] : &p->verdict[of_process++];
	}
	return count;
}

void gw_screen_verdict(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows)
{
	const struct gw_process_view *p = worst_judged(screen);
	const struct gw_verdict *verdict[2 * GW_VERDICTS_MAX];
	size_t count;

	if (!p || p->error[0]) {
		gw_grid_wrap(grid, row, 0, 0, rows, GW_PEN_WARNING, p ? p->error : "");
		return;
	}
	/* The worst first; others where there is room for them. */
	count = sort_verdicts(screen->shown, p, verdict);
	for (size_t i = 0; i < count && rows > 0; i++) {
		int used = verdict_lines(screen, p, verdict[i], grid, row, rows);

		row += used;
		rows -= used ? used : rows;
	}
}

/* ---- graphs ---- */

enum graph_figure {
	GRAPH_HELD,
	GRAPH_WAITERS,
	GRAPH_CPUS,
	GRAPH_COUNT,
};

static double figure_of(struct gw_series_point point, enum graph_figure figure)
{
	return figure == GRAPH_HELD	 ? point.held
	       : figure == GRAPH_WAITERS ? point.waiters
					 : point.cpus;
}

/* A graph's columns of one figure, the last one first. */
struct graph {
	double column[GW_SERIES_LENGTH];
	size_t count;
	double scale; /* what fills it: all of the time, or the most that was seen */
};

/*
 * As many intervals a column as show all that there are, up to GRAPH_INTERVALS; a power of two, so
 * that a graph is seldom drawn anew.
 */
static size_t intervals_a_column(const struct gw_series *series, size_t width)
{
	size_t wanted = series->count < GRAPH_INTERVALS ? series->count : GRAPH_INTERVALS,
	       intervals = 1;

	while (width * intervals < wanted)
		intervals *= 2;
	return intervals;
}

static void fill_graph(const struct gw_series *series, enum graph_figure figure, size_t width,
		       struct graph *graph)
{
	size_t intervals = intervals_a_column(series, width);

	graph->count = gw_series_columns(series, intervals);
	if (graph->count > width)
		graph->count = width;
	graph->scale = 1;
	for (size_t i = 0; i < graph->count; i++) {
		graph->column[i] = figure_of(gw_series_column(series, intervals, i), figure);
		if (figure != GRAPH_HELD && graph->column[i] > graph->scale)
			graph->scale = graph->column[i];
	}
}

static void draw_graph(const struct gw_series *series, enum graph_figure figure,
		       struct gw_grid *grid, int row, int column, int width)
{
	static const struct {
		const char *name;
		enum gw_pen pen;
	} look[GRAPH_COUNT] = {
		[GRAPH_HELD] = {"held", GW_PEN_STATE + GW_STATE_PYTHON},
		[GRAPH_WAITERS] = {"waiting", GW_PEN_STATE + GW_STATE_GIL_WAIT},
		[GRAPH_CPUS] = {"CPUs", GW_PEN_STATE + GW_STATE_NATIVE},
	};
	double now = series->count ? figure_of(*gw_series_at(series, 0), figure) : -1;
	int label =
		gw_grid_print(grid, row, column, width, GW_PEN_PLAIN, "%s %s ", look[figure].name,
			      figure == GRAPH_HELD ? gw_share(now).text : gw_number(now).text);
	struct graph graph;

	label = label > 13 ? label : 13;
	if (width <= label)
		return;
	fill_graph(series, figure, (size_t)(width - label), &graph);
	for (size_t i = 0; i < graph.count; i++)
		gw_bar_column(grid, row, column + width - 1 - (int)i, look[figure].pen,
			      graph.column[i] / graph.scale);
}

void gw_screen_graphs(const struct gw_screen *screen, struct gw_grid *grid, int row)
{
	int width = grid->columns / GRAPH_COUNT;

	for (int i = 0; i < GRAPH_COUNT; i++)
		draw_graph(screen->series, (enum graph_figure)i, grid, row, i * width, width - 1);
}

/* ---- the keys ---- */

static void keys_text(const struct gw_screen *screen, int screen_rows, int columns, char *text,
		      size_t size)
{
	static const char *const sort[GW_SORT_COUNT] = {
		[GW_SORT_BUSY] = "busy",
		[GW_SORT_GIL_WAIT] = "gil wait",
		[GW_SORT_PYTHON] = "python",
		[GW_SORT_NATIVE] = "native",
		[GW_SORT_HELD_OFF] = "held off",
		[GW_SORT_INFLICTED] = "inflicted",
		[GW_SORT_MIGRATIONS] = "migrations",
		[GW_SORT_NAME] = "name",
		[GW_SORT_ID] = "number",
	};
	const struct gw_view_state *s = screen->state;

	if (s->help)
		snprintf(text, size, "%s",
			 screen_rows < GW_HELP_ROWS || columns < GW_HELP_COLUMNS
				 ? "PgDn more  any other key: back"
				 : "any key: back");
	else if (s->detail)
		snprintf(text, size, "Esc back  Up/Down thread  PgUp/PgDn scroll  m mode  q quit");
	else
		snprintf(text, size, "h help  q quit  s sort: %s%s  / filter%s%s%s", sort[s->sort],
			 s->reverse ? " rev" : "", s->filter[0] ? ": " : "", s->filter,
			 columns < 60 ? "" : "  m mode  Enter open  p pause  r reset");
}

void gw_screen_footer(const struct gw_screen *screen, struct gw_grid *grid)
{
	char text[LINE_SIZE];
	int row = grid->rows - 1;

	if (screen->state->typing)
		snprintf(text, sizeof(text), "filter: %s_", screen->state->typed);
	else if (screen->state->message[0])
		snprintf(text, sizeof(text), "%s", screen->state->message);
	else
		keys_text(screen, grid->rows, grid->columns, text, sizeof(text));
	gw_grid_paint(grid, row, 0, grid->columns, GW_PEN_TITLE);
	gw_grid_put(grid, row, 0, grid->columns, GW_PEN_TITLE, text);
}
