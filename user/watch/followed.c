// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/followed.h"

#include <errno.h>
#include <stdlib.h>

#include "watch/budget.h"
#include "watch/collect.h"
#include "watch/descendants.h"
#include "watch/identify.h"

/* A Python that is not initialised yet is looked at every tick at first, then less often. */
#define LOOKS_SOON 100
#define LOOK_EVERY 20
/* New GILs, and one that is switched on, are seen after that time, give or take a tick. */
#define GILS_EVERY_NS 200000000ULL
/* The same where many are watched for long: each look reads the process's memory. */
#define GILS_EVERY_OF_MANY_NS 1000000000ULL
/* After that time no program in the kernel is busy with a process that has ended. */
#define GRACE_NS 20000000ULL

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- children that were there before ---- */

static int select_child(struct gw_watch *w, const struct gw_descendant *child, struct gw_error *err)
{
	struct gw_watched *known = gw_watched_find(&w->list, child->pid), *watched;
	int code;

	if (known && (known->slot != GW_NO_SLOT || known->kind == GW_WATCHED_REFUSED))
		return 0;
	/* Made after the watch began, it is followed already. */
	if (gw_session_watches(w->session, child->pid))
		return 0;
	watched = gw_watched_add(&w->list, child->pid, 0);
	if (!watched)
		return no_memory(err);
	watched->files = w->files;
	watched->parent = gw_watched_find(&w->list, child->parent);
	code = gw_session_select(w->session, child->pid, &watched->slot, err);
	if (!code)
		w->by_slot[watched->slot] = watched;
	return code == -ENOSPC ? 0 : code;
}

int gw_followed_select(struct gw_watch *w, struct gw_error *err)
{
	pid_t *root = calloc(w->list.count + 1, sizeof(*root));
	struct gw_descendant *found = NULL;
	size_t roots = 0, count = 0;
	int code = root ? 0 : -ENOMEM;

	for (size_t i = 0; root && i < w->list.count; i++)
		if (w->list.watched[i]->slot != GW_NO_SLOT)
			root[roots++] = w->list.watched[i]->pid;
	if (!code)
		code = gw_descendants(root, roots, &found, &count);
	free(root);
	if (code)
		return gw_error_set(err, code, GW_STATUS_FAILURE, "/proc cannot be read");
	for (size_t i = 0; !code && i < count; i++)
		code = select_child(w, &found[i], err);
	free(found);
	return code;
}

/* ---- what comes ---- */

static int note_slot(struct gw_watch *w, uint32_t slot)
{
	const volatile struct gw_process *process = gw_session_process(w->session, slot);
	struct gw_watched *watched = gw_watched_add(&w->list, (pid_t)process->pid, 0);
	uint32_t parent = process->parent_slot;

	if (!watched)
		return -ENOMEM;
	watched->files = w->files;
	watched->slot = slot;
	watched->is_copy = process->origin == GW_ORIGIN_FORK;
	watched->parent_execs = process->parent_execs;
	if (parent < gw_session_slots(w->session))
		watched->parent = w->by_slot[parent];
	if (watched->parent && watched->parent->launcher)
		watched->selected = process->origin == GW_ORIGIN_EXEC;
	w->by_slot[slot] = watched;
	return 0;
}

static int is_due(const struct gw_watch *w, const struct gw_watched *watched,
		  const volatile struct gw_process *process)
{
	/* Until it has become another program it runs in its parent's memory. */
	if (process->origin == GW_ORIGIN_SPAWN && !process->execs)
		return 0;
	return watched->looks < LOOKS_SOON || w->ticks % LOOK_EVERY == 0;
}

/* A watch that lasts has no slots to spare for what it is not there for. */
static int is_unwanted(const struct gw_watch *w, const struct gw_watched *watched)
{
	if (!w->slots || watched->kind == GW_WATCHED_NEW)
		return 0;
	return watched->kind == GW_WATCHED_OTHER || watched->kind == GW_WATCHED_REFUSED ||
	       (w->excludes && w->excludes(watched, w->excludes_data));
}

static int look_at_new(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	const volatile struct gw_process *process = gw_session_process(w->session, watched->slot);
	int code;

	if (!is_due(w, watched, process))
		return 0;
	watched->looks++;
	/* A watch that lasts looks for them when the process has grown up. */
	gw_identify(watched, w->slots ? GW_SITES_UNWANTED : gw_budget_needs_sites(w));
	watched->unwanted = is_unwanted(w, watched);
	if (watched->kind == GW_WATCHED_REFUSED && w->on_refusal)
		w->on_refusal(watched, &watched->error, w->on_refusal_data);
	if (watched->unwanted)
		return gw_session_abandon(w->session, watched->slot, err);
	code = gw_identify_tell(w, watched, err);
	if (watched->kind == GW_WATCHED_PYTHON)
		watched->known_at_ns = gw_session_now_ns(w->session);
	/* It has become another program while it was looked at: all that is of the one before. */
	if (!code && process->execs != watched->execs_seen)
		gw_session_forget(w->session, watched->slot);
	return code;
}

/* What a copy was that has ended is known as soon as it is known what its parent is. */
static int waits_for_parent(const struct gw_watch *w, const struct gw_watched *watched)
{
	const struct gw_watched *parent = watched->parent;

	return watched->kind == GW_WATCHED_NEW && watched->is_copy && !watched->execs_seen &&
	       parent && parent->slot != GW_NO_SLOT && parent->kind == GW_WATCHED_NEW &&
	       !gw_session_process(w->session, parent->slot)->flags;
}

static int look_at(struct gw_watch *w, uint32_t slot, int gils, struct gw_error *err)
{
	const volatile struct gw_process *process = gw_session_process(w->session, slot);
	struct gw_watched *watched = w->by_slot[slot];

	if (process->flags) {
		if (!waits_for_parent(w, watched))
			gw_identify_late(watched);
		return 0;
	}
	if (process->execs != watched->execs_seen) {
		watched->execs_seen = process->execs;
		watched->kind = GW_WATCHED_NEW;
		watched->looks = 0;
	}
	if (watched->kind == GW_WATCHED_NEW)
		return look_at_new(w, watched, err);
	if (watched->kind == GW_WATCHED_PYTHON && !watched->grown &&
	    gw_session_now_ns(w->session) - watched->found_ns >= GW_YOUNG_NS)
		return gw_identify_grown(w, watched, err);
	if (watched->kind == GW_WATCHED_PYTHON && gils)
		return gw_identify_again(w, watched, err);
	return 0;
}

/* Whether it is time to look at all GILs. */
static int are_gils_due(struct gw_watch *w)
{
	uint64_t now_ns = gw_session_now_ns(w->session);

	if (now_ns - w->gils_ns < (w->slots ? GILS_EVERY_OF_MANY_NS : GILS_EVERY_NS))
		return 0;
	w->gils_ns = now_ns;
	return 1;
}

static int look_at_all(struct gw_watch *w, struct gw_error *err)
{
	int gils = are_gils_due(w), code = 0;

	for (uint32_t slot = 0; !code && slot < gw_session_slots(w->session); slot++) {
		if (gw_session_process(w->session, slot)->origin == GW_ORIGIN_NONE)
			continue;
		if (!w->by_slot[slot] && note_slot(w, slot))
			return no_memory(err);
		code = look_at(w, slot, gils, err);
	}
	return code;
}

/* ---- what goes ---- */

static int has_gone(const struct gw_watch *w, uint32_t slot)
{
	const volatile struct gw_process *process = gw_session_process(w->session, slot);

	return w->by_slot[slot] && (!w->by_slot[slot]->selected || w->slots) && process->flags &&
	       !waits_for_parent(w, w->by_slot[slot]) &&
	       process->ended_at_ns + GRACE_NS < gw_session_now_ns(w->session);
}

static size_t count_gone(const struct gw_watch *w, size_t *used)
{
	size_t gone = 0;

	*used = 0;
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		*used += gw_session_process(w->session, slot)->origin != GW_ORIGIN_NONE;
		gone += (size_t)has_gone(w, slot);
	}
	return gone;
}

/* Its last figures: they are told, or kept. */
static int close_books(struct gw_watch *w, struct gw_watched *watched, const struct gw_raw *raw)
{
	struct gw_process_view *view = calloc(1, sizeof(*view));
	int code = view ? gw_collect_process(w, watched, raw, GW_ENDED_TARGET_EXIT, view) : -ENOMEM;

	if (!code)
		gw_threads_sort(view);
	if (!w->on_end) {
		watched->view = view;
		return code;
	}
	if (!code)
		code = w->on_end(view, w->on_end_data);
	if (view)
		gw_process_view_clear(view);
	free(view);
	return code;
}

static int let_go(struct gw_watch *w, uint32_t slot, const struct gw_raw *raw)
{
	struct gw_watched *watched = w->by_slot[slot];
	int code = 0;

	if (gw_watched_is_shown(watched) && watched->target && !watched->unwanted)
		code = close_books(w, watched, raw);
	else
		w->not_followed += !watched->launcher;
	free(watched->target);
	watched->target = NULL;
	watched->slot = GW_NO_SLOT;
	w->by_slot[slot] = NULL;
	gw_session_release(w->session, slot, raw);
	/* One that is refused stays known, so that it is not tried again and again. */
	if (w->on_end && watched->kind != GW_WATCHED_REFUSED)
		gw_watched_remove(&w->list, watched);
	return code;
}

int gw_followed_release(struct gw_watch *w, const struct gw_raw *raw, struct gw_error *err)
{
	int code = 0;

	for (uint32_t slot = 0; !code && slot < gw_session_slots(w->session); slot++)
		if (has_gone(w, slot) && raw->process[slot].flags && let_go(w, slot, raw))
			code = no_memory(err);
	return code;
}

/* Reads those that have ended, and gives their slots away. */
static int make_room(struct gw_watch *w, struct gw_error *err)
{
	size_t slots = gw_session_slots(w->session), used;
	struct gw_raw raw = {0};
	int code;

	if (!count_gone(w, &used) || used < slots - slots / 4)
		return 0;
	code = gw_session_read(w->session, &raw, err);
	if (!code)
		code = gw_followed_release(w, &raw, err);
	gw_raw_clear(&raw);
	return code;
}

int gw_followed_tick(struct gw_watch *w, struct gw_error *err)
{
	int code = look_at_all(w, err);

	return code || !w->follow ? code : make_room(w, err);
}

int gw_followed_end(struct gw_watch *w, struct gw_error *err)
{
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		if (gw_session_process(w->session, slot)->origin == GW_ORIGIN_NONE)
			continue;
		if (!w->by_slot[slot] && note_slot(w, slot))
			return no_memory(err);
		gw_identify_late(w->by_slot[slot]);
	}
	return 0;
}
