// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/split.h"

#include <math.h>

/* The 97.5 % quantile of the normal distribution. */
#define Z 1.959964

/*
 * Half-width of Wilson's score interval around the observed share, on its wider side: unlike the
 * textbook's, it is honest for few samples and for shares near 0 and 1. Half a sample more, for
 * samples come whole: without it the interval is too narrow where they are few.
 */
static double half_width(double share, double samples)
{
	double centre = (share * samples + Z * Z / 2) / (samples + Z * Z);
	double half = Z / (samples + Z * Z) * sqrt(share * (1 - share) * samples + Z * Z / 4);

	half = fmax(share - (centre - half), centre + half - share) + 0.5 / samples;
	return fmin(half, fmax(share, 1 - share));
}

/*
 * As many samples of equal weight would tell as much as these, of which some stand for more than
 * one tick (Kish's effective sample size).
 */
static double effective_samples(double ticks, double squares)
{
	return squares > 0 ? ticks * ticks / squares : 0;
}

struct gw_split gw_split_pool(int64_t pool_ns, const struct gw_samples *taken,
			      double fallback_share)
{
	double ticks = (double)(taken->held + taken->released);
	double samples = effective_samples(ticks, (double)taken->squares);
	double share = samples > 0 ? (double)taken->held / ticks : fallback_share;
	double error = samples > 0 ? half_width(share, samples) : fmax(share, 1 - share);
	struct gw_split split;

	split.held_ns = (int64_t)((double)pool_ns * share);
	split.released_ns = pool_ns - split.held_ns;
	split.error_ns = (int64_t)((double)pool_ns * error);
	return split;
}
