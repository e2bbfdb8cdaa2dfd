/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Puts a snapshot together: what is known of the processes, and what the session measured. */
#ifndef GW_COLLECT_H
#define GW_COLLECT_H

#include "watch/watch.h"

/* Whether a process has a row: it was asked for, or it is a Python. */
int gw_watched_is_shown(const struct gw_watched *watched);

/* Fills the (zeroed) view of a process that is in raw. 0 or -ENOMEM. */
int gw_collect_process(const struct gw_watch *watch, struct gw_watched *watched,
		       const struct gw_raw *raw, enum gw_ended ended, struct gw_process_view *view);

/* Fills the processes of a zeroed snapshot. 0 or -ENOMEM. */
int gw_collect(const struct gw_watch *watch, const struct gw_raw *raw, enum gw_ended ended,
	       struct gw_snapshot *snapshot);

#endif
