/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view where there is no terminal: rows, or JSON objects, interval after interval. */
#ifndef GW_CMD_ROWS_H
#define GW_CMD_ROWS_H

#include "cmd/looks.h"
#include "cmd/options.h"
#include "watch/watch.h"

/*
 * Writes to standard output until the count of the options is reached, a signal comes, all targets
 * have ended, or nobody reads any more. The intervals' ends do not drift. 0 or a negative errno
 * with err set.
 */
int gw_rows(const struct gw_options *options, struct gw_watch *watch, struct gw_looks *looks,
	    struct gw_error *err);

#endif
