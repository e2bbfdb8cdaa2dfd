/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The sums over all processes of a snapshot that could be measured. */
#ifndef GW_TOTAL_H
#define GW_TOTAL_H

#include "model/snapshot.h"

/*
 * Sums what is known; a figure that is absent in one process is absent in the sum. Sets
 * threads_wall_ns, states, where_ns, held_off_by_ns, gil_wait_by_holder_ns, the bases' kinds and
 * reasons, parallelism_*, lost_events, missed_switches and corrected of total, and nothing else.
 */
void gw_total(const struct gw_snapshot *snapshot, struct gw_process_view *total);

/* a + b for times and counts: absent if either is, and never past INT64_MAX. */
int64_t gw_sum(int64_t a, int64_t b);

/* Whether a state's time is known: neither absent itself nor by its basis. */
int gw_state_known(const struct gw_states *states, const struct gw_basis *basis,
		   enum gw_state state);

/*
 * The time that a thread or a process was blocked without the GIL, absent if a part of it is; and
 * in what most of it.
 */
int64_t gw_blocked_ns(const struct gw_states *states, const struct gw_basis *basis,
		      enum gw_where *most);

/* Why something that rests on this is absent; fallback where the basis does not say. */
const char *gw_absence(const struct gw_basis *basis, const char *fallback);

/* Why waiting while nobody held the GIL may be absent where the other waiting is known. */
#define GW_ABSENCE_OF_NONE "only probes see that nobody holds the GIL (--engine=uprobe)"

#endif
