/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a command ends with: a snapshot, written as its options say. */
#ifndef GW_RESULT_H
#define GW_RESULT_H

#include <stdio.h>

#include "cmd/options.h"
#include "model/snapshot.h"

/*
 * Writes JSON or text, as it fits the stream, and closes it; path is what gw_output_open was given.
 * 0 or a negative errno with err set.
 */
int gw_result_write(const struct gw_snapshot *snapshot, const struct gw_options *options, FILE *out,
		    const char *path, struct gw_error *err);

/* Whether there is a figure in it at all. */
int gw_result_saw_something(const struct gw_snapshot *snapshot);

#endif
