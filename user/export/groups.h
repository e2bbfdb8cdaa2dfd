/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The groups that processes are summed into, the dead for ever. */
#ifndef GW_GROUPS_H
#define GW_GROUPS_H

#include "export/naming.h"
#include "export/series.h"

/* The group of those for which there is no room. */
#define GW_GROUP_OTHER "other"
/* A group without a process for that long gives way to a new one, where there is no room. */
#define GW_GROUP_EMPTY_NS (3600LL * 1000000000)

struct gw_group {
	char name[GW_GROUP_NAME_MAX];
	size_t live;		/* processes that are not folded into dead */
	int64_t empty_since_ns; /* of one without; on the caller's clock */
	struct gw_totals dead;
	struct gw_totals now; /* as exported: dead and living, kept from falling */
	struct gw_totals next;
	int64_t throttled_ns;
	struct gw_levels levels;
};

struct gw_groups {
	struct gw_group **group;
	size_t count, room, max;
	struct gw_totals dropped; /* of groups that gave way */
	int64_t refused;	  /* processes that went to GW_GROUP_OTHER for want of room */
};

/* The group of that name, made if need be; else that of the others. NULL: out of memory. */
struct gw_group *gw_groups_get(struct gw_groups *groups, const char *name, int64_t now_ns);

/* A look begins: what is added from now on makes up the next state of each group. */
void gw_groups_begin(struct gw_groups *groups);
/* A look is over. */
void gw_groups_end(struct gw_groups *groups);

/* The sum over all groups that there are and were. */
void gw_groups_sum(const struct gw_groups *groups, struct gw_totals *sum);

void gw_groups_free(struct gw_groups *groups);

#endif
