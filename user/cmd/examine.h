/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What doctor finds out about a process. */
#ifndef GW_EXAMINE_H
#define GW_EXAMINE_H

#include <sys/types.h>

#include "model/doctor.h"
#include "util/error.h"

/*
 * Looks at the process, tries to measure it where that may work, and judges what can be done, after
 * the checks have been run. err is set to why it cannot be measured, if that is so.
 */
void gw_examine_target(struct gw_doctor *doctor, pid_t pid, struct gw_error *err);

/* The same without a process: whether anything can be measured here. */
void gw_examine_host(struct gw_doctor *doctor, struct gw_error *err);

/* Gathers what is only for a bug report. 0 or -ENOMEM. */
int gw_examine_for_bundle(const struct gw_doctor *doctor, int with_command,
			  struct gw_doctor_bundle *bundle);

#endif
