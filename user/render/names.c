// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/names.h"

#include <string.h>

#include "model/snapshot.h"

static const char *const states[GW_STATE_COUNT] = {
	[GW_STATE_PYTHON] = "python",	  [GW_STATE_NATIVE] = "native",
	[GW_STATE_GIL_WAIT] = "gil_wait", [GW_STATE_HELD_OFF] = "held_off",
	[GW_STATE_RUNQUEUE] = "runqueue", [GW_STATE_DISK] = "disk",
	[GW_STATE_NET] = "net",		  [GW_STATE_PIPE] = "pipe",
	[GW_STATE_POLL] = "poll",	  [GW_STATE_SLEEP] = "sleep",
	[GW_STATE_LOCK] = "lock",	  [GW_STATE_FAULT] = "fault",
	[GW_STATE_CHILD] = "child",	  [GW_STATE_STOPPED] = "stopped",
	[GW_STATE_OTHER] = "other",	  [GW_STATE_UNKNOWN] = "unknown",
};

/* Holders are wheres and two more, so that one table serves both. */
static const char *const holders[GW_HOLDER_COUNT] = {
	[GW_RUNNING] = "running",	   [GW_RUNNABLE] = "runnable",
	[GW_STOPPED] = "stopped",	   [GW_BLOCKED_GIL] = "gil",
	[GW_BLOCKED_LOCK] = "lock",	   [GW_BLOCKED_SLEEP] = "sleep",
	[GW_BLOCKED_DISK] = "disk",	   [GW_BLOCKED_NET] = "net",
	[GW_BLOCKED_PIPE] = "pipe",	   [GW_BLOCKED_POLL] = "poll",
	[GW_BLOCKED_FAULT] = "fault",	   [GW_BLOCKED_CHILD] = "child",
	[GW_BLOCKED_OTHER] = "other",	   [GW_HOLDER_NONE] = "none",
	[GW_HOLDER_HANDOVER] = "handover",
};

static const char *const distances[GW_DISTANCE_COUNT] = {
	[GW_SAME_CPU] = "same_cpu",   [GW_SAME_CORE] = "same_core",   [GW_SAME_LLC] = "same_llc",
	[GW_SAME_NODE] = "same_node", [GW_CROSS_NODE] = "cross_node",
};

static const char *const severities[] = {
	[GW_INFO] = "info",
	[GW_WARNING] = "warning",
	[GW_CRITICAL] = "critical",
};

static const char *const bases[] = {
	[GW_BASIS_EXACT] = "exact",
	[GW_BASIS_SAMPLED] = "sampled",
	[GW_BASIS_ABSENT] = "absent",
};

static const char *const opens[] = {
	[GW_OPEN_HOLD] = "hold",
	[GW_OPEN_WAIT] = "wait",
	[GW_OPEN_BLOCK] = "block",
};

static const char *const ends[] = {
	[GW_ENDED_DURATION] = "duration",
	[GW_ENDED_INTERRUPTED] = "interrupted",
	[GW_ENDED_TARGET_EXIT] = "target_exit",
	[GW_ENDED_TARGET_EXEC] = "target_exec",
};

#define NAMES(table)                                                                               \
	{                                                                                          \
		sizeof(table) / sizeof((table)[0]), table                                          \
	}

const struct gw_names gw_state_names = NAMES(states);
const struct gw_names gw_where_names = {GW_WHERE_COUNT, holders};
const struct gw_names gw_holder_names = NAMES(holders);
const struct gw_names gw_distance_names = NAMES(distances);
const struct gw_names gw_severity_names = NAMES(severities);
const struct gw_names gw_basis_names = NAMES(bases);
const struct gw_names gw_open_names = NAMES(opens);
const struct gw_names gw_ended_names = NAMES(ends);

const char *gw_name(const struct gw_names *names, size_t value)
{
	return value < names->count && names->name[value] ? names->name[value] : "?";
}

int gw_name_find(const struct gw_names *names, const char *name)
{
	for (size_t i = 0; i < names->count; i++) {
		if (names->name[i] && !strcmp(names->name[i], name))
			return (int)i;
	}
	return -1;
}
