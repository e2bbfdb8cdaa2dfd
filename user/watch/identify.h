/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Finding out what a process runs, before and while it is watched. */
#ifndef GW_IDENTIFY_H
#define GW_IDENTIFY_H

#include "watch/watched.h"

/*
 * Looks at a process that is new (kind GW_WATCHED_NEW) and sets its kind, target and error.
 * with_sites also finds the instructions to probe. Returns 0, or the negative errno behind the
 * error.
 */
int gw_identify(struct gw_watched *watched, int with_sites);

/*
 * Tells the session what is known of an identified process, and attaches probes if that is the
 * engine. 0 (also if probes are impossible: it goes on with the sched engine), or a negative errno
 * with err set. Before the session counts, probes that are impossible are an error.
 */
int gw_identify_tell(struct gw_watched *watched, struct gw_session *session, enum gw_engine engine,
		     struct gw_error *err);

/* Looks again at the GILs of a Python: new ones, and one that has been switched on. As above. */
int gw_identify_again(struct gw_watched *watched, struct gw_session *session, enum gw_engine engine,
		      struct gw_error *err);

/*
 * After its end: what a process was that could not be looked at in time. A copy of its parent is
 * what that is; of any other nothing can be said.
 */
void gw_identify_late(struct gw_watched *watched);

#endif
