/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Puts a snapshot together: what is known of the targets, and what the session measured. */
#ifndef GW_COLLECT_H
#define GW_COLLECT_H

#include "cmd/watch.h"
#include "model/snapshot.h"
#include "target/target.h"

/* One -p of the command line. */
struct gw_candidate {
	pid_t pid;
	struct gw_target target; /* valid where error.text is "" */
	struct gw_error error;	 /* why it cannot be measured */
	size_t index;		 /* in the session */
	struct gw_gil_view gil_at_start[GW_PYTHON_GILS_MAX];
};

struct gw_collect {
	const struct gw_candidate *candidate;
	size_t count;
	const struct gw_host *host;
	const struct gw_watch *watch;
	const struct gw_raw *raw;
	enum gw_ended ended;
	int64_t requested_ns;
	const char *started; /* RFC 3339 */
};

/* Fills a zeroed snapshot, verdicts included. 0 or -ENOMEM. */
int gw_collect(const struct gw_collect *collect, struct gw_snapshot *snapshot);

#endif
