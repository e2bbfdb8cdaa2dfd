/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A command that waits, as a process of its user, until it is told to begin: so it can be watched
 * from its first instruction.
 */
#ifndef GW_LAUNCH_H
#define GW_LAUNCH_H

#include <limits.h>
#include <sys/types.h>

#include "cmd/caller.h"
#include "cmd/relay.h"
#include "util/error.h"

struct gw_launched {
	pid_t pid;	       /* 0: none */
	int gate;	       /* our end of the line to it; -1: closed */
	char file[PATH_MAX];   /* what it will run */
	char hidden[PATH_MAX]; /* what the same name is for the user who called sudo; "": the same
				*/
};

/*
 * Makes the process, which becomes one of the caller, finds the file of command[0], and waits.
 * Returns 0, or a negative errno with err set to the reason and the status that it stands for.
 */
int gw_launch(struct gw_launched *launched, char *const *command, const struct gw_caller *caller,
	      const struct gw_relay *relay, struct gw_error *err);

/*
 * Lets it begin, and waits until it has; signals are passed on meanwhile. As above; it has ended
 * where it could not.
 */
int gw_launch_go(struct gw_launched *launched, const struct gw_relay *relay, struct gw_error *err);

/* Whether it has ended. It stays a zombie, whose facts can still be read, until it is reaped. */
int gw_launch_ended(const struct gw_launched *launched);

/* Waits for its end, and returns its status as wait(2) gives it. */
int gw_launch_reap(struct gw_launched *launched);

/* Ends it, if it still waits to begin. */
void gw_launch_cancel(struct gw_launched *launched);

#endif
