/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How far apart two CPUs are, for migrations of threads and hand-overs of the GIL. */
#ifndef GW_PLACE_H
#define GW_PLACE_H

#include "gilwatch/types.h"

enum gw_distance {
	GW_SAME_CPU,
	GW_SAME_CORE,
	GW_SAME_LLC, /* last-level cache */
	GW_SAME_NODE,
	GW_CROSS_NODE,
	GW_DISTANCE_COUNT,
};

/* Ids that are equal exactly where two CPUs share the thing. */
struct gw_place {
	__u32 core;
	__u32 llc;
	__u32 node;
};

/* The distance between two different CPUs at these places. */
gw_inline enum gw_distance gw_distance(const struct gw_place *a, const struct gw_place *b)
{
	if (a->core == b->core)
		return GW_SAME_CORE;
	if (a->llc == b->llc)
		return GW_SAME_LLC;
	return a->node == b->node ? GW_SAME_NODE : GW_CROSS_NODE;
}

#endif
