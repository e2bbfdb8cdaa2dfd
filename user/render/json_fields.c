// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/json_fields.h"

#include "model/snapshot.h"

#define FIELD(KIND, owner, member, name, reason)                                                   \
	{                                                                                          \
		name, GW_FIELD_##KIND, offsetof(struct owner, member),                             \
			sizeof(((struct owner *)0)->member), reason, NULL                          \
	}
#define ENUM(owner, member, name, table)                                                           \
	{                                                                                          \
		name, GW_FIELD_ENUM, offsetof(struct owner, member),                               \
			sizeof(((struct owner *)0)->member), NULL, &(table)                        \
	}
#define FIELDS(table)                                                                              \
	{                                                                                          \
		sizeof(table) / sizeof((table)[0]), table                                          \
	}

gw_static_assert(sizeof(enum gw_ended) == sizeof(int), "enumerations are read and written as int");

static const struct gw_field snapshot[] = {
	FIELD(TEXT, gw_snapshot, started, "started", NULL),
	FIELD(TIME, gw_snapshot, requested_ns, "requested_s", "no duration was asked for"),
	FIELD(TIME, gw_snapshot, elapsed_ns, "elapsed_s", NULL),
	ENUM(gw_snapshot, ended, "ended", gw_ended_names),
	FIELD(COUNT_U64, gw_snapshot, others, "other_children", NULL),
};

static const struct gw_field window[] = {
	FIELD(COUNT_U64, gw_snapshot, start_monotonic_ns, "start_monotonic_ns", NULL),
	FIELD(COUNT_U64, gw_snapshot, end_monotonic_ns, "end_monotonic_ns", NULL),
};

static const struct gw_field host[] = {
	FIELD(TEXT, gw_snapshot, kernel, "kernel", NULL),
	FIELD(U32, gw_snapshot, cpus, "cpus", NULL),
};

static const struct gw_field run[] = {
	FIELD(U32, gw_run, pid, "pid", NULL),
	FIELD(TEXT, gw_run, file, "file", NULL),
	FIELD(TEXT_KNOWN, gw_run, user, "user", "it ran as the user that gilwatch ran as"),
	FIELD(COUNT, gw_run, exit_status, "exit_status", "a signal ended it"),
	FIELD(COUNT, gw_run, signal, "signal", "it exited by itself"),
	FIELD(TIME, gw_run, before_python_ns, "before_python_s", "no interpreter was found in it"),
};

static const struct gw_field head[] = {
	FIELD(U32, gw_process_view, pid, "pid", NULL),
	FIELD(U32, gw_process_view, ppid, "ppid", NULL),
	FIELD(TEXT, gw_process_view, command, "command", NULL),
	FIELD(TEXT, gw_process_view, comm, "comm", NULL),
	FIELD(TEXT_KNOWN, gw_process_view, error, "error", GW_NO_REASON),
};

static const struct gw_field python[] = {
	FIELD(TEXT_KNOWN, gw_process_view, python_version, "version", "it could not be read"),
	FIELD(BOOL, gw_process_view, free_threaded, "free_threaded", NULL),
	FIELD(BOOL, gw_process_view, gil_enabled, "gil_enabled", NULL),
	FIELD(TIME, gw_process_view, gil_enabled_at_ns, "gil_enabled_at_s", GW_NO_REASON),
	FIELD(TEXT_KNOWN, gw_process_view, python_file, "file", "it could not be found"),
	FIELD(TEXT_KNOWN, gw_process_view, build_id, "build_id", "the file has none"),
	FIELD(TEXT_KNOWN, gw_process_view, python_note, "note", GW_NO_REASON),
};

static const struct gw_field process[] = {
	FIELD(BOOL, gw_process_view, child, "child", NULL),
	FIELD(TIME, gw_process_view, began_ns, "began_s", NULL),
	FIELD(TIME, gw_process_view, first_python_ns, "first_python_s", GW_NO_REASON),
	FIELD(TEXT, gw_process_view, engine, "engine", NULL),
	FIELD(TEXT, gw_process_view, engine_reason, "engine_reason", NULL),
	FIELD(COUNT_U64, gw_process_view, engine_change_rest, "engine_changes_omitted", NULL),
	FIELD(TIME, gw_process_view, exact_ns, "exact_s", NULL),
	FIELD(COUNT_U64, gw_process_view, windows, "windows", NULL),
	FIELD(TIME, gw_process_view, elapsed_ns, "elapsed_s", NULL),
	ENUM(gw_process_view, ended, "ended", gw_ended_names),
	FIELD(U32, gw_process_view, cpus_usable, "cpus_usable", NULL),
	FIELD(REAL_SET, gw_process_view, cpu_quota, "cpu_quota", "no quota is set"),
	FIELD(TIME, gw_process_view, throttled_ns, "throttled_s", NULL),
	FIELD(TIME, gw_process_view, threads_wall_ns, "threads_wall_s", NULL),
	FIELD(TIME, gw_process_view, io_blocked_ns, "io_blocked_s", NULL),
	FIELD(TIME, gw_process_view, io_any_ns, "io_any_s", NULL),
	FIELD(TIME, gw_process_view, yielded_runqueue_ns, "yielded_runqueue_s", NULL),
	FIELD(TIME, gw_process_view, yielding_ns, "yielding_s", NULL),
};

static const struct gw_field phase[] = {
	FIELD(TIME, gw_interval_phase, interval_ns, "interval_s", NULL),
	FIELD(TIME, gw_interval_phase, from_ns, "from_s", NULL),
	FIELD(TIME, gw_interval_phase, to_ns, "to_s", NULL),
	FIELD(COUNT, gw_interval_phase, acquisitions, "acquisitions", GW_NO_REASON),
	FIELD(COUNT, gw_interval_phase, forced_releases, "forced_releases", GW_NO_REASON),
	FIELD(TIME, gw_interval_phase, held_ns, "held_s", GW_NO_REASON),
	FIELD(COUNT, gw_interval_phase, holder_changes, "holder_changes", GW_NO_REASON),
	FIELD(TIME, gw_interval_phase, exact_ns, "exact_s", NULL),
};

static const struct gw_field change[] = {
	FIELD(TIME, gw_engine_change, at_ns, "at_s", NULL),
	FIELD(TEXT, gw_engine_change, from, "from", NULL),
	FIELD(TEXT, gw_engine_change, to, "to", NULL),
	FIELD(TEXT, gw_engine_change, reason, "reason", NULL),
};

static const struct gw_field overhead[] = {
	FIELD(COUNT_U64, gw_process_view, overhead_hits, "hits", NULL),
	FIELD(TIME, gw_process_view, overhead_hit_ns, "hit_s", NULL),
	FIELD(TIME, gw_process_view, overhead_ns, "estimated_s", NULL),
	FIELD(REAL, gw_process_view, overhead_ratio, "ratio", NULL),
	FIELD(REAL_KNOWN, gw_process_view, overhead_budget, "budget", "no budget is in force"),
};

static const struct gw_field parallelism[] = {
	FIELD(REAL_KNOWN, gw_process_view, parallelism_python, "python", NULL),
	FIELD(REAL_KNOWN, gw_process_view, parallelism_native, "native", NULL),
};

static const struct gw_field basis[] = {
	ENUM(gw_basis, kind, "kind", gw_basis_names),
	FIELD(TIME, gw_basis, coverage_ns, "coverage_s", NULL),
	FIELD(TIME, gw_basis, error_ns, "error_s", NULL),
	FIELD(TEXT_KNOWN, gw_basis, reason, "reason", GW_NO_REASON),
};

static const struct gw_field gil[] = {
	FIELD(COUNT, gw_gil_row, interpreter, "interpreter", NULL),
	FIELD(TIME, gw_gil_row, interval_ns, "interval_s", "it could not be read"),
	FIELD(COUNT, gw_gil_row, acquisitions, "acquisitions", NULL),
	FIELD(COUNT, gw_gil_row, releases, "releases", NULL),
	FIELD(COUNT, gw_gil_row, forced_releases, "forced_releases", NULL),
	FIELD(COUNT, gw_gil_row, holder_changes, "holder_changes", NULL),
	FIELD(TIME, gw_gil_row, holding_ns, "holding_s", NULL),
	FIELD(TIME, gw_gil_row, exact_ns, "exact_s", NULL),
	FIELD(COUNT, gw_gil_row, most_waiting, "waiters_max", "it was not noted"),
};

static const struct gw_field ended_gils[] = {
	FIELD(COUNT_U64, gw_process_view, ended_gil_count, "count", NULL),
	FIELD(COUNT, gw_process_view, ended_gils.acquisitions, "acquisitions", NULL),
	FIELD(COUNT, gw_process_view, ended_gils.releases, "releases", NULL),
	FIELD(COUNT, gw_process_view, ended_gils.forced_releases, "forced_releases", NULL),
	FIELD(TIME, gw_process_view, ended_gils.holding_ns, "holding_s", NULL),
};

static const struct gw_field resume[] = {
	FIELD(TIME, gw_resume, runqueue_ns, "runqueue_s", NULL),
	FIELD(TIME, gw_resume, gil_ns, "gil_s", NULL),
	FIELD(REAL_KNOWN, gw_resume, delay_ratio, "delay_ratio",
	      "there were no sleeps whose request could be read"),
	FIELD(COUNT_U64, gw_resume, delays, "delays", NULL),
};

static const struct gw_field thread[] = {
	FIELD(U32, gw_thread_view, tid, "tid", NULL),
	FIELD(TEXT, gw_thread_view, name, "name", NULL),
	FIELD(BOOL, gw_thread_view, alive, "alive", NULL),
	FIELD(TIME, gw_thread_view, wall_ns, "wall_s", NULL),
	FIELD(TIME, gw_thread_view, cells_ns, "cells_s", NULL),
	FIELD(TIME, gw_thread_view, python_error_ns, "python_error_s", NULL),
	FIELD(COUNT, gw_thread_view, wakes, "wakes", NULL),
	FIELD(COUNT, gw_thread_view, polls, "polls", NULL),
	FIELD(COUNT, gw_thread_view, stalls, "stalls", NULL),
	FIELD(TIME, gw_thread_view, stalled_ns, "stalled_s", NULL),
	FIELD(TIME, gw_thread_view, stretch_longest_ns, "stretch_longest_s", NULL),
};

static const struct gw_field thread_gil[] = {
	FIELD(COUNT, gw_thread_view, acquisitions, "acquisitions", NULL),
	FIELD(COUNT, gw_thread_view, releases, "releases", NULL),
	FIELD(COUNT, gw_thread_view, forced_releases, "forced_releases", NULL),
	FIELD(COUNT, gw_thread_view, waits, "waits", NULL),
};

static const struct gw_field ended[] = {
	FIELD(COUNT_U64, gw_process_view, ended_count, "count", NULL),
	FIELD(TIME, gw_process_view, ended_wall_ns, "wall_s", NULL),
};

static const struct gw_field open_field[] = {
	FIELD(U32, gw_open, tid, "tid", NULL),
	ENUM(gw_open, kind, "kind", gw_open_names),
	FIELD(TIME, gw_open, age_ns, "age_s", NULL),
	ENUM(gw_open, where, "cause", gw_where_names),
};

static const struct gw_field inflicted[] = {
	FIELD(TID, gw_inflicted, by, "by", GW_NO_REASON),
	FIELD(U32, gw_inflicted, on, "on", NULL),
	FIELD(TIME, gw_inflicted, wait_ns, "wait_s", NULL),
};

static const struct gw_field verdict[] = {
	FIELD(TEXT, gw_verdict, code, "code", NULL),
	ENUM(gw_verdict, severity, "severity", gw_severity_names),
	FIELD(TEXT, gw_verdict, text, "text", NULL),
};

static const struct gw_field check[] = {
	FIELD(TIME, gw_process_view, cells_ns, "cells_s", NULL),
	/* The same figure as threads_wall_s, where the check is read. */
	FIELD(TIME, gw_process_view, threads_wall_ns, "wall_s", NULL),
	FIELD(COUNT_U64, gw_process_view, lost_events, "lost_events", NULL),
	FIELD(COUNT_U64, gw_process_view, missed_switches, "missed_switches", NULL),
	FIELD(COUNT_U64, gw_process_view, corrected, "corrected", NULL),
};

const struct gw_fields gw_fields_snapshot = FIELDS(snapshot);
const struct gw_fields gw_fields_window = FIELDS(window);
const struct gw_fields gw_fields_host = FIELDS(host);
const struct gw_fields gw_fields_run = FIELDS(run);
const struct gw_fields gw_fields_head = FIELDS(head);
const struct gw_fields gw_fields_python = FIELDS(python);
const struct gw_fields gw_fields_process = FIELDS(process);
const struct gw_fields gw_fields_phase = FIELDS(phase);
const struct gw_fields gw_fields_change = FIELDS(change);
const struct gw_fields gw_fields_overhead = FIELDS(overhead);
const struct gw_fields gw_fields_parallelism = FIELDS(parallelism);
const struct gw_fields gw_fields_basis = FIELDS(basis);
const struct gw_fields gw_fields_gil = FIELDS(gil);
const struct gw_fields gw_fields_ended_gils = FIELDS(ended_gils);
const struct gw_fields gw_fields_resume = FIELDS(resume);
const struct gw_fields gw_fields_thread = FIELDS(thread);
const struct gw_fields gw_fields_thread_gil = FIELDS(thread_gil);
const struct gw_fields gw_fields_ended = FIELDS(ended);
const struct gw_fields gw_fields_open = FIELDS(open_field);
const struct gw_fields gw_fields_inflicted = FIELDS(inflicted);
const struct gw_fields gw_fields_verdict = FIELDS(verdict);
const struct gw_fields gw_fields_check = FIELDS(check);
