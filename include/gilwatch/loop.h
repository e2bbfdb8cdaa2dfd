/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Event loops: a thread that blocks in poll again and again. What it runs between two such blocks
 * holds up everything else that the loop serves.
 */
#ifndef GW_LOOP_H
#define GW_LOOP_H

#include "gilwatch/abi.h"

/*
 * A stretch on the CPU that counts as a stall: a tenth of a second is what people notice, and ten
 * times and more what handlers of a healthy loop take.
 */
#define GW_LOOP_STALL_NS 100000000ULL

/* Time on a CPU so far, with or without the GIL. */
gw_inline __u64 gw_loop_running_ns(const struct gw_cells *cells)
{
	__u64 sum_ns = 0;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++)
		sum_ns += cells->ns[gil][GW_RUNNING];
	return sum_ns;
}

/* What the thread ran since it was last blocked in poll; 0: it never was. */
gw_inline __u64 gw_loop_stretch_ns(const struct gw_thread *t, const struct gw_cells *cells)
{
	__u64 running_ns = gw_loop_running_ns(cells);

	return t->tally.polls && running_ns > t->loop_from_ns ? running_ns - t->loop_from_ns : 0;
}

/* The thread blocks in poll; its time until now is in its cells. */
gw_inline void gw_loop_block(struct gw_thread *t)
{
	__u64 stretch_ns = gw_loop_stretch_ns(t, &t->tally.cells);

	t->tally.polls++;
	t->loop_from_ns = gw_loop_running_ns(&t->tally.cells);
	if (stretch_ns > t->loop_longest_ns)
		t->loop_longest_ns = stretch_ns;
	if (stretch_ns < GW_LOOP_STALL_NS)
		return;
	t->tally.stalls++;
	t->tally.stalled_ns += stretch_ns;
}

#endif
