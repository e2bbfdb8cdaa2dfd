/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Processes that come and go while they are watched. */
#ifndef GW_FOLLOWED_H
#define GW_FOLLOWED_H

#include "watch/watch.h"

/* Adds the children that there are already; also after the start, for those between. */
int gw_followed_select(struct gw_watch *watch, struct gw_error *err);

/* Once a tick: new processes, new programs, new GILs, and room for more. 0 or -errno with err set.
 */
int gw_followed_tick(struct gw_watch *watch, struct gw_error *err);

/*
 * Gives away the slots of those that have ended, and are in what was read: they are told to
 * on_end, else kept for the end. 0 or -errno with err set.
 */
int gw_followed_release(struct gw_watch *watch, const struct gw_raw *raw, struct gw_error *err);

/* The same for the last time: processes that nobody has looked at yet. */
int gw_followed_end(struct gw_watch *watch, struct gw_error *err);

#endif
