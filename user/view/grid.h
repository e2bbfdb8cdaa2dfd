/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A screen as a grid of cells, each a character and a pen. What is drawn here is the same on every
 * terminal; terminal.c puts it on a real one, and tests compare it with saved screens.
 */
#ifndef GW_GRID_H
#define GW_GRID_H

#include <stddef.h>
#include <stdint.h>

#include "gilwatch/fold.h"

enum gw_pen {
	GW_PEN_PLAIN,
	GW_PEN_BOLD,
	GW_PEN_DIM,
	GW_PEN_TITLE,	 /* the bars at the top and at the bottom, and the table's head */
	GW_PEN_SELECTED, /* the row that keys act on */
	GW_PEN_CRITICAL,
	GW_PEN_WARNING,
	GW_PEN_GOOD,
	GW_PEN_STATE, /* and the next ones: one for each gw_state */
	GW_PEN_COUNT = GW_PEN_STATE + GW_STATE_COUNT,
};

#define GW_CELL_BYTES 16

struct gw_cell {
	char text[GW_CELL_BYTES]; /* one character with what combines; "": right half of a wide one
				   */
	uint8_t pen;
};

struct gw_grid {
	int rows, columns;
	int utf8;	/* 0: ASCII only */
	int no_eighths; /* a font without the blocks of an eighth of a cell, as consoles have */
	struct gw_cell *cell;
};

/* Makes a grid of spaces. 0 or -ENOMEM. */
int gw_grid_resize(struct gw_grid *grid, int rows, int columns);
void gw_grid_clear(struct gw_grid *grid);
void gw_grid_free(struct gw_grid *grid);

/*
 * Writes text into at most width cells from a place on, cut (with a mark) where it is longer, and
 * escaped: it may come from the target. What lies outside of the grid is lost. Returns the cells
 * used.
 */
int gw_grid_put(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		const char *text);

/* The same at the right end of the width. */
void gw_grid_put_right(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		       const char *text);

/*
 * Writes a thread's name as gw_grid_put does, but cuts it before the number that it ends in: the
 * threads of a pool differ in nothing else.
 */
void gw_grid_put_name(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		      const char *name);

/* gw_grid_put by printf's format. */
int gw_grid_print(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		  const char *format, ...) __attribute__((format(printf, 6, 7)));

/*
 * Writes a paragraph, wrapped at words, on at most rows lines; the last one is cut. The first line
 * begins at column + first. Returns the lines used.
 */
int gw_grid_wrap(struct gw_grid *grid, int row, int column, int first, int rows, enum gw_pen pen,
		 const char *text);

/* Gives a pen to cells that are there. */
void gw_grid_paint(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen);

/* Copies rows of one grid into another, of the same width. */
void gw_grid_copy(struct gw_grid *to, int to_row, const struct gw_grid *from, int from_row,
		  int rows);

#endif
