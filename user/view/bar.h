/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bars and small graphs. They differ in their characters, so that they can be read without colour.
 */
#ifndef GW_BAR_H
#define GW_BAR_H

#include "model/snapshot.h"
#include "view/grid.h"

/* The character that stands for a state in a bar. */
const char *gw_bar_glyph(const struct gw_grid *grid, enum gw_state state);

/*
 * All states in one bar of width cells, each with its share of whole_ns; what is not known takes no
 * cell. Rounding never makes the bar longer or shorter.
 */
void gw_bar_states(struct gw_grid *grid, int row, int column, int width,
		   const struct gw_states *states, const struct gw_basis *basis, int64_t whole_ns);

/* A plain bar: share (0 to 1) of width cells. */
void gw_bar_share(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		  double share);

/*
 * A value's share of the scale (0 to 1) as a column of one cell; nothing where it is negative (not
 * known), and never nothing where it is above 0.
 */
void gw_bar_column(struct gw_grid *grid, int row, int column, enum gw_pen pen, double share);

#endif
