// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Builds that can run without the GIL. */
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

/* Waiting for a lock: blocked, or spinning, as the interpreter's own locks do at first. */
struct lock_time {
	int64_t ns;
	int64_t spinning_ns; /* part of it: in sched_yield, and off the CPU because of it */
	double share;	     /* of the active threads' time */
};

static struct lock_time find_lock_time(const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	struct lock_time lock;

	lock.spinning_ns =
		gw_known_ns(process->yielded_runqueue_ns) + gw_known_ns(process->yielding_ns);
	lock.ns = facts->active.ns[GW_STATE_LOCK] + lock.spinning_ns;
	lock.share = gw_ratio(lock.ns, facts->active_wall_ns);
	return lock;
}

static void say_locks(const struct lock_time *lock, struct gw_verdict *verdict)
{
	gw_say(verdict, "What contends instead: locks, with %.0f %% of the active threads' time",
	       100.0 * lock->share);
	if (2 * lock->spinning_ns > lock->ns)
		gw_say(verdict, " (mostly spinning on them: sched_yield)");
	gw_say(verdict, ". Locks of the interpreter are among them: objects that many threads "
			"change are better one a thread. ");
}

static void say_cpu(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	gw_say(verdict, "What they wait for is a CPU (%.2f s). ",
	       gw_seconds(facts->starved.runnable_ns));
}

/*
 * What threads wait for where there is no GIL to wait for: the longer of the two. A machine that
 * others keep busy starves threads besides, and does not make their locks any better.
 */
static void say_instead(const struct gw_facts *facts, const struct lock_time *lock,
			struct gw_verdict *verdict)
{
	int locks = lock->share >= GW_FREE_LOCK;

	if (facts->starved.fires && (!locks || facts->starved.runnable_ns > lock->ns))
		say_cpu(facts, verdict);
	else if (locks)
		say_locks(lock, verdict);
	else
		gw_say(verdict,
		       "Nothing contends instead: locks take %.0f %% of the active "
		       "threads' time. ",
		       100.0 * lock->share);
}

int gw_rule_free_threaded(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	struct lock_time lock = find_lock_time(facts);

	if (facts->has_gil)
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "This free-threaded build runs with the GIL off: threads run Python in parallel "
	       "(");
	gw_say_cpus(verdict, facts);
	gw_say(verdict, "), and no wait here is for the GIL. ");
	say_instead(facts, &lock, verdict);
	gw_say(verdict, "Each thread alone is slower than in a build with the GIL (much in 3.13, "
			"less from 3.14 on): compare whole run times.");
	gw_evidence(verdict, "lock_ratio", lock.share);
	gw_evidence(verdict, "spinning_s", gw_seconds(lock.spinning_ns));
	gw_evidence_cpus(verdict, facts);
	return 1;
}

int gw_rule_gil_reenabled(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_process_view *process = facts->process;

	if (!process->free_threaded || !process->gil_enabled ||
	    process->gil_enabled_at_ns == GW_ABSENT_NS)
		return 0;
	verdict->severity = GW_WARNING;
	gw_say(verdict,
	       "This free-threaded build switched its GIL on %.1f s after the start of the watch: "
	       "importing an extension that does not say it can do without does that. From then "
	       "on its threads take turns. Python warns of it on stderr with the extension's name: "
	       "use a version that is ready, or PYTHON_GIL=0 at your own risk.",
	       gw_seconds(process->gil_enabled_at_ns));
	gw_evidence(verdict, "gil_enabled_at_s", gw_seconds(process->gil_enabled_at_ns));
	return 1;
}
