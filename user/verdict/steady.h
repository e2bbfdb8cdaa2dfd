/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A headline that people can read while the figures move: the worst verdict of a process from
 * interval to interval, without the flicker of a figure that plays about its threshold.
 */
#ifndef GW_VERDICT_STEADY_H
#define GW_VERDICT_STEADY_H

#include "model/snapshot.h"

/* Judgements in a row that another verdict has to be the worst in before it is shown as that. */
#define GW_STEADY_TIMES 2

struct gw_steady {
	struct gw_verdict shown;
	int any;	   /* shown is filled */
	char rival[32];	   /* code of the verdict that wants its place */
	unsigned int seen; /* times in a row that it has been the worst */
};

/*
 * The state after one more judgement, whose verdicts are those of the process (worst first). The
 * shown verdict stays while it is still among them as severe as the worst, with its figures of now;
 * else another takes its place after GW_STEADY_TIMES judgements, at once if there was none. Pure.
 */
struct gw_steady gw_steady_next(const struct gw_steady *former,
				const struct gw_process_view *process);

#endif
