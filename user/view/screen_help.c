// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <stdio.h>

#include "render/names.h"
#include "view/bar.h"
#include "view/screen_parts.h"

static const struct {
	const char *keys, *what;
} help[] = {
	{"q", "quit"},
	{"Up Down PgUp PgDn Home End", "choose a row"},
	{"Enter, Esc", "a thread's screen and back; open and close a process"},
	{"m", "last interval, since the last reset, since the start"},
	{"r", "reset: what is seen now is the beginning"},
	{"s S R", "next and former key to sort by; reverse"},
	{"/", "show only what has this in name, command or number"},
	{"t", "threads on and off"},
	{"p, space", "pause and go on"},
	{"+ -", "longer and shorter intervals"},
	{"w", "write a summary, as text and JSON, to files here"},
	{"h ?", "this help"},
};

#define LINES	   ((int)(sizeof(help) / sizeof(help[0])))
#define KEYS_WIDTH 27

#define PAGE_ROWS 60

static const char *const notes[] = {
	"Shares are of a thread's time, of a process in threads (200: two all the time).",
	("py%, nat%: on a CPU with and without the GIL. wait%: for the GIL. held off: with it, "
	 "and off the CPU."),
	("infl%: wait of others while it held the GIL. moves: to other CPUs. "
	 "\xe2\x89\x88: estimate."),
	"Graphs: the last 3 minutes (at an interval of 1 s); the right end is now.",
	"now: what it does at the moment, for how long. + is new, - has ended.",
};

/* What the characters of the bars stand for. Returns the row after them. */
static int draw_glyphs(struct gw_grid *grid, int row)
{
	int at = 1;

	for (int i = 0; i < GW_STATE_COUNT; i++) {
		enum gw_state state = (enum gw_state)i;
		char text[48];
		int used;

		/* Of those that share a character, one stands for all. */
		if (state == GW_STATE_NET || state == GW_STATE_PIPE || state == GW_STATE_POLL)
			continue;
		snprintf(text, sizeof(text), "%s",
			 state == GW_STATE_DISK ? "disk, net, pipe, poll"
						: gw_name(&gw_state_names, (size_t)state));
		if (at + 4 + 21 > grid->columns) {
			at = 1;
			row++;
		}
		gw_grid_put(grid, row, at, 1, GW_PEN_STATE + state, gw_bar_glyph(grid, state));
		used = gw_grid_put(grid, row, at + 2, grid->columns, GW_PEN_PLAIN, text);
		at += 2 + used + 2;
	}
	return row + 1;
}

/* On a narrow screen the keys stand before what they do. */
static int draw_keys(struct gw_grid *page)
{
	int row = 0;

	for (int i = 0; i < LINES; i++) {
		int first = KEYS_WIDTH;

		if (page->columns >= GW_HELP_COLUMNS)
			gw_grid_put(page, row, 1, KEYS_WIDTH, GW_PEN_BOLD, help[i].keys);
		else
			first = gw_grid_print(page, row, 1, page->columns - 1, GW_PEN_BOLD,
					      "%s:", help[i].keys) +
				1;
		row += gw_grid_wrap(page, row, 1, first, 3, GW_PEN_PLAIN, help[i].what);
	}
	return row;
}

static int draw_page(struct gw_grid *page)
{
	int row = draw_keys(page);

	for (size_t i = 0; i < sizeof(notes) / sizeof(notes[0]); i++)
		row += gw_grid_wrap(page, row, 1, 0, 4, GW_PEN_PLAIN, notes[i]);
	return draw_glyphs(page, row + 1);
}

void gw_screen_help(const struct gw_screen *screen, struct gw_grid *grid)
{
	struct gw_grid page = {.utf8 = grid->utf8};

	if (gw_grid_resize(&page, PAGE_ROWS, grid->columns))
		return;
	gw_screen_scroll(grid, &page, draw_page(&page), screen->state->help_top);
	gw_grid_free(&page);
}
