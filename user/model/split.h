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

/*
 * Splits pool_ns by samples, held and released. Without a sample it is split by fallback_share (of
 * held, 0 to 1), and the error says that nothing is known of it.
 */
struct gw_split gw_split_pool(int64_t pool_ns, uint64_t held, uint64_t released,
			      double fallback_share);

#endif
