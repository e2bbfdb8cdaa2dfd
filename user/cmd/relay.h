/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Signals beside a command in the foreground. What the terminal sends, it sends to the command as
 * well; what a process sends to gilwatch is meant for the command and passed on.
 */
#ifndef GW_RELAY_H
#define GW_RELAY_H

#include <signal.h>
#include <sys/types.h>

#include "util/error.h"

struct gw_relay {
	int fd; /* becomes readable with signals to be passed on, and as a child ends; -1: none */
	sigset_t received_mask;				/* as they were before we began … */
	struct sigaction received_pipe, received_child; /* … for the command */
};

/*
 * From now on signals are read from fd, and none of them ends gilwatch. 0 or a negative errno with
 * err set.
 */
int gw_relay_begin(struct gw_relay *relay, struct gw_error *err);

/* In the command's process: signals are as gilwatch got them. */
void gw_relay_restore(const struct gw_relay *relay);

/*
 * Reads the signals that have come, and passes on to the command (0: there is none any more) what
 * is for it. Stops gilwatch, as a job with its command, where it is told to.
 */
void gw_relay_pass(const struct gw_relay *relay, pid_t command);

void gw_relay_end(struct gw_relay *relay);

#endif
