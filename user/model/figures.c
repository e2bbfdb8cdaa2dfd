// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/figures.h"

#include <string.h>

#include "model/split.h"

uint64_t gw_figures_samples(const struct gw_thread *thread, enum gw_sample which)
{
	return thread->tally.samples[which] + thread->slice_samples[which];
}

struct gw_tally gw_figures_close(const struct gw_thread *thread, uint64_t end_ns)
{
	struct gw_tally tally = thread->tally;
	uint64_t since_ns = gw_span_since_ns(thread->span);
	enum gw_gil gil = gw_span_gil(thread->span);
	enum gw_where where = gw_span_where(thread->span);

	/* What has ended has nothing open. */
	if (thread->flags & GW_THREAD_DEAD)
		end_ns = since_ns;
	if (end_ns > since_ns && gil < GW_GIL_COUNT && where < GW_WHERE_COUNT)
		tally.cells.ns[gil][where] += end_ns - since_ns;
	if (thread->handover_since_ns && end_ns > thread->handover_since_ns)
		tally.handover_ns += end_ns - thread->handover_since_ns;
	for (int i = 0; i < GW_SAMPLE_COUNT; i++)
		tally.samples[i] = gw_figures_samples(thread, (enum gw_sample)i);
	tally.sample_squares += thread->slice_squares;
	return tally;
}

/* Adds a time that is surely in one cell. */
static void add_cell(struct gw_figures *f, enum gw_gil gil, enum gw_where where, int64_t ns)
{
	enum gw_state state = gw_fold(gil, where);

	f->states.ns[state] += ns;
	if (state == GW_STATE_HELD_OFF)
		f->held_off_by_ns[where] += ns;
	if (gil == GW_GIL_HOLDING)
		f->holding_ns += ns;
	if (gil == GW_GIL_WAITING && where == GW_RUNNING)
		f->oncpu_waiting_ns += ns;
}

void gw_figures_fold(const struct gw_tally *tally, double fallback_share,
		     struct gw_figures *figures)
{
	struct gw_sampled *sampled = &figures->sampled;
	struct gw_split split;

	memset(figures, 0, sizeof(*figures));
	sampled->taken = (struct gw_samples){
		.held = tally->samples[GW_SAMPLE_HELD],
		.released = tally->samples[GW_SAMPLE_RELEASED],
		.squares = tally->sample_squares,
	};
	for (int gil = 0; gil < GW_GIL_COUNT; gil++) {
		for (int where = 0; where < GW_WHERE_COUNT; where++) {
			int64_t ns = (int64_t)tally->cells.ns[gil][where];

			figures->cells_ns += ns;
			figures->where_ns[where] += ns;
			if (gil == GW_GIL_SAMPLED)
				sampled->ns += ns;
			else
				add_cell(figures, (enum gw_gil)gil, (enum gw_where)where, ns);
		}
	}
	split = gw_split_pool(sampled->ns, &sampled->taken, fallback_share);
	sampled->held_ns = split.held_ns;
	add_cell(figures, GW_GIL_HOLDING, GW_RUNNING, split.held_ns);
	add_cell(figures, GW_GIL_NONE, GW_RUNNING, split.released_ns);
	figures->python_error_ns = split.error_ns;
}
