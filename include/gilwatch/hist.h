/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Log-linear histograms of durations: eight buckets an octave, so that a bucket's upper edge is at
 * most 12.5 % above anything in it; below 64 ns the buckets are 8 ns wide. The last bucket takes
 * all from 2^36 ns (69 s) on.
 */
#ifndef GW_HIST_H
#define GW_HIST_H

#include "gilwatch/types.h"

#define GW_HIST_UNIT_SHIFT 3 /* the unit of the linear part: 8 ns */
#define GW_HIST_SUB_SHIFT  3 /* eight buckets an octave */
#define GW_HIST_TOP_SHIFT  36
#define GW_HIST_BUCKETS                                                                            \
	(((GW_HIST_TOP_SHIFT - GW_HIST_UNIT_SHIFT - GW_HIST_SUB_SHIFT + 1) << GW_HIST_SUB_SHIFT) + \
	 1)

/* The buckets of an octave, to skip those without an entry; the last one has a single bucket. */
#define GW_HIST_OCTAVE	(1 << GW_HIST_SUB_SHIFT)
#define GW_HIST_OCTAVES ((GW_HIST_BUCKETS + GW_HIST_OCTAVE - 1) / GW_HIST_OCTAVE)

struct gw_hist {
	__u64 sum_ns;
	__u64 max_ns;
	__u32 octaves; /* bit n: gw_hist_add has counted something in octave n */
	__u32 padding;
	__u64 bucket[GW_HIST_BUCKETS];
};

gw_static_assert(GW_HIST_OCTAVES == 32, "a bit an octave");

gw_inline __u32 gw_hist_octave_buckets(__u32 octave)
{
	return octave == GW_HIST_OCTAVES - 1
		       ? GW_HIST_BUCKETS - (GW_HIST_OCTAVES - 1) * GW_HIST_OCTAVE
		       : GW_HIST_OCTAVE;
}

/* Position of the highest set bit of a value that is not 0. BPF has no instruction for it. */
gw_inline __u32 gw_log2(__u64 value)
{
	__u32 log = 0;

	/* Without a branch, or else these were 32 paths: whether anything is in the upper half. */
	for (__u32 half = 32; half; half /= 2) {
		__u64 upper = ((value >> half) + (1ULL << half) - 1) >> half;
		__u32 shift = (__u32)upper * half;

		value >>= shift;
		log += shift;
	}
	return log;
}

/*
 * The bucket of a duration. Buckets are half open from below, (lower, upper], as Prometheus reads
 * them: 64 ns exactly belongs to the bucket whose upper edge is 64.
 */
gw_inline __u32 gw_hist_index(__u64 ns)
{
	__u64 units = ns ? (ns - 1) >> GW_HIST_UNIT_SHIFT : 0;
	__u32 octave, index;

	if (units < 1 << GW_HIST_SUB_SHIFT)
		return (__u32)units;
	octave = gw_log2(units) - GW_HIST_SUB_SHIFT;
	index = ((octave + 1) << GW_HIST_SUB_SHIFT) +
		((__u32)(units >> octave) & ((1 << GW_HIST_SUB_SHIFT) - 1));
	return index < GW_HIST_BUCKETS ? index : GW_HIST_BUCKETS - 1;
}

/* The upper edge of a bucket in nanoseconds, inclusive; 0 for the last one, which has none. */
gw_inline __u64 gw_hist_upper_ns(__u32 index)
{
	__u32 octave, sub;

	if (index >= GW_HIST_BUCKETS - 1)
		return 0;
	if (index < 1 << GW_HIST_SUB_SHIFT)
		return (__u64)(index + 1) << GW_HIST_UNIT_SHIFT;
	octave = (index >> GW_HIST_SUB_SHIFT) - 1;
	sub = (index & ((1 << GW_HIST_SUB_SHIFT) - 1)) | 1 << GW_HIST_SUB_SHIFT;
	return (__u64)(sub + 1) << (octave + GW_HIST_UNIT_SHIFT);
}

gw_once int gw_hist_add(struct gw_hist *hist, __u64 ns)
{
	__u32 index = gw_hist_index(ns);

	/* The verifier does not follow the arithmetic of the index. */
	gw_forget_bounds(index);
	if (!hist || index >= GW_HIST_BUCKETS)
		return 0;
	hist->bucket[index]++;
	hist->octaves |= 1U << (index >> GW_HIST_SUB_SHIFT);
	hist->sum_ns += ns;
	if (ns > hist->max_ns)
		hist->max_ns = ns;
	return 0;
}

#endif
