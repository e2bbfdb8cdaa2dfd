/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The beginning that all commands which watch have in common. */
#ifndef GW_CMD_BEGIN_H
#define GW_CMD_BEGIN_H

#include "cmd/options.h"
#include "target/host.h"
#include "watch/watch.h"

/*
 * Finds out whether anything can be watched here, picks the targets that the options name, and
 * starts to count. duration_ns and progress of the watch are the caller's. 0 or a negative errno
 * with err set; the caller frees watch and host in any case.
 */
int gw_begin(struct gw_options *options, struct gw_host *host, struct gw_watch *watch,
	     struct gw_error *err);

/*
 * The targets that cannot be watched beside others that are, a sentence each on standard error.
 * GW_OK or GW_STATUS_PARTIAL.
 */
int gw_begin_report_refused(const struct gw_watch *watch);

#endif
