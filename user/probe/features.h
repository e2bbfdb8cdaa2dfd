/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What this kernel and these rights allow, found by looking and by trying. */
#ifndef GW_FEATURES_H
#define GW_FEATURES_H

#include "probe/closer.h"
#include "util/error.h"

/* Rights and BTF that every engine needs. 0 or a negative errno with err naming what is missing. */
int gw_features_require(struct gw_error *err);

/*
 * 1: this is a PID namespace of its own. BPF programs see PIDs of the initial one; /proc and
 * people, those of ours.
 */
int gw_features_foreign_pids(void);

/* What the kernel's description of its types tells; 0: not, or not known. */
struct gw_features {
	int switch_has_state;  /* sched_switch hands the leaving task's state over: 5.18 */
	int sleeping_iterator; /* an iterator over threads may read their memory: 5.18 */
	int map_memory;	       /* hash maps may take memory as they grow in any context: 6.1
				  (34dd3bad1a6f) */
};

void gw_features_read(struct gw_features *features);

/*
 * 1: uprobes can be attached by one multi link whose process filter counts the hits of all threads
 * of a process (found out on a child of our own, whose link is given to the closer, if there is
 * one), 0: not.
 */
int gw_features_uprobe_multi(struct gw_closer *closer);

#endif
