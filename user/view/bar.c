// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/bar.h"

#include <math.h>

#include "render/total.h"

const char *gw_bar_glyph(const struct gw_grid *grid, enum gw_state state)
{
	static const struct {
		const char *ascii, *utf8;
	} glyph[GW_STATE_COUNT] = {
		[GW_STATE_PYTHON] = {"#", "\xe2\x96\x88"},   /* full block */
		[GW_STATE_NATIVE] = {"=", "\xe2\x96\x93"},   /* dark shade */
		[GW_STATE_GIL_WAIT] = {"w", "\xe2\x96\x91"}, /* light shade */
		[GW_STATE_HELD_OFF] = {"!", "!"},
		[GW_STATE_RUNQUEUE] = {"+", "+"},
		[GW_STATE_DISK] = {"~", "~"},
		[GW_STATE_NET] = {"~", "~"},
		[GW_STATE_PIPE] = {"~", "~"},
		[GW_STATE_POLL] = {"~", "~"},
		[GW_STATE_SLEEP] = {".", "\xc2\xb7"},
		[GW_STATE_LOCK] = {":", ":"},
		[GW_STATE_FAULT] = {"%", "%"},
		[GW_STATE_CHILD] = {"c", "c"},
		[GW_STATE_STOPPED] = {"|", "|"},
		[GW_STATE_OTHER] = {"_", "_"},
		[GW_STATE_UNKNOWN] = {"?", "?"},
	};

	return grid->utf8 ? glyph[state].utf8 : glyph[state].ascii;
}

void gw_bar_states(struct gw_grid *grid, int row, int column, int width,
		   const struct gw_states *states, const struct gw_basis *basis, int64_t whole_ns)
{
	double sum = 0;
	int at = 0;

	if (whole_ns <= 0)
		return;
	/* Each state ends where the sum of all up to it does: rounding cannot add up. */
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		enum gw_state state = (enum gw_state)i;
		int end;

		if (!gw_state_known(states, basis, state) || states->ns[state] < 0)
			continue;
		sum += (double)states->ns[state];
		end = (int)lround(fmin(sum / (double)whole_ns, 1) * width);
		for (; at < end; at++)
			gw_grid_put(grid, row, column + at, 1, GW_PEN_STATE + state,
				    gw_bar_glyph(grid, state));
	}
}

void gw_bar_share(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		  double share)
{
	int cells = share > 0 ? (int)lround(fmin(share, 1) * width) : 0;

	if (share > 0 && !cells)
		cells = 1;
	for (int i = 0; i < cells; i++)
		gw_grid_put(grid, row, column + i, 1, pen, grid->utf8 ? "\xe2\x96\x88" : "#");
}

void gw_bar_column(struct gw_grid *grid, int row, int column, enum gw_pen pen, double share)
{
	static const char *const utf8[] = {" ",
					   "\xe2\x96\x81",
					   "\xe2\x96\x82",
					   "\xe2\x96\x83",
					   "\xe2\x96\x84",
					   "\xe2\x96\x85",
					   "\xe2\x96\x86",
					   "\xe2\x96\x87",
					   "\xe2\x96\x88"};
	static const char *const ascii[] = {" ", "_", ".", "-", "=", "+", "*", "#", "#"};
	int level = share > 0 ? (int)lround(fmin(share, 1) * 8) : 0;

	if (share > 0 && !level)
		level = 1;
	gw_grid_put(grid, row, column, 1, pen,
		    grid->utf8 && !grid->no_eighths ? utf8[level] : ascii[level]);
}
