// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/build_parts.h"
#include "model/histogram.h"

int gw_build_add_sum(const struct gw_raw *raw, enum gw_sum which, size_t slot,
		     struct gw_histogram *to)
{
	const struct gw_raw_hist *sum = gw_raw_sum(raw, which, slot);

	return sum ? gw_build_add_hist(raw, sum, to) : 0;
}

int gw_build_add_hist(const struct gw_raw *raw, const struct gw_raw_hist *from,
		      struct gw_histogram *to)
{
	const struct gw_hist_head head = {
		.sum_ns = from->sum_ns,
		.max_ns = from->max_ns,
		.octaves = from->octaves,
	};

	return head.octaves ? gw_histogram_merge_packed(to, &head, raw->bucket + from->at) : 0;
}
