/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Decides when a process has probes, so that what they cost it stays within a share of its on-CPU
 * time. Pure: it is told the time, the hits and the process's on-CPU time, and says what to do.
 *
 * The account is a leaky bucket: what probes cost goes in, three quarters of the budget leak out
 * while the process runs, and the bucket holds a quarter of what the budget allows in 10 s. So over
 * any 10 s the cost stays below the budget, but for what comes in before somebody looks. Windows
 * get less, a quarter of 2 %: the sampler, which splits the time between them, and the scheduler's
 * events are to be paid as well.
 */
#ifndef GW_PACE_H
#define GW_PACE_H

#include <stdint.h>

#define GW_PACE_SECOND_NS 1000000000ULL
/* The ceiling holds over any stretch of this length. */
#define GW_PACE_SPAN_NS (10 * GW_PACE_SECOND_NS)
/* In as many steps the process's on-CPU time over that stretch is remembered. */
#define GW_PACE_MARKS 20

/* What does not change while a process is watched. */
struct gw_pace_terms {
	double budget;	 /* the probes' share of its on-CPU time; 0: never any, 1 or more: always */
	uint64_t hit_ns; /* what a hit costs the process */
	uint64_t window_ns;   /* what attaching and detaching the probes once costs */
	uint64_t surprise_ns; /* the most that may come in before a burst is seen */
	int windows;	      /* probes come and go quickly enough for windows */
	/* What it runs on CPUs in 10 s, by its life so far; 0: that is too short to tell. */
	uint64_t likely_cpu_ns;
};

enum gw_pace_mode {
	GW_PACE_EXACT,	/* probes until further notice */
	GW_PACE_SCHED,	/* none */
	GW_PACE_WINDOW, /* probes for some milliseconds */
};

enum gw_pace_move {
	GW_PACE_STAY,
	GW_PACE_DROP,	/* exact -> sched */
	GW_PACE_OPEN,	/* sched -> window */
	GW_PACE_CLOSE,	/* window -> sched */
	GW_PACE_RESUME, /* window -> exact: the probes stay */
};

/* The time of a look, and what a process has come to by then: running totals. */
struct gw_pace_look {
	uint64_t now_ns;
	uint64_t hits;
	uint64_t cpu_ns;
};

struct gw_pace {
	struct gw_pace_terms terms;
	enum gw_pace_mode mode;
	struct gw_pace_look last;

	/* the account */
	double level_ns;     /* of the bucket */
	double last_cost_ns; /* what came in from the look before the last to the last */
	uint64_t cost_at_ns; /* when something came in last */
	int rising;	     /* more came in than leaked out, in the last look */
	uint64_t mark_ns[GW_PACE_MARKS], mark_cpu_ns[GW_PACE_MARKS]; /* a ring */
	unsigned int marks;

	/* exact */
	uint64_t exact_since_ns;
	int hot;		      /* a burst, by the last look */
	struct gw_pace_look hot_from; /* before it began; if there is none, the last look */

	/* sched and windows */
	uint64_t backoff_ns;	    /* how long probes stay away at least … */
	uint64_t resume_at_ns;	    /* … that is over then */
	uint64_t next_window_ns;    /* none before */
	uint64_t window_length_ns;  /* of the open one … */
	uint64_t window_end_ns;	    /* … and its end */
	struct gw_pace_look opened; /* as it was opened */
	double cost_rate;	    /* cost per wall time under probes: the worst of late */
	uint64_t rate_at_ns;	    /* when that was found */
	unsigned int calm;	    /* windows in a row that could have stayed open … */
	uint64_t calm_cpu_ns;	    /* … and what it ran in them */
	uint64_t windows;	    /* opened so far */

	/* for people: what the last drop or window rested on */
	double ratio; /* cost per on-CPU time */
	double hits_per_s;
};

/* Begins in GW_PACE_EXACT, or in GW_PACE_SCHED where the budget has no room for a surprise. */
void gw_pace_begin(struct gw_pace *pace, const struct gw_pace_terms *terms,
		   const struct gw_pace_look *look);

/* To be asked when it is due, and at an alarm. The move is taken as made. */
enum gw_pace_move gw_pace_tick(struct gw_pace *pace, const struct gw_pace_look *look);

/* The probes of a window are there, which may have taken its time: it begins now. */
void gw_pace_opened(struct gw_pace *pace, const struct gw_pace_look *look);

/* The window that was to be opened could not be: back to GW_PACE_SCHED for a while. */
void gw_pace_failed(struct gw_pace *pace);

/*
 * When the next look is due at the latest, if there is no alarm before: the end of an open window;
 * a process that costs little is looked at once a second. Looks in between change nothing.
 */
uint64_t gw_pace_due_ns(const struct gw_pace *pace);

/* The number of hits at which a look is due at once: there is no room for more. */
uint64_t gw_pace_alarm_hits(const struct gw_pace *pace);

#endif
