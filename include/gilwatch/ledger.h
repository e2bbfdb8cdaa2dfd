/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The books: spans of threads, and what a GIL's holder did while others waited. */
#ifndef GW_LEDGER_H
#define GW_LEDGER_H

#include "gilwatch/abi.h"

gw_inline void gw_resume_accumulate(struct gw_thread *t, enum gw_gil gil, enum gw_where where,
				    __u64 ns)
{
	if (!t->wake_ns)
		return;
	if (gil == GW_GIL_WAITING)
		t->resume_gil_ns += ns;
	else if (where == GW_RUNNABLE)
		t->resume_runqueue_ns += ns;
}

/* The cell that a span of a belief is booked to. */
gw_inline enum gw_gil gw_booked_as(enum gw_gil gil, enum gw_where where, __u32 pooled)
{
	if (pooled && where == GW_RUNNING && (gil == GW_GIL_HOLDING || gil == GW_GIL_NONE))
		return GW_GIL_SAMPLED;
	return gil;
}

/* Adds the open interval to a cell and opens the next span. Time never runs backwards in a record.
 */
gw_inline void gw_span_close_as(struct gw_thread *t, __u64 now, enum gw_gil as, enum gw_gil gil,
				enum gw_where where)
{
	__u64 since = gw_span_since_ns(t->span);
	enum gw_where left = gw_span_where(t->span);

	if (now < since)
		now = since;
	/* The verifier wants to see the bounds; the span always keeps them. */
	gw_forget_bounds(as);
	gw_forget_bounds(left);
	if (as < GW_GIL_COUNT && left < GW_WHERE_COUNT)
		t->tally.cells.ns[as][left] += now - since;
	gw_resume_accumulate(t, as, left, now - since);
	t->span = gw_span_make(now, gil, where);
}

gw_inline void gw_span_close(struct gw_thread *t, __u64 now, enum gw_gil gil, enum gw_where where)
{
	gw_span_close_as(t, now, gw_span_gil(t->span), gil, where);
}

/* Events of a thread are ordered, but the clocks of two CPUs may disagree by a little. */
gw_inline __u64 gw_not_before(const struct gw_thread *t, __u64 now)
{
	__u64 since = gw_span_since_ns(*(volatile const gw_span *)&t->span);

	return now < since ? since : now;
}

/*
 * The same from a probe hit, which a switch may interrupt. `where` stays what it is. Returns the
 * time of the change: not now, if a switch came between.
 */
gw_inline __u64 gw_span_set_gil(struct gw_thread *t, __u64 now, enum gw_gil gil, __u32 pooled)
{
	for (int i = 0; i < 4; i++) {
		gw_span old = *(volatile gw_span *)&t->span;
		__u64 since = gw_span_since_ns(old);
		enum gw_gil left_gil = gw_span_gil(old);
		enum gw_where left = gw_span_where(old);
		enum gw_gil as = gw_booked_as(left_gil, left, pooled);

		if (now < since)
			now = since;
		if (__sync_val_compare_and_swap(&t->span, old, gw_span_make(now, gil, left)) != old)
			continue;
		gw_forget_bounds(as);
		gw_forget_bounds(left);
		if (as < GW_GIL_COUNT && left < GW_WHERE_COUNT)
			__sync_fetch_and_add(&t->tally.cells.ns[as][left], now - since);
		gw_resume_accumulate(t, left_gil, left, now - since);
		break;
	}
	return now;
}

/*
 * Books W(t) up to now under what the holder did until now, and notes what it does from now on.
 * Returns the waiting that was booked under a holder, for the thread that inflicted it.
 */
gw_inline __u64 gw_gil_advance(struct gw_gil_state *gil, __u64 now, __u32 holder)
{
	__u64 booked = *(volatile __u64 *)&gil->booked_ns;
	__u64 total = gw_wait_total_ns(&gil->waiters, now);
	__u32 before = gil->holder;
	__u64 inflicted = 0;

	/* Whoever comes between has booked this part already, and more. */
	if (__sync_val_compare_and_swap(&gil->booked_ns, booked, total) == booked &&
	    before < GW_BY_COUNT) {
		__sync_fetch_and_add(&gil->by_holder_ns[before], total - booked);
		if (before != GW_BY_NOBODY)
			inflicted = total - booked;
	}
	gil->holder = holder;
	return inflicted;
}

gw_inline void gw_holder_moves(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       __u32 holder)
{
	__u64 inflicted = gw_gil_advance(gil, now, holder);

	__sync_fetch_and_add(&t->tally.inflicted_ns, inflicted);
}

#endif
