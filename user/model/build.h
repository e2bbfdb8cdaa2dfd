/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Makes the figures of a snapshot out of what was read from the maps. Pure: no kernel, no files. */
#ifndef GW_BUILD_H
#define GW_BUILD_H

#include "model/raw.h"
#include "model/snapshot.h"

/* Whether a process had probes all the time, and not for a window only. */
int gw_build_is_exact(const struct gw_process *process);

/* Time under probes until the end. */
uint64_t gw_build_exact_ns(const volatile struct gw_process *process, uint64_t end_ns);

/*
 * Fills the figures of the process in a slot; what identifies it (pid, names, Python, engine
 * changes, limits, the cost of a hit, the GILs' intervals and interpreters in view->gil) stays as
 * the caller has set it. no_gil says why there are no GIL facts, NULL: there are. The threads are
 * in the order of raw's. Returns 0 or -ENOMEM.
 */
int gw_build_process(const struct gw_raw *raw, size_t slot, const char *no_gil,
		     struct gw_process_view *view);

#endif
