/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A saved summary back into a snapshot. The file is not trusted. */
#ifndef GW_JSON_LOAD_H
#define GW_JSON_LOAD_H

#include <stdio.h>

#include "model/snapshot.h"
#include "util/error.h"

#define GW_JSON_MAX_BYTES (256u << 20)

/*
 * Fills s, which the caller clears, from a gilwatch.summary.v1. On failure returns a negative
 * errno, says why in err and leaves s empty. What is unknown to this version in the file is passed
 * over.
 */
int gw_json_load(FILE *in, struct gw_snapshot *s, struct gw_error *err);

#endif
