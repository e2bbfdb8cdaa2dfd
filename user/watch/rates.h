/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Probes that are hit too often, and what becomes of them. */
#ifndef GW_RATES_H
#define GW_RATES_H

#include "watch/watch.h"

/* Once a tick: takes probes away that are hit too often. 0 or -ENOMEM. */
int gw_rates_tick(struct gw_watch *watch);

#endif
