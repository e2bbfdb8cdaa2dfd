/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Time in which at least one thread of a process was blocked in I/O or sleep. What overlapping such
 * waits saved is their sum over the threads less this.
 *
 * Threads block and wake on any CPU at any time, and number and start have to change together
 * without a lock: one word holds the number of blocked threads and since when there is any.
 */
#ifndef GW_OVERLAP_H
#define GW_OVERLAP_H

#include "gilwatch/abi.h"

#define GW_OVERLAP_UNIT_SHIFT  6 /* 64 ns: 48 bits of them last for 208 days */
#define GW_OVERLAP_COUNT_SHIFT 48
#define GW_OVERLAP_SINCE_MASK  ((1ULL << GW_OVERLAP_COUNT_SHIFT) - 1)
#define GW_OVERLAP_ONE	       (1ULL << GW_OVERLAP_COUNT_SHIFT)
#define GW_OVERLAP_COUNT_MAX   ((1ULL << (64 - GW_OVERLAP_COUNT_SHIFT)) - 1)
/* More tries than CPUs that change the word in the same few nanoseconds. */
#define GW_OVERLAP_TRIES 8
/*
 * A thread that cannot be removed would be blocked for ever: its end tries harder. In rounds, for
 * the verifier follows each turn of a loop.
 */
#define GW_OVERLAP_END_ROUNDS 8

gw_inline int gw_overlap_counts(enum gw_where where)
{
	return where == GW_BLOCKED_SLEEP || where == GW_BLOCKED_DISK || where == GW_BLOCKED_NET ||
	       where == GW_BLOCKED_PIPE || where == GW_BLOCKED_POLL;
}

gw_inline __u64 gw_overlap_units(__u64 ns)
{
	return (ns >> GW_OVERLAP_UNIT_SHIFT) & GW_OVERLAP_SINCE_MASK;
}

/* From the start in the word to a time; 0 where another CPU's clock is a little behind. */
gw_inline __u64 gw_overlap_since_ns(__u64 word, __u64 now_ns)
{
	__u64 units = (gw_overlap_units(now_ns) - word) & GW_OVERLAP_SINCE_MASK;

	return units > GW_OVERLAP_SINCE_MASK / 2 ? 0 : units << GW_OVERLAP_UNIT_SHIFT;
}

/* 0: not counted, as others got in the way too often, or there are too many. */
gw_inline int gw_overlap_begin(struct gw_overlap *o, __u64 now_ns)
{
	for (int i = 0; i < GW_OVERLAP_TRIES; i++) {
		__u64 old = *(volatile __u64 *)&o->word, new = old + GW_OVERLAP_ONE;

		if (old >> GW_OVERLAP_COUNT_SHIFT == GW_OVERLAP_COUNT_MAX)
			return 0;
		if (!(old >> GW_OVERLAP_COUNT_SHIFT))
			new = GW_OVERLAP_ONE | gw_overlap_units(now_ns);
		if (__sync_val_compare_and_swap(&o->word, old, new) == old)
			return 1;
	}
	return 0;
}

/* 1: removed, 0: there is none, -1: others got in the way. */
gw_once int gw_overlap_end_round(struct gw_overlap *o, __u64 now_ns)
{
	for (int i = 0; o && i < GW_OVERLAP_TRIES; i++) {
		__u64 old = *(volatile __u64 *)&o->word;
		int last = old >> GW_OVERLAP_COUNT_SHIFT == 1;

		if (!(old >> GW_OVERLAP_COUNT_SHIFT))
			return 0;
		if (__sync_val_compare_and_swap(&o->word, old, last ? 0 : old - GW_OVERLAP_ONE) !=
		    old)
			continue;
		if (last)
			__sync_fetch_and_add(&o->done_ns, gw_overlap_since_ns(old, now_ns));
		return 1;
	}
	return -1;
}

/* 0: not removed, as above. */
gw_inline int gw_overlap_end(struct gw_overlap *o, __u64 now_ns)
{
	int ended = -1;

	for (int i = 0; ended < 0 && i < GW_OVERLAP_END_ROUNDS; i++)
		ended = gw_overlap_end_round(o, now_ns);
	return ended > 0;
}

/* Whether the thread's count in there has to change after an event. */
gw_inline int gw_overlap_differs(const struct gw_thread *t)
{
	int counted = !!(t->flags & GW_THREAD_IN_OVERLAP);

	return counted != gw_overlap_counts(gw_span_where(t->span));
}

/* After an event: what the thread does now, it does since its span began. */
gw_once int gw_overlap_follow(struct gw_overlap *o, struct gw_thread *t)
{
	__u64 since_ns;

	if (!o || !t)
		return 0;
	since_ns = gw_span_since_ns(t->span);
	if (t->flags & GW_THREAD_IN_OVERLAP) {
		gw_overlap_end(o, since_ns);
		t->flags &= ~GW_THREAD_IN_OVERLAP;
	} else if (gw_overlap_begin(o, since_ns)) {
		t->flags |= GW_THREAD_IN_OVERLAP;
	}
	return 0;
}

/* All such time up to now, with what is open. */
gw_inline __u64 gw_overlap_total_ns(const struct gw_overlap *o, __u64 now_ns)
{
	__u64 word = *(volatile const __u64 *)&o->word;

	if (!(word >> GW_OVERLAP_COUNT_SHIFT))
		return o->done_ns;
	return o->done_ns + gw_overlap_since_ns(word, now_ns);
}

#endif
