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
	{"/", "show only names, commands and numbers with this in them"},
	{"t", "threads on and off"},
	{"p, space", "pause and go on"},
	{"+ -", "longer and shorter intervals"},
	{"w", "write a summary as text and JSON to files in this directory"},
	{"h ?", "this help"},
};

#define LINES	   ((int)(sizeof(help) / sizeof(help[0])))
#define KEYS_WIDTH 27

/* What the characters of the bars stand for. */
static void draw_glyphs(struct gw_grid *grid, int row)
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
}

void gw_screen_help(struct gw_grid *grid)
{
	int row = 1;

	/* On a narrow screen the keys stand above what they do. */
	if (grid->columns < 64) {
		for (int i = 0; i < LINES && row < grid->rows - 1; i++, row++)
			gw_grid_print(grid, row, 1, grid->columns - 1, GW_PEN_PLAIN, "%s: %s",
				      help[i].keys, help[i].what);
		return;
	}
	for (int i = 0; i < LINES; i++, row++) {
		gw_grid_put(grid, row, 1, KEYS_WIDTH, GW_PEN_BOLD, help[i].keys);
		gw_grid_put(grid, row, KEYS_WIDTH + 1, grid->columns, GW_PEN_PLAIN, help[i].what);
	}
	gw_grid_put(grid, row, 1, grid->columns, GW_PEN_PLAIN,
		    "Shares are of a thread's time, of a process in threads (200: two all the "
		    "time).");
	gw_grid_put(grid, row + 1, 1, grid->columns, GW_PEN_PLAIN,
		    "infl%: wait of others while it held the GIL. moves: to other CPUs. "
		    "\xe2\x89\x88: estimate.");
	gw_grid_put(grid, row + 2, 1, grid->columns, GW_PEN_PLAIN,
		    "now: what it does at the moment, and for how long. + is a new thread, - one "
		    "that ended.");
	draw_glyphs(grid, row + 4);
}
