/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is read out of a snapshot's histograms: percentiles, and sums of several. */
#ifndef GW_HISTOGRAM_H
#define GW_HISTOGRAM_H

#include "model/snapshot.h"

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

/*
 * Adds the entries of from to sum. A zeroed histogram is neutral; an absent one makes the sum
 * absent, for a part must not pass for the whole.
 */
void gw_histogram_merge(struct gw_histogram *sum, const struct gw_histogram *from);

#endif
