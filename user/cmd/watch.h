/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Waiting while the kernel counts: until the time is up, a signal comes, or all targets have ended.
 */
#ifndef GW_WATCH_H
#define GW_WATCH_H

#include "model/snapshot.h"
#include "probe/session.h"

/* Above this rate of hits (per second, two an acquisition) probes are taken away again. */
#define GW_WATCH_HITS_MAX 20000

struct gw_watch {
	struct gw_session *session;
	const struct gw_session_target *target;
	size_t count;
	uint64_t duration_ns;
	int force;    /* keep the probes at any rate */
	int progress; /* a line on standard error */
	int signals;  /* descriptor from gw_watch_signals */

	/* results, one a target */
	enum gw_ended *ended;		 /* GW_ENDED_DURATION: it was there to the end */
	struct gw_engine_change *change; /* from[0] == 0: none */
};

/*
 * Blocks SIGINT, SIGTERM and SIGHUP for the program and returns a descriptor that becomes readable
 * with them, or a negative errno.
 */
int gw_watch_signals(void);

/* Returns why it ended, or a negative errno with err set. */
int gw_watch_wait(struct gw_watch *watch, struct gw_error *err);

#endif
