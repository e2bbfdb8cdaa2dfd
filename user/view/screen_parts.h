/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of the screens, for screen*.c alone. */
#ifndef GW_SCREEN_PARTS_H
#define GW_SCREEN_PARTS_H

#include "view/screen.h"

/* The lines that the parts above the table take; the rest is the table's. */
struct gw_screen_plan {
	int facts;   /* line of facts on the target: 0 or 1 */
	int verdict; /* lines of the verdict */
	int graphs;  /* 0 or 1 */
	int gil;     /* lines on the GIL */
};
struct gw_screen_plan gw_screen_plan(int rows, int columns, size_t table_rows);

/* Each draws from a row on, as many lines as it is given. */
void gw_screen_title(const struct gw_screen *screen, struct gw_grid *grid);
void gw_screen_facts(const struct gw_screen *screen, struct gw_grid *grid, int row);
void gw_screen_verdict(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows);
void gw_screen_graphs(const struct gw_screen *screen, struct gw_grid *grid, int row);
void gw_screen_gil(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows);
void gw_screen_table(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows);
void gw_screen_footer(const struct gw_screen *screen, struct gw_grid *grid);

/* Whole screens but for the title and the footer. */
void gw_screen_thread(const struct gw_screen *screen, struct gw_grid *grid);
/* On a smaller screen there is a part of it. */
#define GW_HELP_ROWS	24
#define GW_HELP_COLUMNS 64
void gw_screen_help(const struct gw_screen *screen, struct gw_grid *grid);

/* Shows lines of a page, which has so many, from top on or as far as it goes. */
void gw_screen_scroll(struct gw_grid *grid, const struct gw_grid *page, int lines, int top);

/* The process that the screen is about: the selected row's, else the first; NULL: none. */
const struct gw_process_view *gw_screen_process(const struct gw_screen *screen);
/* The same process in the last interval; NULL: it is not there. */
const struct gw_process_view *gw_screen_process_now(const struct gw_screen *screen);

/*
 * What a thread does at the moment of the snapshot and for how long, of its holds, waits and blocks
 * the first in this order; NULL where it is on a CPU or waits for one.
 */
const struct gw_open *gw_screen_open(const struct gw_process_view *process, uint32_t tid);

/* "12ms", "12s", "12m", "12h": four characters at most, where that is possible. */
struct gw_age {
	char text[16];
};
struct gw_age gw_screen_age(int64_t ns);

/* "4243 worker-1" */
struct gw_screen_label {
	char text[96];
};
struct gw_screen_label gw_screen_label(const struct gw_process_view *process, uint32_t tid);

#endif
