/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Keeps what probes cost each process within the budget. */
#ifndef GW_BUDGET_H
#define GW_BUDGET_H

#include "watch/watch.h"

/* What is chosen needs the instructions to probe, or would like them. */
enum gw_sites_need gw_budget_needs_sites(const struct gw_watch *watch);

/*
 * A process that is described is to be probed, if that is chosen: 1, and it is kept within the
 * budget from now on, or 0: not now.
 */
int gw_budget_begin(const struct gw_watch *watch, struct gw_watched *watched);

/* Looks at all processes: probes come and go. 0 or -ENOMEM. */
int gw_budget_tick(struct gw_watch *watch);

/*
 * When the next look at all is due unless an alarm tells of a burst, on the session's clock;
 * UINT64_MAX: no process has or may have probes.
 */
uint64_t gw_budget_due_ns(const struct gw_watch *watch);

#endif
