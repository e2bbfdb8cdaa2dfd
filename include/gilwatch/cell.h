/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The accounting model: at every instant a thread is in exactly one cell (gil × where). A thread's
 * open interval is one word, its span: when it began and in which cell. Closing a span adds the
 * elapsed time to its cell and opens the next one, so that the cells plus the open span always sum
 * to the wall time under watch.
 */
#ifndef GW_CELL_H
#define GW_CELL_H

#include "gilwatch/types.h"

enum gw_gil {
	GW_GIL_UNKNOWN, /* before the first evidence, or no GIL facts to be had */
	GW_GIL_NONE,	/* released */
	GW_GIL_WAITING,
	GW_GIL_HOLDING,
	/*
	 * On a CPU while only the sampler could tell whether the GIL is held: a pool that readers
	 * split into holding and none by the samples. Occurs with GW_RUNNING only.
	 */
	GW_GIL_SAMPLED,
	GW_GIL_COUNT,
};

enum gw_where {
	GW_RUNNING,
	GW_RUNNABLE, /* waiting for a CPU */
	GW_STOPPED,  /* by a signal, a tracer or the freezer */
	GW_BLOCKED_GIL,
	GW_BLOCKED_LOCK,
	GW_BLOCKED_SLEEP,
	GW_BLOCKED_DISK,
	GW_BLOCKED_NET,
	GW_BLOCKED_PIPE,
	GW_BLOCKED_POLL,
	GW_BLOCKED_FAULT,
	GW_BLOCKED_CHILD,
	GW_BLOCKED_OTHER,
	GW_WHERE_COUNT,
};

/* Time per cell, in nanoseconds. */
struct gw_cells {
	__u64 ns[GW_GIL_COUNT][GW_WHERE_COUNT];
};

/*
 * A span packs the time at which the open interval began (nanoseconds since the watch's epoch, 56
 * bits: 2.2 years of watching) with its cell, so that one atomic operation changes both. 0 is "no
 * span yet": the epoch lies at least a nanosecond before the first one.
 */
typedef __u64 gw_span;

gw_inline gw_span gw_span_make(__u64 since_ns, enum gw_gil gil, enum gw_where where)
{
	return since_ns << 8 | (__u64)gil << 4 | (__u64)where;
}

gw_inline __u64 gw_span_since_ns(gw_span span)
{
	return span >> 8;
}

gw_inline enum gw_gil gw_span_gil(gw_span span)
{
	return (enum gw_gil)(span >> 4 & 0xf);
}

gw_inline enum gw_where gw_span_where(gw_span span)
{
	return (enum gw_where)(span & 0xf);
}

gw_static_assert(GW_GIL_COUNT <= 16 && GW_WHERE_COUNT <= 16, "a span holds four bits of each");

#endif
