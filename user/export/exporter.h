/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What is exported: fed with snapshots of a watch that goes on and with processes that have ended,
 * and written whenever somebody asks. Pure: it reads no clock and no files.
 */
#ifndef GW_EXPORTER_H
#define GW_EXPORTER_H

#include "export/exposition.h"
#include "export/groups.h"
#include "export/subjects.h"

struct gw_exporter_options {
	int per_process, per_thread;
	size_t processes_max, threads_max; /* that have series of their own */
	size_t groups_max;
	const struct gw_group_rules *rules;
};

/* Zeroed but for options; gw_exporter_free frees what is inside. */
struct gw_exporter {
	struct gw_exporter_options options;
	const char *kernel;
	struct gw_groups groups;
	struct gw_subjects subjects;
	struct gw_self self; /* what only the caller knows of it is set by the caller */
};

/*
 * Takes what a look at the watch says of the processes that it has. now_ns is any clock that does
 * not go backwards. 0 or -ENOMEM.
 */
int gw_exporter_update(struct gw_exporter *exporter, const struct gw_snapshot *snapshot,
		       int64_t now_ns);

/*
 * Takes the last figures of a process that no later snapshot has: they stay in its group's totals.
 * 0 or -ENOMEM.
 */
int gw_exporter_fold(struct gw_exporter *exporter, const struct gw_process_view *process,
		     int64_t now_ns);

/*
 * Has each group's part of what passed judged (by gw_verdicts_judge), in place of the verdicts
 * before. 0, or -ENOMEM with some of them left without.
 */
int gw_exporter_judge(struct gw_exporter *exporter, const struct gw_snapshot *passed,
		      void (*judge)(struct gw_snapshot *part));

void gw_exporter_write(struct gw_exporter *exporter, const struct gw_exposition *x);

void gw_exporter_free(struct gw_exporter *exporter);

#endif
