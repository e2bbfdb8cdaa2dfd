/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Work on whole records that only the programs do. */
#ifndef GW_BPF_ONCE_H
#define GW_BPF_ONCE_H

#include "maps.h"

#include "gilwatch/cause.h"
#include "gilwatch/overlap.h"

/* Adds word by word: all of it counts up. */
gw_once int gw_tally_fold_once(struct gw_tally *to, const struct gw_tally *from)
{
	__u64 *sum = (__u64 *)to;
	const __u64 *word = (const __u64 *)from;

	for (__u32 i = 0; to && from && i < GW_TALLY_WORDS; i++)
		if (word[i])
			__sync_fetch_and_add(&sum[i], word[i]);
	return 0;
}

gw_once int gw_octave_fold(struct gw_hist *to, const struct gw_hist *from, __u32 octave)
{
	__u32 first = octave * GW_HIST_OCTAVE;

	for (__u32 i = 0; to && from && i < GW_HIST_OCTAVE; i++)
		if (first + i < GW_HIST_BUCKETS && from->bucket[first + i])
			__sync_fetch_and_add(&to->bucket[first + i], from->bucket[first + i]);
	return 0;
}

gw_once int gw_hist_fold_once(struct gw_hist *to, const struct gw_hist *from)
{
	if (!to || !from)
		return 0;
	for (__u32 octave = 0; octave < GW_HIST_OCTAVES; octave++)
		if (from->octaves >> octave & 1)
			gw_octave_fold(to, from, octave);
	__sync_fetch_and_or(&to->octaves, from->octaves);
	__sync_fetch_and_add(&to->sum_ns, from->sum_ns);
	if (from->max_ns > to->max_ns)
		to->max_ns = from->max_ns;
	return 0;
}

/* For one that several CPUs may add to at a time. */
gw_once int gw_hist_add_shared(struct gw_hist *hist, __u64 ns)
{
	__u32 index = gw_hist_index(ns);
	__u64 most;

	gw_forget_bounds(index);
	if (!hist || index >= GW_HIST_BUCKETS)
		return 0;
	__sync_fetch_and_add(&hist->bucket[index], 1);
	__sync_fetch_and_or(&hist->octaves, 1U << (index >> GW_HIST_SUB_SHIFT));
	__sync_fetch_and_add(&hist->sum_ns, ns);
	/* It fails only where another has just made it larger. */
	for (int i = 0; i < 4; i++) {
		most = *(volatile __u64 *)&hist->max_ns;
		if (ns <= most || __sync_val_compare_and_swap(&hist->max_ns, most, ns) == most)
			break;
	}
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

/* Whether a thread of the process is among those that ended last. */
gw_once int gw_has_ended_once(const struct gw_process *process, __u32 tid)
{
	if (!process || !tid)
		return 0;
	for (__u32 i = 0; i < GW_DEAD_KEPT; i++)
		if (process->dead[i] == tid)
			return 1;
	return 0;
}

#endif
