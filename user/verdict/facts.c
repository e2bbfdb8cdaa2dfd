// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/facts.h"

#include <string.h>

#include "verdict/late.h"
#include "verdict/loop.h"
#include "verdict/thresholds.h"

int64_t gw_known_ns(int64_t ns)
{
	return ns > 0 ? ns : 0; /* GW_ABSENT_NS is negative */
}

double gw_ratio(int64_t part, int64_t whole)
{
	return whole > 0 ? (double)part / (double)whole : 0.0;
}

double gw_seconds(int64_t ns)
{
	return (double)ns / (double)GW_SECOND_NS;
}

double gw_at_least(const struct gw_figure *figure, int64_t whole)
{
	return gw_ratio(gw_known_ns(figure->ns - figure->error_ns), whole);
}

double gw_at_most(const struct gw_figure *figure, int64_t whole)
{
	return gw_ratio(figure->ns + figure->error_ns, whole);
}

int64_t gw_held_blocked_ns(const struct gw_thread_view *thread)
{
	int64_t sum_ns = 0;

	for (int where = GW_STOPPED; where < GW_WHERE_COUNT; where++)
		sum_ns += gw_known_ns(thread->held_off_by_ns[where]);
	return sum_ns;
}

const struct gw_thread_view *gw_thread_find(const struct gw_process_view *process, uint32_t tid)
{
	for (size_t i = 0; i < process->thread_count; i++)
		if (process->thread[i].tid == tid)
			return &process->thread[i];
	return NULL;
}

static int64_t error_of(const struct gw_basis *basis)
{
	return basis->kind == GW_BASIS_SAMPLED ? gw_known_ns(basis->error_ns) : 0;
}

/* The waiting, split by what the holder was doing meanwhile. */
static void find_waits(struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	const int64_t *by = process->gil_wait_by_holder_ns;
	int64_t error_ns = error_of(&process->by_holder_basis);

	facts->gil_wait.ns = gw_known_ns(process->states.ns[GW_STATE_GIL_WAIT]);
	facts->gil_wait.error_ns = error_of(&process->basis[GW_STATE_GIL_WAIT]);
	facts->by_holder_known = process->by_holder_basis.kind != GW_BASIS_ABSENT;
	if (!facts->by_holder_known)
		return;
	facts->wait_running_ns = gw_known_ns(by[GW_RUNNING]);
	facts->contended.ns = facts->wait_running_ns + gw_known_ns(by[GW_HOLDER_NONE]) +
			      gw_known_ns(by[GW_HOLDER_HANDOVER]);
	facts->contended.error_ns = error_ns;
	facts->preempted.ns = gw_known_ns(by[GW_RUNNABLE]);
	facts->preempted.error_ns = error_ns;
	for (int where = GW_STOPPED; where < GW_WHERE_COUNT; where++)
		facts->blocked.ns += gw_known_ns(by[where]);
	facts->blocked.error_ns = error_ns;
}

static int64_t holding_ns(const struct gw_states *states)
{
	return gw_known_ns(states->ns[GW_STATE_PYTHON]) +
	       gw_known_ns(states->ns[GW_STATE_HELD_OFF]);
}

static void find_holding(struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	int64_t most_ns = 0, all_ns = holding_ns(&process->ended_states);

	facts->interval_ns = GW_INTERVAL_DEFAULT_NS;
	for (size_t i = process->gil_count; i-- > 0;) {
		if (process->gil[i].interval_ns > 0)
			facts->interval_ns = process->gil[i].interval_ns;
		if (process->gil[i].holding_ns > facts->held.ns)
			facts->held.ns = process->gil[i].holding_ns;
	}
	if (process->gil_count == 0)
		facts->held.ns = holding_ns(&process->states);
	facts->held.error_ns = error_of(&process->basis[GW_STATE_PYTHON]);

	for (size_t i = 0; i < process->thread_count; i++) {
		int64_t ns = holding_ns(&process->thread[i].states);

		all_ns += ns;
		if (ns > most_ns)
			most_ns = ns;
	}
	facts->others_held = all_ns > 0 ? 1.0 - gw_ratio(most_ns, all_ns) : 1.0;
}

/*
 * A parked thread neither runs nor wakes nor wants: it says nothing about the program's work. The
 * third condition keeps threads that are starved of the GIL or of a CPU in sight.
 */
static int is_parked(const struct gw_thread_view *thread, double ease)
{
	const int64_t *state = thread->states.ns;
	int64_t wall_ns = thread->wall_ns;
	int64_t wants_ns = gw_known_ns(state[GW_STATE_GIL_WAIT]) +
			   gw_known_ns(state[GW_STATE_HELD_OFF]) +
			   gw_known_ns(thread->where_ns[GW_RUNNABLE]);

	if (wall_ns <= 0)
		return 1;
	return gw_ratio(gw_known_ns(thread->where_ns[GW_RUNNING]), wall_ns) <
		       gw_ease_most(ease, GW_PARKED_CPU) &&
	       (double)gw_known_ns(thread->wakes) <
		       gw_ease_most(ease, GW_PARKED_WAKES_PER_S * gw_seconds(wall_ns)) &&
	       gw_ratio(wants_ns, wall_ns) < gw_ease_most(ease, GW_PARKED_WANTS);
}

/*
 * Wake-ups are not counted by cause, so a thread's are shared out by the time that it was blocked
 * in each.
 */
static double lock_wakes(const struct gw_thread_view *thread)
{
	int64_t blocked_ns = 0;

	for (int where = GW_STOPPED; where < GW_WHERE_COUNT; where++)
		blocked_ns += gw_known_ns(thread->where_ns[where]);
	return (double)gw_known_ns(thread->wakes) *
	       gw_ratio(gw_known_ns(thread->where_ns[GW_BLOCKED_LOCK]), blocked_ns);
}

static void add_active(struct gw_facts *facts, const struct gw_states *states, int64_t wall_ns)
{
	facts->active_wall_ns += wall_ns;
	for (int state = 0; state < GW_STATE_COUNT; state++)
		facts->active.ns[state] += gw_known_ns(states->ns[state]);
}

/* Of ended threads only states are left: parked together if they hardly ran together. */
static void add_ended(struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	const int64_t *state = process->ended_states.ns;
	int64_t wanted_ns = gw_known_ns(state[GW_STATE_NATIVE]) +
			    gw_known_ns(state[GW_STATE_GIL_WAIT]) +
			    holding_ns(&process->ended_states);

	if (process->ended_wall_ns <= 0)
		return;
	if (gw_ratio(wanted_ns, process->ended_wall_ns) < GW_PARKED_CPU) {
		facts->parked_count += process->ended_count;
		return;
	}
	facts->active_count += process->ended_count;
	add_active(facts, &process->ended_states, process->ended_wall_ns);
}

static void find_active(struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	/* One that is taken for idle stays so a little longer. */
	double ease = gw_ease_of("idle", facts->shown).fires;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];

		facts->wakes += (uint64_t)gw_known_ns(thread->wakes);
		if (is_parked(thread, ease)) {
			facts->parked_count++;
			continue;
		}
		facts->active_count++;
		facts->lock_wakes += lock_wakes(thread);
		add_active(facts, &thread->states, thread->wall_ns);
	}
	add_ended(facts);
}

static int64_t starved_ns(const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	int64_t ns = gw_known_ns(process->where_ns[GW_RUNNABLE]);

	/* Without GIL facts nobody knows which of the ready threads wait for the GIL. */
	if (facts->gil_known && facts->has_gil)
		ns = gw_known_ns(process->states.ns[GW_STATE_RUNQUEUE]) +
		     gw_known_ns(process->held_off_by_ns[GW_RUNNABLE]);
	return gw_known_ns(ns - gw_known_ns(process->yielded_runqueue_ns) -
			   (int64_t)facts->wakes * GW_WAKE_LATENCY_NS);
}

/* CPUs used by all processes that are watched: they have the same ones to share, as a rule. */
static double used_together(const struct gw_snapshot *snapshot)
{
	int64_t sum_ns = 0;

	for (size_t i = 0; i < snapshot->process_count; i++)
		if (!snapshot->process[i].error[0])
			sum_ns += gw_known_ns(snapshot->process[i].where_ns[GW_RUNNING]);
	return gw_ratio(sum_ns, snapshot->elapsed_ns);
}

static const struct gw_process_view *process_find(const struct gw_snapshot *snapshot, uint32_t pid)
{
	for (size_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->process[i].pid == pid)
			return &snapshot->process[i];
	return NULL;
}

/* Whether a process was made by another, or by one that was. */
static int is_below(const struct gw_snapshot *snapshot, const struct gw_process_view *process,
		    uint32_t pid)
{
	/* PIDs that are used again could close a circle. */
	for (size_t step = 0; process && step < snapshot->process_count; step++) {
		if (process->ppid == pid)
			return 1;
		process = process_find(snapshot, process->ppid);
	}
	return 0;
}

static size_t count_workers(const struct gw_facts *facts)
{
	const struct gw_snapshot *snapshot = facts->snapshot;
	size_t count = 0;

	for (size_t i = 0; i < snapshot->process_count; i++) {
		const struct gw_process_view *other = &snapshot->process[i];

		if (other != facts->process && !other->error[0] &&
		    is_below(snapshot, other, facts->process->pid))
			count++;
	}
	return count;
}

static void find_cpus(struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	struct gw_starved *starved = &facts->starved;
	struct gw_ease ease = gw_ease_of("cpu_starved", facts->shown);
	double throttled = gw_ratio(gw_known_ns(process->throttled_ns), facts->elapsed_ns);
	double runnable;

	facts->running_ns = gw_known_ns(process->where_ns[GW_RUNNING]);
	facts->cpus_used = gw_ratio(facts->running_ns, facts->elapsed_ns);
	facts->cpus_usable = process->cpus_usable ? process->cpus_usable : facts->snapshot->cpus;
	if (process->cpu_quota > 0 && process->cpu_quota < facts->cpus_usable)
		facts->cpus_usable = process->cpu_quota;

	starved->runnable_ns = starved_ns(facts);
	runnable = gw_ratio(starved->runnable_ns, facts->elapsed_ns);
	starved->quota = throttled >= GW_THROTTLED;
	starved->share = gw_ratio(starved->runnable_ns, starved->runnable_ns + facts->running_ns);
	starved->fires = starved->share >= gw_ease_least(ease.fires, GW_STARVED) &&
			 runnable >= gw_ease_least(ease.fires, starved->quota ? GW_STARVED_MIN_QUOTA
									      : GW_STARVED_MIN);
	/* A starved process has no CPU to spare, whatever the numbers of CPUs say. */
	facts->spare = !starved->fires &&
		       facts->cpus_usable >= used_together(facts->snapshot) + GW_SPARE_CPUS;
}

/*
 * The time with any thread in I/O or sleep is known of the process as a whole, parked threads
 * included: with one that sleeps all the time it is the whole window. So what is left of the active
 * threads' sum is the least that overlapping saved.
 */
static void find_io(struct gw_facts *facts)
{
	static const enum gw_state io[] = {GW_STATE_DISK, GW_STATE_NET, GW_STATE_PIPE,
					   GW_STATE_POLL, GW_STATE_SLEEP};

	for (size_t i = 0; i < sizeof(io) / sizeof(io[0]); i++)
		facts->io_ns += facts->active.ns[io[i]];
	facts->io_saved_ns = gw_known_ns(facts->io_ns - gw_known_ns(facts->process->io_any_ns));
}

static int is_gil_known(const struct gw_facts *facts)
{
	if (!facts->has_gil)
		return 1;
	if (facts->process->basis[GW_STATE_PYTHON].kind == GW_BASIS_ABSENT)
		return 0;
	return gw_ratio(facts->active.ns[GW_STATE_UNKNOWN], facts->active_wall_ns) <
	       GW_UNKNOWN_SHARE;
}

double gw_least(const struct gw_facts *facts, double threshold)
{
	return gw_ease_least(facts->ease.fires, threshold);
}

double gw_most(const struct gw_facts *facts, double threshold)
{
	return gw_ease_most(facts->ease.fires, threshold);
}

enum gw_severity gw_severity_by(const struct gw_facts *facts, double figure, double critical)
{
	return figure >= gw_ease_least(facts->ease.critical, critical) ? GW_CRITICAL : GW_WARNING;
}

void gw_facts_find(struct gw_facts *facts, const struct gw_snapshot *snapshot,
		   const struct gw_process_view *process, const struct gw_verdict *shown)
{
	memset(facts, 0, sizeof(*facts));
	facts->snapshot = snapshot;
	facts->process = process;
	facts->shown = shown;
	facts->ease = gw_ease_of("", NULL);
	facts->elapsed_ns = gw_known_ns(process->elapsed_ns);
	facts->has_gil = !process->free_threaded || process->gil_enabled;
	find_waits(facts);
	find_holding(facts);
	find_active(facts);
	facts->gil_known = is_gil_known(facts);
	find_cpus(facts);
	find_io(facts);
	facts->workers = count_workers(facts);
	facts->stalled = gw_loop_find(process);
	gw_late_find(&facts->late, facts);
}
