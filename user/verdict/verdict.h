/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Verdicts: what the figures of a snapshot mean, and what to do about it. */
#ifndef GW_VERDICT_H
#define GW_VERDICT_H

#include "model/snapshot.h"

/* Judges one process; returns how many verdicts it put into out, worst first. Pure. */
size_t gw_verdict_process(const struct gw_snapshot *snapshot, const struct gw_process_view *process,
			  struct gw_verdict out[GW_VERDICTS_MAX]);

/* The code of each rule in turn, NULL behind the last. */
const char *gw_verdict_rule_code(size_t index);

/* Fills the verdicts of every process of the snapshot, and those over several of them. */
void gw_verdicts_judge(struct gw_snapshot *snapshot);

#endif
