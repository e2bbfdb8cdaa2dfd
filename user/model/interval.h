/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What happened between two looks at one watch. */
#ifndef GW_INTERVAL_H
#define GW_INTERVAL_H

#include "model/snapshot.h"

/*
 * Fills a zeroed snapshot with the difference of two of the same watch: what passed after `before`
 * and up to `after`. Processes are matched by PID and beginning, threads by tid and beginning, GILs
 * by interpreter and address; what is new counts from its beginning. Threads that ended meanwhile
 * count in ended_*, so that threads and ended ones sum to their process. Sampled times are split
 * anew by the samples of the time between. The maximum of a histogram is exact where it grew, else
 * the upper edge of its highest bucket. What is absent at the end is absent in between; where the
 * engine changed, so is what rests on it. Without verdicts. 0 or -ENOMEM.
 */
int gw_interval_make(const struct gw_snapshot *before, const struct gw_snapshot *after,
		     struct gw_snapshot *between);

/*
 * A look that is kept for differences to come is told of each look that follows it, in turn: how
 * many threads waited at once at most since then. Without that it is absent in between, but for
 * what is new.
 */
void gw_interval_note(struct gw_snapshot *kept, const struct gw_snapshot *next);

#endif
