// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Which holds and waits were a GIL's. The kernel keeps them by thread, and for GILs that are not
 * their process's first once more by GIL: what is left of the threads' is the first one's.
 */
#include "model/build_parts.h"
#include "model/histogram.h"

struct both {
	struct gw_histogram hold, wait;
};

static void clear(struct both *both)
{
	gw_histogram_clear(&both->hold);
	gw_histogram_clear(&both->wait);
}

static int add_threads(const struct gw_build *b, struct both *sum)
{
	int code = gw_build_add_sum(b->raw, GW_SUM_ENDED_HOLD, b->slot, &sum->hold);

	if (!code)
		code = gw_build_add_sum(b->raw, GW_SUM_ENDED_WAIT, b->slot, &sum->wait);
	for (size_t i = 0; !code && i < b->thread_count; i++) {
		code = gw_build_add_hist(b->raw, &b->thread[i]->hold, &sum->hold);
		if (!code)
			code = gw_build_add_hist(b->raw, &b->thread[i]->wait, &sum->wait);
	}
	return code;
}

/* What is kept by GIL; of the first one's slot, what is left of those that have gone. */
static int add_gil(const struct gw_build *b, uint32_t slot, struct both *sum)
{
	int code = gw_build_add_sum(b->raw, GW_SUM_GIL_HOLD, slot, &sum->hold);

	return code ? code : gw_build_add_sum(b->raw, GW_SUM_GIL_WAIT, slot, &sum->wait);
}

static int fill_first(const struct gw_build *b, uint32_t slot, struct gw_gil_row *row)
{
	struct both all = {0}, others = {0};
	int code = add_threads(b, &all);

	for (uint32_t i = 0; !code && i < GW_GILS_PER_PROCESS; i++)
		code = add_gil(b, slot + i, &others);
	if (!code)
		code = gw_histogram_minus(&row->hold, &all.hold, &others.hold);
	if (!code)
		code = gw_histogram_minus(&row->wait, &all.wait, &others.wait);
	clear(&all);
	clear(&others);
	return code;
}

int gw_build_gil_hists(const struct gw_build *b, uint32_t slot, struct gw_gil_row *row)
{
	struct both own = {0};
	int code;

	if (slot % GW_GILS_PER_PROCESS == 0)
		return fill_first(b, slot, row);
	code = add_gil(b, slot, &own);
	row->hold = own.hold;
	row->wait = own.wait;
	return code;
}
