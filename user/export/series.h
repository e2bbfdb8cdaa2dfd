/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What is exported beside totals: levels that rise and fall, and what gilwatch says of itself. */
#ifndef GW_SERIES_H
#define GW_SERIES_H

#include "export/totals.h"
#include "render/names.h"
#include "verdict/codes.h"

/* As of the last look. */
struct gw_levels {
	int64_t processes, threads, cpus_usable;
	int64_t had_interpreter[GW_INTERPRETERS]; /* flags: some process had it once … */
	int64_t has_interpreter[GW_INTERPRETERS]; /* … or has it now */
	int64_t switch_interval_ns[GW_INTERPRETERS];
	int64_t gil_enabled[GW_INTERPRETERS];
	int64_t judged[GW_VERDICT_CODE_COUNT]; /* flags: so is this */
	int64_t verdict[GW_VERDICT_CODE_COUNT];
	int64_t start_time_ns; /* of one process, since 1970 */
};

enum gw_target_status {
	GW_TARGET_MEASURED,
	GW_TARGET_STARTING, /* its Python is not initialised yet */
	GW_TARGET_OPAQUE,   /* no GIL facts: scheduler states only */
	GW_TARGET_REFUSED,  /* it cannot be watched */
	GW_TARGET_STATUSES,
};

enum gw_missed {
	GW_MISSED_NO_SLOT,     /* as many are watched as there is room for */
	GW_MISSED_ENDED_EARLY, /* it ended before it could be looked at */
	GW_MISSED_GROUPS,      /* no room for another group: counted in the group "other" */
	GW_MISSED_REASONS,
};

enum gw_attach_failure {
	GW_ATTACH_RIGHTS,
	GW_ATTACH_KERNEL,
	GW_ATTACH_TARGET,
	GW_ATTACH_OTHER,
	GW_ATTACH_FAILURES,
};

enum gw_engine_label {
	GW_LABEL_SCHED,
	GW_LABEL_UPROBE,
	GW_LABEL_OFF, /* the GIL is off */
	GW_LABEL_NONE,
	GW_LABEL_ENGINES,
};

enum gw_change_reason {
	GW_CHANGE_FOUND, /* its Python became known while it was watched already */
	GW_CHANGE_OVER_BUDGET,
	GW_CHANGE_WITHIN_BUDGET,
	GW_CHANGE_GIL_ENABLED,
	GW_CHANGE_REASONS,
};

enum gw_map {
	GW_MAP_PROCESSES,
	GW_MAP_CPU_TIMES,
	GW_MAP_COUNT,
};

struct gw_self {
	int64_t targets[GW_TARGET_STATUSES];
	int64_t missed[GW_MISSED_REASONS];
	int64_t attach_failures[GW_ATTACH_FAILURES];
	int64_t engine_targets[GW_LABEL_ENGINES];
	int64_t engine_changes[GW_LABEL_ENGINES][GW_CHANGE_REASONS]; /* by what it became */
	int64_t probe_hits, probe_cost_ns;
	double overhead_budget;
	int64_t lost[GW_LOST_REASONS];
	int64_t corrected;
	int64_t map_entries[GW_MAP_COUNT], map_max_entries[GW_MAP_COUNT];
	int64_t suppressed;
	int64_t scrape_ns;
	/* of gilwatch as a process, as client libraries name it */
	int64_t cpu_ns, start_time_ns;
	int64_t open_fds, max_fds;
	int64_t virtual_bytes, resident_bytes;
};

extern const struct gw_names gw_engine_label_names;  /* enum gw_engine_label */
extern const struct gw_names gw_change_reason_names; /* enum gw_change_reason */

#endif
