/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Snapshots of situations whose figures add up as real ones do; gw_snapshot_clear frees them. */
#ifndef GW_FIXTURES_H
#define GW_FIXTURES_H

#include "model/snapshot.h"

/* Two threads that contend for the GIL, and a main thread that joins them. */
void fixture_contended_sched(struct gw_snapshot *s);  /* figures of probes absent, some sampled */
void fixture_contended_uprobe(struct gw_snapshot *s); /* all exact */

/* One thread that sleeps in poll; nobody waits, and every histogram is empty. */
void fixture_idle(struct gw_snapshot *s);

/* A process that could not be measured beside one that could. */
void fixture_error(struct gw_snapshot *s);

/* Names and a command that want to write to the terminal, and an interrupted watch. */
void fixture_hostile(struct gw_snapshot *s);

/* 40 threads, 1,234 more that ended, three GILs, 64 CPUs. */
void fixture_many(struct gw_snapshot *s);

/* 10,000 seconds, quota, engine changes, holds across blocks, and everything still open. */
void fixture_long(struct gw_snapshot *s);

/* No GIL facts at all: all bases absent. */
void fixture_no_facts(struct gw_snapshot *s);

/* A command that was run, and one that ended before anything of it was seen. */
void fixture_run(struct gw_snapshot *s);
void fixture_run_nothing(struct gw_snapshot *s);

struct fixture {
	const char *name;
	void (*make)(struct gw_snapshot *s);
	int rows;
};

extern const struct fixture fixture_table[];
extern const unsigned int fixture_count;

#endif
