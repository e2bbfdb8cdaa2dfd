/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Bare `gilwatch` on a terminal: a list to pick a process from. */
#ifndef GW_PICK_H
#define GW_PICK_H

#include <stdint.h>

#include "model/listing.h"

/* The PID that an answer stands for: a PID of the list, else a number of its rows; 0: none. */
uint32_t gw_pick(const struct gw_listing *listing, const char *answer);

/* Shows the list, asks, and runs summary on the answer. Returns the exit status. */
int gw_command_pick(void);

#endif
