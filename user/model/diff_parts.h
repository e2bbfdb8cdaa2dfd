/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a comparison. */
#ifndef GW_DIFF_PARTS_H
#define GW_DIFF_PARTS_H

#include "model/diff.h"

/* Sets the figures of a pair of processes that were both measured. */
void gw_diff_figures(struct gw_diff_pair *pair);

/* The number of threads over the time watched, on average. */
double gw_diff_threads(const struct gw_process_view *process);

/* Adds up what is known of all processes of a summary that were measured, in a zeroed view. */
void gw_diff_sum(const struct gw_snapshot *snapshot, struct gw_process_view *sum);

/* Says what keeps a pair, or two summaries, from being compared like for like. */
void gw_diff_remark_pair(struct gw_diff_pair *pair);
void gw_diff_remark_all(struct gw_diff *diff);

#endif
