// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/metrics.h"

#include "export/series.h"
#include "verdict/codes.h"

/* ---- the values of labels ---- */

#define NAMES(table)                                                                               \
	{                                                                                          \
		sizeof(table) / sizeof((table)[0]), table                                          \
	}

static const char *const oncpus[] = {"held", "released", "waiting", "unknown"};
/* Whoever holds the GIL and runs is not held off. */
static const char *const held_off_causes[GW_WHERE_COUNT] = {
	[GW_RUNNABLE] = "runnable",   [GW_STOPPED] = "stopped",	    [GW_BLOCKED_LOCK] = "lock",
	[GW_BLOCKED_SLEEP] = "sleep", [GW_BLOCKED_DISK] = "disk",   [GW_BLOCKED_NET] = "net",
	[GW_BLOCKED_PIPE] = "pipe",   [GW_BLOCKED_POLL] = "poll",   [GW_BLOCKED_FAULT] = "fault",
	[GW_BLOCKED_CHILD] = "child", [GW_BLOCKED_OTHER] = "other",
};
static const char *const interpreters[GW_INTERPRETERS] = {
	"0", "1",  "2",	 "3",  "4",  "5",  "6",	 "7",	  "8",
	"9", "10", "11", "12", "13", "14", "15", "other",
};
/* A thread that stays on its CPU does not migrate. */
static const char *const moves[GW_DISTANCE_COUNT] = {
	[GW_SAME_CORE] = "same_core",
	[GW_SAME_LLC] = "same_llc",
	[GW_SAME_NODE] = "same_node",
	[GW_CROSS_NODE] = "cross_node",
};
static const char *const resume_parts[] = {"runqueue", "gil"};
static const char *const statuses[] = {"measured", "starting", "no_gil_facts", "refused"};
static const char *const missed_reasons[] = {"no_slot", "ended_early", "no_group"};
static const char *const attach_reasons[] = {"rights", "kernel", "target", "other"};
static const char *const engines[] = {"sched", "uprobe", "gil_off", "none"};
static const char *const change_reasons[] = {"found", "over_budget", "within_budget",
					     "gil_enabled"};
static const char *const maps[] = {"processes", "cpu_times"};
static const char *const losses[GW_LOST_REASONS] = {
	[GW_LOST_STORAGE] = "thread_storage", [GW_LOST_HIST] = "histogram",
	[GW_LOST_CPU] = "cpu_times_full",     [GW_LOST_PAIR] = "pairs_full",
	[GW_LOST_MEMORY] = "target_memory",   [GW_LOST_WAITER] = "waiter",
	[GW_LOST_UNSEEN] = "unseen_thread",   [GW_LOST_PROCESS] = "no_slot",
	[GW_LOST_GIL] = "gils_full",	      [GW_LOST_SWITCH] = "missed_switch",
};

static const struct gw_names oncpu_names = NAMES(oncpus);
static const struct gw_names held_off_names = NAMES(held_off_causes);
static const struct gw_names interpreter_names = NAMES(interpreters);
static const struct gw_names move_names = NAMES(moves);
static const struct gw_names resume_part_names = NAMES(resume_parts);
static const struct gw_names status_names = NAMES(statuses);
static const struct gw_names missed_names = NAMES(missed_reasons);
static const struct gw_names attach_names = NAMES(attach_reasons);
const struct gw_names gw_engine_label_names = NAMES(engines);
const struct gw_names gw_change_reason_names = NAMES(change_reasons);
static const struct gw_names map_names = NAMES(maps);
static const struct gw_names loss_names = NAMES(losses);
static const struct gw_names verdict_names = NAMES(gw_verdict_codes);

/* ---- the table ---- */

/* Of group totals and of others: one word, or as many as the label has values. */
#define WORD(in, type, member, u) .source = in, .unit = u, .offset = offsetof(type, member)
#define TOTALS_NS(member)	  WORD(GW_OF_GROUP_TOTALS, struct gw_totals, member, GW_UNIT_NS)
#define TOTALS_COUNT(member)	  WORD(GW_OF_GROUP_TOTALS, struct gw_totals, member, GW_UNIT_COUNT)
#define LEVELS_NS(member)	  WORD(GW_OF_GROUP_LEVELS, struct gw_levels, member, GW_UNIT_NS)
#define LEVELS_COUNT(member)	  WORD(GW_OF_GROUP_LEVELS, struct gw_levels, member, GW_UNIT_COUNT)
#define PROCESS_NS(member)	  WORD(GW_OF_PROCESS, struct gw_totals, member, GW_UNIT_NS)
#define SELF_NS(member)		  WORD(GW_OF_SELF, struct gw_self, member, GW_UNIT_NS)
#define SELF_COUNT(member)	  WORD(GW_OF_SELF, struct gw_self, member, GW_UNIT_COUNT)
#define BY(name, names)		  .label = name, .values = &names
#define PRESENT(member)		  .present = offsetof(struct gw_levels, member)
#define ALL			  .present = GW_ALWAYS_PRESENT
#define OF_PROCESS		  .others = "pid"

const struct gw_metric gw_metrics[] = {
	{"gilwatch_thread_state_seconds", GW_COUNTER, TOTALS_NS(state_ns),
	 BY("state", gw_state_names), ALL,
	 .help = "Time that threads spent in each state; the states sum to "
		 "gilwatch_thread_wall_seconds_total."},
	{"gilwatch_thread_wall_seconds", GW_COUNTER, TOTALS_NS(wall_ns), ALL,
	 .help = "Wall time of all threads under watch."},
	{"gilwatch_oncpu_seconds", GW_COUNTER, TOTALS_NS(oncpu_ns), BY("gil", oncpu_names), ALL,
	 .help = "Time that threads spent on a CPU, by what they had of the GIL."},
	{"gilwatch_held_off_seconds", GW_COUNTER, TOTALS_NS(held_off_ns),
	 BY("cause", held_off_names), ALL,
	 .help = "Time that the GIL was held by a thread that was not on a CPU, by why it was "
		 "not."},
	{"gilwatch_gil_wait_by_holder_seconds", GW_COUNTER, TOTALS_NS(by_holder_ns),
	 BY("holder", gw_holder_names), ALL,
	 .help = "Time that threads waited for the GIL, by what its holder did meanwhile; sums to "
		 "the state gil_wait. none: nobody held it (with probes; else in running). "
		 "handover: after a forced release, until the next thread had it."},
	{"gilwatch_gil_held_seconds", GW_COUNTER, TOTALS_NS(gil_held_ns),
	 BY("interpreter", interpreter_names), PRESENT(had_interpreter),
	 .help = "Time that a GIL was held."},
	{"gilwatch_gil_acquisitions", GW_COUNTER, TOTALS_COUNT(gil_acquisitions),
	 BY("interpreter", interpreter_names), PRESENT(had_interpreter),
	 .help = "Acquisitions of a GIL, counted in gilwatch_gil_exact_seconds_total only: divide "
		 "by that."},
	{"gilwatch_gil_forced_releases", GW_COUNTER, TOTALS_COUNT(gil_forced_releases),
	 BY("interpreter", interpreter_names), PRESENT(had_interpreter),
	 .help = "Releases of a GIL that another thread asked for, counted in "
		 "gilwatch_gil_exact_seconds_total only: divide by that."},
	{"gilwatch_gil_exact_seconds", GW_COUNTER, TOTALS_NS(gil_exact_ns),
	 BY("interpreter", interpreter_names), PRESENT(had_interpreter),
	 .help = "Time in which probes counted what happens to a GIL."},
	{"gilwatch_gil_switch_interval_seconds", GW_GAUGE, LEVELS_NS(switch_interval_ns),
	 BY("interpreter", interpreter_names), PRESENT(has_interpreter),
	 .help = "The switch interval in force (sys.setswitchinterval), the longest in the group."},
	{"gilwatch_gil_enabled", GW_GAUGE, LEVELS_COUNT(gil_enabled),
	 BY("interpreter", interpreter_names), PRESENT(has_interpreter),
	 .help = "Whether there is a GIL: 0 only where a free-threaded build runs without in all "
		 "processes of the group."},
	{"gilwatch_gil_handovers", GW_COUNTER, TOTALS_COUNT(handovers),
	 BY("distance", gw_distance_names), ALL,
	 .help = "Hand-overs of a GIL, by the distance between the two CPUs; counted in "
		 "gilwatch_gil_exact_seconds_total only."},
	{"gilwatch_thread_migrations", GW_COUNTER, TOTALS_COUNT(migrations),
	 BY("distance", move_names), ALL,
	 .help = "Migrations of threads from one CPU to another, by the distance between them."},
	{"gilwatch_gil_wait_seconds", GW_HISTOGRAM, TOTALS_NS(wait), ALL,
	 .help = "Waits for the GIL."},
	{"gilwatch_gil_hold_seconds", GW_HISTOGRAM, TOTALS_NS(hold), ALL,
	 .help = "Holds of the GIL, seen in gilwatch_gil_exact_seconds_total only."},
	{"gilwatch_resume_latency_seconds", GW_HISTOGRAM, TOTALS_NS(resume), ALL,
	 .help = "From the wake-up of a thread that was blocked by anything but the GIL until it "
		 "held the GIL on a CPU: what threads and the GIL add to every answer."},
	{"gilwatch_resume_latency_part_seconds", GW_COUNTER, TOTALS_NS(resume_part_ns),
	 BY("part", resume_part_names), ALL,
	 .help = "Parts of the resume latency: waiting for a CPU, and for the GIL."},
	{"gilwatch_processes", GW_GAUGE, LEVELS_COUNT(processes), ALL,
	 .help = "Python processes under watch."},
	{"gilwatch_threads", GW_GAUGE, LEVELS_COUNT(threads), ALL, .help = "Threads under watch."},
	{"gilwatch_threads_started", GW_COUNTER, TOTALS_COUNT(threads_started), ALL,
	 .help = "Threads that have been under watch, those that have ended included."},
	{"gilwatch_cpus_usable", GW_GAUGE, LEVELS_COUNT(cpus_usable), ALL,
	 .help = "CPUs that affinity, cpuset and quota leave to a process; the most in the group."},
	{"gilwatch_cpu_throttled_seconds", GW_COUNTER, TOTALS_NS(throttled_ns), ALL,
	 .help = "Time that the CPU quota of their cgroups kept the processes from running."},
	{"gilwatch_verdict", GW_GAUGE, LEVELS_COUNT(verdict), BY("code", verdict_names),
	 PRESENT(judged),
	 .help = "Whether this verdict holds for a process of the group, by the last minute."},

	{"gilwatch_process", GW_INFO_METRIC, .source = GW_OF_PROCESS, .unit = GW_UNIT_NONE, ALL,
	 .others = "pid, python, build, cgroup, container_id", .help = "A process under watch."},
	{"gilwatch_process_start_time_seconds", GW_GAUGE,
	 WORD(GW_OF_PROCESS_LEVELS, struct gw_levels, start_time_ns, GW_UNIT_NS), ALL, OF_PROCESS,
	 .help = "When the process started, since 1970; tells apart those that had the same PID."},
	{"gilwatch_process_threads", GW_GAUGE,
	 WORD(GW_OF_PROCESS_LEVELS, struct gw_levels, threads, GW_UNIT_COUNT), ALL, OF_PROCESS,
	 .help = "Threads of one process."},
	{"gilwatch_process_state_seconds", GW_COUNTER, PROCESS_NS(state_ns),
	 BY("state", gw_state_names), ALL, OF_PROCESS,
	 .help = "gilwatch_thread_state_seconds_total of one process."},
	{"gilwatch_process_wall_seconds", GW_COUNTER, PROCESS_NS(wall_ns), ALL, OF_PROCESS,
	 .help = "gilwatch_thread_wall_seconds_total of one process."},
	{"gilwatch_process_gil_wait_by_holder_seconds", GW_COUNTER, PROCESS_NS(by_holder_ns),
	 BY("holder", gw_holder_names), ALL, OF_PROCESS,
	 .help = "gilwatch_gil_wait_by_holder_seconds_total of one process."},
	{"gilwatch_process_thread_state_seconds", GW_COUNTER,
	 WORD(GW_OF_THREAD, struct gw_states, ns, GW_UNIT_NS), BY("state", gw_state_names), ALL,
	 .others = "pid, tid, thread",
	 .help = "gilwatch_thread_state_seconds_total of one thread; thread is its name as first "
		 "seen."},

	{"gilwatch_build", GW_INFO_METRIC, .source = GW_OF_NONE, .unit = GW_UNIT_NONE, ALL,
	 .others = "version, kernel", .help = "gilwatch, and the kernel under it."},
	{"gilwatch_targets", GW_GAUGE, SELF_COUNT(targets), BY("status", status_names), ALL,
	 .help = "Python processes by how they are measured."},
	{"gilwatch_targets_missed", GW_COUNTER, SELF_COUNT(missed), BY("reason", missed_names), ALL,
	 .help = "Processes of which nothing, or not all, was counted."},
	{"gilwatch_attach_failures", GW_COUNTER, SELF_COUNT(attach_failures),
	 BY("reason", attach_names), ALL,
	 .help = "Processes that probes could not be attached to, or that could not be watched at "
		 "all, by whose refusal it was."},
	{"gilwatch_engine_targets", GW_GAUGE, SELF_COUNT(engine_targets),
	 BY("engine", gw_engine_label_names), ALL, .help = "Processes under watch by engine."},
	{"gilwatch_engine_changes", GW_COUNTER, .source = GW_OF_SELF, .unit = GW_UNIT_NONE, ALL,
	 .others = "to, reason",
	 .help = "Changes of a process's engine: over_budget, within_budget, found (its "
		 "Python became known while it was watched already), gil_enabled (it was switched "
		 "on)."},
	{"gilwatch_probe_hits", GW_COUNTER, SELF_COUNT(probe_hits), ALL,
	 .help = "Hits of probes in all processes."},
	{"gilwatch_probe_cost_seconds", GW_COUNTER, SELF_NS(probe_cost_ns), ALL,
	 .help = "What these hits took from the processes, estimated."},
	{"gilwatch_overhead_budget_ratio", GW_GAUGE,
	 WORD(GW_OF_SELF, struct gw_self, overhead_budget, GW_UNIT_RATIO), ALL,
	 .help = "What probes may cost, of a process's time on a CPU."},
	{"gilwatch_lost_events", GW_COUNTER, SELF_COUNT(lost), BY("reason", loss_names), ALL,
	 .help = "Events that were not counted as they should have been."},
	{"gilwatch_belief_corrections", GW_COUNTER, SELF_COUNT(corrected), ALL,
	 .help = "Times that a GIL's memory said otherwise than gilwatch believed."},
	{"gilwatch_map_entries", GW_GAUGE, SELF_COUNT(map_entries), BY("map", map_names), ALL,
	 .help = "Entries in use in BPF maps."},
	{"gilwatch_map_max_entries", GW_GAUGE, SELF_COUNT(map_max_entries), BY("map", map_names),
	 ALL, .help = "Entries that BPF maps have room for."},
	{"gilwatch_series_suppressed", GW_GAUGE, SELF_COUNT(suppressed), ALL,
	 .help = "Processes and threads without series of their own because of the limits on "
		 "them."},
	{"gilwatch_scrape_duration_seconds", GW_GAUGE, SELF_NS(scrape_ns), ALL,
	 .help = "How long it took to read the kernel's maps and to work out this answer."},
	{"process_cpu_seconds", GW_COUNTER, SELF_NS(cpu_ns), ALL,
	 .help = "CPU time that gilwatch itself used."},
	{"process_start_time_seconds", GW_GAUGE, SELF_NS(start_time_ns), ALL,
	 .help = "When gilwatch itself started, since 1970."},
	{"process_open_fds", GW_GAUGE, SELF_COUNT(open_fds), ALL,
	 .help = "File descriptors that gilwatch has open."},
	{"process_max_fds", GW_GAUGE, SELF_COUNT(max_fds), ALL,
	 .help = "File descriptors that gilwatch may have open."},
	{"process_virtual_memory_bytes", GW_GAUGE, SELF_COUNT(virtual_bytes), ALL,
	 .help = "Virtual memory of gilwatch."},
	{"process_resident_memory_bytes", GW_GAUGE, SELF_COUNT(resident_bytes), ALL,
	 .help = "Resident memory of gilwatch, BPF maps left out."},
};

const size_t gw_metric_count = sizeof(gw_metrics) / sizeof(gw_metrics[0]);
