/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The switch interval over the time of a watch: which was in force when, and what came of it. */
#ifndef GW_INTERVALS_H
#define GW_INTERVALS_H

#include "gilwatch/abi.h"
#include "model/snapshot.h"

/* A program that changes it again and again loses the oldest phases. */
#define GW_INTERVAL_PHASES_MAX 8

struct gw_interval_counts {
	uint64_t acquisitions, forced_releases, held_ns; /* by the GIL's record */
	uint64_t switch_number;				 /* by its memory */
	uint64_t exact_ns;				 /* time under probes */
};

struct gw_intervals {
	struct gw_interval_phase phase[GW_INTERVAL_PHASES_MAX];
	size_t count;
	struct gw_interval_counts base; /* as the last phase began */
};

/* What a process and its first GIL say now, beside that GIL's number of changes of the holder. */
struct gw_interval_counts gw_interval_counts(const volatile struct gw_process *process,
					     const volatile struct gw_gil_state *gil,
					     uint64_t now_ns, uint64_t switch_number);

/*
 * A look at the interval, at_ns after the start of the watch. What came between two looks that
 * differ belongs to neither phase.
 */
void gw_intervals_look(struct gw_intervals *intervals, int64_t at_ns, int64_t interval_ns,
		       const struct gw_interval_counts *counts);

/* The phases if there is more than one, allocated; *count is 0 otherwise. 0 or -ENOMEM. */
int gw_intervals_copy(const struct gw_intervals *intervals, int probed,
		      struct gw_interval_phase **phases, size_t *count);

#endif
