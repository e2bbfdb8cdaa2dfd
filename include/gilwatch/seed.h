/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the watch of a thread begins that is there already. */
#ifndef GW_SEED_H
#define GW_SEED_H

#include "gilwatch/account.h"

/*
 * A record is created before its thread's state is looked at; until it is seeded, its span counts
 * the thread's events (gw_unseeded_event), so that a look that an event has overtaken is not
 * believed.
 */
gw_inline int gw_is_seeded(gw_span span)
{
	return span >> 8 != 0;
}

gw_inline void gw_unseeded_event(struct gw_thread *t)
{
	__u64 one = (*(volatile gw_span *)&t->span & 0xff) == 0xff ? (__u64)-0xfe : 1;

	__sync_fetch_and_add(&t->span, one);
}

/*
 * Seeds a thread found in `out`; `seen` is the unseeded span from before the look. Returns 0 if an
 * event came between: look again.
 */
gw_inline int gw_seed(struct gw_thread *t, struct gw_gil_state *gil, gw_span seen, __u64 now,
		      const struct gw_out *out, struct gw_effects *e)
{
	int waits = gil && gw_has_facts(out->engine) && out->where == GW_BLOCKED_GIL;
	enum gw_gil belief = gw_belief_without(out->engine);

	if (waits)
		belief = GW_GIL_WAITING;
	else if (gil && out->where == GW_RUNNING && out->engine == GW_ENGINE_SCHED)
		belief = GW_GIL_SAMPLED;
	t->start_ns = now;
	t->run_since_ns = out->where == GW_RUNNING ? now : 0;
	t->tally.polls = out->where == GW_BLOCKED_POLL;
	t->handover_since_ns = waits && out->futex == GW_FUTEX_HANDOVER ? now : 0;
	if (waits && out->futex == GW_FUTEX_WAIT)
		gw_wait_block(t, gil, now, out, e);
	if (__sync_val_compare_and_swap(&t->span, seen, gw_span_make(now, belief, out->where)) ==
	    seen)
		return 1;
	if (waits && out->futex == GW_FUTEX_WAIT) {
		gw_wait_leave_w(t, gil, now, e);
		t->tally.waits = 0;
		t->wait_since_ns = 0;
		t->wait_block_ns = 0;
	}
	return 0;
}

/*
 * Decides what a thread holds that is off the CPU since before a look at the GIL, at look_ns:
 * nothing it does can have changed that. `holds` is what the look said. Facts are to be had since
 * facts_ns: what was before stays unknown.
 */
gw_inline void gw_settle(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, int holds,
			 __u64 look_ns, __u64 facts_ns)
{
	gw_span span = *(volatile gw_span *)&t->span;
	enum gw_where where = gw_span_where(span);
	__u64 since = gw_span_since_ns(span);
	__u64 at = since < facts_ns ? facts_ns : since;
	gw_span settled = gw_span_make(at, holds ? GW_GIL_HOLDING : GW_GIL_NONE, where);

	if (!gw_is_seeded(span) || gw_span_gil(span) != GW_GIL_UNKNOWN || where == GW_RUNNING ||
	    since >= look_ns)
		return;
	if (__sync_val_compare_and_swap(&t->span, span, settled) != span)
		return;
	if (where < GW_WHERE_COUNT)
		__sync_fetch_and_add(&t->tally.cells.ns[GW_GIL_UNKNOWN][where], at - since);
	if (!holds)
		return;
	t->hold_since_ns = at;
	t->flags |= GW_THREAD_HOLD_CUT;
	gil->holder_tid = t->tid;
	gw_holder_moves(t, gil, now, where);
}

#endif
