/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the rules of the verdicts share, computed once for each process. */
#ifndef GW_VERDICT_FACTS_H
#define GW_VERDICT_FACTS_H

#include "model/snapshot.h"
#include "verdict/ease.h"

/* A figure with the half-width of its 95 % interval; 0 if it is exact. */
struct gw_figure {
	int64_t ns;
	int64_t error_ns;
};

/* A thread whose answers come late because of the GIL. */
struct gw_late {
	int fires;
	int critical;
	const struct gw_thread_view *thread; /* NULL: told of the process only */
	uint64_t resumes;
	double p50_ns, p99_ns; /* the GIL's part, see late.c */
	double delay_ratio;    /* < 0: not known */
};

struct gw_starved {
	int fires;
	int quota; /* throttled: else contention */
	/*
	 * Ready for work and without a CPU. Not in it: waiters for the GIL that wake up, which they
	 * do every interval, and which could do nothing with a CPU; threads that gave theirs away
	 * (sched_yield), as those do that spin on a lock; and what every wake-up takes.
	 */
	int64_t runnable_ns;
	double share; /* of the time that threads wanted a CPU */
};

struct gw_facts {
	const struct gw_snapshot *snapshot;
	const struct gw_process_view *process;
	int64_t elapsed_ns;		/* T */
	const struct gw_verdict *shown; /* the verdict of before that is shown; NULL: none */
	struct gw_ease ease;		/* of the rule that is asked */

	int has_gil;   /* 0: a build that runs with the GIL off */
	int gil_known; /* enough of the time has a GIL state for its absence to mean something */
	int by_holder_known;
	int64_t interval_ns; /* of the process's first GIL; the default if not known */
	struct gw_figure gil_wait;
	struct gw_figure held;	    /* by the GIL that is held most */
	struct gw_figure contended; /* Wr + W0 + the hand-over wait: the holder was using it */
	struct gw_figure blocked;   /* Wb */
	struct gw_figure preempted; /* Wp */
	int64_t wait_running_ns;    /* Wr alone */
	double others_held; /* held by all but the thread that holds most, of all held time */

	int64_t running_ns;	       /* of all threads */
	double cpus_used, cpus_usable; /* usable: 0 if not known */
	/* Usable CPUs exceed those used by it and by what is watched beside it: processes help. */
	int spare;

	size_t active_count, parked_count;
	int64_t active_wall_ns;
	size_t workers;		 /* processes below it that are watched */
	struct gw_states active; /* of the active threads, ended ones included */
	uint64_t wakes;		 /* of all threads */
	double lock_wakes;	 /* of the active threads, an estimate: see facts.c */
	int64_t io_ns;		 /* the active threads' I/O and sleep */
	int64_t io_saved_ns;	 /* what overlapping it saved, from below: see facts.c */
	const struct gw_thread_view *stalled; /* the loop that stalls most; NULL: none */

	struct gw_starved starved;
	struct gw_late late;
};

/* shown: see ease.h; NULL: nothing is. The ease is that of no rule yet. */
void gw_facts_find(struct gw_facts *facts, const struct gw_snapshot *snapshot,
		   const struct gw_process_view *process, const struct gw_verdict *shown);

/* Thresholds of the rule that is asked: one to be reached, and one not to be. */
double gw_least(const struct gw_facts *facts, double threshold);
double gw_most(const struct gw_facts *facts, double threshold);

/* Of a figure that warns: critical from this threshold on. */
enum gw_severity gw_severity_by(const struct gw_facts *facts, double figure, double critical);

/* A time that may be absent, as a number that can be added up. */
int64_t gw_known_ns(int64_t ns);

/* part / whole, 0 where there is no whole. */
double gw_ratio(int64_t part, int64_t whole);

double gw_seconds(int64_t ns);

/* The figure's share of a whole, at the lower and at the upper end of its interval. */
double gw_at_least(const struct gw_figure *figure, int64_t whole);
double gw_at_most(const struct gw_figure *figure, int64_t whole);

/* Time that the thread held the GIL while blocked or stopped. */
int64_t gw_held_blocked_ns(const struct gw_thread_view *thread);

const struct gw_thread_view *gw_thread_find(const struct gw_process_view *process, uint32_t tid);

#endif
