// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/histogram.h"

#include <string.h>

/* Counts may come from a file that nobody vouches for: they saturate and never wrap. */
static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static int64_t edge_ns(const struct gw_hist *hist, uint32_t index)
{
	uint64_t ns = index == GW_HIST_BUCKETS - 1 ? hist->max_ns : gw_hist_upper_ns(index);

	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

int64_t gw_histogram_percentile_ns(const struct gw_histogram *histogram, unsigned int permille)
{
	const struct gw_hist *hist = &histogram->data;
	uint64_t total = 0, seen = 0, rank;

	/* The buckets are counted, not .count: a reader of live maps may find the two apart by one.
	 */
	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++)
		total = add(total, hist->bucket[i]);
	if (histogram->absent || !total)
		return GW_ABSENT_NS;
	if (permille > 1000)
		permille = 1000;
	rank = (uint64_t)(((unsigned __int128)total * permille + 999) / 1000);
	if (!rank)
		rank = 1;
	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++) {
		seen = add(seen, hist->bucket[i]);
		if (seen >= rank)
			return edge_ns(hist, i);
	}
	return edge_ns(hist, GW_HIST_BUCKETS - 1);
}

int64_t gw_histogram_shown_ns(const struct gw_histogram *h, unsigned int permille)
{
	int64_t ns = gw_histogram_percentile_ns(h, permille);

	return ns > 0 && h->data.max_ns && (uint64_t)ns > h->data.max_ns ? (int64_t)h->data.max_ns
									 : ns;
}

void gw_histogram_merge(struct gw_histogram *sum, const struct gw_histogram *from)
{
	if (sum->absent)
		return;
	if (from->absent) {
		*sum = *from;
		return;
	}
	sum->count = add(sum->count, from->count);
	sum->data.sum_ns = add(sum->data.sum_ns, from->data.sum_ns);
	if (from->data.max_ns > sum->data.max_ns)
		sum->data.max_ns = from->data.max_ns;
	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++)
		sum->data.bucket[i] = add(sum->data.bucket[i], from->data.bucket[i]);
}
