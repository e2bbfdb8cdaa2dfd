/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A thread's wait for the GIL, from its first block to the acquisition. */
#ifndef GW_WAITING_H
#define GW_WAITING_H

#include "gilwatch/event.h"
#include "gilwatch/ledger.h"

/* A thread is known to hold the GIL. */
gw_inline void gw_holder_seen(struct gw_gil_state *gil, __u32 tid, __u64 now)
{
	gil->seen_tid = tid;
	gil->seen_ns = now;
}

/*
 * Waiters time out in step with the holder's turn, and so often block in the moment between two
 * holders: the part goes to the one who has come since. To be asked before the waiter itself can
 * have been seen as the holder.
 */
gw_inline void gw_wait_blame(struct gw_thread *t, const struct gw_gil_state *gil)
{
	if (!t->wait_holder && gil->seen_ns > t->wait_block_ns && gil->seen_tid != t->tid)
		t->wait_holder = gil->seen_tid;
}

/* Ends the part of the wait that one holder is made answerable for. */
gw_inline void gw_wait_part_end(struct gw_thread *t, __u64 now, struct gw_effects *e)
{
	if (!t->wait_block_ns || now <= t->wait_block_ns)
		return;
	e->pair_ns = now - t->wait_block_ns;
	e->pair_by = t->wait_holder;
	t->wait_block_ns = 0;
}

gw_inline void gw_wait_leave_w(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       struct gw_effects *e)
{
	if (!(t->flags & GW_THREAD_IN_W))
		return;
	t->flags &= ~GW_THREAD_IN_W;
	if (!gw_wait_end(&gil->waiters, t->wait_w_ns, now))
		e->lost_waiter = 1;
}

gw_inline void gw_wait_enter_w(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       struct gw_effects *e)
{
	if (t->flags & GW_THREAD_IN_W)
		return;
	if (!gw_wait_begin(&gil->waiters, now)) {
		e->lost_waiter = 1;
		return;
	}
	t->wait_w_ns = now;
	t->flags |= GW_THREAD_IN_W;
}

/* The thread blocks on the GIL, for the first time or again. */
gw_once int gw_wait_block(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			  const struct gw_out *out, struct gw_effects *e)
{
	__u32 holder;

	if (!t || !gil || !out || !e)
		return 0;
	/* take_gil writes last_holder after locked: in between the memory names the last holder. */
	holder = out->holder == t->tid ? 0 : out->holder;
	if (!t->wait_since_ns) {
		t->wait_since_ns = now;
		t->tally.waits++;
	}
	if (holder)
		gw_holder_seen(gil, holder, now);
	gw_wait_blame(t, gil);
	gw_wait_part_end(t, now, e);
	t->wait_block_ns = now;
	t->wait_holder = holder;
	t->wait_gil = t->gil;
	/* A thread that takes the GIL again after itself leaves no trace in that number. */
	t->wait_switch_number = out->was_last ? GW_NO_NUMBER : out->switch_number;
	t->wait_end_ns = 0;
	t->resume_candidate_ns = 0;
	gw_wait_enter_w(t, gil, now, e);
	return 0;
}

gw_once int gw_wait_finish_once(struct gw_thread *t, struct gw_gil_state *gil, __u64 at,
				struct gw_effects *e)
{
	if (!t || !gil || !e)
		return 0;
	gw_wait_blame(t, gil);
	gw_wait_part_end(t, at, e);
	gw_wait_leave_w(t, gil, at, e);
	e->wait_ns = at > t->wait_since_ns ? at - t->wait_since_ns : 1;
	t->wait_since_ns = 0;
	t->wait_block_ns = 0;
	t->wait_end_ns = 0;
	return 0;
}

/* A wait, if there is one, is over as of `at`. */
gw_inline void gw_wait_finish(struct gw_thread *t, struct gw_gil_state *gil, __u64 at,
			      struct gw_effects *e)
{
	if (t->wait_since_ns)
		gw_wait_finish_once(t, gil, at, e);
}

#endif
