// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/histogram.h"
#include "model/probes_basis.h"
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

/* -- A hold that does not end ------------------------------------------------------------------ */

static const struct gw_open *oldest_hold(const struct gw_process_view *process)
{
	const struct gw_open *oldest = NULL;

	for (size_t i = 0; i < process->open_count; i++) {
		const struct gw_open *open = &process->open[i];

		if (open->kind == GW_OPEN_HOLD && (!oldest || open->age_ns > oldest->age_ns))
			oldest = open;
	}
	return oldest;
}

/* Others whose wait is open; *longest is the oldest of them. */
static size_t open_waits(const struct gw_process_view *process, uint32_t holder,
			 const struct gw_open **longest)
{
	size_t count = 0;

	*longest = NULL;
	for (size_t i = 0; i < process->open_count; i++) {
		const struct gw_open *open = &process->open[i];

		if (open->kind != GW_OPEN_WAIT || open->tid == holder)
			continue;
		count++;
		if (!*longest || open->age_ns > (*longest)->age_ns)
			*longest = open;
	}
	return count;
}

static void say_tid(struct gw_verdict *verdict, const struct gw_facts *facts, uint32_t tid)
{
	const struct gw_thread_view *thread = gw_thread_find(facts->process, tid);

	if (thread)
		gw_say_thread(verdict, thread);
	else
		gw_say(verdict, "a thread (tid %u)", tid);
}

static void say_stuck(const struct gw_facts *facts, const struct gw_open *hold,
		      const struct gw_open *wait, size_t waiters, struct gw_verdict *verdict)
{
	gw_say(verdict, "The GIL has not been released for %.1f s by ", gw_seconds(hold->age_ns));
	say_tid(verdict, facts, hold->tid);
	if (hold->where == GW_RUNNING || hold->where == GW_RUNNABLE)
		gw_say(verdict, ", which is running");
	else
		gw_say(verdict, ", which is blocked in %s", gw_where_name(hold->where));
	gw_say(verdict, "; %zu thread%s wait%s, the longest ", waiters, gw_plural(waiters),
	       waiters == 1 ? "s" : "");
	say_tid(verdict, facts, wait->tid);
	gw_say(verdict, " for %.1f s. ", gw_seconds(wait->age_ns));
	if (hold->where == GW_RUNNING || hold->where == GW_RUNNABLE)
		gw_say(verdict,
		       "One call that Python cannot interrupt, or an endless loop in C: look "
		       "at that thread's native stack (gdb, perf).");
	else
		gw_say(verdict,
		       "Perhaps a deadlock: look at both threads' native stacks (gdb) for what "
		       "it is blocked on and who has to end that.");
}

int gw_rule_gil_stuck(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_open *hold = oldest_hold(facts->process), *wait;
	size_t waiters;

	if (!hold || hold->age_ns < GW_STUCK_MIN_NS ||
	    gw_ratio(hold->age_ns, facts->elapsed_ns) < GW_STUCK_WINDOW)
		return 0;
	waiters = open_waits(facts->process, hold->tid, &wait);
	/* A holder that runs alone never releases; it is stuck only if it does not when asked. */
	if (waiters == 0 || wait->age_ns < GW_LONG_INTERVALS * facts->interval_ns)
		return 0;

	verdict->severity = GW_CRITICAL;
	say_stuck(facts, hold, wait, waiters, verdict);
	gw_evidence(verdict, "tid", hold->tid);
	gw_evidence(verdict, "hold_age_s", gw_seconds(hold->age_ns));
	gw_evidence(verdict, "waiter_tid", wait->tid);
	gw_evidence(verdict, "wait_age_s", gw_seconds(wait->age_ns));
	gw_evidence(verdict, "waiters_count", (double)waiters);
	return 1;
}

/* -- A holder that is not on a CPU ---------------------------------------------------------------
 */

static const struct gw_thread_view *most_held_blocked(const struct gw_process_view *process)
{
	const struct gw_thread_view *most = NULL;
	int64_t most_ns = 0;

	for (size_t i = 0; i < process->thread_count; i++) {
		int64_t ns = gw_held_blocked_ns(&process->thread[i]);

		if (ns > most_ns) {
			most_ns = ns;
			most = &process->thread[i];
		}
	}
	return most;
}

static enum gw_where main_cause(const int64_t by_ns[GW_WHERE_COUNT])
{
	int cause = GW_STOPPED;

	for (int where = GW_STOPPED; where < GW_WHERE_COUNT; where++)
		if (by_ns[where] > by_ns[cause])
			cause = where;
	return (enum gw_where)cause;
}

static const char *release_advice(enum gw_where cause)
{
	switch (cause) {
	case GW_STOPPED:
		return "A signal, a debugger or the freezer stopped it: find out who.";
	case GW_BLOCKED_FAULT:
		return "Its memory had to be fetched: look for swapping, or for mapped files that "
		       "are not "
		       "in memory.";
	default:
		return "The call has to release the GIL while it blocks: ctypes.CDLL instead of "
		       "PyDLL, "
		       "Py_BEGIN_ALLOW_THREADS in an extension.";
	}
}

static void say_held_blocked(const struct gw_facts *facts, const struct gw_thread_view *thread,
			     enum gw_where cause, struct gw_verdict *verdict)
{
	if (thread) {
		gw_say_thread(verdict, thread);
		gw_say(verdict, " keeps the GIL while it is blocked (%.2f s, mostly in %s)",
		       gw_seconds(gw_held_blocked_ns(thread)), gw_where_name(cause));
	} else {
		gw_say(verdict, "The GIL is kept by a thread that is blocked (mostly in %s)",
		       gw_where_name(cause));
	}
	gw_say(verdict,
	       ": meanwhile others lost %.2f s waiting for it (%.2f threads at any moment)",
	       gw_seconds(facts->blocked.ns), gw_ratio(facts->blocked.ns, facts->elapsed_ns));
	if (thread && thread->inflicted_ns > 0 &&
	    facts->process->inflicted_basis.kind != GW_BASIS_ABSENT)
		gw_say(verdict, "; all its holds cost them %.2f s",
		       gw_seconds(thread->inflicted_ns));
	gw_say(verdict, ". %s", release_advice(cause));
}

int gw_rule_gil_held_blocked(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double lost = gw_at_least(&facts->blocked, facts->elapsed_ns);
	const struct gw_thread_view *thread = most_held_blocked(facts->process);
	enum gw_where cause;

	if (lost < gw_least(facts, GW_HELD_BLOCKED))
		return 0;
	cause = main_cause(thread ? thread->held_off_by_ns : facts->process->gil_wait_by_holder_ns);
	verdict->severity = gw_severity_by(facts, lost, GW_HELD_BLOCKED_CRITICAL);
	say_held_blocked(facts, thread, cause, verdict);

	if (thread) {
		gw_evidence(verdict, "tid", thread->tid);
		gw_evidence(verdict, "held_blocked_s", gw_seconds(gw_held_blocked_ns(thread)));
		if (facts->process->inflicted_basis.kind != GW_BASIS_ABSENT)
			gw_evidence(verdict, "inflicted_s",
				    gw_seconds(gw_known_ns(thread->inflicted_ns)));
	}
	gw_evidence(verdict, "gil_wait_blocked_s", gw_seconds(facts->blocked.ns));
	gw_evidence(verdict, "gil_wait_error_s", gw_seconds(facts->blocked.error_ns));
	gw_evidence(verdict, "gil_wait_blocked_ratio",
		    gw_ratio(facts->blocked.ns, facts->elapsed_ns));
	return 1;
}

int gw_rule_gil_held_starved(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	if (facts->starved.fires) /* which tells of it */
		return 0;
	if (gw_at_least(&facts->preempted, facts->elapsed_ns) < gw_least(facts, GW_HELD_STARVED))
		return 0;
	verdict->severity = GW_WARNING;
	gw_say(verdict,
	       "Threads waited %.2f s for the GIL while its holder itself waited for a CPU (%.2f "
	       "threads at "
	       "any moment): not the GIL's fault but the scheduler's. Give the process more CPU "
	       "weight, "
	       "or move what competes with it to other CPUs: ",
	       gw_seconds(facts->preempted.ns), gw_ratio(facts->preempted.ns, facts->elapsed_ns));
	gw_say_cpus(verdict, facts);
	gw_say(verdict, ".");
	gw_evidence(verdict, "gil_wait_runnable_s", gw_seconds(facts->preempted.ns));
	gw_evidence(verdict, "gil_wait_error_s", gw_seconds(facts->preempted.error_ns));
	gw_evidence(verdict, "gil_wait_runnable_ratio",
		    gw_ratio(facts->preempted.ns, facts->elapsed_ns));
	gw_evidence_cpus(verdict, facts);
	return 1;
}

/* -- Long holds
 * ------------------------------------------------------------------------------------ */

struct long_holds {
	int64_t limit_ns;
	uint64_t count;
	int64_t longest_ns;
	double share; /* of all held time */
	double loss;  /* waiting that they caused, of T */
	const struct gw_thread_view *thread;
};

/* The holds that are surely as long: those of buckets above the limit. Returns their sum. */
static double long_of(const struct gw_histogram *hold, int64_t limit_ns, uint64_t *count)
{
	struct gw_bucket at = {0};
	double long_ns = 0;

	*count = 0;
	while (!hold->absent && gw_histogram_next(hold, &at)) {
		int64_t lower_ns = at.index ? (int64_t)gw_hist_upper_ns(at.index - 1) : 0;

		if (!at.index || lower_ns < limit_ns)
			continue;
		*count += at.count;
		long_ns += (double)at.count * (double)lower_ns;
	}
	return long_ns;
}

/*
 * A hold can also be long because its holder was blocked or had no CPU, which other rules tell of:
 * on the CPU the thread's long holds have to be as long.
 */
static int is_long_on_cpu(const struct gw_thread_view *thread, double long_ns, uint64_t count,
			  int64_t limit_ns)
{
	double off_ns = (double)gw_known_ns(thread->states.ns[GW_STATE_HELD_OFF]);

	return long_ns - off_ns >= (double)count * (double)limit_ns;
}

/*
 * What long holds cost the others, from below: the part of Wr that falls to their share of the held
 * time, less what they cost by nature. A holder that nobody asks keeps the GIL for long and gives
 * way when someone does: its holds are long, yet no wait is.
 */
static double loss_by(const struct long_holds *holds, const struct gw_facts *facts,
		      int64_t longest_wait_ns)
{
	double wait = gw_ratio(gw_known_ns(facts->wait_running_ns - facts->contended.error_ns),
			       facts->elapsed_ns);
	/* Holds are counted while there are probes. */
	double allowed = (double)holds->count * GW_LONG_ALLOWED_INTERVALS *
			 gw_ratio(facts->interval_ns, gw_probed_ns(facts->process));
	double loss;

	if (longest_wait_ns < holds->limit_ns)
		return 0.0;
	loss = wait * holds->share - allowed * (wait > 1.0 ? wait : 1.0);
	return loss > 0.0 ? loss : 0.0;
}

/* Leaves out the threads whose holds were long for another reason, and finds the one to name. */
static double long_of_threads(struct long_holds *holds, const struct gw_process_view *process,
			      double long_ns)
{
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];
		int64_t longest_ns = (int64_t)thread->hold.max_ns;
		uint64_t count;
		double own_ns = long_of(&thread->hold, holds->limit_ns, &count);

		if (!count)
			continue;
		if (!is_long_on_cpu(thread, own_ns, count, holds->limit_ns)) {
			holds->count -= count < holds->count ? count : holds->count;
			long_ns -= own_ns;
		} else if (longest_ns > holds->longest_ns) {
			holds->longest_ns = longest_ns;
			holds->thread = thread;
		}
	}
	return long_ns > 0 ? long_ns : 0;
}

static void find_long_holds(struct long_holds *holds, const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	double long_ns = 0, all_ns = 0;
	int64_t wait_ns = 0, longest_ns = 0;

	*holds = (struct long_holds){.limit_ns = GW_LONG_INTERVALS * facts->interval_ns};
	for (size_t i = 0; i < process->gil_count; i++) {
		const struct gw_gil_row *gil = &process->gil[i];
		uint64_t count;

		long_ns += long_of(&gil->hold, holds->limit_ns, &count);
		holds->count += count;
		all_ns += gil->hold.absent ? 0.0 : (double)gil->hold.sum_ns;
		if (!gil->hold.absent && (int64_t)gil->hold.max_ns > longest_ns)
			longest_ns = (int64_t)gil->hold.max_ns;
		if (gil->wait.absent)
			wait_ns = INT64_MAX; /* no waits to check it by */
		else if ((int64_t)gil->wait.max_ns > wait_ns)
			wait_ns = (int64_t)gil->wait.max_ns;
	}
	long_ns = long_of_threads(holds, process, long_ns);
	if (!holds->thread)
		holds->longest_ns = longest_ns; /* of threads that have ended */
	holds->share = all_ns > long_ns ? long_ns / all_ns : 1.0;
	holds->loss = loss_by(holds, facts, wait_ns);
}

static void say_long_holds(const struct long_holds *holds, struct gw_verdict *verdict)
{
	if (holds->thread)
		gw_say_thread(verdict, holds->thread);
	else
		gw_say(verdict, "A thread");
	gw_say(verdict,
	       " kept the GIL for up to %.0f ms at a stretch (%llu hold%s of more than %.0f ms, "
	       "ten switch "
	       "intervals)",
	       (double)holds->longest_ns / (double)GW_MILLISECOND_NS,
	       (unsigned long long)holds->count, gw_plural(holds->count),
	       (double)holds->limit_ns / (double)GW_MILLISECOND_NS);
	if (holds->thread)
		gw_evidence(verdict, "tid", holds->thread->tid);
	gw_evidence(verdict, "long_holds_count", (double)holds->count);
	gw_evidence(verdict, "longest_hold_s", gw_seconds(holds->longest_ns));
}

/* Whether others lost by them: what makes a warning of it, and else a remark of the same name. */
static int is_lost(const struct gw_facts *facts, const struct long_holds *holds)
{
	return holds->loss >= gw_ease_least(facts->ease.warning, GW_LONG_LOSS);
}

int gw_rule_long_holds(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	struct long_holds holds;

	find_long_holds(&holds, facts);
	if (holds.count == 0 || !is_lost(facts, &holds))
		return 0;
	verdict->severity = gw_severity_by(facts, holds.loss, GW_LONG_LOSS_CRITICAL);
	say_long_holds(&holds, verdict);
	gw_say(verdict,
	       " though others wanted it; they lost about %.2f s. Python cannot interrupt a call "
	       "into "
	       "C "
	       "(an extension, json, re, sort, gc): split it into smaller pieces%s, or use one "
	       "that "
	       "releases the GIL.",
	       holds.loss * gw_seconds(facts->elapsed_ns),
	       facts->spare ? ", move it to a process" : "");
	gw_evidence(verdict, "lost_s", holds.loss * gw_seconds(facts->elapsed_ns));
	gw_evidence(verdict, "gil_wait_running_s", gw_seconds(facts->wait_running_ns));
	gw_evidence(verdict, "interval_s", gw_seconds(facts->interval_ns));
	return 1;
}

int gw_rule_long_holds_alone(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	struct long_holds holds;

	find_long_holds(&holds, facts);
	if (holds.count == 0 || is_lost(facts, &holds))
		return 0;
	verdict->severity = GW_INFO;
	say_long_holds(&holds, verdict);
	gw_say(verdict, ", and nobody lost by it: it is asked to give way only when another thread "
			"wants the GIL. If "
			"it is one call into C, a thread beside it would wait that long.");
	return 1;
}
