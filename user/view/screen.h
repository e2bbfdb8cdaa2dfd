/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The screens of the live view, drawn into a grid of any size. Pure. */
#ifndef GW_SCREEN_H
#define GW_SCREEN_H

#include "model/rows.h"
#include "model/series.h"
#include "view/grid.h"
#include "view/state.h"

/* All that the screens show. */
struct gw_screen {
	const struct gw_snapshot *shown;    /* by the mode of the state */
	const struct gw_snapshot *interval; /* the last one: what goes on now */
	const struct gw_rows *rows;	    /* of shown */
	const struct gw_series *series;
	const struct gw_view_state *state;
	int64_t watched_ns; /* since the start */
	int over;	    /* all targets have ended: the figures are their last */
};

/* Rows of the table that fit onto a screen of this size, where it has table_rows of them. */
size_t gw_screen_page(int rows, int columns, size_t table_rows);

/* Draws the screen that the state asks for: table, thread, or help. */
void gw_screen_draw(const struct gw_screen *screen, struct gw_grid *grid);

#endif
