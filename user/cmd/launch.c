// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/launch.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/resolve.h"

/* What the child says before it waits, and again if it cannot become the command. */
struct report {
	int code;
	struct gw_error err;
	char file[PATH_MAX], hidden[PATH_MAX];
};

/* ---- the child ---- */

static int refuse_file(struct report *report, const char *name, int code)
{
	struct gw_error *err = &report->err;

	switch (code) {
	case -ENOENT:
		return report->hidden[0]
			       ? gw_error_set(err, code, GW_STATUS_RUN_NOT_FOUND,
					      "%.100s is not found by sudo's PATH; yours has "
					      "%.300s: name that file",
					      name, report->hidden)
			       : gw_error_set(err, code, GW_STATUS_RUN_NOT_FOUND,
					      strchr(name, '/')
						      ? "there is no file %.300s"
						      : "%.100s is not found in any directory of "
							"PATH: name the file",
					      name);
	case -EISDIR:
		return gw_error_set(err, code, GW_STATUS_RUN_NOT_EXECUTABLE,
				    "%.300s is a directory, no program", name);
	case -EACCES:
		return gw_error_set(err, code, GW_STATUS_RUN_NOT_EXECUTABLE,
				    "%.300s cannot be executed: user %u has no right to",
				    report->file[0] ? report->file : name, geteuid());
	default:
		return gw_error_set(err, code, GW_STATUS_RUN_NOT_FOUND, "%.100s: %s", name,
				    strerror(-code));
	}
}

/* What the user who called sudo would have got by the same name, if it is another file. */
static void look_for_hidden(const char *name, const char *environment, size_t length,
			    struct report *report)
{
	const char *path = environment ? gw_environment_find(environment, length, "PATH") : NULL;

	if (!path || strchr(name, '/') ||
	    gw_resolve(name, path, report->hidden, sizeof(report->hidden)) ||
	    !strcmp(report->hidden, report->file))
		report->hidden[0] = '\0';
}

static int become_user(const struct gw_caller *caller, struct gw_error *err)
{
	int code = gw_caller_become(caller);

	return code ? gw_error_set(err, code, GW_STATUS_RUN_FAILURE,
				   "the command cannot be run as user %u: %s", caller->uid,
				   strerror(-code))
		    : 0;
}

static int prepare(const char *name, const struct gw_caller *caller, struct report *report)
{
	size_t length = 0;
	char *environment = caller->by_sudo ? gw_caller_environment(&length) : NULL;
	int code = become_user(caller, &report->err);

	if (!code) {
		code = gw_resolve(name, getenv("PATH"), report->file, sizeof(report->file));
		look_for_hidden(name, environment, length, report);
		if (code)
			refuse_file(report, name, code);
	}
	free(environment);
	return code;
}

static int refuse_exec(struct report *report, int code)
{
	/* The file was there a moment ago: its interpreter is not. */
	if (code == -ENOENT)
		return gw_error_set(&report->err, code, GW_STATUS_RUN_NOT_EXECUTABLE,
				    "%.300s cannot be executed: the program that it names in its "
				    "first line (#!) or as its loader is not there",
				    report->file);
	return gw_error_set(&report->err, code, GW_STATUS_RUN_NOT_EXECUTABLE,
			    "%.300s cannot be executed: %s", report->file, strerror(-code));
}

static void __attribute__((noreturn))
child(int gate, char *const *command, const struct gw_caller *caller, const struct gw_relay *relay,
      struct report *report)
{
	char go;

	report->code = prepare(command[0], caller, report);
	if (send(gate, report, sizeof(*report), MSG_NOSIGNAL) == sizeof(*report) && !report->code &&
	    recv(gate, &go, 1, 0) == 1) {
		gw_relay_restore(relay);
		execvp(report->file, command);
		report->code = refuse_exec(report, -errno);
		send(gate, report, sizeof(*report), MSG_NOSIGNAL);
	}
	_exit(GW_STATUS_RUN_FAILURE);
}

/* ---- its parent ---- */

static int fail(struct gw_error *err, const char *what)
{
	return gw_error_set(err, -errno, GW_STATUS_RUN_FAILURE, "%s: %s", what, strerror(errno));
}

/* 1: the line was closed without one. */
static int receive(const struct gw_launched *launched, struct report *report)
{
	ssize_t got;

	do
		got = recv(launched->gate, report, sizeof(*report), 0);
	while (got < 0 && errno == EINTR);
	return got != sizeof(*report);
}

static int fork_child(struct gw_launched *launched, char *const *command,
		      const struct gw_caller *caller, const struct gw_relay *relay,
		      struct report *report, struct gw_error *err)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends))
		return fail(err, "no line to the command can be made");
	launched->pid = fork();
	if (launched->pid == 0) {
		close(ends[0]);
		child(ends[1], command, caller, relay, report);
	}
	close(ends[1]);
	launched->gate = ends[0];
	if (launched->pid > 0)
		return 0;
	launched->pid = 0;
	return fail(err, "no process can be made for the command");
}

int gw_launch(struct gw_launched *launched, char *const *command, const struct gw_caller *caller,
	      const struct gw_relay *relay, struct gw_error *err)
{
	struct report report = {0};
	int code;

	launched->gate = -1;
	code = fork_child(launched, command, caller, relay, &report, err);

	if (code)
		return code;
	if (receive(launched, &report))
		return gw_error_set(err, -ECHILD, GW_STATUS_RUN_FAILURE,
				    "the command's process was ended before it began");
	if (report.code) {
		*err = report.err;
		return report.code;
	}
	memcpy(launched->file, report.file, sizeof(launched->file));
	memcpy(launched->hidden, report.hidden, sizeof(launched->hidden));
	return 0;
}

static void close_gate(struct gw_launched *launched)
{
	if (launched->gate >= 0)
		close(launched->gate);
	launched->gate = -1;
}

/* A stop that came before it began stops it just then. */
static void wait_at_gate(const struct gw_launched *launched, const struct gw_relay *relay)
{
	struct pollfd lines[] = {
		{.fd = relay->fd, .events = POLLIN},
		{.fd = launched->gate, .events = POLLIN},
	};

	do {
		if (poll(lines, 2, -1) < 0)
			continue;
		if (lines[0].revents)
			gw_relay_pass(relay, launched->pid);
	} while (!lines[1].revents);
}

int gw_launch_go(struct gw_launched *launched, const struct gw_relay *relay, struct gw_error *err)
{
	struct report report = {0};
	int begun = send(launched->gate, "", 1, MSG_NOSIGNAL) == 1, code = 0;

	if (begun)
		wait_at_gate(launched, relay);
	/* Where it has been killed while it waited, its status says so. */
	if (begun && !receive(launched, &report)) {
		*err = report.err;
		code = report.code;
	}
	close_gate(launched);
	return code;
}

int gw_launch_ended(const struct gw_launched *launched)
{
	siginfo_t info = {0};

	return waitid(P_PID, (id_t)launched->pid, &info, WEXITED | WNOHANG | WNOWAIT) ||
	       info.si_pid == launched->pid;
}

int gw_launch_reap(struct gw_launched *launched)
{
	int status = 0;

	while (waitpid(launched->pid, &status, 0) < 0)
		if (errno != EINTR) {
			status = GW_STATUS_RUN_FAILURE << 8;
			break;
		}
	launched->pid = 0;
	return status;
}

void gw_launch_cancel(struct gw_launched *launched)
{
	close_gate(launched);
	if (launched->pid > 0)
		gw_launch_reap(launched);
}
