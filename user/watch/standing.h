/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A watch that lasts: it takes in the Pythons that begin, lets go of those that end, and is looked
 * at again and again.
 */
#ifndef GW_STANDING_H
#define GW_STANDING_H

#include "target/scan.h"
#include "watch/newcomers.h"
#include "watch/watch.h"

struct gw_standing {
	/* set by the caller, on_end and engine of watch too; slots: 0: it finds out how many */
	struct gw_watch watch;
	struct gw_scan_filter filter;
	int all;	  /* the host's Pythons that fit the filter: else only those selected */
	const pid_t *pid; /* selected by number, and watched whatever the filter says */
	size_t pid_count;

	/* its own */
	struct gw_newcomers newcomers;
	struct gw_scanner *scanner;
	int hurried; /* a program has begun in a process that is watched: a round is due soon */
	int reads_behind;	  /* files, from the start on */
	uint64_t watch_ticked_ns; /* the last round of the watch, on the session's clock */
	uint64_t scan_due_ns;	  /* the next look at all processes, on the session's clock */
	uint64_t no_slot;	  /* processes for which there was no room */
	uint64_t ended_early;	  /* that ended before they could be looked at */
	uint64_t refused_by[8];	  /* that could not be watched, or have no probes, by gw_status */
	size_t cpu_times;	  /* entries in this map, as of the last look */
};

/* Finds the processes and begins to count. 0 or a negative errno with err set. */
int gw_standing_start(struct gw_standing *standing, struct gw_error *err);

/* A round of the watch, and of what begins and ends. 0 or a negative errno with err set. */
int gw_standing_tick(struct gw_standing *standing, struct gw_error *err);

/* Nanoseconds until the next round is due; 0: now. */
uint64_t gw_standing_due_ns(const struct gw_standing *standing);

/*
 * A snapshot of those that are there, after on_end has been told of those that have gone. 0 or a
 * negative errno with err set.
 */
int gw_standing_look(struct gw_standing *standing, struct gw_snapshot *snapshot,
		     struct gw_error *err);

/* The filter has changed: lets go of those that do not fit any more, and looks for others. */
int gw_standing_reselect(struct gw_standing *standing, struct gw_error *err);

/* How many are watched that are of a kind. */
size_t gw_standing_count(const struct gw_standing *standing, enum gw_watched_kind kind);

void gw_standing_free(struct gw_standing *standing);

#endif
