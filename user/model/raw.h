/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one reading of the maps gives, copied out of the kernel and not interpreted yet. Times are
 * nanoseconds since epoch_ns, a CLOCK_MONOTONIC time.
 */
#ifndef GW_RAW_H
#define GW_RAW_H

#include <stddef.h>

#include "gilwatch/abi.h"

struct gw_raw_thread {
	char comm[16];
	struct gw_thread thread;
	struct gw_hist hold, wait, resume;
};

struct gw_raw_cpu {
	struct gw_cpu_key key;
	__u64 ns;
};

struct gw_raw_pair {
	struct gw_pair_key key;
	__u64 ns;
};

struct gw_raw {
	__u64 epoch_ns;
	__u64 end_ns;		    /* when counting stopped, or the time of reading */
	struct gw_process *process; /* by slot */
	size_t process_count;
	struct gw_gil_state *gil; /* by slot */
	size_t gil_count;
	struct gw_raw_thread *thread; /* in no order */
	size_t thread_count, thread_room;
	struct gw_raw_cpu *cpu;
	size_t cpu_count, cpu_room;
	struct gw_raw_pair *pair;
	size_t pair_count, pair_room;
};

/* Frees everything inside and zeroes it; accepts NULL and a zeroed struct. */
void gw_raw_clear(struct gw_raw *raw);

#endif
