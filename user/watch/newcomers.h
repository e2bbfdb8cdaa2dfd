/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes that have become another program lately, each to be looked at a few times: what runs a
 * Python has not mapped it yet as it begins.
 */
#ifndef GW_NEWCOMERS_H
#define GW_NEWCOMERS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct gw_newcomer {
	pid_t pid;
	unsigned int looks, waits;
	uint64_t due_ns;
	char comm[16];
};

/* Zeroed at first. */
struct gw_newcomers {
	struct gw_newcomer *newcomer;
	size_t count, room;
	uint64_t dropped; /* for want of memory, or because they were too many */
};

/* Begins anew for a PID that is known. */
void gw_newcomers_add(struct gw_newcomers *newcomers, pid_t pid, const char *comm, uint64_t now_ns);

/* Takes one that is due; 0: none is. It comes back later, unless it is removed. */
int gw_newcomers_next(struct gw_newcomers *newcomers, uint64_t now_ns, struct gw_newcomer *next);

/* That look came too early, and does not count: it is due again soon, each time a little later. */
void gw_newcomers_wait(struct gw_newcomers *newcomers, pid_t pid, uint64_t now_ns);
void gw_newcomers_remove(struct gw_newcomers *newcomers, pid_t pid);

/* When the next one is due; UINT64_MAX: there is none. */
uint64_t gw_newcomers_due_ns(const struct gw_newcomers *newcomers);

void gw_newcomers_free(struct gw_newcomers *newcomers);

#endif
