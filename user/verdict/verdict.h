/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdicts: what the figures of a snapshot mean, and what to do about it. */
#ifndef GW_VERDICT_H
#define GW_VERDICT_H

#include "model/snapshot.h"

/*
 * Judges one process; returns how many verdicts it put into out, worst first. Where it is judged
 * again and again, shown is the verdict of before that is shown, and stays more easily than it
 * would come (ease.h); NULL: there is none. Pure.
 */
size_t gw_verdict_process(const struct gw_snapshot *snapshot, const struct gw_process_view *process,
			  const struct gw_verdict *shown, struct gw_verdict out[GW_VERDICTS_MAX]);

/* The code of each rule in turn, NULL behind the last. */
const char *gw_verdict_rule_code(size_t index);

/* Fills the verdicts of every process of the snapshot, and those over several of them. */
void gw_verdicts_judge(struct gw_snapshot *snapshot);

/*
 * The same where it is done again and again: shown[i] is the verdict that is shown of process i
 * (NULL: none), and family those over several.
 */
void gw_verdicts_judge_again(struct gw_snapshot *snapshot, const struct gw_verdict *const *shown,
			     const struct gw_verdict *family, size_t family_count);

#endif
