/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The real terminal: the only place that knows of curses. */
#ifndef GW_TERMINAL_H
#define GW_TERMINAL_H

#include "util/error.h"
#include "view/grid.h"

struct gw_terminal;

/* Whether there is a terminal that a screen can be put on: both of stdin and stdout, and no dumb
 * one. */
int gw_terminal_possible(void);

/*
 * Blocks the signals that stop and continue a program, so that a screen can be left in order. To be
 * called before any thread is made.
 */
void gw_terminal_hold_signals(void);

/*
 * Takes the terminal over, until it is closed. It is also given back, as it was, where gilwatch
 * crashes. There can be one at a time. 0 or a negative errno with err set.
 */
int gw_terminal_open(struct gw_terminal **terminal, struct gw_error *err);
void gw_terminal_close(struct gw_terminal *terminal);

/* Becomes readable when the program is to stop, or goes on: then gw_terminal_signals is due. */
int gw_terminal_signal_fd(const struct gw_terminal *terminal);

/* Gives the terminal back while the program is stopped. 1: the screen is to be drawn anew. */
int gw_terminal_signals(struct gw_terminal *terminal);

void gw_terminal_size(const struct gw_terminal *terminal, int *rows, int *columns);
int gw_terminal_utf8(const struct gw_terminal *terminal);
/* Whether its font has to do without the blocks of an eighth of a cell. */
int gw_terminal_no_eighths(const struct gw_terminal *terminal);

/* The next key that was pressed: a character or a gw_key; GW_KEY_NONE: none. Never waits. */
int gw_terminal_key(struct gw_terminal *terminal);

void gw_terminal_draw(struct gw_terminal *terminal, const struct gw_grid *grid);

#endif
