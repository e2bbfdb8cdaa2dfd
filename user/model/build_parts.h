/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of building a snapshot, for build.c alone. */
#ifndef GW_BUILD_PARTS_H
#define GW_BUILD_PARTS_H

#include "model/raw.h"
#include "model/snapshot.h"

/* Why there are no holds. */
#define GW_NO_PROBES "the sched engine has no probes and does not see single holds"

struct gw_build {
	const struct gw_raw *raw;
	const struct gw_process *process;
	size_t slot;
	uint64_t end_ns;
	const char *no_gil; /* why there are no GIL facts; NULL: there are */
	int exact;	    /* probes all the time */
	int probed;	    /* probes some of the time */
	uint64_t exact_ns;  /* that time */
	double share;	    /* of held, for sampled time without a sample */
	/* the process's own threads that were there before its end, in no order */
	const struct gw_raw_thread **thread;
	size_t thread_count;
	/* of all its threads, by fill_threads(): what they held, and waited after forced releases
	 */
	int64_t holding_ns, handover_ns;
	/* the process's own, sorted by tid and start, and by the one who inflicts */
	struct gw_raw_cpu *cpu;
	size_t cpu_count;
	struct gw_raw_pair *pair;
	size_t pair_count;
};

/* Adds the entries of a thread's histogram, unless to is absent. 0 or -ENOMEM. */
int gw_build_add_hist(const struct gw_raw *raw, const struct gw_raw_hist *from,
		      struct gw_histogram *to);

/* The same for a histogram that is of no single thread. */
int gw_build_add_sum(const struct gw_raw *raw, enum gw_sum which, size_t slot,
		     struct gw_histogram *to);

/* Finds what is the process's own, and frees that. 0 or -ENOMEM. */
int gw_build_index(struct gw_build *b);
void gw_build_index_free(struct gw_build *b);

/* Time by CPU of a thread, and of the whole process. 0 or -ENOMEM. */
int gw_build_thread_cpus(const struct gw_build *b, const struct gw_thread *thread,
			 struct gw_thread_view *view);
int gw_build_process_cpus(const struct gw_build *b, struct gw_process_view *view);

/* Holds, waits and blocks that had not ended. 0 or -ENOMEM. */
int gw_build_open(const struct gw_build *b, struct gw_process_view *view);

/* The rows of view->gil, and the split of waiting by what the holder did. 0 or -ENOMEM. */
int gw_build_gils(const struct gw_build *b, struct gw_process_view *view);

/* The holds and waits of a GIL, by its slot. 0 or -ENOMEM. */
int gw_build_gil_hists(const struct gw_build *b, uint32_t slot, struct gw_gil_row *row);

/* Whether the thread is what a GIL's books take for its holder. */
int gw_build_is_holder(const struct gw_build *b, const struct gw_thread *thread);

/* Waiting for a GIL (by slot) up to the end that is in W(t) but not booked to its holder yet. */
int64_t gw_build_unbooked(const struct gw_build *b, uint32_t gil);

/* Who made whom wait: the largest pairs, and the rest. 0 or -ENOMEM. */
int gw_build_inflicted(const struct gw_build *b, struct gw_process_view *view);

/* What the pairs say that a thread made others wait. */
int64_t gw_build_inflicted_by(const struct gw_build *b, uint32_t tid);

#endif
