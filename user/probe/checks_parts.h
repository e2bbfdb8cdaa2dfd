/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Between the files of checks.h. */
#ifndef GW_CHECKS_PARTS_H
#define GW_CHECKS_PARTS_H

#include <stdint.h>

#include "model/doctor.h"

/* A new check; found by printf's format. */
struct gw_check *gw_checks_add(struct gw_doctor *doctor, const char *name,
			       enum gw_check_result result, const char *found, ...)
	__attribute__((format(printf, 4, 5)));

/* What to do about it. */
void gw_checks_way_out(struct gw_check *check, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Lockdown, sysctls, limits, filters, containers: what is set around this process. */
void gw_checks_surroundings(struct gw_doctor *doctor, uint64_t capabilities);

/* Tracepoints, clock events, uprobes: found out by trying. */
void gw_checks_attempts(struct gw_doctor *doctor, uint64_t capabilities);

#endif
