// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Several processes that share the work. */
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

struct family {
	size_t busy;	 /* processes that compute */
	size_t measured; /* that could be measured */
	size_t waiting;	 /* that mostly wait for I/O */
	size_t started;	 /* that were made while watched, and whose Python was seen to begin */
	int64_t started_ns, slowest_ns;
	int64_t busy_wall_ns, busy_pipe_ns, busy_lock_ns; /* of the busy ones' threads */
	double cpus, wanted_cpus;
	double cpus_usable;
};

static void add_start(struct family *family, int64_t ns)
{
	if (ns == GW_ABSENT_NS)
		return;
	family->started++;
	family->started_ns += ns;
	if (ns > family->slowest_ns)
		family->slowest_ns = ns;
}

static void add_member(struct family *family, const struct gw_facts *facts, double busy_cpus)
{
	const struct gw_process_view *process = facts->process;
	int64_t elapsed_ns = facts->snapshot->elapsed_ns;

	if (process->error[0])
		return;
	family->measured++;
	/* A lone thread's sleep is no timer where others beside it do the same. */
	family->waiting +=
		!gw_waits_for_workers(facts) &&
		gw_ratio(facts->io_ns, facts->active_wall_ns) >= gw_least(facts, GW_IO_SHARE);
	family->cpus += gw_ratio(facts->running_ns, elapsed_ns);
	family->wanted_cpus += gw_ratio(facts->running_ns + facts->starved.runnable_ns, elapsed_ns);
	if (facts->cpus_usable > family->cpus_usable)
		family->cpus_usable = facts->cpus_usable;
	add_start(family, process->first_python_ns);
	if (facts->cpus_used < busy_cpus)
		return;
	family->busy++;
	family->busy_wall_ns += facts->active_wall_ns;
	family->busy_pipe_ns += facts->active.ns[GW_STATE_PIPE];
	family->busy_lock_ns += facts->active.ns[GW_STATE_LOCK];
}

/* busy_cpus: from so many on a process computes. */
static struct family find_family(const struct gw_facts *facts, size_t count, double busy_cpus)
{
	struct family family = {0};

	for (size_t i = 0; i < count; i++)
		add_member(&family, &facts[i], busy_cpus);
	return family;
}

static void say_costs(const struct family *family, struct gw_verdict *verdict)
{
	int64_t handing_ns = family->busy_pipe_ns + family->busy_lock_ns;
	double share = gw_ratio(handing_ns, family->busy_wall_ns);

	gw_say(verdict,
	       "What they cost: workers spent %.2f s in pipes and %.2f s in locks (%.0f %% "
	       "of their threads' time)",
	       gw_seconds(family->busy_pipe_ns), gw_seconds(family->busy_lock_ns), 100.0 * share);
	if (family->started)
		gw_say(verdict,
		       ", and from the fork to the first Python it took %.1f ms on average (%zu "
		       "process%s, at most %.1f ms)",
		       (double)family->started_ns / (double)family->started /
			       (double)GW_MILLISECOND_NS,
		       family->started, family->started == 1 ? "" : "es",
		       (double)family->slowest_ns / (double)GW_MILLISECOND_NS);
	gw_say(verdict, ". ");
	if (share >= GW_FAMILY_WAIT)
		gw_say(verdict, "Hand over more work at once (chunksize) and less data. ");
	gw_evidence(verdict, "pipe_s", gw_seconds(family->busy_pipe_ns));
	gw_evidence(verdict, "lock_s", gw_seconds(family->busy_lock_ns));
	gw_evidence(verdict, "started_count", (double)family->started);
	if (family->started) {
		gw_evidence(verdict, "first_python_mean_s",
			    gw_seconds(family->started_ns) / (double)family->started);
		gw_evidence(verdict, "first_python_max_s", gw_seconds(family->slowest_ns));
	}
}

int gw_rule_process_parallel(const struct gw_facts *facts, size_t count, struct gw_verdict *verdict)
{
	struct family family = find_family(facts, count, gw_least(facts, GW_FAMILY_CPU));
	double could_use = (double)family.busy;

	if (family.cpus_usable > 0 && family.cpus_usable < could_use)
		could_use = family.cpus_usable;
	/* Where others compete for the CPUs, it is what they want that tells of their work. */
	if (family.busy < 2 || family.cpus < gw_least(facts, GW_FAMILY_CPUS) ||
	    family.wanted_cpus < gw_least(facts, GW_FAMILY_SHARE * could_use))
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "%zu processes compute at once, on %.1f CPUs (%.3g usable): each has a GIL of its "
	       "own, and none waits for another's. ",
	       family.busy, family.cpus, family.cpus_usable);
	say_costs(&family, verdict);
	if (family.cpus_usable >= family.cpus + GW_SPARE_CPUS)
		gw_say(verdict, "More processes can use the CPUs that are left.");
	else
		gw_say(verdict, "More processes gain nothing on these CPUs.");
	gw_evidence(verdict, "busy_processes_count", (double)family.busy);
	gw_evidence(verdict, "used_cpus", family.cpus);
	gw_evidence(verdict, "usable_cpus", family.cpus_usable);
	return 1;
}

int gw_rule_processes_io_bound(const struct gw_facts *facts, size_t count,
			       struct gw_verdict *verdict)
{
	struct family family = find_family(facts, count, gw_most(facts, GW_FAMILY_CPU));

	if (family.waiting < 2 || family.busy > 0)
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "%zu processes mostly wait for I/O, and together they use %.2f CPUs: threads of one "
	       "process would wait as well, with less memory and no copying between processes; for "
	       "thousands of waits, asyncio. ",
	       family.waiting, family.cpus);
	gw_evidence(verdict, "waiting_processes_count", (double)family.waiting);
	gw_evidence(verdict, "used_cpus", family.cpus);
	return 1;
}
