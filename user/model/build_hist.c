// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/build_parts.h"

static uint64_t add_octave(uint64_t *to, const __u64 *from, uint32_t buckets)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < buckets; i++) {
		to[i] += from[i];
		count += from[i];
	}
	return count;
}

void gw_build_add_hist(const struct gw_raw *raw, const struct gw_raw_hist *from,
		       struct gw_histogram *to)
{
	const __u64 *bucket = raw->bucket + from->at;

	if (to->absent || !from->octaves)
		return;
	to->data.sum_ns += from->sum_ns;
	to->data.octaves |= from->octaves;
	if (from->max_ns > to->data.max_ns)
		to->data.max_ns = from->max_ns;
	for (uint32_t i = 0; i < GW_HIST_OCTAVES; i++) {
		uint32_t buckets = gw_hist_octave_buckets(i);

		if (!(from->octaves >> i & 1))
			continue;
		to->count += add_octave((uint64_t *)&to->data.bucket[i * GW_HIST_OCTAVE], bucket,
					buckets);
		bucket += buckets;
	}
}
