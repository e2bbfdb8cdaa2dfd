// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/identify.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/python_memory.h"
#include "watch/budget.h"
#include "watch/place.h"

/* ---- what it is ---- */

static int is_copy_of_parent(const struct gw_watched *watched)
{
	const struct gw_watched *parent = watched->parent;

	/* The parent may have become Python only after it was forked: a shell that ends in exec. */
	return watched->is_copy && !watched->execs_seen && parent && parent->target &&
	       parent->execs_seen == watched->parent_execs && parent->kind == GW_WATCHED_PYTHON;
}

/* A forked child maps what its parent maps. */
static int copy_target(struct gw_watched *watched, struct gw_error *err)
{
	struct gw_target *target = watched->target;
	int code;

	*target = *watched->parent->target;
	code = gw_proc_read(watched->pid, &target->proc, err);
	if (code)
		return code;
	gw_host_limits(watched->pid, &target->limits);
	return gw_proc_mapping_path(watched->pid, &target->python.runtime_file,
				    target->runtime_path, sizeof(target->runtime_path));
}

static void view_gils(struct gw_watched *watched)
{
	const struct gw_python *python = &watched->target->python;

	for (int i = 0; i < python->gil_count; i++) {
		gw_python_view_gil(watched->pid, python, python->gil[i].address,
				   &watched->gil_at_start[i]);
		watched->gil_last[i] = watched->gil_at_start[i];
	}
}

static enum gw_watched_kind kind_of(const struct gw_watched *watched, int code)
{
	if (!code)
		return GW_WATCHED_PYTHON;
	if (code == -EAGAIN || code == -ESRCH)
		return GW_WATCHED_NEW;
	if (code == -ENOENT)
		return GW_WATCHED_OTHER;
	if (watched->target->proc.kernel_thread)
		return GW_WATCHED_REFUSED;
	/* Found and refused: PyPy, a version that is not known, memory that does not look right. */
	if (code == -ENOTSUP || code == -EPROTO || code == -EFAULT || code == -EINVAL ||
	    code == -ENOLCK)
		return GW_WATCHED_OPAQUE;
	return GW_WATCHED_REFUSED;
}

/* Those that are only wanted may be lacking. */
static int open_target(struct gw_watched *watched, enum gw_sites_need sites, struct gw_error *err)
{
	struct gw_target *target = watched->target;
	int code =
		gw_target_open(watched->pid, sites == GW_SITES_NEEDED, watched->files, target, err);

	if (code || sites != GW_SITES_WANTED ||
	    !gw_target_find_sites(target, 1, &watched->no_probes))
		return code;
	target->sites.count = 0;
	return 0;
}

int gw_identify(struct gw_watched *watched, enum gw_sites_need sites)
{
	struct gw_error err = {0};
	int code = -ENOMEM;

	if (!watched->target)
		watched->target = calloc(1, sizeof(*watched->target));
	if (watched->target) {
		code = -ENOENT;
		if (is_copy_of_parent(watched))
			code = copy_target(watched, &err);
		if (code)
			code = open_target(watched, sites, &err);
	}
	watched->kind = kind_of(watched, code);
	watched->error = err;
	if (watched->kind == GW_WATCHED_PYTHON)
		view_gils(watched);
	if (watched->kind == GW_WATCHED_PYTHON || watched->kind == GW_WATCHED_OPAQUE)
		gw_place_find(watched);
	return code;
}

void gw_identify_late(struct gw_watched *watched)
{
	if (watched->kind != GW_WATCHED_NEW)
		return;
	watched->kind = GW_WATCHED_OTHER;
	if (!is_copy_of_parent(watched))
		return;
	watched->target = malloc(sizeof(*watched->target));
	if (!watched->target)
		return;
	*watched->target = *watched->parent->target;
	watched->target->proc.pid = watched->pid;
	watched->target->proc.ppid = watched->parent->pid;
	memcpy(watched->gil_at_start, watched->parent->gil_at_start, sizeof(watched->gil_at_start));
	memcpy(watched->gil_last, watched->gil_at_start, sizeof(watched->gil_last));
	watched->kind = GW_WATCHED_PYTHON;
	gw_place_find(watched);
}

/* ---- telling the session ---- */

static int has_gil(const struct gw_watched *watched)
{
	return watched->kind == GW_WATCHED_PYTHON && watched->target->python.gil_count;
}

static const char *engine_name(uint32_t engine)
{
	static const char *const names[] = {"none", "sched", "uprobe", "none"};

	return engine < sizeof(names) / sizeof(names[0]) ? names[engine] : "none";
}

static int is_counting(const struct gw_session *session)
{
	return gw_session_start_ns(session) != 0;
}

static int note_change(struct gw_watched *watched, const struct gw_session *session, uint32_t from,
		       const char *reason)
{
	uint32_t to = gw_session_process(session, watched->slot)->engine;
	uint64_t at_ns = gw_session_now_ns(session) - gw_session_start_ns(session);

	if (from == to || (from == GW_ENGINE_NONE && to == GW_ENGINE_OFF))
		return 0;
	return gw_watched_changed(watched, (int64_t)at_ns, engine_name(from), engine_name(to),
				  reason);
}

/* Attaches probes if they are chosen and there is room for them; the sched engine does without. */
static int probe(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	const struct gw_target *target = watched->target;
	int code;

	watched->paced = 0;
	if (!target->sites.count || !target->python.gil_enabled || !gw_budget_begin(w, watched))
		return 0;
	code = gw_session_probe(w->session, watched->slot, GW_PROBING_STAY, &target->python,
				&target->sites, target->runtime_path, &watched->no_probes);
	if (!code)
		return 0;
	watched->paced = 0;
	if (w->engine != GW_CHOICE_UPROBE || is_counting(w->session))
		return 0;
	*err = watched->no_probes;
	return code;
}

int gw_identify_tell(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	struct gw_session *session = w->session;
	uint32_t before = gw_session_process(session, watched->slot)->engine;
	int code;

	if (!has_gil(watched))
		return 0;
	code = gw_session_describe(session, watched->slot, &watched->target->python, err);
	if (!code)
		code = probe(w, watched, err);
	if (code || !is_counting(session))
		return code;
	watched->found_ns = gw_session_now_ns(session);
	code = gw_session_settle(session, watched->slot, &watched->target->python, err);
	if (!code && note_change(watched, session, before,
				 before == GW_ENGINE_NONE
					 ? "its Python was found while it was watched already"
					 : "it has probes of its own now"))
		code = -ENOMEM;
	return code;
}

/* Looks at the GILs that are there now; those that are new are noted. */
static void view_gils_again(struct gw_watched *watched, const struct gw_python *now)
{
	struct gw_python *known = &watched->target->python;

	for (int i = 0; i < now->gil_count; i++) {
		struct gw_gil_view view;
		int j;

		for (j = 0; j < known->gil_count; j++)
			if (known->gil[j].address == now->gil[i].address)
				break;
		if (j == GW_PYTHON_GILS_MAX ||
		    gw_python_view_gil(watched->pid, now, now->gil[i].address, &view))
			continue;
		watched->gil_last[j] = view;
		if (j < known->gil_count)
			continue;
		watched->gil_at_start[j] = view;
		known->gil[j] = now->gil[i];
		known->gil_count++;
	}
}

/* How long the first GIL's switch interval has been what it is. */
static void look_at_interval(struct gw_watched *watched, const struct gw_session *session)
{
	uint64_t start_ns = gw_session_start_ns(session);
	struct gw_interval_counts counts = gw_interval_counts(
		gw_session_gil(session, watched->slot), watched->gil_last[0].switch_number);
	struct gw_interval_counts none = {.switch_number = watched->gil_at_start[0].switch_number};
	uint64_t began_ns = gw_session_process(session, watched->slot)->start_ns;

	if (!watched->intervals.count)
		gw_intervals_look(&watched->intervals, (int64_t)(began_ns - start_ns),
				  (int64_t)watched->gil_at_start[0].interval_us * 1000, &none);
	gw_intervals_look(&watched->intervals, (int64_t)(gw_session_now_ns(session) - start_ns),
			  (int64_t)watched->gil_last[0].interval_us * 1000, &counts);
}

/* The first wait for it has set that off in the kernel already, if there was one. */
static uint64_t gil_on_ns(const struct gw_watched *watched, const struct gw_session *session)
{
	const volatile struct gw_process *process = gw_session_process(session, watched->slot);

	return process->engine == GW_ENGINE_OFF ? gw_session_now_ns(session)
						: process->engine_since_ns;
}

int gw_identify_again(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	struct gw_session *session = w->session;
	struct gw_python *known = &watched->target->python, now = *known;
	int was_enabled = known->gil_enabled, count = known->gil_count, code;

	if (gw_python_read_gils(watched->pid, &now))
		return 0; /* it may be on its way out: what is known stays */
	view_gils_again(watched, &now);
	look_at_interval(watched, session);
	known->gil_enabled = now.gil_enabled;
	if (!known->gil_enabled)
		return 0;
	if (was_enabled)
		return known->gil_count == count
			       ? 0
			       : gw_session_describe(session, watched->slot, known, err);
	watched->gil_on_ns = gil_on_ns(watched, session);
	code = gw_session_describe(session, watched->slot, known, err);
	if (!code)
		code = probe(w, watched, err);
	if (!code)
		code = gw_session_settle(session, watched->slot, known, err);
	if (!code && note_change(watched, session, GW_ENGINE_OFF,
				 "the GIL was switched on, as importing an extension that is not "
				 "ready for its absence does"))
		code = -ENOMEM;
	return code;
}
