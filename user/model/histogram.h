/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The histograms of a snapshot: counting into them, sums, differences, percentiles. How their
 * buckets lie in memory is known here alone.
 *
 * What needs memory returns 0 or -ENOMEM, and leaves the histogram absent then: a part of the
 * entries must not pass for all of them.
 */
#ifndef GW_HISTOGRAM_H
#define GW_HISTOGRAM_H

#include "model/snapshot.h"

/* Frees what is inside, and leaves a histogram without entries. */
void gw_histogram_clear(struct gw_histogram *histogram);

/*
 * Drops what is in it: it was not measured, for that reason (NULL: not said), of which 95 bytes are
 * kept.
 */
int gw_histogram_set_absent(struct gw_histogram *histogram, const char *reason);

/* Why an absent one is; never NULL or empty. */
const char *gw_histogram_reason(const struct gw_histogram *histogram);

/* Counts a duration some times. */
int gw_histogram_add(struct gw_histogram *histogram, uint64_t ns, uint64_t times);

/* Sets the count of one bucket (index < GW_HIST_BUCKETS) and nothing else. */
int gw_histogram_set(struct gw_histogram *histogram, uint32_t index, uint64_t count);

/*
 * Adds the entries of from to sum. A zeroed histogram is neutral; an absent one makes the sum
 * absent, for a part must not pass for the whole.
 */
int gw_histogram_merge(struct gw_histogram *sum, const struct gw_histogram *from);

/* The same with one of which only the octaves in its head are there: their buckets, ascending. */
int gw_histogram_merge_packed(struct gw_histogram *sum, const struct gw_hist_head *head,
			      const __u64 *bucket);

/* Makes `to`, whatever was in it, a copy that shares nothing with from. */
int gw_histogram_copy(const struct gw_histogram *from, struct gw_histogram *to);

/*
 * Makes `between`, whatever was in it, of the entries of after that before does not have yet. The
 * maximum is exact where it grew, else the upper edge of the highest bucket with an entry. Absent
 * where after is; what was absent before began to be counted since.
 */
int gw_histogram_minus(struct gw_histogram *between, const struct gw_histogram *after,
		       const struct gw_histogram *before);

/* Entries in a bucket (index < GW_HIST_BUCKETS). */
uint64_t gw_histogram_count(const struct gw_histogram *histogram, uint32_t index);

/* A place in a walk over the buckets, zeroed at the beginning. */
struct gw_bucket {
	uint32_t index; /* as in gw_hist_index */
	uint64_t count;
	uint32_t next; /* of the walk */
	size_t place;
};

/* The next bucket that has entries, ascending; 0: there is none left. */
int gw_histogram_next(const struct gw_histogram *histogram, struct gw_bucket *at);

/*
 * The value that permille of the entries do not exceed: the upper edge of their bucket, and of the
 * last, open bucket the maximum. GW_ABSENT_NS where nothing was measured or counted.
 */
int64_t gw_histogram_percentile_ns(const struct gw_histogram *histogram, unsigned int permille);

/*
 * The same as people are shown it: percentiles are upper edges of buckets, and none can exceed the
 * longest; the smaller of the two is as true, and does not look wrong.
 */
int64_t gw_histogram_shown_ns(const struct gw_histogram *histogram, unsigned int permille);

#endif
