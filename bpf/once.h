/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Global functions around the pure code. The verifier checks a global function once, by its
 * argument types, where it would follow inlined code anew on each path that leads to it. It takes
 * pointers for possibly NULL (5.13 and later), and a function that several objects define has to be
 * weak.
 */
#ifndef GW_BPF_ONCE_H
#define GW_BPF_ONCE_H

#include "maps.h"

#include "gilwatch/cause.h"
#include "gilwatch/overlap.h"

#define gw_once __weak __noinline

gw_once int gw_cause_once(const struct gw_leave *leave)
{
	return leave ? (int)gw_cause(leave) : GW_BLOCKED_OTHER;
}

gw_once int gw_switch_out_once(struct gw_thread *t, struct gw_gil_state *gil, __u64 now,
			       const struct gw_out *out, struct gw_effects *e)
{
	if (t && out && e)
		gw_switch_out(t, gil, now, out, e);
	return 0;
}

gw_once int gw_overlap_once(struct gw_overlap *overlap, struct gw_thread *t)
{
	if (overlap && t)
		gw_overlap_follow(overlap, t);
	return 0;
}

gw_once int gw_hist_add_once(struct gw_hist *hist, __u64 ns)
{
	if (hist)
		gw_hist_add(hist, ns);
	return 0;
}

gw_once int gw_hist_fold_once(struct gw_hist *to, const struct gw_hist *from)
{
	if (!to || !from)
		return 0;
	for (__u32 i = 0; i < GW_HIST_BUCKETS; i++)
		if (from->bucket[i])
			__sync_fetch_and_add(&to->bucket[i], from->bucket[i]);
	__sync_fetch_and_or(&to->octaves, from->octaves);
	__sync_fetch_and_add(&to->sum_ns, from->sum_ns);
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	return 0;
}

gw_once int gw_hist_clear_once(struct gw_hist *hist)
{
	if (!hist)
		return 0;
	/* volatile, or else the compiler makes a memset of it, which BPF does not have. */
	for (__u32 i = 0; i < GW_HIST_BUCKETS; i++)
		*(volatile __u64 *)&hist->bucket[i] = 0;
	*(volatile __u64 *)&hist->sum_ns = 0;
	*(volatile __u64 *)&hist->max_ns = 0;
	*(volatile __u32 *)&hist->octaves = 0;
	return 0;
}

#endif
