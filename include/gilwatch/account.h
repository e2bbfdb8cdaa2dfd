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

#include "gilwatch/cpus.h"
#include "gilwatch/loop.h"
#include "gilwatch/resume.h"
#include "gilwatch/waiting.h"

gw_inline void gw_hold_begin(struct gw_thread *t, struct gw_gil_state *gil, __u64 now)
{
	t->flags &= ~GW_THREAD_HOLD_CUT;
	t->hold_since_ns = now;
	gw_holder_seen(gil, t->tid, now);
	gw_holder_moves(t, gil, now, GW_RUNNING);
}

/* The thread is found to hold: since when, nobody knows, and so its length will not be one. */
gw_inline void gw_hold_found(struct gw_thread *t, struct gw_gil_state *gil, __u64 now)
{
	gil->holder_tid = t->tid;
	gw_hold_begin(t, gil, now);
	t->flags |= GW_THREAD_HOLD_CUT;
}

gw_inline void gw_hold_end(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			   struct gw_effects *e)
{
	__u64 held_ns;

	gw_holder_moves(t, gil, now, GW_BY_NOBODY);
	if (t->hold_since_ns) {
		held_ns = now > t->hold_since_ns ? now - t->hold_since_ns : 1;
		gil->held_ns += held_ns;
		if (!(t->flags & GW_THREAD_HOLD_CUT))
			e->hold_ns = held_ns;
	}
	t->flags &= ~GW_THREAD_HOLD_CUT;
	t->hold_since_ns = 0;
}

/* A span as a holder off the CPU ends. What probes saw begin is counted whole, at its end. */
gw_inline void gw_held_off_ends(const struct gw_thread *t, struct gw_gil_state *gil, __u64 now)
{
	if (!t->hold_since_ns)
		gil->held_ns += now - gw_span_since_ns(t->span);
}

/* After a forced release the thread runs again, or is seen to have done so. */
gw_inline void gw_handover_end(struct gw_thread *t, __u64 now)
{
	if (t->handover_since_ns)
		t->tally.handover_ns += now - t->handover_since_ns;
	t->handover_since_ns = 0;
}

gw_inline void gw_slice_samples_keep(struct gw_thread *t, int keep)
{
	/* Most runs are shorter than the sampler's tick. */
	if (!t->slice_samples[GW_SAMPLE_HELD] && !t->slice_samples[GW_SAMPLE_RELEASED])
		return;
	for (int i = 0; i < GW_SAMPLE_COUNT; i++) {
		if (keep)
			t->tally.samples[i] += t->slice_samples[i];
		t->slice_samples[i] = 0;
	}
	if (keep)
		t->tally.sample_squares += t->slice_squares;
	t->slice_squares = 0;
}

/*
 * Sched engine: the sampler looked at the running thread. The look stands for the ticks since the
 * last one in this run, which are more than one where the host took the CPU away in between: such
 * ticks come late, and once.
 */
gw_inline void gw_sample(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, int holds)
{
	__u64 since = t->sample_ns > t->run_since_ns ? t->sample_ns : t->run_since_ns;
	__u64 ticks = 1;

	if (now > since + GW_SAMPLE_PERIOD_NS)
		ticks = (now - since + GW_SAMPLE_PERIOD_NS / 2) / GW_SAMPLE_PERIOD_NS;
	t->sample_ns = now;
	t->slice_samples[holds ? GW_SAMPLE_HELD : GW_SAMPLE_RELEASED] += ticks;
	t->slice_squares += ticks * ticks;
	if (!holds)
		return;
	gil->held_ticks += ticks;
	gw_holder_seen(gil, t->tid, now);
}

gw_inline struct gw_regime gw_out_regime(const struct gw_out *out)
{
	struct gw_regime regime = {.since_ns = out->engine_since_ns, .pooled = out->pooled};

	return regime;
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
	if (out->switch_number != t->wait_switch_number || t->gil != t->wait_gil)
		return 0;
	return out->where == GW_RUNNABLE || out->where == GW_BLOCKED_GIL;
}

gw_once int gw_leave_probes_once(struct gw_thread *t, struct gw_gil_state *gil,
				 const struct gw_regime *regime, struct gw_effects *e)
{
	__u64 at;

	if (!t || !gil || !regime || !e)
		return 0;
	at = gw_span_set_gil(t, regime->since_ns, GW_GIL_SAMPLED, regime->pooled);
	t->hold_since_ns = 0;
	/* The next sample stands for no time that probes have told of; that of a window is pooled.
	 */
	if (!regime->pooled)
		t->sample_ns = at;
	if (!t->wait_since_ns)
		return 0;
	gw_wait_leave_w(t, gil, at, e);
	t->wait_end_ns = at;
	return 0;
}

/*
 * Sched engine. The thread has run since before the probes went, or since before there was a GIL to
 * see: the rest of its slice is for the sampler, and whether a wait ended in it shows when it
 * leaves the CPU.
 */
gw_inline void gw_leave_probes(struct gw_thread *t, struct gw_gil_state *gil,
			       const struct gw_regime *regime, struct gw_effects *e)
{
	if (gw_span_gil(t->span) != GW_GIL_SAMPLED && gw_span_where(t->span) == GW_RUNNING)
		gw_leave_probes_once(t, gil, regime, e);
}

/*
 * Uprobe engine: what the thread is taken for was found out before the probes came, by the sched
 * engine's means, or in a window before.
 */
gw_inline int gw_belief_is_inherited(const struct gw_thread *t, const struct gw_regime *regime)
{
	return t->evidence_ns < regime->since_ns;
}

/*
 * It has run since before, unseen by the sampler: what it did between the last window and this one
 * nobody knows.
 */
gw_inline int gw_belief_is_stale(const struct gw_thread *t, const struct gw_regime *regime)
{
	enum gw_gil belief = gw_span_gil(t->span);

	return (belief == GW_GIL_HOLDING || belief == GW_GIL_NONE) &&
	       gw_span_where(t->span) == GW_RUNNING &&
	       gw_span_since_ns(t->span) < regime->since_ns && gw_belief_is_inherited(t, regime);
}

gw_once int gw_join_probes_once(struct gw_thread *t, struct gw_gil_state *gil,
				const struct gw_regime *regime, struct gw_effects *e)
{
	if (!t || !gil || !regime || !e)
		return 0;
	if (gw_belief_is_stale(t, regime)) {
		gw_span_set_gil(t, regime->since_ns, GW_GIL_SAMPLED, 1);
		t->hold_since_ns = 0;
	}
	if (gw_span_gil(t->span) == GW_GIL_SAMPLED)
		gw_slice_samples_keep(t, 1);
	if (t->wait_end_ns)
		gw_wait_finish(t, gil, t->wait_end_ns, e);
	return 0;
}

/*
 * An event under probes of a thread that has run since before they came: what the sampler saw of
 * its slice counts, and a wait ended as the slice began.
 */
gw_inline void gw_join_probes(struct gw_thread *t, struct gw_gil_state *gil,
			      const struct gw_regime *regime, struct gw_effects *e)
{
	/* Whoever has had evidence since has joined: most events. */
	if (gw_span_gil(t->span) == GW_GIL_SAMPLED || t->wait_end_ns ||
	    gw_belief_is_inherited(t, regime))
		gw_join_probes_once(t, gil, regime, e);
}

gw_inline void gw_switch_out_sched(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				   const struct gw_out *out, struct gw_effects *e)
{
	const struct gw_regime regime = gw_out_regime(out);
	int still = gw_out_still_waits(t, out);
	enum gw_gil next = GW_GIL_NONE;
	__u64 run_since;

	gw_leave_probes(t, gil, &regime, e);
	run_since = gw_span_since_ns(t->span);
	if (gw_out_holds(t, out))
		next = GW_GIL_HOLDING;
	else if (still || out->where == GW_BLOCKED_GIL)
		next = GW_GIL_WAITING;
	else if (!out->gil_read)
		next = GW_GIL_UNKNOWN;
	gw_slice_samples_keep(t, !still);
	if (still) {
		/*
		 * The run was left out of W(t) at the switch-in, unless nobody told of that: it
		 * goes to the holder of now.
		 */
		if (!(t->flags & GW_THREAD_IN_W) && gil->holder < GW_BY_COUNT)
			__sync_fetch_and_add(&gil->by_holder_ns[gil->holder], now - run_since);
		gw_wait_enter_w(t, gil, now, e);
		t->wait_end_ns = 0;
		t->resume_candidate_ns = 0;
	} else if (t->wait_since_ns) {
		/* Where nobody told of the switch-in, its cell has it waiting until now. */
		if (gw_span_where(t->span) != GW_RUNNING)
			run_since = now;
		gw_wait_finish(t, gil, t->wait_end_ns ? t->wait_end_ns : run_since, e);
	}
	gw_span_close_as(t, now, still ? GW_GIL_WAITING : gw_span_gil(t->span), next, out->where);
	if (next != GW_GIL_HOLDING)
		return;
	gw_holder_seen(gil, t->tid, now);
	gw_holder_moves(t, gil, now, out->where);
}

/* Uprobe engine: belief against the GIL's memory. */
gw_inline void gw_belief_check(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       const struct gw_out *out, const struct gw_regime *regime,
			       struct gw_effects *e)
{
	enum gw_gil belief = gw_span_gil(t->span);
	enum gw_gil as = gw_booked_as(belief, gw_span_where(t->span), regime->pooled);
	int inherited = gw_belief_is_inherited(t, regime);
	int believed = belief == GW_GIL_HOLDING;
	int holds = gw_out_holds(t, out);

	if (!out->gil_read || out->at_site)
		return;
	t->evidence_ns = now;
	if (belief != GW_GIL_UNKNOWN && belief != GW_GIL_SAMPLED) {
		if (believed == holds)
			return;
		t->tally.corrected += !inherited;
	}
	if (holds) {
		gw_wait_finish(t, gil, now, e);
		gw_hold_found(t, gil, now);
		gw_span_close_as(t, now, as, GW_GIL_HOLDING, GW_RUNNING);
		return;
	}
	if (believed)
		gw_hold_end(t, gil, now, e);
	gw_span_close_as(t, now, as, GW_GIL_NONE, GW_RUNNING);
}

gw_inline void gw_switch_out_uprobe(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				    const struct gw_out *out, struct gw_effects *e)
{
	const struct gw_regime regime = gw_out_regime(out);
	enum gw_where where = out->where;
	enum gw_gil belief, as;

	gw_join_probes(t, gil, &regime, e);
	gw_belief_check(t, gil, now, out, &regime, e);
	belief = gw_span_gil(t->span);
	as = gw_booked_as(belief, gw_span_where(t->span), regime.pooled);
	/* A holder waits for the GIL's mutex in order to release: a lock like any other. */
	if (belief == GW_GIL_HOLDING && where == GW_BLOCKED_GIL)
		where = GW_BLOCKED_LOCK;
	if (belief == GW_GIL_HOLDING)
		gw_holder_moves(t, gil, now, where);
	else if (where == GW_BLOCKED_GIL)
		belief = GW_GIL_WAITING;
	else if (belief == GW_GIL_SAMPLED)
		belief = GW_GIL_UNKNOWN; /* off the CPU there is nothing to sample */
	gw_span_close_as(t, now, as, belief, where);
}

gw_inline int gw_has_facts(__u32 engine)
{
	return engine == GW_ENGINE_SCHED || engine == GW_ENGINE_UPROBE;
}

/* What all threads are taken for where there are no facts of a GIL. */
gw_inline enum gw_gil gw_belief_without(__u32 engine)
{
	return engine == GW_ENGINE_OFF ? GW_GIL_NONE : GW_GIL_UNKNOWN;
}

gw_inline void gw_yield_begin(struct gw_thread *t, const struct gw_out *out)
{
	if (out->yields)
		t->flags |= GW_THREAD_YIELDED;
	else
		t->flags &= ~GW_THREAD_YIELDED; /* if nobody told of the switch-in */
}

gw_inline void gw_yield_end(struct gw_thread *t, __u64 now)
{
	if (!(t->flags & GW_THREAD_YIELDED))
		return;
	t->flags &= ~GW_THREAD_YIELDED;
	t->tally.yielded_ns += now - gw_span_since_ns(t->span);
}

/* The thread leaves the CPU. */
gw_once int gw_switch_out(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			  const struct gw_out *out, struct gw_effects *e)
{
	if (!t || !out || !e)
		return 0;
	now = gw_not_before(t, now);
	if (t->run_since_ns)
		gw_cpu_ran(t, now - t->run_since_ns);
	t->run_since_ns = 0;
	gw_handover_end(t, now); /* if nobody told of the switch-in */
	gw_yield_begin(t, out);
	if (!gw_has_facts(out->engine) || !gil)
		gw_span_close(t, now, gw_belief_without(out->engine), out->where);
	else if (out->engine == GW_ENGINE_SCHED)
		gw_switch_out_sched(t, gil, now, out, e);
	else
		gw_switch_out_uprobe(t, gil, now, out, e);
	if (out->where == GW_BLOCKED_POLL)
		gw_loop_block(t);
	if (!gw_has_facts(out->engine) || !gil)
		return 0;
	if (gw_span_gil(t->span) == GW_GIL_WAITING && out->futex == GW_FUTEX_WAIT)
		return gw_wait_block(t, gil, now, out, e);
	/* A waiter that blocks there is about to take the GIL, and goes on waiting. */
	if (gw_span_gil(t->span) == GW_GIL_WAITING && out->futex == GW_FUTEX_HANDOVER &&
	    !t->wait_since_ns)
		t->handover_since_ns = now;
	if (out->engine == GW_ENGINE_SCHED && t->wake_ns && !t->wait_since_ns &&
	    t->resume_candidate_ns)
		gw_resume_finish(t, t->resume_candidate_ns, e);
	if (out->where == GW_BLOCKED_SLEEP && gw_span_gil(t->span) == GW_GIL_NONE)
		gw_sleep_begin(t, now, out);
	return 0;
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
	if (gil && belief == GW_GIL_HOLDING)
		gw_held_off_ends(t, gil, now);
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
	if (!gw_has_facts(engine))
		return gw_belief_without(engine);
	/* After the hand-over it has not asked for the GIL again yet. */
	return t->handover_since_ns ? GW_GIL_NONE : gw_span_gil(t->span);
}

/* Sched engine: whether a woken waiter has the GIL now shows only when it leaves the CPU. */
gw_inline void gw_switch_in_waiter(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				   struct gw_effects *e)
{
	gw_wait_leave_w(t, gil, now, e);
	gw_wait_blame(t, gil);
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
	gw_cpu_change(t, cpu, e);
	if (distance < GW_DISTANCE_COUNT)
		t->tally.migrations[distance]++;
}

/* The thread begins to run. */
gw_inline void gw_switch_in(struct gw_thread *t, struct gw_gil_state *gil, __u32 engine, __u64 now,
			    struct gw_effects *e)
{
	enum gw_gil before = gw_span_gil(t->span);

	now = gw_not_before(t, now);
	if (!gil && gw_has_facts(engine))
		engine = GW_ENGINE_NONE;
	/* A switch-out that was missed: the run goes on. */
	if (t->run_since_ns)
		gw_cpu_ran(t, now - t->run_since_ns);
	if (gil && before == GW_GIL_HOLDING)
		gw_held_off_ends(t, gil, now);
	gw_yield_end(t, now);
	gw_span_close(t, now, gw_switch_in_belief(t, engine), GW_RUNNING);
	if (gil && before == GW_GIL_HOLDING)
		gw_holder_moves(t, gil, now, GW_RUNNING);
	if (engine == GW_ENGINE_UPROBE && before == GW_GIL_HOLDING && !t->hold_since_ns) {
		t->hold_since_ns = now;
		t->flags |= GW_THREAD_HOLD_CUT;
	}
	if (gil && engine == GW_ENGINE_SCHED && t->wait_since_ns)
		gw_switch_in_waiter(t, gil, now, e);
	gw_handover_end(t, now);
	if (engine == GW_ENGINE_SCHED)
		t->hold_since_ns = 0; /* without probes nobody knows how long it will hold on */
	if (t->wake_ns && !t->resume_candidate_ns)
		t->resume_candidate_ns = now;
	t->run_since_ns = now;
}

/* Under probes: of a running thread nothing is known yet, or only to the sampler. */
gw_inline int gw_lacks_evidence(const struct gw_thread *t, const struct gw_regime *regime)
{
	enum gw_gil belief = gw_span_gil(t->span);

	if (gw_span_where(t->span) != GW_RUNNING)
		return 0;
	return belief == GW_GIL_UNKNOWN || belief == GW_GIL_SAMPLED ||
	       gw_belief_is_stale(t, regime);
}

/*
 * The sampler looked at such a thread: one that nobody makes give way passes no probe and no switch
 * for long.
 */
gw_inline void gw_first_evidence(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
				 int holds, const struct gw_regime *regime, struct gw_effects *e)
{
	if (!gw_lacks_evidence(t, regime))
		return;
	gw_join_probes(t, gil, regime, e);
	now = gw_span_set_gil(t, now, holds ? GW_GIL_HOLDING : GW_GIL_NONE, regime->pooled);
	t->evidence_ns = now;
	if (holds)
		gw_hold_found(t, gil, now);
}

/* A probe saw the thread acquire the GIL, on this CPU, at `distance` from the last release. */
gw_inline void gw_acquire(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, __u32 distance,
			  const struct gw_regime *regime, struct gw_effects *e)
{
	enum gw_gil belief;

	gw_join_probes(t, gil, regime, e);
	belief = gw_span_gil(t->span);
	t->evidence_ns = now;
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
		now = gw_span_set_gil(t, now, GW_GIL_HOLDING, regime->pooled);
		gw_handover_end(t, now);
		gw_wait_finish(t, gil, now, e);
		gw_hold_begin(t, gil, now);
	}
	gw_resume_finish(t, gw_not_before(t, now), e);
}

/* A probe saw the thread release the GIL on this CPU. */
gw_inline void gw_release(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, __u32 cpu,
			  int forced, const struct gw_regime *regime, struct gw_effects *e)
{
	enum gw_gil belief;

	gw_join_probes(t, gil, regime, e);
	belief = gw_span_gil(t->span);
	t->evidence_ns = now;
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
	now = gw_span_set_gil(t, now, GW_GIL_NONE, regime->pooled);
	t->release_ns = now;
	gw_wait_finish(t, gil, now, e); /* if the acquisition was missed */
	gw_hold_end(t, gil, now, e);
}

/* The thread ends, while it runs. */
gw_once int gw_exit(struct gw_thread *t, struct gw_gil_state *gil, __u64 now, struct gw_effects *e)
{
	enum gw_gil belief;

	if (!t || !e)
		return 0;
	belief = gw_span_gil(t->span);
	now = gw_not_before(t, now);
	if (t->run_since_ns)
		gw_cpu_ran(t, now - t->run_since_ns);
	t->run_since_ns = 0;
	gw_slice_samples_keep(t, 1);
	if (gil && t->wait_since_ns)
		gw_wait_finish(t, gil, t->wait_end_ns ? t->wait_end_ns : now, e);
	gw_handover_end(t, now);
	if (gil && belief == GW_GIL_HOLDING)
		gw_hold_end(t, gil, now, e);
	gw_span_close(t, now, GW_GIL_NONE, GW_RUNNING);
	t->flags |= GW_THREAD_DEAD;
	return 0;
}

/*
 * The thread's process becomes another program: what was is over, as at an exit, and the thread
 * runs on with nothing known of it.
 */
gw_inline void gw_exec(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
		       struct gw_effects *e)
{
	gw_exit(t, gil, now, e);
	now = gw_not_before(t, now);
	t->flags &= GW_THREAD_IN_OVERLAP;
	t->gil = GW_NO_SLOT;
	t->fs_base = 0;
	t->wake_ns = 0;
	t->run_since_ns = now;
	t->span = gw_span_make(now, GW_GIL_UNKNOWN, GW_RUNNING);
}

#endif
