/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A watch over processes: which there are, what each runs, by which engine it is measured, and the
 * time in which that goes on. The stages: select, start, (tick, look), finish, free.
 */
#ifndef GW_WATCH_H
#define GW_WATCH_H

#include "model/raw.h"
#include "model/snapshot.h"
#include "watch/choice.h"
#include "watch/watched.h"

struct gw_watch {
	/* what is wanted */
	const struct gw_host *host;
	enum gw_choice engine;
	double budget;	/* of auto: what probes may cost, as a share of on-CPU time */
	int follow;	/* children, and the programs that processes become */
	int childless;	/* of these, the programs alone */
	int keep_ended; /* threads that end keep figures of their own, of a few hundred a process */
	int pairless;	/* nobody asks who made whom wait, which is not kept then */
	uint64_t duration_ns;
	uint64_t begin_at_ns;	     /* CLOCK_MONOTONIC; 0: at once */
	int progress;		     /* a line on standard error */
	struct gw_file_cache *files; /* what is known of Pythons' files, from now on the watch's;
					NULL: nothing is kept */
	/* of one that lasts (standing.h); 0: not */
	size_t slots;		/* for that many processes at a time */
	int nameless;		/* nobody looks at threads' names, which Python's memory has */
	uint64_t limits_age_ns; /* limits of a process are read again after that time */
	/* Told of each process that has ended, and that no later look has. 0 or -ENOMEM. */
	int (*on_end)(const struct gw_process_view *process, void *data);
	void *on_end_data;
	/* Told of each that turned out later not to be one to watch, or to get no probes. */
	void (*on_refusal)(const struct gw_watched *watched, const struct gw_error *why,
			   void *data);
	void *on_refusal_data;
	/* Whether a child is not to be watched. */
	int (*excludes)(const struct gw_watched *child, void *data);
	void *excludes_data;

	/* what there is; the watch's own */
	struct gw_watched_list list;
	struct gw_watched **by_slot;
	struct gw_session *session;
	struct gw_loading *loading; /* of the session; NULL: none goes on */
	int signals;		    /* becomes readable with SIGINT, SIGTERM and SIGHUP */
	int alarm; /* becomes readable when a tick may be due at once; -1: it has not begun */
	struct gw_raw raw; /* empty, but for how much there was at the last look */
	size_t ticks;
	uint64_t budget_ticked_ns;  /* the last look at what probes cost, on the session's clock */
	uint64_t ticked_ns, due_ns; /* the last tick, and the next one if there is no news */
	uint64_t gils_ns;	    /* the last look at all GILs */
	uint64_t not_followed;	    /* processes that were no Python, and left their slots */
};

/*
 * Begins to load, with room for so many processes to be selected, while they are looked into; what
 * is wanted is set by then. Without it, start loads.
 */
void gw_watch_prepare(struct gw_watch *watch, size_t selected);

/*
 * Adds a process that was asked for, and finds out what it runs. What cannot be watched is kept
 * with its error. 0 or -ENOMEM with err set.
 */
int gw_watch_select(struct gw_watch *watch, pid_t pid, struct gw_error *err);

/*
 * Adds a process that has been made to become the command of a run once the watch has begun: the
 * program that it becomes is watched from its first instruction, as if it had been asked for. The
 * watch must follow. 0 or -ENOMEM with err set.
 */
int gw_watch_launch(struct gw_watch *watch, pid_t pid, struct gw_error *err);

/*
 * How long the command of a run ran before its Python was found, seen by the scheduler alone;
 * GW_ABSENT_NS: no Python was found in it.
 */
int64_t gw_watch_before_python_ns(const struct gw_watch *watch);

/* Loads, attaches and begins to count. 0 or a negative errno with err set. */
int gw_watch_start(struct gw_watch *watch, struct gw_error *err);

/*
 * One round of what a watch has to do while it goes on: processes that come and go, new programs
 * and GILs, the rates of probe hits. To be called whenever it is due; late calls make it slower to
 * notice things, and nothing wrong. 0 or a negative errno with err set.
 */
int gw_watch_tick(struct gw_watch *watch, struct gw_error *err);

/*
 * Adds a process while it goes on. 0 (also where it cannot be watched, which it then says itself),
 * or a negative errno with err set: -ENOSPC: there is no room.
 */
int gw_watch_add(struct gw_watch *watch, pid_t pid, struct gw_error *err);

/* Nanoseconds until the next tick is due; 0: now. */
uint64_t gw_watch_due_ns(const struct gw_watch *watch);

/* Whether a watched process, or a Python that it became or made, still runs. */
int gw_watch_alive(const struct gw_watch *watch);

/*
 * Puts a (zeroed) snapshot together of what has been measured so far, without verdicts, the threads
 * in no order; counting goes on. ended is what it says of processes that still run. 0 or a negative
 * errno with err set.
 */
int gw_watch_look(struct gw_watch *watch, enum gw_ended ended, struct gw_snapshot *snapshot,
		  struct gw_error *err);

/* The same of what has been read already. */
int gw_watch_collect(struct gw_watch *watch, const struct gw_raw *raw, enum gw_ended ended,
		     struct gw_snapshot *snapshot, struct gw_error *err);

/*
 * Stops counting, and looks for the last time; the busiest threads come first. 0 or a negative
 * errno with err set.
 */
int gw_watch_finish(struct gw_watch *watch, enum gw_ended ended, struct gw_snapshot *snapshot,
		    struct gw_error *err);

void gw_watch_free(struct gw_watch *watch);

#endif
