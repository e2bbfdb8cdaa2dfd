/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A watch that has nothing to do but to last. */
#ifndef GW_WATCH_WAIT_H
#define GW_WATCH_WAIT_H

#include "watch/watch.h"

/*
 * Waits until the time is up, a signal comes, or all have ended. Returns why it ended (gw_ended),
 * or a negative errno with err set.
 */
int gw_watch_wait(struct gw_watch *watch, struct gw_error *err);

#endif
