/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The histograms that are of no single thread: enum gw_sum. GILs are named by their slots
 * (GW_GIL_SLOT), processes by theirs.
 */
#ifndef GW_SUMS_H
#define GW_SUMS_H

#include <bpf/libbpf.h>

#include "model/raw.h"

/*
 * Makes those of a GIL that has come and is not its process's first. 0 or -errno: what happens at
 * it counts for the first one then.
 */
int gw_sums_begin(const struct bpf_map *map, uint32_t gil);

/* Adds those of a GIL that has gone to its process's. */
void gw_sums_retire(const struct bpf_map *map, uint32_t gil);

/* Takes all of a process away. */
void gw_sums_forget(const struct bpf_map *map, uint32_t process);

/* Reads all that there are. 0 or -ENOMEM. */
int gw_sums_read(const struct bpf_map *map, struct gw_raw *raw);

#endif
