// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "verdict/verdict.h"

/* As much as fits. */
static void copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = 0;
}

static void describe_python(const struct gw_python *python, struct gw_process_view *view)
{
	copy(view->python_version, sizeof(view->python_version), python->version);
	copy(view->python_file, sizeof(view->python_file), python->runtime_file.path);
	copy(view->build_id, sizeof(view->build_id), python->build_id);
	view->free_threaded = python->free_threaded;
	view->gil_enabled = python->gil_enabled;
}

static void describe_engine(enum gw_engine engine, struct gw_process_view *view)
{
	static const char *const names[] = {"none", "sched", "uprobe"};
	static const char *const reasons[] = {
		"the GIL of this process is off",
		"scheduler events and samples; no probes in the target",
		"probes at the GIL's acquisitions and releases",
	};

	copy(view->engine, sizeof(view->engine), names[engine]);
	copy(view->engine_reason, sizeof(view->engine_reason), reasons[engine]);
	if (view->engine_change_count)
		copy(view->engine_reason, sizeof(view->engine_reason),
		     view->engine_change[view->engine_change_count - 1].reason);
}

/* Limits at the end; where the process is gone, those of the start. */
static void describe_limits(const struct gw_target *target, struct gw_process_view *view)
{
	struct gw_cpu_limits now = target->limits;

	if (gw_host_limits(target->proc.pid, &now))
		now = target->limits;
	view->cpus_usable = now.usable;
	view->cpu_quota = now.quota_cpus;
	if (now.throttled_ns > target->limits.throttled_ns)
		view->throttled_ns = (int64_t)(now.throttled_ns - target->limits.throttled_ns);
}

static int describe_gils(const struct gw_candidate *candidate, struct gw_process_view *view)
{
	const struct gw_python *python = &candidate->target.python;

	view->gil = calloc((size_t)python->gil_count + 1, sizeof(*view->gil));
	if (!view->gil)
		return -ENOMEM;
	view->gil_count = (size_t)python->gil_count;
	for (int i = 0; i < python->gil_count; i++) {
		const struct gw_gil_view *start = &candidate->gil_at_start[i];
		struct gw_gil_view now = *start;

		/* After an exec the same address is another program's. */
		int gone = view->ended == GW_ENDED_TARGET_EXEC ||
			   gw_python_view_gil(candidate->pid, python, python->gil[i].address, &now);

		if (gone)
			now = *start;
		view->gil[i].interpreter = python->gil[i].interpreter;
		view->gil[i].interval_ns = (int64_t)now.interval_us * 1000;
		view->gil[i].holder_changes =
			gone ? GW_ABSENT_COUNT
			     : (int64_t)(now.switch_number - start->switch_number);
	}
	return 0;
}

static int describe_changes(const struct gw_watch *watch, size_t index,
			    struct gw_process_view *view)
{
	if (!watch->change[index].from[0])
		return 0;
	view->engine_change = malloc(sizeof(*view->engine_change));
	if (!view->engine_change)
		return -ENOMEM;
	view->engine_change[0] = watch->change[index];
	view->engine_change_count = 1;
	return 0;
}

static enum gw_ended how_it_ended(const struct gw_collect *c, size_t index)
{
	enum gw_ended own = c->watch->ended[index];

	return own == GW_ENDED_DURATION ? c->ended : own;
}

static int measured(const struct gw_collect *c, const struct gw_candidate *candidate,
		    struct gw_process_view *view)
{
	size_t index = candidate->index;
	int code;

	describe_python(&candidate->target.python, view);
	describe_limits(&candidate->target, view);
	view->ended = how_it_ended(c, index);
	view->overhead_budget = -1;
	code = describe_changes(c->watch, index, view);
	describe_engine((enum gw_engine)c->raw->process[index].engine, view);
	if (!code)
		code = describe_gils(candidate, view);
	if (!code)
		code = gw_build_process(c->raw, index, gw_session_start_ns(c->watch->session),
					view);
	return code;
}

int gw_collect(const struct gw_collect *c, struct gw_snapshot *snapshot)
{
	uint64_t start_ns = gw_session_start_ns(c->watch->session);
	int code = 0;

	copy(snapshot->started, sizeof(snapshot->started), c->started);
	copy(snapshot->kernel, sizeof(snapshot->kernel), c->host->kernel);
	snapshot->cpus = c->host->cpus;
	snapshot->requested_ns = c->requested_ns;
	snapshot->elapsed_ns = (int64_t)(c->raw->end_ns - start_ns);
	snapshot->start_monotonic_ns = c->raw->epoch_ns + start_ns;
	snapshot->end_monotonic_ns = c->raw->epoch_ns + c->raw->end_ns;
	snapshot->ended = c->ended;
	snapshot->process = calloc(c->count, sizeof(*snapshot->process));
	if (!snapshot->process)
		return -ENOMEM;
	snapshot->process_count = c->count;
	for (size_t i = 0; !code && i < c->count; i++) {
		const struct gw_candidate *candidate = &c->candidate[i];
		struct gw_process_view *view = &snapshot->process[i];

		view->pid = (uint32_t)candidate->pid;
		view->ppid = (uint32_t)candidate->target.proc.ppid;
		copy(view->command, sizeof(view->command), candidate->target.proc.command);
		copy(view->comm, sizeof(view->comm), candidate->target.proc.comm);
		copy(view->error, sizeof(view->error), candidate->error.text);
		if (!view->error[0])
			code = measured(c, candidate, view);
	}
	if (!code)
		gw_verdicts_judge(snapshot);
	return code;
}
