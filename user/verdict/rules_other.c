// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

/* Where all threads together spent most of their time off the CPU. */
static enum gw_where main_block(const struct gw_process_view *process)
{
	int most = GW_BLOCKED_OTHER;

	for (int where = GW_STOPPED; where < GW_WHERE_COUNT; where++)
		if (process->where_ns[where] > process->where_ns[most])
			most = where;
	return (enum gw_where)most;
}

static void say_workers(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "Idle: it used %.2f s of CPU in %.1f s and leaves the work to %zu process%s that it "
	       "made; look at %s.",
	       gw_seconds(facts->running_ns), gw_seconds(facts->elapsed_ns), facts->workers,
	       facts->workers == 1 ? "" : "es", facts->workers == 1 ? "that" : "those");
	gw_evidence(verdict, "running_s", gw_seconds(facts->running_ns));
	gw_evidence(verdict, "workers_count", (double)facts->workers);
}

/* A parent of workers is idle as well: its threads wake up, but only to hand the work on. */
int gw_rule_idle(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double cpu = gw_ratio(facts->running_ns, facts->elapsed_ns);

	if (gw_waits_for_workers(facts) && !gw_waits_for_io(facts)) {
		say_workers(facts, verdict);
		return 1;
	}
	if (facts->active_count > 0 || facts->parked_count == 0 ||
	    cpu >= gw_most(facts, GW_IDLE_CPU))
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "Idle: %zu thread%s used %.2f s of CPU in %.1f s and spent the time mostly in %s. "
	       "The GIL is "
	       "not your problem; watch again while there is work, or look at what the process "
	       "waits for.",
	       facts->parked_count, gw_plural(facts->parked_count), gw_seconds(facts->running_ns),
	       gw_seconds(facts->elapsed_ns), gw_where_name(main_block(facts->process)));
	gw_evidence(verdict, "running_s", gw_seconds(facts->running_ns));
	gw_evidence(verdict, "parked_threads_count", (double)facts->parked_count);
	return 1;
}

static int did_work(const struct gw_facts *facts)
{
	return gw_ratio(facts->running_ns, facts->elapsed_ns) >= GW_IDLE_CPU ||
	       facts->wakes >= GW_WORK_WAKES;
}

/* More contention than this is not healthy, though no rule named its cause. */
static int is_contended(const struct gw_facts *facts)
{
	return gw_ratio(facts->gil_wait.ns, facts->elapsed_ns) >= GW_GIL_BOUND_WAIT;
}

/* The estimates say that threads queue, but their error leaves it open. */
static int is_unsure(const struct gw_facts *facts)
{
	return is_contended(facts) && (facts->contended.error_ns > 0 || facts->held.error_ns > 0);
}

int gw_rule_healthy(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double gil = gw_ratio(facts->gil_wait.ns, facts->elapsed_ns);
	double held = gw_ratio(facts->held.ns, facts->elapsed_ns);

	if (facts->elapsed_ns <= 0 || !facts->gil_known || !did_work(facts) || is_unsure(facts))
		return 0;
	verdict->severity = GW_INFO;
	if (is_contended(facts))
		gw_say(verdict,
		       "No rule names a culprit: %.1f threads wait for the GIL at any moment "
		       "though it is "
		       "held only %.0f %% of the time, so they want it in bursts; spread the work "
		       "more "
		       "evenly. CPUs: ",
		       gil, 100.0 * held);
	else
		gw_say(verdict,
		       "Healthy: %.2f threads wait for the GIL at any moment, and it is held %.0f "
		       "%% of the "
		       "time. The GIL %s; if the program is slow, see in which states its threads "
		       "spend "
		       "their time. CPUs: ",
		       gil, 100.0 * held,
		       gil < GW_SINGLE_WAITERS ? "is not your problem" : "costs little so far");
	gw_say_cpus(verdict, facts);
	gw_say(verdict, ".");
	gw_evidence(verdict, "gil_wait_s", gw_seconds(facts->gil_wait.ns));
	gw_evidence(verdict, "held_ratio", held);
	gw_evidence_cpus(verdict, facts);
	return 1;
}

int gw_rule_insufficient_data(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	int brief = facts->elapsed_ns < GW_WINDOW_MIN_NS;
	int unsure = is_unsure(facts);

	if (!brief && !unsure && did_work(facts))
		return 0;
	verdict->severity = GW_INFO;
	if (brief && facts->snapshot->run.pid)
		gw_say(verdict,
		       "It ran for %.2f s only: too short to judge. Give it more to do, so that it "
		       "runs for at least %.0f s.",
		       gw_seconds(facts->elapsed_ns), gw_seconds(GW_WINDOW_ADVISED_NS));
	else if (brief)
		gw_say(verdict,
		       "Watched for %.2f s only: too short to judge. Watch for at least %.0f s "
		       "while the "
		       "work is going on.",
		       gw_seconds(facts->elapsed_ns), gw_seconds(GW_WINDOW_ADVISED_NS));
	else if (unsure)
		gw_say(verdict,
		       "Threads seem to queue for the GIL (%.2f s of waiting), but the samples "
		       "leave it "
		       "open. Watch for longer, or measure exactly with --engine=uprobe.",
		       gw_seconds(facts->gil_wait.ns));
	else
		gw_say(verdict,
		       "Too little activity to judge: %.2f s on a CPU and %llu wake-ups in %.1f s. "
		       "Watch "
		       "while there is work.",
		       gw_seconds(facts->running_ns), (unsigned long long)facts->wakes,
		       gw_seconds(facts->elapsed_ns));
	gw_evidence(verdict, "elapsed_s", gw_seconds(facts->elapsed_ns));
	gw_evidence(verdict, "running_s", gw_seconds(facts->running_ns));
	gw_evidence(verdict, "wakes_count", (double)facts->wakes);
	return 1;
}

static const char *reason_of(const struct gw_basis *basis)
{
	return basis->reason[0] ? basis->reason : "the reason was not recorded";
}

/* What keeps the GIL's part from being told; NULL if nothing does. */
static const char *gap(const struct gw_facts *facts, const char **reason)
{
	const struct gw_process_view *process = facts->process;

	if (!facts->has_gil)
		return NULL;
	*reason = reason_of(&process->basis[GW_STATE_PYTHON]);
	if (process->basis[GW_STATE_PYTHON].kind == GW_BASIS_ABSENT)
		return "There are no GIL facts for this process";
	if (!facts->gil_known) {
		*reason = "their first GIL event was not seen yet";
		if (process->basis[GW_STATE_UNKNOWN].reason[0])
			*reason = process->basis[GW_STATE_UNKNOWN].reason;
		return "The GIL state of the active threads is unknown for most of their time";
	}
	*reason = reason_of(&process->by_holder_basis);
	if (!facts->by_holder_known && is_contended(facts))
		return "Threads wait for the GIL, but what its holder did meanwhile is not known";
	return NULL;
}

int gw_rule_cannot_measure(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_process_view *process = facts->process;
	const char *what, *reason;

	if (process->error[0]) {
		verdict->severity = GW_WARNING;
		gw_say(verdict, "Not measured: %s", process->error);
		return 1;
	}
	what = gap(facts, &reason);
	if (!what)
		return 0;
	verdict->severity = GW_WARNING;
	gw_say(verdict,
	       "%s: %s. So the GIL is judged no further; CPU and off-CPU times by cause hold.",
	       what, reason);
	gw_evidence(verdict, "unknown_s", gw_seconds(facts->active.ns[GW_STATE_UNKNOWN]));
	gw_evidence(verdict, "active_wall_s", gw_seconds(facts->active_wall_ns));
	return 1;
}

int gw_rule_ended(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_process_view *process = facts->process;

	if (process->ended != GW_ENDED_TARGET_EXIT && process->ended != GW_ENDED_TARGET_EXEC)
		return 0;
	/* The end of what was run to be watched is as it should be. */
	if (facts->snapshot->run.pid)
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict, "The process %s after %.1f s of watching; all figures are of that time.",
	       process->ended == GW_ENDED_TARGET_EXIT ? "ended" : "became another program (exec)",
	       gw_seconds(facts->elapsed_ns));
	gw_evidence(verdict, "elapsed_s", gw_seconds(facts->elapsed_ns));
	return 1;
}
