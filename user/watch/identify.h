/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finding out what a process runs, before and while it is watched. */
#ifndef GW_IDENTIFY_H
#define GW_IDENTIFY_H

#include "watch/watch.h"

/*
 * Looks at a process that is new (kind GW_WATCHED_NEW) and sets its kind, target and error.
 * If they are wanted, the instructions to probe are found too, or why they are not. Returns 0, or
 * the negative errno behind the error.
 */
int gw_identify(struct gw_watched *watched, enum gw_sites_need sites);

/*
 * Tells the session what is known of an identified process, and attaches probes if that is chosen
 * and fits the budget. 0 (also if probes are impossible: it goes on with the sched engine), or a
 * negative errno with err set. Before the session counts, the lack of probes that were asked for is
 * an error.
 */
int gw_identify_tell(struct gw_watch *watch, struct gw_watched *watched, struct gw_error *err);

/* Finds out what the threads of a Python hold that are off the CPU. 0 or -errno with err set. */
int gw_identify_settle(struct gw_watched *watched, struct gw_session *session,
		       struct gw_error *err);

/* How old a process is before a watch that lasts thinks of probes. */
#define GW_YOUNG_NS 2000000000ULL

/* One that was young has grown up: probes, if they are chosen. As above. */
int gw_identify_grown(struct gw_watch *watch, struct gw_watched *watched, struct gw_error *err);

/* Looks again at the GILs of a Python: new ones, and one that has been switched on. As above. */
int gw_identify_again(struct gw_watch *watch, struct gw_watched *watched, struct gw_error *err);

/*
 * After its end: what a process was that could not be looked at in time. A copy of its parent is
 * what that is; of any other nothing can be said.
 */
void gw_identify_late(struct gw_watched *watched);

#endif
