/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Two summaries side by side, as before and after a change. Figures are normalised: to the wall
 * time of all threads, or to a second.
 */
#ifndef GW_DIFF_H
#define GW_DIFF_H

#include "model/snapshot.h"

/*
 * One figure before and after; NAN: not known. Changes of up to noise come by themselves; INFINITY:
 * it rests on too few events to compare.
 */
struct gw_difference {
	double before, after;
	double noise;
};

enum gw_direction {
	GW_DIRECTION_SAME, /* within the noise */
	GW_DIRECTION_LESS,
	GW_DIRECTION_MORE,
	GW_DIRECTION_UNKNOWN, /* not known before or after, or too few events */
};

enum gw_direction gw_difference_direction(const struct gw_difference *difference);

enum gw_diff_figure {
	GW_DIFF_THREADS, /* on average, over the time watched */
	GW_DIFF_PARALLELISM_PYTHON,
	GW_DIFF_PARALLELISM_NATIVE,
	GW_DIFF_GIL_HELD, /* share of the time watched, of the GIL that is held most */
	GW_DIFF_INTERVAL,
	GW_DIFF_ACQUISITIONS, /* of that GIL; a second, as the next two */
	GW_DIFF_FORCED_RELEASES,
	GW_DIFF_HOLDER_CHANGES,
	GW_DIFF_HOLD_P50,
	GW_DIFF_HOLD_P99,
	GW_DIFF_WAIT_P50,
	GW_DIFF_WAIT_P99,
	GW_DIFF_RESUME_P50,
	GW_DIFF_RESUME_P99,
	GW_DIFF_DELAY_RATIO,
	GW_DIFF_MIGRATIONS, /* a second */
	GW_DIFF_FIGURE_COUNT,
};

enum gw_diff_unit {
	GW_UNIT_NUMBER,
	GW_UNIT_RATIO, /* of one: told in percent */
	GW_UNIT_SECONDS,
	GW_UNIT_PER_SECOND,
};

enum gw_diff_unit gw_diff_unit(enum gw_diff_figure figure);

struct gw_diff_verdict {
	const struct gw_verdict *before, *after; /* of one code; NULL: not given */
};

#define GW_DIFF_REMARKS_MAX   10
#define GW_DIFF_PROCESSES_MAX 2000 /* of a summary; a remark says that there are more */

/* Why the two are not to be compared like for like, a sentence each. */
struct gw_diff_remarks {
	char text[GW_DIFF_REMARKS_MAX][256];
	size_t count;
};

/* A process before and after; NULL: there is none that could be the same. */
struct gw_diff_pair {
	const struct gw_process_view *before, *after;
	int compared; /* neither is missing, and both could be measured */
	/* gone, then new, then both; none where one could not be measured */
	struct gw_diff_verdict verdict[2 * GW_VERDICTS_MAX];
	size_t verdict_count;
	/* The rest is set where they are compared: */
	int by_threads; /* shares mislead: the numbers of threads are far apart */
	struct gw_difference state[GW_STATE_COUNT];   /* share of all threads' wall time */
	struct gw_difference threads[GW_STATE_COUNT]; /* how many are in it, on average */
	struct gw_difference figure[GW_DIFF_FIGURE_COUNT];
	struct gw_diff_remarks remarks;
};

struct gw_diff {
	const struct gw_snapshot *before, *after;
	struct gw_diff_pair *pair; /* in the order of before; what is only in after comes last */
	size_t pair_count;
	/*
	 * The sums over all processes, where either summary has several, and the verdicts on all of
	 * them; figures of single processes are not known in it. together.before is NULL otherwise.
	 */
	struct gw_diff_pair together;
	struct gw_process_view *sum; /* before, after */
	struct gw_diff_remarks remarks;
};

/*
 * Compares two summaries, which must live as long as the (zeroed) result. Processes are the same by
 * PID and command, else by command, else by their order. 0 or -ENOMEM.
 */
int gw_diff_make(const struct gw_snapshot *before, const struct gw_snapshot *after,
		 struct gw_diff *diff);

/* Frees what is inside. */
void gw_diff_clear(struct gw_diff *diff);

#endif
