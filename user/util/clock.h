/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_UTIL_CLOCK_H
#define GW_UTIL_CLOCK_H

#include <stddef.h>
#include <stdint.h>

/* Now, by CLOCK_MONOTONIC. */
uint64_t gw_clock_now_ns(void);

/* The time of day as RFC 3339 has it, local with its offset: "2026-03-01T12:00:00+01:00". */
void gw_clock_write(char *text, size_t size);

#endif
