// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd/collect.h"
#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/watch.h"
#include "probe/features.h"
#include "render/json.h"
#include "render/text.h"

struct summary {
	struct gw_options options;
	struct gw_host host;
	struct gw_candidate *candidate;
	struct gw_session_target *target; /* those of the candidates that can be measured */
	size_t target_count;
	struct gw_session *session;
	struct gw_watch watch;
	struct gw_raw raw;
	struct gw_snapshot snapshot;
	char started[40];
};

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- targets ---- */

static void add_target(struct summary *s, struct gw_candidate *candidate)
{
	struct gw_session_target *target = &s->target[s->target_count];
	const struct gw_target *from = &candidate->target;
	int gil = from->python.gil_enabled && from->python.gil_count;

	candidate->index = s->target_count++;
	target->pid = candidate->pid;
	target->engine = gil ? s->options.engine : GW_ENGINE_NONE;
	target->python = gil ? &from->python : NULL;
	target->sites = from->sites.count ? &from->sites : NULL;
	target->runtime_path = from->runtime_path;
	for (int i = 0; i < from->python.gil_count; i++)
		gw_python_view_gil(candidate->pid, &from->python, from->python.gil[i].address,
				   &candidate->gil_at_start[i]);
}

static int open_targets(struct summary *s, struct gw_error *err)
{
	size_t count = s->options.pid_count;

	s->candidate = calloc(count, sizeof(*s->candidate));
	s->target = calloc(count, sizeof(*s->target));
	if (!s->candidate || !s->target)
		return no_memory(err);
	for (size_t i = 0; i < count; i++) {
		struct gw_candidate *candidate = &s->candidate[i];
		int probes = s->options.engine == GW_ENGINE_UPROBE;

		candidate->pid = s->options.pid[i];
		if (!gw_target_open(candidate->pid, probes, &candidate->target, &candidate->error))
			add_target(s, candidate);
	}
	if (s->target_count)
		return 0;
	*err = s->candidate[0].error;
	return -ESRCH;
}

/* ---- watching ---- */

static int start(struct summary *s, struct gw_error *err)
{
	int code = gw_session_new(&s->host, &s->session, err);

	if (!code)
		code = gw_session_load(s->session, s->target, s->target_count, err);
	if (!code)
		code = gw_session_attach(s->session, err);
	if (!code)
		code = gw_session_activate(s->session, s->options.begin_at_ns, err);
	return code;
}

static void note_time(struct summary *s)
{
	time_t now = time(NULL);
	struct tm local;
	char zone[8];

	localtime_r(&now, &local);
	strftime(s->started, sizeof(s->started), "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local); /* +hhmm; RFC 3339 has a colon in it */
	sprintf(s->started + strlen(s->started), "%.3s:%s", zone, zone + 3);
}

static int watch(struct summary *s, struct gw_error *err)
{
	struct gw_watch *w = &s->watch;

	w->session = s->session;
	w->target = s->target;
	w->count = s->target_count;
	w->duration_ns = s->options.duration_ns;
	w->force = s->options.force;
	w->progress = isatty(STDERR_FILENO);
	w->ended = calloc(w->count, sizeof(*w->ended));
	w->change = calloc(w->count, sizeof(*w->change));
	if (!w->ended || !w->change)
		return no_memory(err);
	note_time(s);
	return gw_watch_wait(w, err);
}

/* ---- the result ---- */

static int write_result(const struct summary *s, struct gw_error *err)
{
	struct gw_text_options text = {0};
	FILE *out = gw_output_open(s->options.output, err);
	int code;

	if (!out)
		return -EIO;
	gw_text_options_detect(&text, out);
	text.rows = s->options.rows;
	if (s->options.json)
		code = gw_json_write(&s->snapshot, out);
	else
		code = gw_text_write(&s->snapshot, &text, out);
	if (gw_output_close(out, s->options.output, err))
		return -EIO;
	return code ? gw_error_set(err, code, GW_STATUS_FAILURE, "the result cannot be written: %s",
				   strerror(-code))
		    : 0;
}

static int saw_something(const struct gw_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->process[i].threads_wall_ns > 0)
			return 1;
	return 0;
}

static int finish(struct summary *s, enum gw_ended ended, struct gw_error *err)
{
	struct gw_collect collect = {
		.candidate = s->candidate,
		.count = s->options.pid_count,
		.host = &s->host,
		.watch = &s->watch,
		.raw = &s->raw,
		.ended = ended,
		.requested_ns = (int64_t)s->options.duration_ns,
		.started = s->started,
	};
	int code;

	gw_session_stop(s->session);
	code = gw_session_read(s->session, &s->raw, err);
	if (code)
		return code;
	if (gw_collect(&collect, &s->snapshot))
		return no_memory(err);
	if (!saw_something(&s->snapshot))
		return gw_error_set(err, -ESRCH, GW_STATUS_NOTHING,
				    "process %d ended before anything of it was seen",
				    s->target[0].pid);
	return write_result(s, err);
}

static int summarise(struct summary *s, struct gw_error *err)
{
	int code = gw_features_require(err);

	if (code)
		return code;
	if (gw_host_read(&s->host))
		return no_memory(err);
	code = open_targets(s, err);
	if (code)
		return code;
	s->watch.signals = gw_watch_signals();
	code = start(s, err);
	if (!code)
		code = watch(s, err);
	return code < 0 ? code : finish(s, (enum gw_ended)code, err);
}

static void summary_free(struct summary *s)
{
	gw_session_free(s->session);
	gw_raw_clear(&s->raw);
	gw_snapshot_clear(&s->snapshot);
	gw_host_free(&s->host);
	free(s->watch.ended);
	free(s->watch.change);
	free(s->candidate);
	free(s->target);
}

/* The targets that could not be measured beside others that were. */
static int report_failed(const struct summary *s)
{
	int failed = 0;

	for (size_t i = 0; i < s->options.pid_count; i++) {
		if (!s->candidate[i].error.text[0])
			continue;
		fprintf(stderr, "gilwatch: %s\n", s->candidate[i].error.text);
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
