/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Carries out what an event leaves to be done in maps. */
#ifndef GW_BPF_EFFECTS_H
#define GW_BPF_EFFECTS_H

#include "once.h"

/* Books a duration at the GIL that it happened at, unless that is its process's first. */
static __always_inline void gw_gil_hist_book(const struct gw_thread *t, enum gw_sum which, __u64 ns)
{
	struct gw_sum_key key = {.which = which, .slot = t->gil};
	struct gw_hist *hist;

	if (t->gil % GW_GILS_PER_PROCESS == 0)
		return;
	hist = bpf_map_lookup_elem(&sums, &key);
	if (hist)
		gw_hist_add_shared(hist, ns);
}

/* Adds to a counter in a hash map; 0 if there is no room for a new one. */
static __always_inline int gw_counter_add(void *map, const void *key, __u64 amount)
{
	__u64 *counter = bpf_map_lookup_elem(map, key);

	if (counter) {
		__sync_fetch_and_add(counter, amount);
		return 1;
	}
	if (!bpf_map_update_elem(map, key, &amount, BPF_NOEXIST))
		return 1;
	/* Another CPU may have made it in between. */
	counter = bpf_map_lookup_elem(map, key);
	if (!counter)
		return 0;
	__sync_fetch_and_add(counter, amount);
	return 1;
}

static __always_inline struct gw_cpu_key gw_cpu_key_of(const struct gw_thread *t, __u32 cpu)
{
	struct gw_cpu_key key = {
		.process = t->process,
		.tid = t->tid,
		.start = (__u32)(t->start_ns >> 10),
		.cpu = cpu,
	};

	return key;
}

static __always_inline void gw_flush_cpu(struct gw_thread *t, struct gw_process *process, __u32 cpu,
					 __u64 ns)
{
	struct gw_cpu_key key = gw_cpu_key_of(t, cpu);

	t->cpu_seen |= 1ULL << (cpu % 64);
	if (!gw_counter_add(&cpu_times, &key, ns))
		gw_lose(process, GW_LOST_CPU);
}

/* After each event that may block a thread or end its block. */
static __always_inline void gw_overlap_update(struct gw_process *process, struct gw_thread *t)
{
	if (gw_overlap_differs(t))
		gw_overlap_follow(&process->overlap, t);
}

/* Adds to what it made others wait; 0 if there is no room. One that has ended gets no entry. */
static __always_inline int gw_pair_sum_add(struct gw_process *process,
					   const struct gw_pair_key *key, __u64 ns)
{
	__u64 *sum = bpf_map_lookup_elem(&pair_sums, key);

	if (!sum && !gw_has_ended_once(process, key->by))
		return gw_counter_add(&pair_sums, key, ns);
	__sync_fetch_and_add(sum ? sum : &process->inflicted_rest_ns, ns);
	return 1;
}

/*
 * A key is its own thread's alone, so that nobody comes in between. With many threads there are so
 * many pairs that each is as good as none: from some number on they are added up by who made wait.
 */
static __always_inline void gw_pair_book(const struct gw_thread *t, struct gw_process *process,
					 __u32 by, __u64 ns)
{
	struct gw_pair_key key = {.process = t->process, .by = by, .on = t->tid};
	__u64 *counter = bpf_map_lookup_elem(&pairs, &key);

	if (counter) {
		__sync_fetch_and_add(counter, ns);
		return;
	}
	if (process->pair_count < GW_PAIRS_PER_PROCESS) {
		if (!bpf_map_update_elem(&pairs, &key, &ns, BPF_NOEXIST)) {
			__sync_fetch_and_add(&process->pair_count, 1);
			return;
		}
		process->pair_count = GW_PAIRS_PER_PROCESS; /* no room: not tried again */
	}
	key.on = 0;
	if (gw_pair_sum_add(process, &key, ns))
		return;
	__sync_fetch_and_add(&process->inflicted_rest_ns, ns);
	gw_lose(process, GW_LOST_PAIR);
}

static __always_inline void gw_apply(struct gw_thread *t, struct gw_process *process,
				     const struct gw_effects *e)
{
	struct gw_books *books = gw_books_of(t);

	if (e->hold_ns) {
		gw_hist_add(&books->hold, e->hold_ns);
		gw_gil_hist_book(t, GW_SUM_GIL_HOLD, e->hold_ns);
	}
	if (e->wait_ns) {
		gw_hist_add(&books->wait, e->wait_ns);
		gw_gil_hist_book(t, GW_SUM_GIL_WAIT, e->wait_ns);
	}
	if (e->resume_ns)
		gw_hist_add(&books->resume, e->resume_ns);
	if (e->pair_ns && !pairless)
		gw_pair_book(t, process, e->pair_by, e->pair_ns);
	if (e->flush_ns)
		gw_flush_cpu(t, process, e->flush_cpu, e->flush_ns);
	if (e->lost_waiter)
		gw_lose(process, GW_LOST_WAITER);
}

#endif
