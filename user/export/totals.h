/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What of a process adds up: over time, over the processes of a group, and over those that have
 * ended. Pure. All words are int64_t, nanoseconds or counts, so that sums are taken word by word.
 */
#ifndef GW_TOTALS_H
#define GW_TOTALS_H

#include "gilwatch/abi.h"
#include "model/snapshot.h"

/* What a thread on a CPU has of the GIL. */
enum gw_oncpu {
	GW_ONCPU_HELD,
	GW_ONCPU_RELEASED,
	GW_ONCPU_WAITING,
	GW_ONCPU_UNKNOWN,
	GW_ONCPU_COUNT,
};

enum gw_resume_part {
	GW_RESUME_RUNQUEUE,
	GW_RESUME_GIL,
	GW_RESUME_PARTS,
};

/* GILs by the number of their interpreter; the last stands for all higher numbers. */
#define GW_INTERPRETERS 17

/*
 * Upper edges of the exported histograms in nanoseconds. Each is the upper edge of an internal
 * bucket (gw_hist_upper_ns), so that nothing is interpolated; the last bucket has none.
 */
#define GW_EDGES 16
extern const uint64_t gw_edges_ns[GW_EDGES];

struct gw_edged {
	int64_t bucket[GW_EDGES + 1]; /* not cumulative */
	int64_t sum_ns;
};

/* Losses by enum gw_lost, and behind them switches that no tracepoint told of. */
#define GW_LOST_SWITCH	GW_LOST_COUNT
#define GW_LOST_REASONS (GW_LOST_COUNT + 1)

struct gw_totals {
	int64_t wall_ns;
	int64_t state_ns[GW_STATE_COUNT]; /* sum to wall_ns */
	int64_t oncpu_ns[GW_ONCPU_COUNT];
	int64_t held_off_ns[GW_WHERE_COUNT];
	int64_t by_holder_ns[GW_HOLDER_COUNT]; /* sum to the state gil_wait */
	int64_t gil_held_ns[GW_INTERPRETERS];
	int64_t gil_acquisitions[GW_INTERPRETERS];
	int64_t gil_forced_releases[GW_INTERPRETERS];
	int64_t gil_exact_ns[GW_INTERPRETERS]; /* time in which the two counts above advanced */
	int64_t handovers[GW_DISTANCE_COUNT];
	int64_t migrations[GW_DISTANCE_COUNT];
	struct gw_edged wait, hold, resume;
	int64_t resume_part_ns[GW_RESUME_PARTS];
	int64_t threads_started;
	int64_t throttled_ns;
	/* what measuring it took, and what got lost */
	int64_t probe_hits, probe_cost_ns;
	int64_t corrected;
	int64_t lost[GW_LOST_REASONS];
};

/* The totals of a process so far. What is not known of it counts nothing. */
void gw_totals_of(const struct gw_process_view *process, struct gw_totals *totals);

void gw_totals_add(struct gw_totals *sum, const struct gw_totals *part);

/*
 * Makes totals the successor of last: no word is below what it was, and what sums to a whole still
 * does. Estimates (python against native, without probes) may be corrected downwards later: the
 * counter then waits until the estimate has caught up.
 */
void gw_totals_ratchet(const struct gw_totals *last, struct gw_totals *totals);

/* The same for times that sum to a whole. */
void gw_states_ratchet(const struct gw_states *last, struct gw_states *states, int64_t whole_ns);

/* The slot of an interpreter's number. */
size_t gw_interpreter_slot(int64_t interpreter);

#endif
