/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A snapshot: everything that one look at the watched processes says, ready to be judged and shown.
 * Verdicts and renderers see only this. It can be built from BPF's maps or read from a saved file.
 * Times are nanoseconds, signed where "not known" (GW_ABSENT_NS) is possible.
 */
#ifndef GW_SNAPSHOT_H
#define GW_SNAPSHOT_H

#include <stddef.h>
#include <stdint.h>

#include "gilwatch/abi.h"
#include "gilwatch/cell.h"
#include "gilwatch/fold.h"
#include "gilwatch/place.h"
#include "model/split.h"

#define GW_ABSENT_NS	INT64_MIN /* not known; a reason stands beside it */
#define GW_ABSENT_COUNT INT64_MIN

/* What the holder of the GIL was doing while others waited: a gw_where, or one of these. */
enum gw_holder {
	GW_HOLDER_NONE = GW_WHERE_COUNT, /* nobody held the GIL */
	/* The wait after a forced release until the next thread has the GIL: nobody inflicts it. */
	GW_HOLDER_HANDOVER,
	GW_HOLDER_COUNT,
};

enum gw_basis_kind {
	GW_BASIS_EXACT,
	GW_BASIS_SAMPLED,
	GW_BASIS_ABSENT,
};

/* What a figure rests on. */
struct gw_basis {
	enum gw_basis_kind kind;
	int64_t coverage_ns; /* time over which it was measured or sampled */
	int64_t error_ns;    /* half-width of the 95 % interval of a sampled time; 0 if exact */
	char reason[192];    /* of a sampled or absent figure; "" if exact */
};

struct gw_states {
	int64_t ns[GW_STATE_COUNT];
};

/* The part of a thread's time on a CPU that only samples tell apart, and how they did. */
struct gw_sampled {
	int64_t ns;	 /* python and native together … */
	int64_t held_ns; /* … and what of it counts as python */
	struct gw_samples taken;
};

/* Of durations. A thread has three, of few octaves each: what is empty takes no room. */
struct gw_histogram {
	int absent;	  /* 1: not measured; gw_histogram_reason says why */
	uint32_t octaves; /* bit n: there are buckets of octave n */
	uint64_t count, sum_ns, max_ns;
	uint64_t *bucket; /* of these octaves alone, ascending: for histogram.c, not cumulative */
	char *reason;	  /* NULL: not said */
};

struct gw_resume {
	struct gw_histogram latency;
	int64_t runqueue_ns; /* parts of latency.sum_ns */
	int64_t gil_ns;
	double delay_ratio; /* < 0: not known (no sleeps whose request could be read) */
	uint64_t delays;    /* sleeps that the ratio rests on, … */
	int64_t delay_asked_ns, delay_actual_ns; /* … and their sums, whose ratio it is */
};

struct gw_cpu_time {
	uint32_t cpu;
	int64_t ns;
};

struct gw_thread_view {
	uint32_t tid;
	uint64_t start_ns; /* when the watch of it began, on the watch's clock: tells a tid used
			      again */
	uint64_t self; /* its pthread_self(), by which its Python knows it; 0: it has none, or is
			  of a file */
	char name[64]; /* raw bytes of the target: escape before showing */
	int alive;
	int64_t wall_ns;
	int64_t cells_ns; /* the sum of its cells, for the check line */
	struct gw_states states;
	int64_t where_ns[GW_WHERE_COUNT];
	int64_t held_off_by_ns[GW_WHERE_COUNT]; /* GW_RUNNING is 0 */
	int64_t oncpu_waiting_ns; /* on a CPU while waiting for the GIL; not kept in files */
	int64_t python_error_ns;  /* half-width of the 95 % interval; 0 if exact */
	struct gw_sampled sampled;
	struct gw_cpu_time *cpu; /* ascending by CPU number */
	size_t cpu_count;
	uint32_t last_cpu; /* where it runs or ran last */
	int64_t migrations[GW_DISTANCE_COUNT];
	int64_t acquisitions, releases, forced_releases; /* GW_ABSENT_COUNT without probes */
	int64_t waits;					 /* for the GIL */
	int64_t wakes; /* times it was woken from a block or a stop */
	struct gw_histogram hold, wait;
	struct gw_resume resume;
	int64_t inflicted_ns; /* wait that it caused by holding the GIL */
	int64_t polls;	      /* times it blocked in poll */
	int64_t stalls; /* stretches on a CPU between two of them of GW_LOOP_STALL_NS and more */
	int64_t stalled_ns; /* their sum */
	int64_t stretch_longest_ns;
};

struct gw_gil_row {
	int64_t interpreter;
	char python[32]; /* the version of its Python, where the process has two; else "" */
	uint64_t address;
	int64_t interval_ns; /* the switch interval in force at the end */
	int64_t acquisitions, releases, forced_releases; /* GW_ABSENT_COUNT without probes */
	int64_t holder_changes;
	int64_t holding_ns;   /* all holding cells of all its threads */
	int64_t exact_ns;     /* time under probes: what they counted, they counted in that time */
	int64_t most_waiting; /* threads that waited for it at once, at most; GW_ABSENT_COUNT */
	int64_t most_lately;  /* the same since the look before this one */
	int64_t most_since;   /* the same since this look: whoever keeps it notes that */
	struct gw_histogram hold, wait;
	int64_t handovers[GW_DISTANCE_COUNT]; /* GW_ABSENT_COUNT without probes */
};

enum gw_open_kind {
	GW_OPEN_HOLD,
	GW_OPEN_WAIT,
	GW_OPEN_BLOCK,
};

/* A hold, wait or block that had not ended at the end. */
struct gw_open {
	uint32_t tid;
	enum gw_open_kind kind;
	int64_t age_ns;	     /* since it began, at most the time under watch */
	enum gw_where where; /* what the thread was doing */
};

struct gw_inflicted {
	uint32_t by; /* tid; 0: nobody held the GIL */
	uint32_t on;
	int64_t wait_ns;
};

struct gw_engine_change {
	int64_t at_ns; /* since the start */
	char from[16], to[16];
	char reason[160];
};

/* Time in which one switch interval was in force, as far as looks every quarter of a second tell.
 */
struct gw_interval_phase {
	int64_t interval_ns;
	int64_t from_ns, to_ns;		       /* since the start of the watch */
	int64_t acquisitions, forced_releases; /* GW_ABSENT_COUNT without probes */
	int64_t held_ns;		       /* of the holds that ended */
	int64_t holder_changes;
	int64_t exact_ns; /* time under probes: they counted in that alone */
};

enum gw_severity {
	GW_INFO,
	GW_WARNING,
	GW_CRITICAL,
};

#define GW_VERDICT_EVIDENCE_MAX 12

struct gw_evidence {
	char name[32]; /* "gil_wait_running_s", "usable_cpus", "tid" … */
	double value;  /* seconds, counts or ratios as the name's suffix says */
};

struct gw_verdict {
	char code[32];
	enum gw_severity severity;
	char text[640];
	struct gw_evidence evidence[GW_VERDICT_EVIDENCE_MAX];
	size_t evidence_count;
};

#define GW_VERDICTS_MAX 3

enum gw_ended {
	GW_ENDED_DURATION,
	GW_ENDED_INTERRUPTED,
	GW_ENDED_TARGET_EXIT,
	GW_ENDED_TARGET_EXEC,
};

struct gw_process_view {
	uint32_t pid, ppid;
	char command[1024]; /* raw bytes of the target */
	char comm[64];	    /* raw bytes of the target */
	/* of the kernel's and systemd's books; raw bytes, "" where not known; not kept in files */
	char cgroup[512];
	char container_id[128], container_runtime[16];
	int64_t start_time_ns; /* since 1970; 0: not known */
	char error[512];       /* "" : measured; else why not, and nothing below it is set */

	char python_version[32];
	int free_threaded, gil_enabled;
	int64_t gil_enabled_at_ns; /* since the start: switched on meanwhile; else GW_ABSENT_NS */
	char python_file[1024];
	char build_id[64];
	char python_note[448]; /* what is to be known of how it was found; "": nothing */

	char engine[16]; /* "uprobe" or "sched", as at the end */
	char engine_reason[160];
	struct gw_engine_change *engine_change;
	size_t engine_change_count;
	uint64_t engine_change_rest; /* changes that are not kept: those in the middle of many */
	int64_t exact_ns;	     /* time under probes */
	uint64_t windows;	     /* how often it had probes for a moment only */

	int child;	  /* not asked for: it is watched for its parent's sake */
	int64_t began_ns; /* when the watch of it began, since the start */
	/* From its fork until its Python could run; GW_ABSENT_NS: it was there before, or none did.
	 */
	int64_t first_python_ns;
	enum gw_ended ended;
	int64_t elapsed_ns; /* of this process under watch */

	uint64_t overhead_hits;
	int64_t overhead_hit_ns; /* what a hit costs its target here */
	int64_t overhead_ns;	 /* estimated: hits times cost per hit */
	double overhead_ratio;	 /* of the target's on-CPU time */
	double overhead_budget;	 /* < 0: none in force */

	uint32_t cpus_usable;
	double cpu_quota; /* CPUs; 0: none */
	int64_t throttled_ns;

	int64_t threads_wall_ns;
	struct gw_states states;
	int64_t where_ns[GW_WHERE_COUNT];
	int64_t held_off_by_ns[GW_WHERE_COUNT];
	int64_t gil_wait_by_holder_ns[GW_HOLDER_COUNT]; /* GW_HOLDER_NONE is absent without probes
							 */
	int64_t oncpu_waiting_ns; /* on a CPU while waiting for the GIL; not kept in files */
	struct gw_basis basis[GW_STATE_COUNT];
	struct gw_basis by_holder_basis;
	struct gw_basis inflicted_basis;
	struct gw_basis wait_basis;   /* of histograms of waits */
	struct gw_basis probes_basis; /* of what only probes see: holds, acquisitions, releases */
	double parallelism_python, parallelism_native;
	/* Blocked in I/O or sleep, with or without the GIL: at least one thread; the sum over all.
	 */
	int64_t io_any_ns, io_blocked_ns;
	/* What sched_yield took, which locks that spin call: of the run queue; on a CPU, sampled.
	 */
	int64_t yielded_runqueue_ns, yielding_ns;
	struct gw_cpu_time *cpu;
	size_t cpu_count;
	int64_t migrations[GW_DISTANCE_COUNT];

	struct gw_gil_row *gil;
	size_t gil_count;
	struct gw_gil_row ended_gils; /* those that have no row any more, added up: no histograms */
	uint64_t ended_gil_count;
	/* Of the main interpreter's GIL, if its interval changed meanwhile; else none. */
	struct gw_interval_phase *interval_phase;
	size_t interval_phase_count;
	struct gw_resume resume;

	struct gw_thread_view *thread; /* alive ones and those that ended but are still known */
	size_t thread_count;	       /* busiest first: gil_wait + on-CPU + held_off */
	uint64_t ended_count;	       /* threads folded together after their end */
	int64_t ended_wall_ns;
	struct gw_states ended_states;
	struct gw_sampled ended_sampled;

	struct gw_open *open;
	size_t open_count;
	struct gw_inflicted *inflicted; /* the largest first */
	size_t inflicted_count;
	size_t inflicted_beyond; /* further pairs in the array, which the rest counts */
	int64_t inflicted_rest_ns;

	struct gw_verdict verdict[GW_VERDICTS_MAX]; /* worst first */
	size_t verdict_count;

	int64_t cells_ns; /* check: all cells of all threads, by themselves … */
	uint64_t lost_events;
	uint64_t lost[GW_LOST_COUNT]; /* the same by enum gw_lost; not kept in files */
	uint64_t missed_switches;
	uint64_t corrected;
};

/* A command that was run to be watched. */
struct gw_run {
	uint32_t pid;		     /* 0: there is none, the processes were there already */
	char file[1024];	     /* what was executed */
	char user[64];		     /* as whom; "": as the user that gilwatch ran as */
	int64_t exit_status, signal; /* how it ended: GW_ABSENT_COUNT for the other one */
	int64_t before_python_ns; /* until its interpreter was known: seen by the scheduler alone */
};

struct gw_snapshot {
	char started[40];     /* RFC 3339, local time with offset */
	int64_t requested_ns; /* GW_ABSENT_NS: until interrupted */
	int64_t elapsed_ns;
	uint64_t start_monotonic_ns, end_monotonic_ns; /* CLOCK_MONOTONIC */
	enum gw_ended ended;
	char kernel[65];
	uint32_t cpus;
	struct gw_run run;
	struct gw_process_view *process;
	size_t process_count;
	struct gw_verdict verdict[GW_VERDICTS_MAX]; /* over several processes; worst first */
	size_t verdict_count;
	uint64_t others; /* children that were no Python, and are not shown */
};

/* Sorts the threads: the busiest first, as they are shown. */
void gw_threads_sort(struct gw_process_view *process);

/* The same for all processes. */
void gw_snapshot_sort(struct gw_snapshot *snapshot);

/* Sorts the pairs, and counts all but the largest for the rest. */
void gw_inflicted_limit(struct gw_process_view *process);

/* Makes to (which holds nothing) a copy that shares nothing with from. 0 or -ENOMEM. */
int gw_process_view_copy(const struct gw_process_view *from, struct gw_process_view *to);

/* Frees what is inside; the view is not to be used any more. */
void gw_process_view_clear(struct gw_process_view *process);

/* Frees everything inside; accepts NULL and a zeroed snapshot. */
void gw_snapshot_clear(struct gw_snapshot *snapshot);

#endif
