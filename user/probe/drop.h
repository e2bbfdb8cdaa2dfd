/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Giving rights up that are not needed any more. */
#ifndef GW_DROP_H
#define GW_DROP_H

#include <stddef.h>

#include "util/error.h"

/*
 * Drops all capabilities but those that attaching to processes and reading about them needs, for
 * ever: from the bounding set too. perf_events: probes are attached by them,
 * which takes more on some kernels. Writes the names of those that are left into kept. 0 or a
 * negative errno with err set.
 */
int gw_rights_drop(int perf_events, char *kept, size_t size, struct gw_error *err);

#endif
