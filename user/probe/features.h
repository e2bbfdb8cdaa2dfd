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

/* 1: tracepoint sched_switch hands the leaving task's state over (5.18), 0: not, or not known. */
int gw_features_switch_has_state(void);

/* 1: an iterator over threads may sleep and read their memory (5.18), 0: not, or not known. */
int gw_features_sleeping_iterator(void);

/*
 * 1: uprobes can be attached by one multi link whose process filter counts the hits of all threads
 * of a process (found out on a child of our own, whose link is given to the closer, if there is
 * one), 0: not.
 */
int gw_features_uprobe_multi(struct gw_closer *closer);

/* Whether hash maps may take memory as they grow in any context: 6.1 (34dd3bad1a6f). */
int gw_features_map_memory(void);

#endif
