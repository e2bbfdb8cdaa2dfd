/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_SAVED_H
#define GW_SAVED_H

#include "model/snapshot.h"
#include "util/error.h"

/*
 * Reads a saved summary from a file ("-": standard input). The caller clears the snapshot. 0 or a
 * negative errno with err set, whose sentence names the file.
 */
int gw_saved_load(const char *path, struct gw_snapshot *snapshot, struct gw_error *err);

#endif
