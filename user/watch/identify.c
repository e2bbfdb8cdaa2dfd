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
	target->reading = GW_SANDBOX_BUDGET;
	code = gw_proc_read(watched->pid, &target->proc, err);
	if (code)
		return code;
	gw_host_limits(watched->pid, &target->limits);
	code = gw_proc_mapping_path(watched->pid, &target->python.runtime_file,
				    target->runtime_path, sizeof(target->runtime_path));
	if (!code && target->second.python.gil_count)
		code = gw_proc_mapping_path(watched->pid, &target->second.python.runtime_file,
					    target->second.runtime_path,
					    sizeof(target->second.runtime_path));
	return code;
}

/* The Pythons of a process that are measured, the first one first. */
static size_t list_pythons(struct gw_target *target, struct gw_python *python[2])
{
	python[0] = &target->python;
	python[1] = &target->second.python;
	return target->second.python.gil_count ? 2 : 1;
}

static void view_gils(struct gw_watched *watched)
{
	struct gw_python *python[2];
	size_t count = list_pythons(watched->target, python);

	for (size_t i = 0; i < count; i++)
		gw_gils_look(&watched->gils, watched->pid, python[i]);
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

	if (code || sites != GW_SITES_WANTED)
		return code;
	code = gw_target_find_sites(target, 1, watched->files, &watched->no_probes);
	watched->sites_unread = code == -EAGAIN;
	if (code)
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
	watched->gils = (struct gw_known_gils){0};
	gw_names_free(&watched->names);
	watched->names.read_ns = 0;
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
	watched->gils = watched->parent->gils;
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

/*
 * A watch that lasts sees many come and go: to one that ends soon, probes would cost more than they
 * tell.
 */
static int is_young(const struct gw_watch *w, const struct gw_watched *watched)
{
	return w->slots && is_counting(w->session) &&
	       gw_session_now_ns(w->session) - watched->found_ns < GW_YOUNG_NS;
}

/* Attaches probes if they are chosen and there is room for them; the sched engine does without. */
static int probe(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	const struct gw_target *target = watched->target;
	int code;

	watched->paced = 0;
	if (!target->sites.count || !target->python.gil_enabled || is_young(w, watched) ||
	    !gw_budget_begin(w, watched))
		return 0;
	code = gw_watched_probe(w->session, watched, GW_PROBING_STAY, &watched->no_probes);
	if (!code)
		return 0;
	watched->paced = 0;
	if (w->engine != GW_CHOICE_UPROBE || is_counting(w->session))
		return 0;
	*err = watched->no_probes;
	return code;
}

/* Each counts once, as far as can be told: by how many there are at a time. */
static void note_without_place(struct gw_watched *watched, struct gw_session *session,
			       size_t without)
{
	size_t *most = &watched->gils.without_place;

	if (without <= *most)
		return;
	gw_session_lose_gils(session, watched->slot, without - *most);
	*most = without;
}

static int describe(struct gw_watched *watched, struct gw_session *session, struct gw_error *err)
{
	struct gw_python *python[2];
	size_t count = list_pythons(watched->target, python);
	size_t without = 0;
	int code = 0;

	for (size_t i = 0; !code && i < count; i++) {
		code = gw_session_describe(session, watched->slot, python[i], err);
		without += (size_t)python[i]->gil_count;
		if (python[i]->gils_left_out > 0)
			without += (size_t)python[i]->gils_left_out;
	}
	if (!code && without > GW_GILS_PER_PROCESS)
		note_without_place(watched, session, without - GW_GILS_PER_PROCESS);
	return code;
}

int gw_identify_settle(struct gw_watched *watched, struct gw_session *session, struct gw_error *err)
{
	struct gw_python *python[2];
	size_t count = list_pythons(watched->target, python);

	return gw_session_settle(session, watched->slot, (const struct gw_python *const *)python,
				 count, err);
}

int gw_identify_tell(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	struct gw_session *session = w->session;
	uint32_t before = gw_session_process(session, watched->slot)->engine;
	int code;

	if (!has_gil(watched))
		return 0;
	if (is_counting(session))
		watched->found_ns = gw_session_now_ns(session);
	watched->grown = !is_young(w, watched) && !watched->sites_unread;
	code = describe(watched, session, err);
	if (!code)
		code = probe(w, watched, err);
	if (code || !is_counting(session))
		return code;
	code = gw_identify_settle(watched, session, err);
	if (!code && note_change(watched, session, before,
				 before == GW_ENGINE_NONE
					 ? "its Python was found while it was watched already"
					 : "it has probes of its own now"))
		code = -ENOMEM;
	return code;
}

int gw_identify_grown(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	uint32_t before = gw_session_process(w->session, watched->slot)->engine;
	enum gw_sites_need need = gw_budget_needs_sites(w);
	int code = 0;

	watched->grown = 1;
	if (!has_gil(watched) || need == GW_SITES_UNWANTED)
		return 0;
	if (!watched->target->sites.count)
		code = gw_target_find_sites(watched->target, 1, watched->files,
					    &watched->no_probes);
	watched->grown = code != -EAGAIN;
	if (code)
		watched->target->sites.count = 0; /* the sched engine does without */
	else
		code = probe(w, watched, err);
	if (watched->no_probes.text[0] && w->on_refusal)
		w->on_refusal(watched, &watched->no_probes, w->on_refusal_data);
	if (!watched->target->sites.count)
		return 0;
	if (!code && note_change(watched, w->session, before, "it has lasted for long enough"))
		code = -ENOMEM;
	return code;
}

/* For GILs that have come when there was no room any more: the places of those that have gone. */
static size_t find_places(struct gw_watched *watched, struct gw_session *session,
			  const struct gw_python *python)
{
	size_t without = python->gils_left_out > 0 ? (size_t)python->gils_left_out : 0;

	for (int i = 0; i < python->gil_count; i++) {
		struct gw_known_gil *gone;

		if (gw_gils_find(&watched->gils, python->gil[i].address))
			continue;
		gone = gw_gils_gone(&watched->gils);
		if (!gone) {
			without++;
			continue;
		}
		gw_session_replace_gil(session, watched->slot, gone->address, python,
				       python->gil[i].address);
		gw_gils_replace(gone, watched->pid, python, &python->gil[i]);
	}
	return without;
}

/* Looks at the GILs that are there now. A Python that is on its way out stays as it is known. */
static void look_again(struct gw_watched *watched, struct gw_session *session)
{
	struct gw_python *python[2];
	size_t count = list_pythons(watched->target, python), without = 0;

	for (size_t i = 0; i < count; i++) {
		struct gw_python now = *python[i];

		if (gw_python_read_gils(watched->pid, &now))
			continue;
		gw_gils_look(&watched->gils, watched->pid, &now);
		without += find_places(watched, session, &now);
		*python[i] = now;
	}
	note_without_place(watched, session, without);
}

/* How long the first GIL's switch interval has been what it is. */
static void look_at_interval(struct gw_watched *watched, const struct gw_session *session)
{
	uint64_t start_ns = gw_session_start_ns(session);
	const volatile struct gw_process *process = gw_session_process(session, watched->slot);
	uint64_t now_ns = gw_session_now_ns(session), began_ns = process->start_ns;
	struct gw_interval_counts counts =
		gw_interval_counts(process, gw_session_gil(session, watched->slot), now_ns,
				   watched->gils.gil[0].last.switch_number);
	struct gw_interval_counts none = {.switch_number =
						  watched->gils.gil[0].first.switch_number};

	if (!watched->intervals.count)
		gw_intervals_look(&watched->intervals, (int64_t)(began_ns - start_ns),
				  (int64_t)watched->gils.gil[0].first.interval_us * 1000, &none);
	gw_intervals_look(&watched->intervals, (int64_t)(now_ns - start_ns),
			  (int64_t)watched->gils.gil[0].last.interval_us * 1000, &counts);
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
	const struct gw_python *known = &watched->target->python;
	size_t count = watched->gils.count;
	int was_enabled = known->gil_enabled, code;

	look_again(watched, session);
	look_at_interval(watched, session);
	if (!known->gil_enabled)
		return 0;
	if (was_enabled)
		return watched->gils.count == count ? 0 : describe(watched, session, err);
	watched->gil_on_ns = gil_on_ns(watched, session);
	code = describe(watched, session, err);
	if (!code)
		code = probe(w, watched, err);
	if (!code)
		code = gw_identify_settle(watched, session, err);
	if (!code && note_change(watched, session, GW_ENGINE_OFF,
				 "the GIL was switched on, as importing an extension that is not "
				 "ready for its absence does"))
		code = -ENOMEM;
	return code;
}
