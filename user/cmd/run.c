// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cmd/caller.h"
#include "cmd/commands.h"
#include "cmd/launch.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/relay.h"
#include "cmd/result.h"
#include "probe/features.h"
#include "render/escape.h"
#include "util/clock.h"
#include "util/text.h"
#include "verdict/verdict.h"
#include "watch/watch.h"

/* What is no Python and ends before this has figures that say nothing. */
#define TOO_SHORT_NS 100000000LL

struct run {
	struct gw_options options;
	struct gw_caller caller;
	struct gw_relay relay;
	struct gw_launched launched;
	struct gw_host host;
	struct gw_watch watch;
	struct gw_snapshot snapshot;
	FILE *out;
};

/* ---- before the command ---- */

static void say(const char *format, const char *first, const char *second)
{
	char one[2048], two[2048];

	gw_escape_terminal(first, strlen(first), one, sizeof(one), 1);
	gw_escape_terminal(second, strlen(second), two, sizeof(two), 1);
	fprintf(stderr, format, one, two);
}

/* Which file a name stands for is not what its user thinks, where sudo sets another PATH. */
static void say_what_runs(const struct run *run)
{
	if (run->caller.by_sudo)
		say("gilwatch: runs %s as %s\n", run->launched.file, run->caller.name);
	else
		say("gilwatch: runs %s%s\n", run->launched.file, "");
	if (run->launched.hidden[0])
		say("gilwatch: sudo's PATH hides %s, which %s is in your own PATH (a virtual "
		    "environment?): to run that, name the file\n",
		    run->launched.hidden, run->options.command[0]);
}

/* Opened before the command begins: what cannot be written is known in time. */
static int open_output(struct run *run, struct gw_error *err)
{
	run->out = run->options.output ? gw_output_open(run->options.output, err) : stderr;
	return run->out ? 0 : -EIO;
}

static int launch(struct run *run, struct gw_error *err)
{
	int code = run->options.as_root ? 0 : gw_caller_find(&run->caller, err);

	return code ? code
		    : gw_launch(&run->launched, run->options.command, &run->caller, &run->relay,
				err);
}

static int watch(struct run *run, struct gw_error *err)
{
	struct gw_watch *w = &run->watch;
	int code;

	if (gw_host_read(&run->host))
		return gw_error_set(err, -ENOMEM, GW_STATUS_RUN_FAILURE, "out of memory");
	w->host = &run->host;
	w->engine = run->options.engine;
	w->follow = 1; /* the command is what the process becomes that waits for it */
	w->childless = run->options.no_children;
	w->keep_ended = 1; /* at the end of a run all threads have ended */
	w->budget = run->options.budget;
	code = gw_watch_launch(w, run->launched.pid, err);
	return code ? code : gw_watch_start(w, err);
}

/* All that can fail does so before the command has done anything. */
static int prepare(struct run *run, struct gw_error *err)
{
	int code = open_output(run, err);

	if (!code)
		code = gw_relay_begin(&run->relay, err);
	/* Before anything else is done: libbpf may change limits, which the command would inherit.
	 */
	if (!code)
		code = launch(run, err);
	if (!code)
		code = gw_features_require(err);
	if (code)
		return code;
	say_what_runs(run);
	return watch(run, err);
}

/* ---- while it runs ---- */

static void wait_for_signals(struct run *run, uint64_t until_ns, int watching)
{
	struct timespec timeout = {.tv_nsec = (long)until_ns};
	struct pollfd polled[] = {
		{.fd = run->relay.fd, .events = POLLIN},
		{.fd = watching ? run->watch.alarm : -1, .events = POLLIN},
	};

	if (ppoll(polled, 2, watching ? &timeout : NULL, NULL) > 0 && polled[0].revents)
		gw_relay_pass(&run->relay, run->launched.pid);
}

/* Until the command has ended, also if the watch of it fails. 0 or a negative errno with err set.
 */
static int attend(struct run *run, struct gw_error *err)
{
	int code = 0;

	while (!gw_launch_ended(&run->launched)) {
		if (!code && !gw_watch_due_ns(&run->watch))
			code = gw_watch_tick(&run->watch, err);
		wait_for_signals(run, code ? 0 : gw_watch_due_ns(&run->watch), !code);
	}
	return code;
}

/* ---- after it ---- */

static void describe(struct run *run, pid_t pid, int status)
{
	struct gw_run *described = &run->snapshot.run;

	described->pid = (uint32_t)pid;
	gw_text_copy(described->file, sizeof(described->file), run->launched.file);
	gw_text_copy(described->user, sizeof(described->user), run->caller.name);
	described->exit_status = WIFEXITED(status) ? WEXITSTATUS(status) : GW_ABSENT_COUNT;
	described->signal = WIFSIGNALED(status) ? WTERMSIG(status) : GW_ABSENT_COUNT;
	described->before_python_ns = gw_watch_before_python_ns(&run->watch);
}

/* A sentence stands in the figures' place. */
static void leave_out_what_was_too_short(struct gw_snapshot *snapshot)
{
	struct gw_process_view *p = snapshot->process;

	if (snapshot->process_count != 1 || p->python_version[0] || p->error[0] ||
	    p->elapsed_ns >= TOO_SHORT_NS)
		return;
	gw_process_view_clear(p);
	snapshot->process_count = 0;
}

static int report(struct run *run, pid_t pid, int status, struct gw_error *err)
{
	FILE *out = run->out;

	run->snapshot.requested_ns = GW_ABSENT_NS;
	run->snapshot.ended = GW_ENDED_TARGET_EXIT;
	describe(run, pid, status);
	leave_out_what_was_too_short(&run->snapshot);
	gw_verdicts_judge(&run->snapshot);
	run->out = NULL;
	return gw_result_write(&run->snapshot, &run->options, out, run->options.output, err);
}

/* As a shell has it. */
static int status_of(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

/* The command's status, or that of gilwatch's failure where the command has none to tell. */
static int run_command(struct run *run, struct gw_error *err)
{
	int code = prepare(run, err), status;
	pid_t pid = run->launched.pid;

	if (code)
		return GW_STATUS_RUN_FAILURE;
	gw_clock_write(run->snapshot.started, sizeof(run->snapshot.started));
	if (gw_launch_go(&run->launched, &run->relay, err))
		return GW_STATUS_RUN_FAILURE;
	code = attend(run, err);
	/* Children that go on have not ended with it. */
	if (!code)
		code = gw_watch_finish(&run->watch, GW_ENDED_DURATION, &run->snapshot, err);
	status = gw_launch_reap(&run->launched);
	if (!code)
		code = report(run, pid, status, err);
	return code && !status_of(status) ? GW_STATUS_RUN_FAILURE : status_of(status);
}

static int is_of_run(enum gw_status status)
{
	return status == GW_STATUS_RUN_NOT_FOUND || status == GW_STATUS_RUN_NOT_EXECUTABLE;
}

static void run_free(struct run *run)
{
	gw_launch_cancel(&run->launched);
	gw_relay_end(&run->relay);
	gw_watch_free(&run->watch);
	gw_snapshot_clear(&run->snapshot);
	gw_host_free(&run->host);
	if (run->out)
		gw_output_close(run->out, run->options.output, NULL);
}

int gw_command_run(int argc, char **argv)
{
	struct run run = {.launched = {.gate = -1}, .relay = {.fd = -1}};
	struct gw_error err = {0};
	int status = GW_STATUS_RUN_FAILURE;

	if (!gw_options_run(argc, argv, &run.options, &err)) {
		if (!run.options.verbose)
			gw_session_be_quiet();
		status = run_command(&run, &err);
	}
	if (is_of_run(err.status))
		status = (int)err.status;
	if (err.text[0])
		say("gilwatch: %s%s\n", err.text, "");
	run_free(&run);
	return status;
}
