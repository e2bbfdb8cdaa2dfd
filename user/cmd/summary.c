// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/select.h"
#include "probe/features.h"
#include "verdict/verdict.h"
#include "watch/wait.h"
#include "watch/watch.h"

struct summary {
	struct gw_options options;
	struct gw_host host;
	struct gw_watch watch;
	struct gw_snapshot snapshot;
};

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

static int start(struct summary *s, struct gw_error *err)
{
	struct gw_watch *w = &s->watch;
	int code = 0;

	w->host = &s->host;
	w->engine = s->options.engine;
	w->follow = !s->options.no_children;
	w->force = s->options.force;
	w->duration_ns = s->options.duration_ns;
	w->begin_at_ns = s->options.begin_at_ns;
	w->progress = isatty(STDERR_FILENO);
	for (size_t i = 0; !code && i < s->options.pid_count; i++)
		code = gw_watch_select(w, s->options.pid[i], err);
	return code ? code : gw_watch_start(w, err);
}

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
	int code = gw_features_require(err);

	if (!code)
		code = gw_select_targets(&s->options, err);
	if (code)
		return code;
	if (gw_host_read(&s->host))
		return no_memory(err);
	code = start(s, err);
	if (code)
		return code;
	gw_result_note_time(&s->snapshot);
	code = gw_watch_wait(&s->watch, err);
	return code < 0 ? code : finish(s, (enum gw_ended)code, err);
}

static void summary_free(struct summary *s)
{
	gw_watch_free(&s->watch);
	gw_snapshot_clear(&s->snapshot);
	gw_host_free(&s->host);
}

/* The targets that could not be measured beside others that were. */
static int report_failed(const struct summary *s)
{
	int failed = 0;

	for (size_t i = 0; i < s->watch.list.count; i++) {
		const struct gw_watched *watched = s->watch.list.watched[i];

		if (watched->kind != GW_WATCHED_REFUSED)
			continue;
		fprintf(stderr, "gilwatch: %s\n", watched->error.text);
		failed = 1;
	}
	return failed ? GW_STATUS_PARTIAL : GW_OK;
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
		status = report_failed(&summary);
	}
	summary_free(&summary);
	return status;
}
