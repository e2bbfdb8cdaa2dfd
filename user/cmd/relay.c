// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/relay.h"

#include <errno.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "target/proc.h"

/* How far above a sender the command is looked for. */
#define GENERATIONS_MAX 32

static void signals_read(sigset_t *set)
{
	static const int number[] = {SIGINT,  SIGQUIT, SIGTERM, SIGHUP, SIGUSR1,
				     SIGUSR2, SIGTSTP, SIGCONT, SIGCHLD};

	sigemptyset(set);
	for (size_t i = 0; i < sizeof(number) / sizeof(number[0]); i++)
		sigaddset(set, number[i]);
}

int gw_relay_begin(struct gw_relay *relay, struct gw_error *err)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, standard = {.sa_handler = SIG_DFL};
	sigset_t set;

	signals_read(&set);
	relay->fd = -1;
	sigaction(SIGPIPE, &ignore, &relay->received_pipe);
	/* Where it is ignored, the status of a child is lost. */
	sigaction(SIGCHLD, &standard, &relay->received_child);
	if (!sigprocmask(SIG_BLOCK, &set, &relay->received_mask))
		relay->fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (relay->fd >= 0)
		return 0;
	return gw_error_set(err, -errno, GW_STATUS_RUN_FAILURE, "signals cannot be caught: %s",
			    strerror(errno));
}

void gw_relay_restore(const struct gw_relay *relay)
{
	sigaction(SIGPIPE, &relay->received_pipe, NULL);
	sigaction(SIGCHLD, &relay->received_child, NULL);
	sigprocmask(SIG_SETMASK, &relay->received_mask, NULL);
}

/* Whether a process is the command or was started by it: such a one signals its own group. */
static int is_of(pid_t pid, pid_t command)
{
	for (int i = 0; pid > 1 && i < GENERATIONS_MAX; i++, pid = gw_proc_parent(pid))
		if (pid == command)
			return 1;
	return 0;
}

/* The kernel's own signals, as those of a terminal, go to the whole group: see sigaction(2). */
static int is_for_command(const struct signalfd_siginfo *signal, pid_t command)
{
	return command > 0 && signal->ssi_signo != SIGCHLD && signal->ssi_code <= 0 &&
	       !is_of((pid_t)signal->ssi_pid, command);
}

/* By its default action, which does nothing where no shell could continue us. */
static void stop(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* stops here */
	sigprocmask(SIG_BLOCK, &set, NULL);
}

void gw_relay_pass(const struct gw_relay *relay, pid_t command)
{
	struct signalfd_siginfo signal;

	while (read(relay->fd, &signal, sizeof(signal)) == sizeof(signal)) {
		if (is_for_command(&signal, command))
			kill(command, (int)signal.ssi_signo);
		if (signal.ssi_signo == SIGTSTP)
			stop();
	}
}

void gw_relay_end(struct gw_relay *relay)
{
	if (relay->fd >= 0)
		close(relay->fd);
	relay->fd = -1;
}
