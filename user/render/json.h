/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A snapshot as one JSON object, gilwatch.summary.v1 (docs/summary.schema.json). */
#ifndef GW_JSON_H
#define GW_JSON_H

#include <stdio.h>

#include "model/snapshot.h"

/* Returns 0, -ENOMEM, or -EIO if it could not be written. */
int gw_json_write(const struct gw_snapshot *s, FILE *out);

#endif
