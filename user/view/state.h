/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the user has chosen to see, and how keys change it. Pure. */
#ifndef GW_VIEW_STATE_H
#define GW_VIEW_STATE_H

#include <stddef.h>
#include <stdint.h>

#include "model/rows.h"

/* Keys that are no character. */
enum gw_key {
	GW_KEY_NONE = -1,
	GW_KEY_UP = 0x110000, /* beyond Unicode */
	GW_KEY_DOWN,
	GW_KEY_PAGE_UP,
	GW_KEY_PAGE_DOWN,
	GW_KEY_HOME,
	GW_KEY_END,
	GW_KEY_ENTER,
	GW_KEY_ESCAPE,
	GW_KEY_BACKSPACE,
	GW_KEY_RESIZE,
};

enum gw_view_mode {
	GW_MODE_INTERVAL, /* the last interval */
	GW_MODE_MARK,	  /* since the last reset */
	GW_MODE_START,
	GW_MODE_COUNT,
};

/* What a key asks of the program around the view. */
enum gw_view_action {
	GW_VIEW_NOTHING,
	GW_VIEW_QUIT,
	GW_VIEW_RESET, /* what is seen now is the beginning */
	GW_VIEW_WRITE, /* a summary to files */
};

#define GW_OPENED_MAX 64
#define GW_FILTER_MAX 64

struct gw_view_state {
	enum gw_view_mode mode;
	enum gw_sort sort;
	int reverse;
	int threads; /* shown */
	int paused;
	int help;
	int help_top;	/* first line of it that is shown */
	int detail;	/* of the selected thread */
	int detail_top; /* first line of it that is shown */
	uint64_t interval_ns;
	int typing; /* a filter: what is typed is in typed, and filter is what holds still */
	char filter[GW_FILTER_MAX], typed[GW_FILTER_MAX];
	uint32_t opened[GW_OPENED_MAX]; /* PIDs whose threads are shown */
	size_t opened_count;
	size_t selected, top; /* rows: the selected one, and the first on the screen */
	uint32_t pid, tid;    /* the selected one, to be found again */
	uint64_t start_ns;
	char message[160]; /* until the next key */
};

void gw_view_state_init(struct gw_view_state *state, uint64_t interval_ns);

/* One key. rows: as shown; page: as many of them as the screen shows. */
enum gw_view_action gw_view_key(struct gw_view_state *state, int key, const struct gw_rows *rows,
				size_t page);

/* After the rows have changed: finds the selected one again, and keeps it on the screen. */
void gw_view_follow(struct gw_view_state *state, const struct gw_rows *rows, size_t page);

/* The selected row, or NULL. */
const struct gw_row *gw_view_selected(const struct gw_view_state *state,
				      const struct gw_rows *rows);

/* What the rows are to be made by. It points into the state. */
struct gw_rows_options gw_view_rows_options(const struct gw_view_state *state);

#endif
