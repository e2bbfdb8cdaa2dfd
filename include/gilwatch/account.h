/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The accounting: what each event does to a thread's record and its GIL. Pure functions over the
 * records and over evidence that the caller has gathered; histograms, pairs and times by CPU, which
 * live in maps, are handed back as effects.
 *
 * A thread's own events (switches, probe hits) are ordered, and its wake-ups come only while it is
 * off the CPU. But a probe hit can be preempted in its middle, so that the switch's work nests
 * inside the hit's: what a hit changes is therefore changed by atomic operations.
 */
#ifndef GW_ACCOUNT_H
#define GW_ACCOUNT_H

#include "gilwatch/abi.h"

/* What the caller has to do after an event. 0 in a member: nothing. */
struct gw_effects {
	__u64 hold_ns;
	__u64 wait_ns;
	__u64 resume_ns;
	__u64 pair_ns;	/* the thread waited this long for pair_by */
	__u64 flush_ns; /* time on flush_cpu, to be added to the map by CPU */
	__u32 pair_by;
	__u32 flush_cpu;
	__u32 lost_waiter;
	__u32 flush;
};

#define GW_NO_NUMBER 0xffffffffffffffffULL

enum gw_futex {
	GW_FUTEX_OTHER,
	GW_FUTEX_WAIT,	   /* in the GIL's cond or mutex: waits for the GIL */
	GW_FUTEX_HANDOVER, /* in switch_cond or its mutex: waits for the next holder, after a
			      release */
};

/* The evidence at a switch-out. */
struct gw_out {
	enum gw_where where;
	enum gw_futex futex; /* meaningful where `where` is GW_BLOCKED_GIL */
	__u32 engine;
	__u8 gil_read; /* holds and switch_number are valid */
	__u8 holds;    /* the GIL's memory says that this thread holds it */
	__u8 at_site;  /* the thread stands at a probe site: a hit is pending */
	__u8 sleeps;   /* asked_ns is valid */
	__u8 was_last; /* this thread was the last to hold the GIL, whether or not it still does */
	__u8 padding[3];
	__u32 holder; /* tid of the holder, 0: nobody or not known */
	__u64 switch_number;
	__u64 asked_ns;	       /* of a sleep */
	__u64 engine_since_ns; /* when the engine last changed */
};

/* ---- spans ---- */

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
gw_inline __u64 gw_span_set_gil(struct gw_thread *t, __u64 now, enum gw_gil gil)
{
	for (int i = 0; i < 4; i++) {
		gw_span old = *(volatile gw_span *)&t->span;
		__u64 since = gw_span_since_ns(old);
		enum gw_gil left_gil = gw_span_gil(old);
		enum gw_where left = gw_span_where(old);

		if (now < since)
			now = since;
		if (__sync_val_compare_and_swap(&t->span, old, gw_span_make(now, gil, left)) != old)
			continue;
		if (left_gil < GW_GIL_COUNT && left < GW_WHERE_COUNT)
			__sync_fetch_and_add(&t->tally.cells.ns[left_gil][left], now - since);
		gw_resume_accumulate(t, left_gil, left, now - since);
		break;
	}
	return now;
}

/* ---- the GIL's own books ---- */

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

/* ---- waits ---- */

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
gw_inline void gw_wait_block(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			     const struct gw_out *out, struct gw_effects *e)
{
	if (!t->wait_since_ns) {
		t->wait_since_ns = now;
		t->tally.waits++;
	}
	gw_wait_part_end(t, now, e);
	t->wait_block_ns = now;
	t->wait_holder = out->holder;
	/* A thread that takes the GIL again after itself leaves no trace in that number. */
	t->wait_switch_number = out->was_last ? GW_NO_NUMBER : out->switch_number;
	t->wait_end_ns = 0;
	t->resume_candidate_ns = 0;
	gw_wait_enter_w(t, gil, now, e);
}

/* The wait is over as of `at`. */
gw_inline void gw_wait_finish(struct gw_thread *t, struct gw_gil_state *gil, __u64 at,
			      struct gw_effects *e)
{
	if (!t->wait_since_ns)
		return;
	gw_wait_part_end(t, at, e);
	gw_wait_leave_w(t, gil, at, e);
	e->wait_ns = at > t->wait_since_ns ? at - t->wait_since_ns : 1;
	t->wait_since_ns = 0;
	t->wait_block_ns = 0;
	t->wait_end_ns = 0;
}

/* ---- resume latency and the delay of sleeps ---- */

/* The thread is back at work as of `at`: with the GIL, or as near to it as the engine can tell. */
gw_inline void gw_resume_finish(struct gw_thread *t, __u64 at, struct gw_effects *e)
{
	if (t->wake_ns) {
		e->resume_ns = at > t->wake_ns ? at - t->wake_ns : 1;
		t->tally.resume_runqueue_ns += t->resume_runqueue_ns;
		t->tally.resume_gil_ns += t->resume_gil_ns;
		t->wake_ns = 0;
		t->resume_candidate_ns = 0;
	}
	if (t->flags & GW_THREAD_SLEEPS) {
		t->flags &= ~GW_THREAD_SLEEPS;
		t->tally.delay_asked_ns += t->sleep_asked_ns;
		t->tally.delay_actual_ns += at - t->sleep_from_ns;
		t->tally.delays++;
	}
}

gw_inline void gw_sleep_begin(struct gw_thread *t, __u64 now, const struct gw_out *out)
{
	t->flags &= ~GW_THREAD_SLEEPS;
	if (!out->sleeps || !out->asked_ns)
		return;
	t->sleep_asked_ns = out->asked_ns;
	/* The sleep's delay runs from the release before it, which only a probe sees. */
	t->sleep_from_ns = out->engine == GW_ENGINE_UPROBE && t->release_ns ? t->release_ns : now;
	t->flags |= GW_THREAD_SLEEPS;
}

/* ---- holds ---- */

gw_inline void gw_hold_begin(struct gw_thread *t, struct gw_gil_state *gil, __u64 now)
{
	t->hold_since_ns = now;
	gw_holder_moves(t, gil, now, GW_RUNNING);
}

gw_inline void gw_hold_end(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			   struct gw_effects *e)
{
	gw_holder_moves(t, gil, now, GW_BY_NOBODY);
	if (t->hold_since_ns)
		e->hold_ns = now > t->hold_since_ns ? now - t->hold_since_ns : 1;
	t->hold_since_ns = 0;
}

/* ---- events ---- */

gw_inline void gw_slice_samples_keep(struct gw_thread *t, int keep)
{
	for (int i = 0; i < GW_SAMPLE_COUNT; i++) {
		if (keep)
			t->tally.samples[i] += t->slice_samples[i];
		t->slice_samples[i] = 0;
	}
}

/*
 * Whether the evidence says that the thread holds the GIL. Not if it blocks for the GIL: take_gil
 * writes last_holder after locked, and in between the memory names the last holder. (A holder that
 * waits for the GIL's mutex in order to release is known to be one only to the probes.)
 */
gw_inline int gw_out_holds(const struct gw_thread *t, const struct gw_out *out)
{
	return out->holds &&
	       (out->where != GW_BLOCKED_GIL || gw_span_gil(t->span) == GW_GIL_HOLDING);
}

/*
 * Sched engine: a woken waiter has run and leaves the CPU. It did not get the GIL in between if
 * nobody else did: then the short run belongs to the wait.
 */
gw_inline int gw_out_still_waits(const struct gw_thread *t, const struct gw_out *out)
{
	if (!t->wait_since_ns || out->holds || !out->gil_read)
		return 0;
	if (out->switch_number != t->wait_switch_number)
		return 0;
	return out->where == GW_RUNNABLE ||
	       (out->where == GW_BLOCKED_GIL && out->futex == GW_FUTEX_WAIT);
}

/*
 * The thread has run since before the probes went, at `at`: the rest of its slice is for the
 * sampler, and whether a wait ended in it shows when it leaves the CPU.
 */
gw_inline void gw_leave_probes(struct gw_thread *t, struct gw_gil_state *gil, __u64 at,
			       struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);

	if (belief == GW_GIL_SAMPLED || belief == GW_GIL_UNKNOWN ||
	    gw_span_where(t->span) != GW_RUNNING)
		return;
	at = gw_span_set_gil(t, at, GW_GIL_SAMPLED);
	t->hold_since_ns = 0;
	if (!t->wait_since_ns)
		return;
	gw_wait_leave_w(t, gil, at, e);
	t->wait_end_ns = at;
}

gw_inline void gw_switch_out_sched(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				   const struct gw_out *out, struct gw_effects *e)
{
	int still = gw_out_still_waits(t, out);
	enum gw_gil next = GW_GIL_NONE;
	__u64 run_since;

	gw_leave_probes(t, gil, out->engine_since_ns, e);
	run_since = gw_span_since_ns(t->span);
	if (gw_out_holds(t, out))
		next = GW_GIL_HOLDING;
	else if (still || out->where == GW_BLOCKED_GIL)
		next = GW_GIL_WAITING;
	else if (!out->gil_read)
		next = GW_GIL_UNKNOWN;
	gw_slice_samples_keep(t, !still);
	if (still) {
		/* The run was left out of W(t) at the switch-in: it goes to the holder of now. */
		if (gil->holder < GW_BY_COUNT)
			__sync_fetch_and_add(&gil->by_holder_ns[gil->holder], now - run_since);
		gw_wait_enter_w(t, gil, now, e);
		t->resume_candidate_ns = 0;
	} else if (t->wait_since_ns) {
		gw_wait_finish(t, gil, t->wait_end_ns ? t->wait_end_ns : run_since, e);
	}
	gw_span_close_as(t, now, still ? GW_GIL_WAITING : gw_span_gil(t->span), next, out->where);
	if (next == GW_GIL_HOLDING)
		gw_holder_moves(t, gil, now, out->where);
}

/* Uprobe engine: belief against the GIL's memory. */
gw_inline void gw_belief_check(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       const struct gw_out *out, struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);
	int believed = belief == GW_GIL_HOLDING;
	int holds = gw_out_holds(t, out);

	if (!out->gil_read || out->at_site)
		return;
	if (belief != GW_GIL_UNKNOWN && belief != GW_GIL_SAMPLED) {
		if (believed == holds)
			return;
		t->tally.corrected++;
	}
	if (holds) {
		gw_wait_finish(t, gil, now, e);
		gw_hold_begin(t, gil, now);
		gil->holder_tid = t->tid;
		gw_span_close(t, now, GW_GIL_HOLDING, GW_RUNNING);
		return;
	}
	if (believed)
		gw_hold_end(t, gil, now, e);
	gw_span_close(t, now, GW_GIL_NONE, GW_RUNNING);
}

gw_inline void gw_switch_out_uprobe(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				    const struct gw_out *out, struct gw_effects *e)
{
	enum gw_gil belief;

	gw_belief_check(t, gil, now, out, e);
	belief = gw_span_gil(t->span);
	if (belief == GW_GIL_HOLDING)
		gw_holder_moves(t, gil, now, out->where);
	else if (out->where == GW_BLOCKED_GIL)
		belief = GW_GIL_WAITING;
	else if (belief == GW_GIL_SAMPLED)
		belief = GW_GIL_UNKNOWN; /* off the CPU there is nothing to sample */
	gw_span_close(t, now, belief, out->where);
}

/* The thread leaves the CPU. */
gw_inline void gw_switch_out(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			     const struct gw_out *out, struct gw_effects *e)
{
	now = gw_not_before(t, now);
	if (t->run_since_ns)
		t->cpu_ns += now - t->run_since_ns;
	t->run_since_ns = 0;
	if (out->engine == GW_ENGINE_NONE || !gil) {
		gw_span_close(t, now, GW_GIL_UNKNOWN, out->where);
		return;
	}
	if (out->engine == GW_ENGINE_SCHED)
		gw_switch_out_sched(t, gil, now, out, e);
	else
		gw_switch_out_uprobe(t, gil, now, out, e);
	if (gw_span_gil(t->span) == GW_GIL_WAITING && out->futex == GW_FUTEX_WAIT) {
		gw_wait_block(t, gil, now, out, e);
		return;
	}
	if (gw_span_gil(t->span) == GW_GIL_WAITING && out->futex == GW_FUTEX_HANDOVER)
		t->handover_since_ns = now;
	if (out->engine == GW_ENGINE_SCHED && t->wake_ns && !t->wait_since_ns &&
	    t->resume_candidate_ns)
		gw_resume_finish(t, t->resume_candidate_ns, e);
	if (out->where == GW_BLOCKED_SLEEP && gw_span_gil(t->span) == GW_GIL_NONE)
		gw_sleep_begin(t, now, out);
}

/* The thread is woken. Also comes for threads that are running or runnable: those are left alone.
 */
gw_inline void gw_wakeup(struct gw_thread *t, struct gw_gil_state *gil, __u64 now)
{
	enum gw_where where = gw_span_where(t->span);
	enum gw_gil belief = gw_span_gil(t->span);

	if (where == GW_RUNNING || where == GW_RUNNABLE)
		return;
	now = gw_not_before(t, now);
	gw_span_close(t, now, belief, GW_RUNNABLE);
	t->tally.wakes++;
	if (belief == GW_GIL_HOLDING) {
		if (gil)
			gw_holder_moves(t, gil, now, GW_RUNNABLE);
		return;
	}
	if (where == GW_BLOCKED_GIL)
		return;
	t->wake_ns = now;
	t->resume_candidate_ns = 0;
	t->resume_runqueue_ns = 0;
	t->resume_gil_ns = 0;
}

/* What the thread is taken for as it begins to run. */
gw_inline enum gw_gil gw_switch_in_belief(const struct gw_thread *t, __u32 engine)
{
	if (engine == GW_ENGINE_SCHED)
		return GW_GIL_SAMPLED;
	if (engine == GW_ENGINE_NONE)
		return GW_GIL_UNKNOWN;
	/* After the hand-over it has not asked for the GIL again yet. */
	return t->handover_since_ns ? GW_GIL_NONE : gw_span_gil(t->span);
}

gw_inline void gw_handover_end(struct gw_thread *t, __u64 now)
{
	if (t->handover_since_ns)
		t->tally.handover_ns += now - t->handover_since_ns;
	t->handover_since_ns = 0;
}

/* Sched engine: whether a woken waiter has the GIL now shows only when it leaves the CPU. */
gw_inline void gw_switch_in_waiter(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				   struct gw_effects *e)
{
	gw_wait_leave_w(t, gil, now, e);
	t->wait_end_ns = now;
	/* Left over from the time of probes: without them nobody is seen to release. */
	if (gil->holder == GW_BY_NOBODY)
		gil->holder = GW_RUNNING;
}

/* Notes the CPU on which the thread runs from now on. `distance` is that from its last one. */
gw_inline void gw_switch_in_cpu(struct gw_thread *t, __u32 cpu, __u32 distance,
				struct gw_effects *e)
{
	if (cpu == t->cpu)
		return;
	e->flush = 1;
	e->flush_ns = t->cpu_ns;
	e->flush_cpu = t->cpu;
	t->cpu_ns = 0;
	t->cpu = cpu;
	if (distance < GW_DISTANCE_COUNT)
		t->tally.migrations[distance]++;
}

/* The thread begins to run. */
gw_inline void gw_switch_in(struct gw_thread *t, struct gw_gil_state *gil, __u32 engine, __u64 now,
			    struct gw_effects *e)
{
	enum gw_gil before = gw_span_gil(t->span);

	now = gw_not_before(t, now);
	if (!gil)
		engine = GW_ENGINE_NONE;
	/* A switch-out that was missed: the run goes on. */
	if (t->run_since_ns)
		t->cpu_ns += now - t->run_since_ns;
	gw_span_close(t, now, gw_switch_in_belief(t, engine), GW_RUNNING);
	if (gil && before == GW_GIL_HOLDING)
		gw_holder_moves(t, gil, now, GW_RUNNING);
	if (gil && engine == GW_ENGINE_SCHED && t->wait_since_ns)
		gw_switch_in_waiter(t, gil, now, e);
	gw_handover_end(t, now);
	if (engine == GW_ENGINE_SCHED)
		t->hold_since_ns = 0; /* without probes nobody knows how long it will hold on */
	if (t->wake_ns && !t->resume_candidate_ns)
		t->resume_candidate_ns = now;
	t->run_since_ns = now;
}

/* A probe saw the thread acquire the GIL, on this CPU, at `distance` from the last release. */
gw_inline void gw_acquire(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, __u32 distance,
			  struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);

	t->tally.acquisitions++;
	gil->acquisitions++;
	if (gil->holder_tid != t->tid) {
		gil->holder_changes++;
		if (distance < GW_DISTANCE_COUNT)
			gil->handovers[distance]++;
		gil->holder_tid = t->tid;
	}
	/* A check at a switch may have found out before the hit came: then the hold goes on. */
	if (belief != GW_GIL_HOLDING) {
		now = gw_span_set_gil(t, now, GW_GIL_HOLDING);
		gw_wait_finish(t, gil, now, e);
		gw_hold_begin(t, gil, now);
	}
	gw_resume_finish(t, gw_not_before(t, now), e);
}

/* A probe saw the thread release the GIL on this CPU. */
gw_inline void gw_release(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, __u32 cpu,
			  int forced, struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);

	t->tally.releases++;
	gil->releases++;
	gil->holder_cpu = cpu;
	if (forced) {
		t->tally.forced_releases++;
		gil->forced_releases++;
	}
	t->release_ns = now;
	if (belief == GW_GIL_NONE)
		return;
	now = gw_span_set_gil(t, now, GW_GIL_NONE);
	t->release_ns = now;
	gw_wait_finish(t, gil, now, e); /* if the acquisition was missed */
	gw_hold_end(t, gil, now, e);
}

/* The thread ends, while it runs. */
gw_inline void gw_exit(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
		       struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);

	now = gw_not_before(t, now);
	if (t->run_since_ns)
		t->cpu_ns += now - t->run_since_ns;
	t->run_since_ns = 0;
	e->flush = 1;
	e->flush_ns = t->cpu_ns;
	e->flush_cpu = t->cpu;
	t->cpu_ns = 0;
	gw_slice_samples_keep(t, 1);
	if (gil && t->wait_since_ns)
		gw_wait_finish(t, gil, t->wait_end_ns ? t->wait_end_ns : now, e);
	gw_handover_end(t, now);
	if (gil && belief == GW_GIL_HOLDING)
		gw_hold_end(t, gil, now, e);
	gw_span_close(t, now, GW_GIL_NONE, GW_RUNNING);
	t->flags |= GW_THREAD_DEAD;
}

/* ---- the beginning ---- */

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
	enum gw_gil belief = GW_GIL_UNKNOWN;
	int waits = gil && out->where == GW_BLOCKED_GIL;

	if (waits)
		belief = GW_GIL_WAITING;
	else if (gil && out->where == GW_RUNNING && out->engine == GW_ENGINE_SCHED)
		belief = GW_GIL_SAMPLED;
	t->start_ns = now;
	t->run_since_ns = out->where == GW_RUNNING ? now : 0;
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
 * Decides what a thread that has been off the CPU since it was seeded holds: nothing it does can
 * have changed that. `holds` comes from a look at the GIL that is younger than the seed.
 */
gw_inline void gw_settle(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, int holds)
{
	gw_span span = *(volatile gw_span *)&t->span;
	enum gw_where where = gw_span_where(span);
	gw_span settled =
		gw_span_make(gw_span_since_ns(span), holds ? GW_GIL_HOLDING : GW_GIL_NONE, where);

	if (!gw_is_seeded(span) || gw_span_gil(span) != GW_GIL_UNKNOWN || where == GW_RUNNING ||
	    gw_span_since_ns(span) != t->start_ns)
		return;
	if (__sync_val_compare_and_swap(&t->span, span, settled) != span || !holds)
		return;
	t->hold_since_ns = t->start_ns;
	gil->holder_tid = t->tid;
	gw_holder_moves(t, gil, now, where);
}

#endif
