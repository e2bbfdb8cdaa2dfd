// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/histogram.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define REASON_LENGTH 95

/* Counts may come from a file that nobody vouches for: they saturate and never wrap. */
static uint64_t add(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

/* ---- buckets in memory: those of the octaves that are named, ascending ---- */

static int has(uint32_t octaves, uint32_t octave)
{
	return octaves >> octave & 1;
}

/* Where the buckets of an octave are, or would be. */
static size_t place_of(uint32_t octaves, uint32_t octave)
{
	return (size_t)__builtin_popcount(octaves & ((1U << octave) - 1)) * GW_HIST_OCTAVE;
}

/* How many buckets there are. Only the last octave is a shorter one. */
static size_t size_of(uint32_t octaves)
{
	uint32_t last = GW_HIST_OCTAVES - 1;

	return place_of(octaves, last) + (has(octaves, last) ? gw_hist_octave_buckets(last) : 0);
}

/* Adds to buckets of which there is room for all octaves of from. */
static void add_buckets(uint64_t *to, uint32_t to_octaves, const uint64_t *from, uint32_t octaves)
{
	for (; octaves; octaves &= octaves - 1) {
		uint32_t octave = (uint32_t)__builtin_ctz(octaves);
		uint32_t buckets = gw_hist_octave_buckets(octave);
		uint64_t *sum = to + place_of(to_octaves, octave);

		for (uint32_t i = 0; i < buckets; i++)
			sum[i] = add(sum[i], *from++);
	}
}

static int no_memory(struct gw_histogram *h)
{
	gw_histogram_clear(h);
	h->absent = 1;
	return -ENOMEM;
}

static int make_room(struct gw_histogram *h, uint32_t octaves)
{
	uint32_t all = h->octaves | octaves;
	uint64_t *bucket;

	if (all == h->octaves)
		return 0;
	bucket = calloc(size_of(all), sizeof(*bucket));
	if (!bucket)
		return no_memory(h);
	add_buckets(bucket, all, h->bucket, h->octaves);
	free(h->bucket);
	h->bucket = bucket;
	h->octaves = all;
	return 0;
}

static uint64_t *bucket_at(const struct gw_histogram *h, uint32_t index)
{
	uint32_t octave = index / GW_HIST_OCTAVE;

	if (!has(h->octaves, octave))
		return NULL;
	return h->bucket + place_of(h->octaves, octave) + index % GW_HIST_OCTAVE;
}

int gw_histogram_next(const struct gw_histogram *h, struct gw_bucket *at)
{
	while (at->next < GW_HIST_BUCKETS) {
		uint32_t left = h->octaves >> at->next / GW_HIST_OCTAVE;

		if (!left)
			return 0;
		if (!(left & 1)) {
			at->next = (at->next / GW_HIST_OCTAVE + (uint32_t)__builtin_ctz(left)) *
				   GW_HIST_OCTAVE;
			continue;
		}
		at->index = at->next++;
		at->count = h->bucket[at->place++];
		if (at->count)
			return 1;
	}
	return 0;
}

uint64_t gw_histogram_count(const struct gw_histogram *h, uint32_t index)
{
	const uint64_t *bucket = bucket_at(h, index);

	return bucket ? *bucket : 0;
}

/* ---- whole histograms ---- */

void gw_histogram_clear(struct gw_histogram *h)
{
	free(h->bucket);
	free(h->reason);
	memset(h, 0, sizeof(*h));
}

int gw_histogram_set_absent(struct gw_histogram *h, const char *reason)
{
	char *kept = reason ? strndup(reason, REASON_LENGTH) : NULL;

	if (reason && !kept)
		return no_memory(h);
	gw_histogram_clear(h);
	h->absent = 1;
	h->reason = kept;
	return 0;
}

const char *gw_histogram_reason(const struct gw_histogram *h)
{
	return h->absent && h->reason && h->reason[0] ? h->reason : "it was not measured";
}

int gw_histogram_set(struct gw_histogram *h, uint32_t index, uint64_t count)
{
	if (make_room(h, 1U << index / GW_HIST_OCTAVE))
		return -ENOMEM;
	*bucket_at(h, index) = count;
	return 0;
}

int gw_histogram_add(struct gw_histogram *h, uint64_t ns, uint64_t times)
{
	uint32_t index = gw_hist_index(ns);

	if (gw_histogram_set(h, index, add(gw_histogram_count(h, index), times)))
		return -ENOMEM;
	h->count = add(h->count, times);
	h->sum_ns = add(h->sum_ns, ns * times);
	if (ns > h->max_ns)
		h->max_ns = ns;
	return 0;
}

int gw_histogram_merge(struct gw_histogram *sum, const struct gw_histogram *from)
{
	if (sum->absent)
		return 0;
	if (from->absent)
		return gw_histogram_set_absent(sum, from->reason);
	if (make_room(sum, from->octaves))
		return -ENOMEM;
	add_buckets(sum->bucket, sum->octaves, from->bucket, from->octaves);
	sum->count = add(sum->count, from->count);
	sum->sum_ns = add(sum->sum_ns, from->sum_ns);
	if (from->max_ns > sum->max_ns)
		sum->max_ns = from->max_ns;
	return 0;
}

int gw_histogram_merge_packed(struct gw_histogram *sum, const struct gw_hist_head *head,
			      const __u64 *bucket)
{
	struct gw_histogram part = {
		.octaves = head->octaves,
		.sum_ns = head->sum_ns,
		.max_ns = head->max_ns,
		.bucket = (uint64_t *)bucket, /* is only read */
	};
	size_t size = size_of(part.octaves);

	for (size_t i = 0; i < size; i++)
		part.count = add(part.count, bucket[i]);
	return gw_histogram_merge(sum, &part);
}

int gw_histogram_copy(const struct gw_histogram *from, struct gw_histogram *to)
{
	size_t size = size_of(from->octaves) * sizeof(*from->bucket);

	*to = *from;
	to->bucket = size ? malloc(size) : NULL;
	to->reason = from->reason ? strdup(from->reason) : NULL;
	if (!to->reason != !from->reason || !to->bucket != !size)
		return no_memory(to);
	if (size)
		memcpy(to->bucket, from->bucket, size);
	return 0;
}

/* ---- differences ---- */

/* What an octave gained, into its buckets at `gained`. Returns the index of the highest, or -1. */
static int minus_octave(uint64_t *gained, uint32_t octave, const struct gw_histogram *after,
			const struct gw_histogram *before)
{
	const uint64_t *is = bucket_at(after, octave * GW_HIST_OCTAVE);
	const uint64_t *was = bucket_at(before, octave * GW_HIST_OCTAVE);
	int highest = -1;

	for (uint32_t i = 0; i < gw_hist_octave_buckets(octave); i++) {
		uint64_t had = was ? was[i] : 0;

		gained[i] = is[i] > had ? is[i] - had : 0;
		if (gained[i])
			highest = (int)(octave * GW_HIST_OCTAVE + i);
	}
	return highest;
}

static uint64_t max_within(int highest, uint64_t max_ns)
{
	uint64_t upper_ns;

	if (highest < 0)
		return 0;
	upper_ns = gw_hist_upper_ns((uint32_t)highest);
	return upper_ns && upper_ns < max_ns ? upper_ns : max_ns;
}

int gw_histogram_minus(struct gw_histogram *between, const struct gw_histogram *after,
		       const struct gw_histogram *before)
{
	uint64_t gained[GW_HIST_BUCKETS];
	struct gw_histogram made = {
		.sum_ns = after->sum_ns > before->sum_ns ? after->sum_ns - before->sum_ns : 0,
		.max_ns = after->max_ns,
		.bucket = gained,
	};
	size_t size = 0;
	int highest = -1;

	if (after->absent || before->absent)
		return gw_histogram_copy(after, between);
	for (uint32_t left = after->octaves; left; left &= left - 1) {
		uint32_t octave = (uint32_t)__builtin_ctz(left);
		int found = minus_octave(gained + size, octave, after, before);

		if (found < 0)
			continue;
		highest = found;
		made.octaves |= 1U << octave;
		size += gw_hist_octave_buckets(octave);
	}
	for (size_t i = 0; i < size; i++)
		made.count = add(made.count, gained[i]);
	if (after->max_ns <= before->max_ns)
		made.max_ns = max_within(highest, after->max_ns);
	return gw_histogram_copy(&made, between);
}

/* ---- percentiles ---- */

static int64_t edge_ns(const struct gw_histogram *h, uint32_t index)
{
	uint64_t ns = index == GW_HIST_BUCKETS - 1 ? h->max_ns : gw_hist_upper_ns(index);

	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

int64_t gw_histogram_percentile_ns(const struct gw_histogram *h, unsigned int permille)
{
	uint64_t total = 0, seen = 0, rank;
	struct gw_bucket at = {0};

	/* The buckets are counted, not .count: a reader of live maps may find the two apart by one.
	 */
	while (gw_histogram_next(h, &at))
		total = add(total, at.count);
	if (h->absent || !total)
		return GW_ABSENT_NS;
	if (permille > 1000)
		permille = 1000;
	rank = (uint64_t)(((unsigned __int128)total * permille + 999) / 1000);
	if (!rank)
		rank = 1;
	at = (struct gw_bucket){0};
	while (gw_histogram_next(h, &at)) {
		seen = add(seen, at.count);
		if (seen >= rank)
			break;
	}
	return edge_ns(h, at.index);
}

int64_t gw_histogram_shown_ns(const struct gw_histogram *h, unsigned int permille)
{
	int64_t ns = gw_histogram_percentile_ns(h, permille);

	return ns > 0 && h->max_ns && (uint64_t)ns > h->max_ns ? (int64_t)h->max_ns : ns;
}
