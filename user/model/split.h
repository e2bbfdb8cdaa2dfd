/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The split of sampled time on a CPU into python and native. */
#ifndef GW_SPLIT_H
#define GW_SPLIT_H

#include <stdint.h>

struct gw_split {
	int64_t held_ns;
	int64_t released_ns;
	int64_t error_ns; /* half-width of the 95 % interval of either */
};

/* Samples, each counted as the ticks of the sampler's clock that it stands for. */
struct gw_samples {
	uint64_t held, released; /* sums of ticks */
	uint64_t squares;	 /* sum over all samples of their ticks squared */
};

/*
 * Splits pool_ns by the samples taken. Without one it is split by fallback_share (of held, 0 to 1),
 * and the error says that nothing is known of it.
 */
struct gw_split gw_split_pool(int64_t pool_ns, const struct gw_samples *taken,
			      double fallback_share);

#endif
