// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/begin.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "util/clock.h"
#include "verdict/verdict.h"
#include "watch/wait.h"

struct summary {
	struct gw_options options;
	struct gw_host host;
	struct gw_watch watch;
	struct gw_snapshot snapshot;
};

/* ---- the result ---- */

static int write_result(const struct summary *s, struct gw_error *err)
{
	FILE *out = gw_output_open(s->options.output, err);

	if (!out)
		return -EIO;
	return gw_result_write(&s->snapshot, &s->options, out, s->options.output, err);
}

static int finish(struct summary *s, enum gw_ended ended, struct gw_error *err)
{
	int code = gw_watch_finish(&s->watch, ended, &s->snapshot, err);

	if (code)
		return code;
	if (!gw_result_saw_something(&s->snapshot))
		return gw_error_set(err, -ESRCH, GW_STATUS_NOTHING,
				    "process %d ended before anything of it was seen",
				    s->options.pid[0]);
	gw_verdicts_judge(&s->snapshot);
	return write_result(s, err);
}

static int summarise(struct summary *s, struct gw_error *err)
{
	int code;

	s->watch.duration_ns = s->options.duration_ns;
	s->watch.progress = isatty(STDERR_FILENO);
	code = gw_begin(&s->options, &s->host, &s->watch, err);
	if (code)
		return code;
	gw_clock_write(s->snapshot.started, sizeof(s->snapshot.started));
	code = gw_watch_wait(&s->watch, err);
	return code < 0 ? code : finish(s, (enum gw_ended)code, err);
}

static void summary_free(struct summary *s)
{
	gw_watch_free(&s->watch);
	gw_snapshot_clear(&s->snapshot);
	gw_host_free(&s->host);
}

int gw_command_summary(int argc, char **argv)
{
	struct summary summary = {0};
	struct gw_error err = {0};
	int code, status;

	signal(SIGPIPE, SIG_IGN);
	code = gw_options_summary(argc, argv, &summary.options, &err);
	if (!summary.options.verbose)
		gw_session_be_quiet();
	if (!code)
		code = summarise(&summary, &err);
	if (code) {
		status = err.status ? err.status : GW_STATUS_FAILURE;
		fprintf(stderr, "gilwatch: %s\n",
			err.text[0] ? err.text : "something went wrong inside gilwatch");
	} else {
		status = gw_begin_report_refused(&summary.watch);
	}
	summary_free(&summary);
	return status;
}
