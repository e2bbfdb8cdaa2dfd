// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

static void say_quota(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_process_view *process = facts->process;

	gw_say(verdict, "The cgroup's CPU quota");
	if (process->cpu_quota > 0)
		gw_say(verdict, " (%.3g CPU%s)", process->cpu_quota,
		       process->cpu_quota == 1.0 ? "" : "s");
	gw_say(verdict,
	       " throttled it for %.2f s. More threads or processes do not help under this quota: "
	       "raise "
	       "it, or do less work.",
	       gw_seconds(process->throttled_ns));
}

static void say_competition(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	if (facts->cpus_usable > 0 && facts->cpus_used + GW_SPARE_CPUS >= facts->cpus_usable)
		gw_say(verdict, "Its own threads fill the CPUs that it may use: ");
	else
		gw_say(verdict, "Others compete with it for the CPUs: ");
	gw_say_cpus(verdict, facts);
	gw_say(verdict,
	       ". More threads or processes do not help; more CPUs, or less competition on "
	       "them, do.");
}

/* A folded gil_held_starved: waiting for the GIL that the lack of CPUs caused. */
static void say_starved_holder(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	if (gw_at_least(&facts->preempted, facts->elapsed_ns) < GW_HELD_STARVED)
		return;
	gw_say(verdict, " %.2f s of waiting for the GIL came of it, too.",
	       gw_seconds(facts->preempted.ns));
	gw_evidence(verdict, "gil_wait_runnable_s", gw_seconds(facts->preempted.ns));
}

int gw_rule_cpu_starved(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_starved *starved = &facts->starved;

	if (!starved->fires)
		return 0;
	verdict->severity = gw_severity_by(facts, starved->share, GW_STARVED_CRITICAL);
	/* Under a quota there may be both. */
	if (gw_at_most(&facts->contended, facts->elapsed_ns) < GW_GIL_BOUND_WAIT)
		gw_say(verdict, "Not the GIL but too few CPUs: ");
	else
		gw_say(verdict, "Too few CPUs: ");
	gw_say(verdict,
	       "ready threads waited %.2f s for a CPU, %.0f %% of the time that they wanted one. ",
	       gw_seconds(starved->runnable_ns), 100.0 * starved->share);
	gw_evidence(verdict, "runnable_s", gw_seconds(starved->runnable_ns));
	gw_evidence(verdict, "running_s", gw_seconds(facts->running_ns));
	gw_evidence(verdict, "runnable_ratio", starved->share);
	gw_evidence(verdict, "throttled_s", gw_seconds(gw_known_ns(facts->process->throttled_ns)));
	if (starved->quota)
		say_quota(facts, verdict);
	else
		say_competition(facts, verdict);
	say_starved_holder(facts, verdict);
	gw_evidence_cpus(verdict, facts);
	return 1;
}

static int is_native_parallel(const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	const int64_t *state = process->states.ns;
	const struct gw_basis *basis = &process->basis[GW_STATE_NATIVE];
	/* Also asked by the rule of one thread. */
	double ease = gw_ease_of("native_parallel", facts->shown).fires;
	struct gw_figure native = {.ns = gw_known_ns(state[GW_STATE_NATIVE])};
	int64_t demand_ns = native.ns + gw_known_ns(state[GW_STATE_PYTHON]) +
			    gw_known_ns(state[GW_STATE_HELD_OFF]) + facts->gil_wait.ns;

	if (basis->kind == GW_BASIS_ABSENT || !facts->has_gil || !facts->gil_known)
		return 0;
	if (basis->kind == GW_BASIS_SAMPLED)
		native.error_ns = gw_known_ns(basis->error_ns);
	return gw_at_least(&native, facts->elapsed_ns) >= gw_ease_least(ease, GW_NATIVE_CPUS) &&
	       gw_at_most(&facts->gil_wait, demand_ns) <= gw_ease_most(ease, GW_NATIVE_WAIT);
}

int gw_rule_native_parallel(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	int64_t native_ns = facts->process->states.ns[GW_STATE_NATIVE];

	if (!is_native_parallel(facts))
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "Native code (the kernel's included) runs without the GIL on %.1f CPUs at once, and "
	       "threads "
	       "wait %.2f s for the GIL: threads are right here. ",
	       gw_ratio(native_ns, facts->elapsed_ns), gw_seconds(facts->gil_wait.ns));
	if (facts->spare)
		gw_say(verdict, "More threads can use more CPUs: ");
	else
		gw_say(verdict, "More threads gain nothing on these CPUs: ");
	gw_say_cpus(verdict, facts);
	gw_say(verdict, ".");
	gw_evidence(verdict, "native_s", gw_seconds(native_ns));
	gw_evidence(verdict, "native_error_s",
		    gw_seconds(gw_known_ns(facts->process->basis[GW_STATE_NATIVE].error_ns)));
	gw_evidence(verdict, "native_cpus", gw_ratio(native_ns, facts->elapsed_ns));
	gw_evidence(verdict, "gil_wait_s", gw_seconds(facts->gil_wait.ns));
	gw_evidence_cpus(verdict, facts);
	return 1;
}

/* The only thread that keeps a CPU busy; NULL if there is none or more than one. */
static const struct gw_thread_view *only_busy_thread(const struct gw_facts *facts)
{
	const struct gw_thread_view *busy = NULL;
	size_t count = 0;

	for (size_t i = 0; i < facts->process->thread_count; i++) {
		const struct gw_thread_view *thread = &facts->process->thread[i];
		double share = gw_ratio(thread->where_ns[GW_RUNNING], facts->elapsed_ns);

		count += share >= GW_SINGLE_CPU;
		if (share >= gw_least(facts, GW_SINGLE_CPU) &&
		    (!busy || thread->where_ns[GW_RUNNING] > busy->where_ns[GW_RUNNING]))
			busy = thread;
	}
	return count > 1 ? NULL : busy;
}

int gw_rule_cpu_single(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_thread_view *thread = only_busy_thread(facts);
	double waiters = gw_ratio(facts->gil_wait.ns, facts->elapsed_ns);
	const char *split = facts->has_gil ? "processes" : "threads or processes";

	if (!thread || !facts->gil_known || is_native_parallel(facts) ||
	    gw_at_most(&facts->gil_wait, facts->elapsed_ns) >= gw_most(facts, GW_SINGLE_WAITERS))
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict, "One thread, ");
	gw_say_thread(verdict, thread);
	gw_say(verdict,
	       ", keeps one CPU busy (%.0f %% of the time) and %.2f threads wait for the GIL: no "
	       "contention. Faster code helps%s%s: ",
	       100.0 * gw_ratio(thread->where_ns[GW_RUNNING], facts->elapsed_ns), waiters,
	       facts->spare ? ", or splitting the work over "
			    : "; more threads or processes do not",
	       facts->spare ? split : "");
	gw_say_cpus(verdict, facts);
	gw_say(verdict, ".");
	gw_evidence(verdict, "tid", thread->tid);
	gw_evidence(verdict, "running_s", gw_seconds(thread->where_ns[GW_RUNNING]));
	gw_evidence(verdict, "waiters_ratio", waiters);
	gw_evidence_cpus(verdict, facts);
	return 1;
}
