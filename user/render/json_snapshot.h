/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A snapshot as a part of a larger JSON document. */
#ifndef GW_JSON_SNAPSHOT_H
#define GW_JSON_SNAPSHOT_H

#include <jansson.h>

#include "model/snapshot.h"

/* All members of gilwatch.summary.v1 but schema and version. NULL: out of memory. */
json_t *gw_json_snapshot(const struct gw_snapshot *snapshot);

/* Digits (for JSON_REAL_PRECISION) that keep the nanoseconds of the snapshot's times. */
size_t gw_json_precision(const struct gw_snapshot *snapshot);

#endif
