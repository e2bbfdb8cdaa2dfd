// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/begin.h"

#include <errno.h>
#include <stdio.h>

#include "cmd/select.h"
#include "probe/features.h"
#include "target/file_reader.h"

static void say_cost(const struct gw_watch *w)
{
	const struct gw_probe_cost *cost = gw_session_cost(w->session);

	if (cost->hit_ns)
		fprintf(stderr,
			"gilwatch: passing a probe costs %.2f \302\265s%s; attaching them took "
			"%.2f ms of a CPU\n",
			(double)cost->hit_ns / 1e3,
			cost->measured ? "" : ", by experience: it could not be measured",
			(double)cost->attach_ns / 1e6);
}

static int start(const struct gw_options *options, struct gw_watch *w, struct gw_error *err)
{
	int code = 0;

	w->engine = options->engine;
	w->follow = !options->no_children;
	w->budget = options->budget;
	w->begin_at_ns = options->begin_at_ns;
	w->files = gw_file_cache_new(); /* many run the same Python */
	gw_watch_prepare(w, options->pid_count);
	for (size_t i = 0; !code && i < options->pid_count; i++)
		code = gw_watch_select(w, options->pid[i], err);
	if (!code)
		code = gw_watch_start(w, err);
	if (!code && options->verbose)
		say_cost(w);
	return code;
}

int gw_begin(struct gw_options *options, struct gw_host *host, struct gw_watch *w,
	     struct gw_error *err)
{
	int code = gw_features_require(err);

	if (!code)
		code = gw_select_targets(options, err);
	if (code)
		return code;
	if (gw_host_read(host))
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	w->host = host;
	return start(options, w, err);
}

int gw_begin_report_refused(const struct gw_watch *w)
{
	int status = GW_OK;

	for (size_t i = 0; i < w->list.count; i++) {
		const struct gw_watched *watched = w->list.watched[i];

		if (watched->kind != GW_WATCHED_REFUSED)
			continue;
		fprintf(stderr, "gilwatch: %s\n", watched->error.text);
		status = GW_STATUS_PARTIAL;
	}
	return status;
}
