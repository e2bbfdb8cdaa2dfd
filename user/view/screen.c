// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "view/screen_parts.h"

#define SECOND_NS 1000000000LL

/* Above the table stands its head, at the ends of the screen a title and a line of keys. */
#define FIXED_LINES 3

static struct gw_screen_plan plan_of_size(int rows, int columns)
{
	struct gw_screen_plan plan = {
		.facts = rows >= 12,
		.verdict = rows >= 40	? 4
			   : rows >= 16 ? 2
					: 1,
		.graphs = rows >= 16 && columns >= 60,
		.gil = rows >= 20   ? 3
		       : rows >= 14 ? 2
				    : 1,
	};

	return plan;
}

static int lines_above(const struct gw_screen_plan *plan)
{
	return plan->facts + plan->verdict + plan->graphs + plan->gil;
}

static size_t page_of(const struct gw_screen_plan *plan, int rows)
{
	int page = rows - FIXED_LINES - lines_above(plan);

	return page > 0 ? (size_t)page : 1;
}

/*
 * What helps stands at the end of a verdict: it has the lines that the table leaves. Its length
 * does not matter, so that nothing moves when another verdict comes.
 */
struct gw_screen_plan gw_screen_plan(int rows, int columns, size_t table_rows)
{
	struct gw_screen_plan plan = plan_of_size(rows, columns);
	size_t page = page_of(&plan, rows), left = page > table_rows ? page - table_rows : 0,
	       more = rows >= 40   ? 2
		      : rows >= 16 ? 4
				   : 2;

	plan.verdict += (int)(left < more ? left : more);
	return plan;
}

size_t gw_screen_page(int rows, int columns, size_t table_rows)
{
	struct gw_screen_plan plan = gw_screen_plan(rows, columns, table_rows);

	return page_of(&plan, rows);
}

const struct gw_process_view *gw_screen_process(const struct gw_screen *screen)
{
	const struct gw_row *row = gw_view_selected(screen->state, screen->rows);

	if (row && row->process)
		return row->process;
	return screen->shown->process_count ? &screen->shown->process[0] : NULL;
}

const struct gw_process_view *gw_screen_process_now(const struct gw_screen *screen)
{
	const struct gw_process_view *process = gw_screen_process(screen);

	for (size_t i = 0; process && i < screen->interval->process_count; i++) {
		const struct gw_process_view *now = &screen->interval->process[i];

		if (now->pid == process->pid && now->began_ns == process->began_ns)
			return now;
	}
	return NULL;
}

const struct gw_open *gw_screen_open(const struct gw_process_view *process, uint32_t tid)
{
	const struct gw_open *first = NULL;

	for (size_t i = 0; i < process->open_count; i++)
		if (process->open[i].tid == tid && (!first || process->open[i].kind < first->kind))
			first = &process->open[i];
	return first;
}

struct gw_age gw_screen_age(int64_t ns)
{
	struct gw_age age;

	if (ns < SECOND_NS / 10)
		snprintf(age.text, sizeof(age.text), "%dms", (int)(ns / 1000000));
	else if (ns < SECOND_NS)
		snprintf(age.text, sizeof(age.text), "0.%ds", (int)(ns / (SECOND_NS / 10)));
	else if (ns < 100 * SECOND_NS)
		snprintf(age.text, sizeof(age.text), "%ds", (int)(ns / SECOND_NS));
	else if (ns < 6000 * SECOND_NS)
		snprintf(age.text, sizeof(age.text), "%dm", (int)(ns / (60 * SECOND_NS)));
	else
		snprintf(age.text, sizeof(age.text), "%lldh", ns / (3600 * SECOND_NS));
	return age;
}

struct gw_screen_label gw_screen_label(const struct gw_process_view *process, uint32_t tid)
{
	struct gw_screen_label label;
	const char *name = "";

	for (size_t i = 0; i < process->thread_count; i++)
		if (process->thread[i].tid == tid)
			name = process->thread[i].name;
	snprintf(label.text, sizeof(label.text), "%" PRIu32 "%s%.63s", tid, name[0] ? " " : "",
		 name);
	return label;
}

void gw_screen_scroll(struct gw_grid *grid, const struct gw_grid *page, int lines, int top)
{
	int room = grid->rows - 2;

	if (top > lines - room)
		top = lines > room ? lines - room : 0;
	gw_grid_copy(grid, 1, page, top, room);
}

static void draw_table(const struct gw_screen *screen, struct gw_grid *grid)
{
	struct gw_screen_plan plan = gw_screen_plan(grid->rows, grid->columns, screen->rows->count);
	int row = 1;

	if (plan.facts)
		gw_screen_facts(screen, grid, row);
	row += plan.facts;
	gw_screen_verdict(screen, grid, row, plan.verdict);
	row += plan.verdict;
	if (plan.graphs)
		gw_screen_graphs(screen, grid, row);
	row += plan.graphs;
	gw_screen_gil(screen, grid, row, plan.gil);
	row += plan.gil;
	gw_screen_table(screen, grid, row, grid->rows - 1 - row);
}

void gw_screen_draw(const struct gw_screen *screen, struct gw_grid *grid)
{
	gw_grid_clear(grid);
	gw_screen_title(screen, grid);
	if (screen->state->help)
		gw_screen_help(screen, grid);
	else if (screen->state->detail)
		gw_screen_thread(screen, grid);
	else
		draw_table(screen, grid);
	gw_screen_footer(screen, grid);
}
