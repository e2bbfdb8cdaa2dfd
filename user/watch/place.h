/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where a process belongs: its cgroup, its container, and since when it runs. */
#ifndef GW_PLACE_OF_H
#define GW_PLACE_OF_H

#include "watch/watched.h"

/* Reads it once, while the process is there; a copy of its parent is where that is. */
void gw_place_find(struct gw_watched *watched);

#endif
