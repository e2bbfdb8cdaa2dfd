/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * W(t): the integral over time of the number of threads that wait for a GIL. What a hold from a to
 * b made others wait is W(b) − W(a).
 *
 * Waits begin on any CPU at any time, so number and start times must change together without a lock
 * (programs behind uprobes may not take one): one word holds the number of waiters and the sum of
 * their start times, and W(t) = finished waits + number · t − sum. The sum is kept modulo 2^50
 * units of 64 ns, so only the open waits have to fit: 10,000 waiters for two hours.
 */
#ifndef GW_WAIT_H
#define GW_WAIT_H

#include "gilwatch/types.h"

#define GW_WAIT_UNIT_SHIFT  6 /* 64 ns */
#define GW_WAIT_COUNT_SHIFT 50
#define GW_WAIT_SUM_MASK    ((1ULL << GW_WAIT_COUNT_SHIFT) - 1)
#define GW_WAIT_COUNT_MAX   ((1ULL << (64 - GW_WAIT_COUNT_SHIFT)) - 1)
#define GW_WAIT_BEHIND	    (1ULL << 36) /* how far below 0 open waits may sum to, in units */
/* More tries than CPUs that begin a wait in the same few nanoseconds; a failure is counted as lost.
 */
#define GW_WAIT_TRIES 8
/* Two CPUs that begin waits at once see different numbers, and one of them is the larger. */
#define GW_WAIT_NOTE_TRIES 4
/*
 * A waiter that cannot be removed would wait for ever: its end tries harder. In rounds, for the
 * verifier follows each turn of a loop.
 */
#define GW_WAIT_END_ROUNDS 8

struct gw_waiters {
	__u64 word; /* number of waiters << 50 | sum of their starts mod 2^50, in units */
	__u64 done; /* finished waits, in units */
	__u64 most; /* waiters at once, since that was taken last */
};

gw_inline __u64 gw_wait_units(__u64 ns)
{
	return ns >> GW_WAIT_UNIT_SHIFT;
}

gw_inline __u32 gw_wait_count(const struct gw_waiters *w)
{
	return (__u32)(*(volatile const __u64 *)&w->word >> GW_WAIT_COUNT_SHIFT);
}

gw_inline __u64 gw_wait_word_add(__u64 word, __u64 start_units)
{
	return ((word >> GW_WAIT_COUNT_SHIFT) + 1) << GW_WAIT_COUNT_SHIFT |
	       ((word + start_units) & GW_WAIT_SUM_MASK);
}

gw_inline __u64 gw_wait_word_remove(__u64 word, __u64 start_units)
{
	return ((word >> GW_WAIT_COUNT_SHIFT) - 1) << GW_WAIT_COUNT_SHIFT |
	       ((word - start_units) & GW_WAIT_SUM_MASK);
}

/*
 * So many wait at once. Tries in vain only where each time another CPU has just seen more, or where
 * the user side takes it, which looks at how many wait itself.
 */
gw_inline void gw_wait_note(struct gw_waiters *w, __u32 count)
{
	for (int i = 0; i < GW_WAIT_NOTE_TRIES; i++) {
		__u64 most = *(volatile __u64 *)&w->most;

		if (count <= most || __sync_val_compare_and_swap(&w->most, most, count) == most)
			return;
	}
}

/*
 * How many have waited at once since it was taken last; those that wait at that moment are part of
 * both times.
 */
gw_inline __u32 gw_wait_take_most(struct gw_waiters *w)
{
	__u64 most = __sync_lock_test_and_set(&w->most, 0);
	__u32 count = gw_wait_count(w);

	gw_wait_note(w, count);
	return most > count ? (__u32)most : count;
}

/*
 * Adds a waiter. Returns 0 if there is no room for one more, or other CPUs got in the way too
 * often: then it is not in W.
 */
gw_inline int gw_wait_begin(struct gw_waiters *w, __u64 now_ns)
{
	__u32 count = 0;

	for (int i = 0; i < GW_WAIT_TRIES && !count; i++) {
		__u64 old = *(volatile __u64 *)&w->word;
		__u64 new = gw_wait_word_add(old, gw_wait_units(now_ns));

		if (old >> GW_WAIT_COUNT_SHIFT == GW_WAIT_COUNT_MAX)
			return 0;
		if (__sync_val_compare_and_swap(&w->word, old, new) == old)
			count = (__u32)(new >> GW_WAIT_COUNT_SHIFT);
	}
	if (count)
		gw_wait_note(w, count);
	return count != 0;
}

/* 1: removed, 0: there is none, -1: others got in the way. */
gw_once int gw_wait_end_round(struct gw_waiters *w, __u64 start_ns, __u64 now_ns)
{
	for (int i = 0; w && i < GW_WAIT_TRIES; i++) {
		__u64 old = *(volatile __u64 *)&w->word;
		__u64 new = gw_wait_word_remove(old, gw_wait_units(start_ns));

		if (!(old >> GW_WAIT_COUNT_SHIFT))
			return 0;
		if (__sync_val_compare_and_swap(&w->word, old, new) == old) {
			__sync_fetch_and_add(&w->done,
					     gw_wait_units(now_ns) - gw_wait_units(start_ns));
			return 1;
		}
	}
	return -1;
}

/* Removes a waiter that began at start_ns and books its wait. 0: not removed, as above. */
gw_inline int gw_wait_end(struct gw_waiters *w, __u64 start_ns, __u64 now_ns)
{
	int ended = -1;

	for (int i = 0; ended < 0 && i < GW_WAIT_END_ROUNDS; i++)
		ended = gw_wait_end_round(w, start_ns, now_ns);
	return ended > 0;
}

/* W(now) in nanoseconds. Differences may be slightly negative where clocks of two CPUs race. */
gw_inline __u64 gw_wait_total_ns(const struct gw_waiters *w, __u64 now_ns)
{
	__u64 word = *(volatile const __u64 *)&w->word;
	__u64 open = (word >> GW_WAIT_COUNT_SHIFT) * gw_wait_units(now_ns) - word;

	/* The top of the range is below 0: waits that began after now_ns was read. */
	open = ((open + GW_WAIT_BEHIND) & GW_WAIT_SUM_MASK) - GW_WAIT_BEHIND;
	return (w->done + open) << GW_WAIT_UNIT_SHIFT;
}

#endif
