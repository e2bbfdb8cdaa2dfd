/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The view where there is no terminal: a block of rows for each interval, or a JSON object a line
 * (gilwatch.interval.v1, docs/interval.schema.json).
 */
#ifndef GW_RENDER_INTERVAL_H
#define GW_RENDER_INTERVAL_H

#include <stdint.h>
#include <stdio.h>

#include "model/snapshot.h"
#include "render/text.h"

/* One interval, judged, and all from the start to its end; the text does without the latter. */
struct gw_interval {
	uint64_t seq; /* from 1 */
	char at[40];  /* its end, RFC 3339 */
	int heading;  /* the columns' names stand above it */
	const struct gw_snapshot *between, *since_start;
};

/* Both write the interval and flush. 0, -ENOMEM, or -EIO. */
int gw_interval_text_write(const struct gw_interval *interval,
			   const struct gw_text_options *options, FILE *out);
int gw_interval_json_write(const struct gw_interval *interval, FILE *out);

#endif
