/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What probes cost on this machine, measured on a child of our own. */
#ifndef GW_CALIBRATE_H
#define GW_CALIBRATE_H

#include <stdint.h>

#include "probe/closer.h"
#include "probe/uprobes.h"

struct gw_probe_cost {
	uint64_t hit_ns;    /* to the thread that is probed */
	uint64_t attach_ns; /* CPU time that attaching takes the kernel */
	int measured;	    /* 0: it could not be, and these are those of another machine */
};

/* What it costs elsewhere: a virtual machine, Linux 6.18, x86_64. */
void gw_probe_cost_guess(struct gw_probe_cost *cost);

/*
 * Attaches the program to a child's call of a function and has the child take the time of its
 * calls: some 5 ms in all. The probes are given to the closer. Guesses where that fails.
 */
void gw_calibrate(const struct gw_uprobe_program *program, struct gw_closer *closer,
		  struct gw_probe_cost *cost);

#endif
