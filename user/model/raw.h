/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What one reading of the maps gives, copied out of the kernel and not interpreted yet. Times are
 * nanoseconds since epoch_ns, a CLOCK_MONOTONIC time.
 */
#ifndef GW_RAW_H
#define GW_RAW_H

#include <stddef.h>

#include "gilwatch/abi.h"

/* A histogram without its empty octaves. */
struct gw_raw_hist {
	__u64 sum_ns;
	__u64 max_ns;
	__u32 octaves;
	size_t at; /* of the buckets of the first one that is there, in gw_raw.bucket */
};

struct gw_raw_thread {
	char comm[16];
	struct gw_thread thread;
	struct gw_raw_hist hold, wait, resume;
};

struct gw_raw_sum {
	struct gw_sum_key key;
	struct gw_raw_hist hist;
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
	struct gw_raw_sum *sum; /* sorted by gw_raw_sort_sums() */
	size_t sum_count, sum_room;
	__u64 *bucket; /* of these histograms */
	size_t bucket_count, bucket_room;
	struct gw_raw_cpu *cpu;
	size_t cpu_count, cpu_room;
	struct gw_raw_pair *pair;
	size_t pair_count, pair_room;
};

/* Makes room for one more element of an array that grows by half. 0 or -ENOMEM. */
int gw_raw_reserve(void **array, size_t count, size_t *room, size_t size);

/*
 * Makes room for the buckets of a histogram, whose octaves are set: the caller fills them in, and
 * the next call makes what this one returns invalid. Their number; NULL: -ENOMEM.
 */
__u64 *gw_raw_buckets(struct gw_raw *raw, struct gw_raw_hist *hist, size_t *count);

/* Keeps a whole histogram without its empty octaves. 0 or -ENOMEM. */
int gw_raw_pack(struct gw_raw *raw, const struct gw_hist *from, struct gw_raw_hist *to);

/* Appends one of those that are of no single thread. 0 or -ENOMEM. */
int gw_raw_add_sum(struct gw_raw *raw, const struct gw_sum_key *key, const struct gw_hist *hist);

/* After the last of them, so that they can be found. */
void gw_raw_sort_sums(struct gw_raw *raw);

/* One of them; NULL: nothing is in it. */
const struct gw_raw_hist *gw_raw_sum(const struct gw_raw *raw, enum gw_sum which, size_t slot);

/* Empties it, and keeps in mind how much there was, so that the next time nothing has to grow. */
void gw_raw_reset(struct gw_raw *raw);

/* Frees everything inside and zeroes it; accepts NULL and a zeroed struct. */
void gw_raw_clear(struct gw_raw *raw);

#endif
