/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of the difference of two snapshots, for interval*.c alone. */
#ifndef GW_INTERVAL_PARTS_H
#define GW_INTERVAL_PARTS_H

#include "model/snapshot.h"

/*
 * after - before of counters. Absent where `after` is; what was absent before began to be known
 * since, at 0. Never negative: a look at what moves may be torn by a moment.
 */
int64_t gw_minus(int64_t after, int64_t before);
uint64_t gw_minus_u64(uint64_t after, uint64_t before);
void gw_minus_all(int64_t *between, const int64_t *after, const int64_t *before, size_t count);

/* Makes the histogram in `between`, whatever was in it. 0 or -ENOMEM. */
int gw_minus_resume(struct gw_resume *between, const struct gw_resume *after,
		    const struct gw_resume *before);

/* Times by CPU, ascending. 0 or -ENOMEM. */
int gw_minus_cpus(struct gw_cpu_time **between, size_t *between_count,
		  const struct gw_cpu_time *after, size_t after_count,
		  const struct gw_cpu_time *before, size_t before_count);

/*
 * States, and the sampled part in them, which is split by its own samples; fallback_share as in
 * gw_split_pool. Returns the error of python and native.
 */
int64_t gw_minus_states(struct gw_states *states, struct gw_sampled *sampled,
			const struct gw_states *before_states,
			const struct gw_sampled *before_sampled, double fallback_share);

/*
 * The threads of `between`, which is a copy of `after` in all but what it points to, and what ended
 * of them. 0 or -ENOMEM.
 */
int gw_minus_threads(const struct gw_process_view *before, const struct gw_process_view *after,
		     struct gw_process_view *between);

#endif
