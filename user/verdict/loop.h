/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Event loops that are held up. */
#ifndef GW_VERDICT_LOOP_H
#define GW_VERDICT_LOOP_H

#include "verdict/facts.h"

/* The thread whose loop was held up longest by its own work; NULL: none was. */
const struct gw_thread_view *gw_loop_find(const struct gw_process_view *process);

#endif
