/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A short summary of a process, taken by the very program that users run. */
#ifndef GW_CMD_TRIAL_H
#define GW_CMD_TRIAL_H

#include <sys/types.h>

#include "model/snapshot.h"
#include "util/error.h"

/*
 * Runs `summary` with the sched engine for a second, as a program of its own. Fills a zeroed
 * snapshot, which the caller clears. 0 or a negative errno with err set, which then holds what that
 * program had to say, with its exit status.
 */
int gw_trial_run(pid_t pid, struct gw_snapshot *snapshot, struct gw_error *err);

#endif
