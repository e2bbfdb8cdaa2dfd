/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From --comm and --cgroup to PIDs. */
#ifndef GW_SELECT_H
#define GW_SELECT_H

#include "cmd/options.h"

/*
 * Adds the Python processes that fit --comm or --cgroup now to the PIDs of the options; does
 * nothing where neither is given. 0, or a negative errno with err set: no such process, more than
 * GW_PIDS_MAX, a path that is no cgroup, no rights to look.
 */
int gw_select_targets(struct gw_options *options, struct gw_error *err);

#endif
