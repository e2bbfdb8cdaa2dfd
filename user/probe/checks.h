/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this kernel, these rights and these surroundings allow, one thing at a time. */
#ifndef GW_CHECKS_H
#define GW_CHECKS_H

#include "model/doctor.h"

/* Looks at everything and tries what can be tried, within about 100 ms. Fills the checks. */
void gw_checks_run(struct gw_doctor *doctor);

/* What the try of a kind of probe says: 1 it works, 0 it does not. By the name of its check. */
int gw_checks_passed(const struct gw_doctor *doctor, const char *name);

#define GW_CHECK_UPROBES "uprobes"

#endif
