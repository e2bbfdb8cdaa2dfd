// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/collect.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"
#include "util/text.h"

static void describe_python(const struct gw_python *python, struct gw_process_view *view)
{
	/* PyPy's version is one of the language, not of CPython. */
	if (strncmp(python->other, "PyPy", 4))
		gw_text_copy(view->python_version, sizeof(view->python_version), python->version);
	gw_text_copy(view->python_file, sizeof(view->python_file), python->runtime_file.path);
	gw_text_copy(view->build_id, sizeof(view->build_id), python->build_id);
	view->free_threaded = python->free_threaded;
	view->gil_enabled = python->gil_enabled || !python->gil_count;
}

/* What was odd about it, in sentences. */
static void describe_oddities(const struct gw_target *target, struct gw_process_view *view)
{
	static const char untested[] = "This version is newer than gilwatch: it is read as it "
				       "describes itself";
	const char *part[] = {target->python.untested ? untested : "", target->python.note,
			      target->sites.disagreement};
	size_t used = 0;

	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++) {
		size_t room = sizeof(view->python_note) - used;

		if (!part[i][0])
			continue;
		used += (size_t)snprintf(view->python_note + used, room, "%s%s", used ? ". " : "",
					 part[i]);
		if (used >= sizeof(view->python_note))
			return;
	}
}

/* Why there are no probes, where there could be. */
static const char *why_sched(const struct gw_watch *w, const struct gw_watched *watched)
{
	if (w->engine == GW_CHOICE_AUTO && w->budget <= 0)
		return "a budget of 0 allows no probes";
	if (watched->no_probes.text[0])
		return watched->no_probes.text;
	if (watched->paced)
		return "the budget has room for short windows of probes only";
	return "scheduler events and samples; no probes in the target";
}

static const char *why_engine(const struct gw_watch *w, const struct gw_watched *watched,
			      enum gw_engine engine)
{
	switch (engine) {
	case GW_ENGINE_SCHED:
		return why_sched(w, watched);
	case GW_ENGINE_UPROBE:
		return "probes at the GIL's acquisitions and releases";
	case GW_ENGINE_OFF:
		return "the GIL of this process is off";
	default:
		break;
	}
	if (watched->kind == GW_WATCHED_OTHER)
		return "it is no CPython";
	return watched->error.text[0] ? watched->error.text : "its Python was not found in time";
}

static void describe_engine(const struct gw_watch *w, const struct gw_watched *watched,
			    const struct gw_process *process, struct gw_process_view *view)
{
	static const char *const names[] = {"none", "sched", "uprobe", "none"};
	enum gw_engine engine = (enum gw_engine)process->engine;

	/* A window that happens to be open is none of another engine. */
	if (engine == GW_ENGINE_UPROBE && process->pooled)
		engine = GW_ENGINE_SCHED;
	gw_text_copy(view->engine, sizeof(view->engine), names[engine]);
	gw_text_copy(view->engine_reason, sizeof(view->engine_reason),
		     why_engine(w, watched, engine));
	if (view->engine_change_count && (engine == GW_ENGINE_SCHED || engine == GW_ENGINE_UPROBE))
		gw_text_copy(view->engine_reason, sizeof(view->engine_reason),
			     view->engine_change[view->engine_change_count - 1].reason);
}

static void read_limits(const struct gw_watch *w, struct gw_watched *watched)
{
	uint64_t now_ns = gw_session_now_ns(w->session);

	if (watched->limits_ns && now_ns - watched->limits_ns < w->limits_age_ns)
		return;
	if (gw_host_limits(watched->pid, &watched->limits) && !watched->limits_ns)
		watched->limits = watched->target->limits;
	watched->limits_ns = now_ns;
}

/* Limits at the end; where the process is gone, the last ones that are known. */
static void describe_limits(const struct gw_watch *w, struct gw_watched *watched,
			    struct gw_process_view *view)
{
	const struct gw_target *target = watched->target;
	struct gw_cpu_limits now;

	read_limits(w, watched);
	now = watched->limits;
	view->cpus_usable = now.usable;
	view->cpu_quota = now.quota_cpus;
	if (now.throttled_ns > target->limits.throttled_ns)
		view->throttled_ns = (int64_t)(now.throttled_ns - target->limits.throttled_ns);
}

/* The figures that its memory has; the rest comes from the books. */
static void describe_gil(const struct gw_watched *watched, const struct gw_process *process,
			 size_t place, struct gw_gil_row *row)
{
	const struct gw_target *target = watched->target;
	const struct gw_known_gil *known =
		gw_gils_find(&watched->gils, process->gil_address[place]);
	const struct gw_python *python;
	struct gw_gil_view now;

	row->interval_ns = GW_ABSENT_NS;
	row->holder_changes = GW_ABSENT_COUNT;
	if (!known)
		return;
	python = known->python ? &target->second.python : &target->python;
	now = known->last;
	/* After its end the same address is another program's, or nobody's. */
	if (!process->flags && !known->interpreter)
		gw_python_view_gil(watched->pid, python, known->address, &now);
	row->interpreter = known->interpreter;
	row->interval_ns = (int64_t)now.interval_us * 1000;
	if (target->second.python.gil_count)
		gw_text_copy(row->python, sizeof(row->python), python->version);
	if (!process->flags)
		row->holder_changes = (int64_t)(now.switch_number - known->first.switch_number);
}

static int describe_gils(const struct gw_watched *watched, const struct gw_process *process,
			 struct gw_process_view *view)
{
	size_t count = watched->kind == GW_WATCHED_PYTHON ? process->gil_count : 0;

	view->gil = calloc(count + 1, sizeof(*view->gil));
	if (!view->gil)
		return -ENOMEM;
	view->gil_count = count;
	for (size_t i = 0; i < count; i++)
		describe_gil(watched, process, i, &view->gil[i]);
	return 0;
}

/* The last look, as of the end. */
static int describe_intervals(const struct gw_watch *w, const struct gw_watched *watched,
			      const struct gw_raw *raw, struct gw_process_view *view)
{
	struct gw_intervals intervals = watched->intervals;
	const struct gw_gil_state *gil = &raw->gil[GW_GIL_SLOT(watched->slot, 0)];
	struct gw_interval_counts counts;

	if (!view->gil_count)
		return 0;
	counts = gw_interval_counts(&raw->process[watched->slot], gil, raw->end_ns,
				    watched->gils.gil[0].first.switch_number +
					    (uint64_t)view->gil[0].holder_changes);
	/* Of a process that has ended the last look stands. */
	if (view->gil[0].holder_changes != GW_ABSENT_COUNT)
		gw_intervals_look(&intervals,
				  (int64_t)(raw->end_ns - gw_session_start_ns(w->session)),
				  view->gil[0].interval_ns, &counts);
	return gw_intervals_copy(&intervals, gw_build_is_exact(&raw->process[watched->slot]),
				 &view->interval_phase, &view->interval_phase_count);
}

/* Of a process that was made while it was watched: from the fork until its Python could run. */
static int64_t first_python_ns(const struct gw_watched *watched, const struct gw_process *process)
{
	uint64_t at_ns = process->execs ? watched->found_ns : process->first_run_ns;

	if (process->origin != GW_ORIGIN_FORK && process->origin != GW_ORIGIN_SPAWN)
		return GW_ABSENT_NS;
	if (watched->kind != GW_WATCHED_PYTHON || at_ns < process->start_ns)
		return GW_ABSENT_NS;
	return (int64_t)(at_ns - process->start_ns);
}

static int describe_changes(const struct gw_watched *watched, struct gw_process_view *view)
{
	size_t size = watched->change_count * sizeof(*view->engine_change);

	if (!size)
		return 0;
	view->engine_change = malloc(size);
	if (!view->engine_change)
		return -ENOMEM;
	memcpy(view->engine_change, watched->change, size);
	view->engine_change_count = watched->change_count;
	view->engine_change_rest = watched->change_rest;
	return 0;
}

static void describe_place(const struct gw_watched *watched, struct gw_process_view *view)
{
	const struct gw_watched_place *place = watched->place;

	if (!place)
		return;
	gw_text_copy(view->cgroup, sizeof(view->cgroup), place->cgroup);
	gw_text_copy(view->container_id, sizeof(view->container_id), place->container.id);
	gw_text_copy(view->container_runtime, sizeof(view->container_runtime),
		     place->container.runtime);
	view->start_time_ns = place->start_time_ns;
}

static void describe_process(const struct gw_watched *watched, struct gw_process_view *view)
{
	const struct gw_target *target = watched->target;

	view->pid = (uint32_t)watched->pid;
	if (!target)
		return;
	view->ppid = (uint32_t)target->proc.ppid;
	gw_text_copy(view->command, sizeof(view->command), target->proc.command);
	gw_text_copy(view->comm, sizeof(view->comm), target->proc.comm);
	describe_place(watched, view);
}

static enum gw_ended how_it_ended(const struct gw_process *process, enum gw_ended ended)
{
	if (process->flags & GW_PROCESS_EXECED)
		return GW_ENDED_TARGET_EXEC;
	return process->flags ? GW_ENDED_TARGET_EXIT : ended;
}

int gw_watched_is_shown(const struct gw_watched *watched)
{
	/* The command of a run can end before it has been looked at. */
	if (watched->selected)
		return watched->target || watched->kind == GW_WATCHED_REFUSED;
	return (watched->slot != GW_NO_SLOT && watched->target &&
		(watched->kind == GW_WATCHED_PYTHON || watched->kind == GW_WATCHED_OPAQUE));
}

int gw_collect_process(const struct gw_watch *w, struct gw_watched *watched,
		       const struct gw_raw *raw, enum gw_ended ended, struct gw_process_view *view)
{
	const struct gw_process *process = &raw->process[watched->slot];
	int no_gil = process->engine == GW_ENGINE_NONE || process->engine == GW_ENGINE_OFF;
	int code;

	describe_process(watched, view);
	describe_python(&watched->target->python, view);
	describe_oddities(watched->target, view);
	describe_limits(w, watched, view);
	view->child = !watched->selected;
	view->began_ns = (int64_t)(process->start_ns - gw_session_start_ns(w->session));
	view->first_python_ns = first_python_ns(watched, process);
	view->gil_enabled_at_ns =
		watched->gil_on_ns ? (int64_t)(watched->gil_on_ns - gw_session_start_ns(w->session))
				   : GW_ABSENT_NS;
	view->ended = how_it_ended(process, ended);
	view->overhead_budget = w->engine == GW_CHOICE_AUTO ? w->budget : -1;
	view->overhead_hit_ns = (int64_t)gw_session_cost(w->session)->hit_ns;
	code = describe_changes(watched, view);
	describe_engine(w, watched, process, view);
	if (!code)
		code = describe_gils(watched, process, view);
	if (!code)
		code = describe_intervals(w, watched, raw, view);
	if (!code)
		code = gw_build_process(raw, watched->slot, no_gil ? view->engine_reason : NULL,
					view);
	if (!code && watched->kind == GW_WATCHED_PYTHON && !w->nameless)
		gw_names_give(&watched->names, watched->target, process->flags != 0,
			      gw_session_now_ns(w->session), view);
	return code;
}

static int collect_one(const struct gw_watch *w, struct gw_watched *watched,
		       const struct gw_raw *raw, enum gw_ended ended, struct gw_process_view *view)
{
	if (watched->view) {
		int code = gw_process_view_copy(watched->view, view);

		/* What was since the look before is told once. */
		for (size_t i = 0; i < watched->view->gil_count; i++)
			watched->view->gil[i].most_lately = 0;
		return code;
	}
	if (watched->kind != GW_WATCHED_REFUSED)
		return gw_collect_process(w, watched, raw, ended, view);
	describe_process(watched, view);
	gw_text_copy(view->error, sizeof(view->error), watched->error.text);
	return 0;
}

int gw_collect(const struct gw_watch *w, const struct gw_raw *raw, enum gw_ended ended,
	       struct gw_snapshot *snapshot)
{
	int code = 0;

	snapshot->process = calloc(w->list.count + 1, sizeof(*snapshot->process));
	if (!snapshot->process)
		return -ENOMEM;
	snapshot->others = w->not_followed;
	for (size_t i = 0; !code && i < w->list.count; i++) {
		struct gw_watched *watched = w->list.watched[i];

		if (watched->view || gw_watched_is_shown(watched))
			code = collect_one(w, watched, raw, ended,
					   &snapshot->process[snapshot->process_count++]);
		else
			snapshot->others += watched->slot != GW_NO_SLOT && !watched->selected &&
					    !watched->launcher;
	}
	return code;
}
