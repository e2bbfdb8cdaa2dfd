/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A tally's figures: cells split, folded and summed. */
#ifndef GW_FIGURES_H
#define GW_FIGURES_H

#include "model/raw.h"
#include "model/snapshot.h"

struct gw_figures {
	int64_t cells_ns; /* the plain sum of all cells */
	struct gw_states states;
	int64_t where_ns[GW_WHERE_COUNT];
	int64_t held_off_by_ns[GW_WHERE_COUNT];
	int64_t oncpu_waiting_ns;
	int64_t holding_ns;	   /* all holding cells, sampled ones included */
	struct gw_sampled sampled; /* what the sampler had to split */
	int64_t python_error_ns;
};

/* A thread's samples, with those of the slice that goes on. */
uint64_t gw_figures_samples(const struct gw_thread *thread, enum gw_sample which);

/* The tally of a thread as of end_ns: the open interval is closed in a copy. */
struct gw_tally gw_figures_close(const struct gw_thread *thread, uint64_t end_ns);

/* fallback_share: how to split sampled time that has no sample of its own. */
void gw_figures_fold(const struct gw_tally *tally, double fallback_share,
		     struct gw_figures *figures);

#endif
