// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The command `export`: from options to a daemon that serves. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/export_parts.h"
#include "export/notify.h"
#include "probe/drop.h"
#include "probe/features.h"
#include "target/proc_parse.h"
#include "util/clock.h"

#define MOUNTINFO_MAX (1024 * 1024)
/* Affinity and quotas of a process are read again after that time. */
#define LIMITS_AGE_NS 30000000000ULL

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- what the options mean ---- */

static int parse_cgroups(const struct gw_export_options *o, struct gw_cgroup_selector *selector,
			 struct gw_error *err)
{
	char *mountinfo = malloc(MOUNTINFO_MAX);
	size_t wanted = o->common.cgroup_count;
	int code = 0;

	if (!mountinfo)
		return no_memory(err);
	gw_read_text("/proc/self/mountinfo", mountinfo, MOUNTINFO_MAX);
	for (size_t i = 0; !code && i < wanted + o->exclude_cgroup_count; i++)
		code = gw_cgroup_selector_parse(i < wanted ? o->common.cgroup[i]
							   : o->exclude_cgroup[i - wanted],
						mountinfo, &selector[i], err);
	free(mountinfo);
	return code;
}

static void selection_free(struct gw_selection *selection)
{
	gw_group_rules_free(&selection->rules);
	free(selection->cgroup);
}

static int selection_make(const struct gw_export_options *o, struct gw_selection *selection,
			  struct gw_error *err)
{
	int code = 0;

	memset(selection, 0, sizeof(*selection));
	selection->cgroup = calloc(o->common.cgroup_count + o->exclude_cgroup_count + 1,
				   sizeof(*selection->cgroup));
	if (!selection->cgroup)
		return no_memory(err);
	code = parse_cgroups(o, selection->cgroup, err);
	for (size_t i = 0; !code && i < o->group_count; i++)
		code = gw_group_rules_add(&selection->rules, o->group[i], err);
	if (code)
		selection_free(selection);
	return code;
}

static void set_filter(struct gw_standing *s, const struct gw_export_options *o,
		       const struct gw_selection *selection)
{
	s->filter = (struct gw_scan_filter){
		.comm = o->common.comm,
		.comm_count = o->common.comm_count,
		.cgroup = selection->cgroup,
		.cgroup_count = o->common.cgroup_count,
		.exclude_comm = o->exclude_comm,
		.exclude_comm_count = o->exclude_comm_count,
		.exclude_cgroup = selection->cgroup + o->common.cgroup_count,
		.exclude_cgroup_count = o->exclude_cgroup_count,
	};
	s->pid = o->common.pid;
	s->pid_count = o->common.pid_count;
	s->all = !o->common.pid_count || o->common.comm_count || o->common.cgroup_count;
}

int gw_daemon_configure(struct gw_daemon *d, struct gw_export_options *o, struct gw_error *err)
{
	struct gw_selection selection;
	int code = selection_make(o, &selection, err);

	if (code)
		return code;
	selection_free(&d->selection);
	d->selection = selection;
	d->options = o;
	set_filter(&d->standing, o, &d->selection);
	d->standing.watch.nameless = !o->per_thread;
	d->exporter.options = (struct gw_exporter_options){
		.per_process = o->per_process,
		.per_thread = o->per_thread,
		.processes_max = o->processes_max,
		.threads_max = o->threads_max,
		.groups_max = o->groups_max,
		.rules = &d->selection.rules,
	};
	return 0;
}

/* ---- the start ---- */

static int on_end(const struct gw_process_view *process, void *data)
{
	struct gw_daemon *d = data;

	return gw_exporter_fold(&d->exporter, process, (int64_t)gw_clock_now_ns());
}

static int begin_watch(struct gw_daemon *d, struct gw_error *err)
{
	struct gw_watch *w = &d->standing.watch;

	if (gw_host_read(&d->host))
		return no_memory(err);
	d->exporter.kernel = d->host.kernel;
	w->host = &d->host;
	w->engine = d->options->common.engine;
	w->budget = d->options->common.budget;
	w->follow = 1;
	w->pairless = 1; /* it is only for the sentences of verdicts, which nobody reads here */
	w->slots = d->options->slots;
	w->limits_age_ns = LIMITS_AGE_NS;
	w->on_end = on_end;
	w->on_end_data = d;
	return gw_standing_start(&d->standing, err);
}

static int drop_rights(struct gw_daemon *d, struct gw_error *err)
{
	char kept[256];
	/* What probes by perf events take on some kernels, and multi links do not. */
	int perf_events = d->options->common.engine != GW_CHOICE_SCHED &&
			  !gw_session_windows(d->standing.watch.session);
	int code = gw_rights_drop(perf_events, kept, sizeof(kept), err);

	if (!code)
		fprintf(stderr,
			"gilwatch: serving metrics on %s; of its rights it keeps %s, for the "
			"processes that will begin\n",
			d->options->listen, kept);
	return code;
}

static int run(struct gw_daemon *d, struct gw_error *err)
{
	int code = gw_features_require(err);

	if (code)
		return code;
	d->socket = gw_http_listen(d->options->listen, err);
	if (d->socket < 0)
		return d->socket;
	code = gw_http_start(d->socket, gw_daemon_get, d, &d->http, err);
	if (!code)
		code = begin_watch(d, err);
	if (!code)
		code = drop_rights(d, err);
	if (code)
		return code;
	d->ready = 1;
	gw_notify("READY=1\nSTATUS=serving metrics");
	code = gw_daemon_serve(d, err);
	gw_notify("STOPPING=1");
	return code;
}

static void daemon_free(struct gw_daemon *d)
{
	gw_body_free(d->body[0]);
	gw_body_free(d->body[1]);
	gw_http_free(d->http);
	gw_standing_free(&d->standing);
	gw_exporter_free(&d->exporter);
	gw_daemon_forget_base(d);
	gw_host_free(&d->host);
	selection_free(&d->selection);
	gw_export_options_free(d->options);
}

int gw_command_export(int argc, char **argv)
{
	struct gw_daemon d = {.argc = argc, .argv = argv};
	struct gw_export_options *options = NULL;
	struct gw_error err = {0};
	int code, status = GW_OK;

	signal(SIGPIPE, SIG_IGN);
	d.begun_ns = gw_clock_now_ns();
	code = gw_export_options_read(argc, argv, &options, &err);
	if (!code && options->print_metrics) {
		gw_metrics_print(stdout);
		gw_export_options_free(options);
		return GW_OK;
	}
	if (!code)
		code = gw_daemon_configure(&d, options, &err);
	if (code)
		gw_export_options_free(options);
	else if (!options->common.verbose)
		gw_session_be_quiet();
	if (!code)
		code = run(&d, &err);
	if (code) {
		status = err.status ? err.status : GW_STATUS_FAILURE;
		fprintf(stderr, "gilwatch: %s\n",
			err.text[0] ? err.text : "something went wrong inside gilwatch");
	}
	daemon_free(&d);
	return status;
}
