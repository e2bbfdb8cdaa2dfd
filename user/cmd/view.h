/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The live view on a terminal. */
#ifndef GW_CMD_VIEW_H
#define GW_CMD_VIEW_H

#include "cmd/looks.h"
#include "cmd/options.h"
#include "watch/watch.h"

/* Shows what happens until the user quits or a signal comes. 0 or a negative errno with err set. */
int gw_view(const struct gw_options *options, struct gw_watch *watch, struct gw_looks *looks,
	    struct gw_error *err);

/*
 * Writes a judged snapshot as text and as JSON to gilwatch-PID-TIME.txt and .json in the working
 * directory, and says so, or why not, in message.
 */
void gw_view_write(const struct gw_snapshot *snapshot, char *message, size_t size);

#endif
