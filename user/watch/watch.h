/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A watch over processes: which there are, what each runs, by which engine it is measured, and the
 * time in which that goes on. The stages: select, start, wait, finish, free.
 */
#ifndef GW_WATCH_H
#define GW_WATCH_H

#include "model/raw.h"
#include "model/snapshot.h"
#include "watch/watched.h"

/* Above this rate of hits (per second, two an acquisition) probes are taken away again. */
#define GW_WATCH_HITS_MAX 20000

struct gw_watch {
	/* what is wanted */
	const struct gw_host *host;
	enum gw_engine engine;
	int follow; /* children */
	int force;  /* keep the probes at any rate */
	uint64_t duration_ns;
	uint64_t begin_at_ns; /* CLOCK_MONOTONIC; 0: at once */
	int progress;	      /* a line on standard error */

	/* what there is; the watch's own */
	struct gw_watched_list list;
	struct gw_watched **by_slot;
	struct gw_session *session;
	int signals; /* becomes readable with SIGINT, SIGTERM and SIGHUP */
	uint64_t tick_ns[GW_RATE_TICKS];
	size_t ticks;
	uint64_t not_followed; /* processes that were no Python, and left their slots */
};

/*
 * Adds a process that was asked for, and finds out what it runs. What cannot be watched is kept
 * with its error. 0 or -ENOMEM with err set.
 */
int gw_watch_select(struct gw_watch *watch, pid_t pid, struct gw_error *err);

/* Loads, attaches and begins to count. 0 or a negative errno with err set. */
int gw_watch_start(struct gw_watch *watch, struct gw_error *err);

/*
 * Waits until the time is up, a signal comes, or all have ended. Returns why it ended (gw_ended),
 * or a negative errno with err set.
 */
int gw_watch_wait(struct gw_watch *watch, struct gw_error *err);

/*
 * Stops counting and puts a (zeroed) snapshot together, without verdicts. 0 or a negative errno
 * with err set.
 */
int gw_watch_finish(struct gw_watch *watch, enum gw_ended ended, struct gw_snapshot *snapshot,
		    struct gw_error *err);

void gw_watch_free(struct gw_watch *watch);

#endif
