/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The maps and variables that the programs share. They are weak: each object that includes this
 * defines them, and linking the objects makes them one.
 */
#ifndef GW_BPF_MAPS_H
#define GW_BPF_MAPS_H

#include "vmlinux.h"

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

#include "gilwatch/account.h"
#include "gilwatch/seed.h"

struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct gw_books);
} threads __weak SEC(".maps");

/* Sized by the user side to the number of processes, before it is created. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gw_process);
} processes __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gw_gil_state);
} gils __weak SEC(".maps");

/* Slot in `processes` by tgid: the exact answer behind the filter. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u32);
} targets __weak SEC(".maps");

/* Slots in `processes` that are free for children, and for the programs that processes become. */
struct {
	__uint(type, BPF_MAP_TYPE_STACK);
	__uint(max_entries, 1);
	__type(value, __u32);
} free_slots __weak SEC(".maps");

/* tid by pthread_self(), to name the holder that a GIL's memory shows. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 131072);
	__type(key, struct gw_self_key);
	__type(value, __u32);
} selves __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 262144);
	__type(key, struct gw_cpu_key);
	__type(value, __u64);
} cpu_times __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 16384);
	__type(key, struct gw_pair_key);
	__type(value, __u64);
} pairs __weak SEC(".maps");

/* What is in no entry of its own there: on is 0. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 32768);
	__type(key, struct gw_pair_key);
	__type(value, __u64);
} pair_sums __weak SEC(".maps");

/* Processes that have become another program: struct gw_newcomer_event. */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 65536);
} newcomers __weak SEC(".maps");

/* Books of threads that have ended, where the user side has room for them. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct gw_kept_key);
	__type(value, struct gw_books);
} kept_threads __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct gw_kept_key);
	__type(value, struct gw_comm);
} kept_names __weak SEC(".maps");

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1);
	__type(key, struct gw_sum_key);
	__type(value, struct gw_hist);
} sums __weak SEC(".maps");

/*
 * Slots of processes whose hits have reached their alarm, that the resting sampler found at work,
 * or that have begun, ended or become another program.
 */
struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4096);
} alarms __weak SEC(".maps");

/* One entry a CPU. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct gw_place);
} places __weak SEC(".maps");

/* Set before loading. */
const volatile __u64 epoch_ns __weak = 0; /* CLOCK_MONOTONIC of time 0 */
const volatile __u32 cpu_count __weak = 1;
const volatile bool switch_has_state __weak = false; /* sched_switch's 4th argument: 5.18 */
const volatile bool follow __weak = false;    /* children, and the programs that processes become */
const volatile bool childless __weak = false; /* of these, the programs alone */
const volatile bool pairless __weak = false;  /* nobody asks who made whom wait */
const volatile bool tells_news __weak = false;	  /* the alarm is rung for processes' news, too */
const volatile __u32 kept_per_process __weak = 0; /* threads that have ended, beside the main one */

/* Which tgids may be watched; nothing counts before the first bit is set. */
__u64 filter[GW_FILTER_BITS / 64] __weak = {};
/* Nothing counts from then on, and what ends later ends at this time; 0: it counts. */
__u64 stop_ns __weak = 0;
__u64 sampled __weak = 0;	   /* ticks of the sampler's clock that found a watched thread */
bool sampler_rests __weak = false; /* its clock is slow: the next one of these is told of */
bool news __weak = false; /* of processes, and told of: the user side has not looked since */
/* For the iterator. */
__u32 pass __weak = 0;		 /* enum gw_pass */
__u32 settle_process __weak = 0; /* slot */
__u32 settle_gil __weak = 0;	 /* slot */
__u64 settle_holder __weak = 0;	 /* pthread_self() of the holder of that GIL; 0: nobody */
__u32 settle_last __weak = 0;	 /* it is the last of the process's: who holds none is told, too */
__u64 settle_look_ns __weak = 0; /* the look at the GIL is not older than this */
/* Newcomers for which there was no room: the user side looks at all processes then. */
__u64 newcomers_lost __weak = 0;
/* How deep the user side's PID namespace lies: 0 is the kernel's own. Found by the iterator. */
__u32 namespace_level __weak = 0;

static __always_inline __u64 gw_now(void)
{
	return bpf_ktime_get_ns() - epoch_ns;
}

static __always_inline bool gw_may_be_watched(__u32 tgid)
{
	return filter[tgid % GW_FILTER_BITS / 64] >> (tgid % 64) & 1;
}

static __always_inline void gw_lose(struct gw_process *process, enum gw_lost what)
{
	__sync_fetch_and_add(&process->lost[what], 1);
}

/* The record that lies in there is all that the accounting asks for. */
static __always_inline struct gw_books *gw_books_of(struct gw_thread *t)
{
	return (struct gw_books *)t;
}

static __always_inline struct gw_process *gw_process_at(__u32 slot)
{
	return bpf_map_lookup_elem(&processes, &slot);
}

static __always_inline struct gw_gil_state *gw_gil_at(__u32 slot)
{
	return slot == GW_NO_SLOT ? NULL : bpf_map_lookup_elem(&gils, &slot);
}

/* The layout of the Python that has the GIL with that index. */
static __always_inline const struct gw_layout *gw_layout_of(const struct gw_process *process,
							    __u32 python)
{
	return &process->layout[python % GW_PYTHONS_PER_PROCESS];
}

/* The GIL that a thread used last; one that has used none yet counts for the process's first. */
static __always_inline struct gw_gil_state *gw_gil_in_use(struct gw_thread *t,
							  const struct gw_process *process)
{
	if (t->gil == GW_NO_SLOT && process->gil_count)
		t->gil = GW_GIL_SLOT(t->process, 0);
	return gw_gil_at(t->gil);
}

/* The process that a task belongs to, by the exact map. */
static __always_inline struct gw_process *gw_process_of(__u32 tgid, __u32 *slot)
{
	__u32 *found = bpf_map_lookup_elem(&targets, &tgid);

	if (!found)
		return NULL;
	*slot = *found;
	return gw_process_at(*slot);
}

static __always_inline struct gw_regime gw_regime_of(const struct gw_process *process)
{
	struct gw_regime regime = {
		.since_ns = process->engine_since_ns,
		.pooled = process->pooled,
	};

	return regime;
}

/* Whether nothing is counted any more for this process. */
static __always_inline bool gw_is_over(const struct gw_process *process)
{
	return stop_ns || process->flags;
}

/* A watched task has no record: a loss, if it is one of a watched process and not of a namesake. */
static __always_inline void gw_lose_unseen(__u32 tgid)
{
	__u32 slot;
	struct gw_process *process = gw_process_of(tgid, &slot);

	if (process && process->seeded && !gw_is_over(process))
		gw_lose(process, GW_LOST_UNSEEN);
}

static __always_inline __u32 gw_tid_of_self(__u32 tgid, __u64 fs_base)
{
	struct gw_self_key key = {.fs_base = fs_base, .tgid = tgid};
	__u32 *tid = fs_base ? bpf_map_lookup_elem(&selves, &key) : NULL;

	return tid ? *tid : 0;
}

static __always_inline __u32 gw_cpu_distance(__u32 a, __u32 b)
{
	struct gw_place *from, *to;

	if (a == b)
		return GW_SAME_CPU;
	from = bpf_map_lookup_elem(&places, &a);
	to = bpf_map_lookup_elem(&places, &b);
	return from && to ? gw_distance(from, to) : GW_DISTANCE_COUNT;
}

#endif
