/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_DURATION_H
#define GW_DURATION_H

#include <stdint.h>

#include "util/error.h"

/* The longest duration that is taken: 365 days. */
#define GW_DURATION_MAX_NS (365ULL * 24 * 3600 * 1000000000ULL)

/*
 * Reads "10" (seconds), "0.5", "500ms", "10s", "2m", "1h". Returns 0 with *ns > 0, or -EINVAL with
 * err set (GW_STATUS_USAGE).
 */
int gw_duration_parse(const char *text, uint64_t *ns, struct gw_error *err);

#endif
