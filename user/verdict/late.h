/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Resume latency: whose answers come late because of the GIL. */
#ifndef GW_VERDICT_LATE_H
#define GW_VERDICT_LATE_H

#include "verdict/facts.h"

/* The thread that lost most to the GIL among those that are late; else the process as a whole. */
void gw_late_find(struct gw_late *late, const struct gw_facts *facts);

#endif
