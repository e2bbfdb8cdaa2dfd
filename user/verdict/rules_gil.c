// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

/* Active threads that take part in the queue: a hundredth of T is more than a rare waker waits. */
static size_t contenders(const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	size_t count = 0;

	for (size_t i = 0; i < process->thread_count; i++)
		if (gw_ratio(process->thread[i].states.ns[GW_STATE_GIL_WAIT], facts->elapsed_ns) >=
		    0.01)
			count++;
	return count;
}

static void say_contention(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double waiters = gw_ratio(facts->contended.ns, facts->elapsed_ns);
	double held = gw_ratio(facts->held.ns, facts->elapsed_ns);
	size_t threads = contenders(facts);

	/* Threads that lived shortly are told only as a sum. */
	if (threads >= 2)
		gw_say(verdict, "%zu threads want the GIL at once: ", threads);
	else
		gw_say(verdict, "Threads queue for the GIL: ");
	gw_say(verdict,
	       "%.1f of them wait%s for it at any moment, and it is held %.0f %% of the time",
	       waiters, waiters <= 1.05 ? "s" : "", 100.0 * held);
	if (facts->by_holder_known && facts->contended.error_ns > 0)
		gw_say(verdict, " (sampled, +/- %.2f)",
		       gw_ratio(facts->contended.error_ns, facts->elapsed_ns));
	gw_say(verdict, ". More threads cannot help; ");
}

int gw_rule_gil_bound(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double wait = gw_at_least(&facts->contended, facts->elapsed_ns);

	if (wait < gw_least(facts, GW_GIL_BOUND_WAIT) ||
	    gw_at_least(&facts->held, facts->elapsed_ns) < gw_least(facts, GW_GIL_BOUND_HELD))
		return 0;
	if (facts->late.fires && facts->others_held < gw_least(facts, GW_GIL_BOUND_OTHERS))
		return 0; /* gil_latency tells all of it */

	verdict->severity = gw_severity_by(facts, wait, GW_GIL_BOUND_CRITICAL);
	say_contention(facts, verdict);
	if (facts->spare)
		gw_say(verdict, "splitting this work over processes can: ");
	else
		gw_say(verdict, "nor can processes here, only less work with the GIL: ");
	gw_say_cpus(verdict, facts);
	gw_say(verdict, ".");

	gw_evidence(verdict, "gil_wait_running_s", gw_seconds(facts->wait_running_ns));
	gw_evidence(verdict, "gil_wait_contended_s", gw_seconds(facts->contended.ns));
	gw_evidence(verdict, "gil_wait_error_s", gw_seconds(facts->contended.error_ns));
	gw_evidence(verdict, "waiters_ratio", gw_ratio(facts->contended.ns, facts->elapsed_ns));
	gw_evidence(verdict, "held_ratio", gw_ratio(facts->held.ns, facts->elapsed_ns));
	gw_evidence(verdict, "threads_count", (double)contenders(facts));
	gw_evidence_cpus(verdict, facts);
	return 1;
}

/* Whoever made the late thread wait most; NULL where that is not known. */
static const struct gw_thread_view *culprit(const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	const struct gw_thread_view *late = facts->late.thread, *most = NULL;

	if (process->inflicted_basis.kind == GW_BASIS_ABSENT)
		return NULL;
	for (size_t i = 0; late && i < process->inflicted_count; i++) {
		const struct gw_inflicted *pair = &process->inflicted[i];

		if (pair->on == late->tid && pair->by != 0 && pair->by != late->tid)
			return gw_thread_find(process, pair->by);
	}
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];

		if (thread != late && thread->inflicted_ns > (most ? most->inflicted_ns : 0))
			most = thread;
	}
	return most;
}

static void say_lateness(const struct gw_late *late, struct gw_verdict *verdict)
{
	gw_say(verdict, "Answers of ");
	if (late->thread)
		gw_say_thread(verdict, late->thread);
	else
		gw_say(verdict, "threads that wake up");
	gw_say(verdict,
	       " come late: after a wake-up the GIL takes another %.1f ms (median; p99 %.1f ms; "
	       "%llu wake-ups)",
	       late->p50_ns / (double)GW_MILLISECOND_NS, late->p99_ns / (double)GW_MILLISECOND_NS,
	       (unsigned long long)late->resumes);
	if (late->delay_ratio >= 0)
		gw_say(verdict, ", and sleeps last %.1f times what was asked for",
		       late->delay_ratio);
	gw_say(verdict, ". ");
}

int gw_rule_gil_latency(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_late *late = &facts->late;
	const struct gw_thread_view *by;

	if (!late->fires)
		return 0;
	by = culprit(facts);
	verdict->severity = late->critical ? GW_CRITICAL : GW_WARNING;
	say_lateness(late, verdict);
	if (by) {
		gw_say(verdict, "Most of it is due to ");
		gw_say_thread(verdict, by);
		gw_say(verdict, ". ");
	}
	gw_say(verdict, "Throughput may be fine; for latency, ");
	if (facts->spare)
		gw_say(verdict, "move what keeps the GIL busy to a process");
	else
		gw_say(verdict, "let what keeps the GIL busy give way more often");
	gw_say(verdict, " (switch interval: %.3g ms).",
	       (double)facts->interval_ns / (double)GW_MILLISECOND_NS);

	if (late->thread)
		gw_evidence(verdict, "tid", late->thread->tid);
	if (by)
		gw_evidence(verdict, "by_tid", by->tid);
	gw_evidence(verdict, "resumes_count", (double)late->resumes);
	gw_evidence(verdict, "resume_gil_p50_s", late->p50_ns / (double)GW_SECOND_NS);
	gw_evidence(verdict, "resume_gil_p99_s", late->p99_ns / (double)GW_SECOND_NS);
	if (late->delay_ratio >= 0)
		gw_evidence(verdict, "delay_ratio", late->delay_ratio);
	gw_evidence(verdict, "interval_s", gw_seconds(facts->interval_ns));
	return 1;
}

/* Between CPUs that share no cache, by the distances of the topology. */
static int64_t far_handovers(const struct gw_gil_row *gil, int64_t *all)
{
	int64_t far = 0;

	*all = 0;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++) {
		int64_t count = gw_known_ns(gil->handovers[i]);

		*all += count;
		if (i == GW_SAME_NODE || i == GW_CROSS_NODE)
			far += count;
	}
	return far;
}

int gw_rule_gil_hops(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	int64_t far = 0, all = 0;
	double rate;

	for (size_t i = 0; i < facts->process->gil_count; i++) {
		int64_t of_one;

		far += far_handovers(&facts->process->gil[i], &of_one);
		all += of_one;
	}
	rate = facts->elapsed_ns > 0 ? (double)all / gw_seconds(facts->elapsed_ns) : 0.0;
	if (gw_ratio(far, all) < gw_least(facts, GW_HOPS_FAR) ||
	    rate < gw_least(facts, GW_HOPS_PER_S))
		return 0;
	verdict->severity = GW_WARNING;
	gw_say(verdict,
	       "The GIL hops: %.0f times a second it passes to another thread, %.0f %% of them on "
	       "a CPU that shares no cache with the last one, so that its data have to be fetched "
	       "anew. Pin the process to CPUs of one cache (taskset), or let fewer threads want "
	       "the GIL.",
	       rate, 100.0 * gw_ratio(far, all));
	gw_evidence(verdict, "handovers_per_second", rate);
	gw_evidence(verdict, "far_ratio", gw_ratio(far, all));
	return 1;
}
