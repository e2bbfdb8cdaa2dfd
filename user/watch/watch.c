// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/watch.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "target/file_reader.h"
#include "watch/budget.h"
#include "watch/collect.h"
#include "watch/followed.h"
#include "watch/identify.h"
#include "watch/loading.h"

#define TICK_NS 50000000ULL
/* Where nothing is about to happen that the kernel does not tell of. */
#define TICK_CALM_NS 250000000ULL
/* While the Python of a run starts: until it is known, nothing is seen of its GIL. */
#define TICK_SOON_NS 4000000ULL
#define TICKS_SOON   50
/* A watch that lasts has many to look for. */
#define ENDS_EVERY 16
/* Room for children; those that end make room for others. */
#define FOLLOWED_MAX 256

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- what is to be watched ---- */

int gw_watch_select(struct gw_watch *w, pid_t pid, struct gw_error *err)
{
	struct gw_watched *watched = gw_watched_add(&w->list, pid, 1);
	int code;

	if (!watched)
		return no_memory(err);
	watched->files = w->files;
	code = gw_identify(watched, gw_budget_needs_sites(w));
	/* One whose Python is not initialised yet will be. */
	if (watched->kind == GW_WATCHED_OTHER || code == -ESRCH)
		watched->kind = GW_WATCHED_REFUSED;
	return 0;
}

int gw_watch_launch(struct gw_watch *w, pid_t pid, struct gw_error *err)
{
	struct gw_watched *watched = gw_watched_add(&w->list, pid, 0);

	if (!watched)
		return no_memory(err);
	watched->launcher = 1;
	return 0;
}

/* The command of a run; NULL: it has not begun, or is not seen yet. */
static const struct gw_watched *command_of(const struct gw_watch *w)
{
	for (size_t i = 0; i < w->list.count; i++) {
		const struct gw_watched *watched = w->list.watched[i];

		if (watched->selected && watched->parent && watched->parent->launcher)
			return watched;
	}
	return NULL;
}

int64_t gw_watch_before_python_ns(const struct gw_watch *w)
{
	const struct gw_watched *command = command_of(w);

	if (!command || command->kind != GW_WATCHED_PYTHON || command->slot == GW_NO_SLOT)
		return GW_ABSENT_NS;
	return (int64_t)(command->known_at_ns -
			 gw_session_process(w->session, command->slot)->start_ns);
}

static size_t count_watchable(const struct gw_watch *w)
{
	size_t count = 0;

	for (size_t i = 0; i < w->list.count; i++)
		count += w->list.watched[i]->kind != GW_WATCHED_REFUSED;
	return count;
}

/* ---- the start ---- */

/* Blocks the signals that end a watch, and makes them readable. */
static int catch_signals(struct gw_error *err)
{
	sigset_t set;
	int fd = -1;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (!sigprocmask(SIG_BLOCK, &set, NULL))
		fd = signalfd(-1, &set, SFD_CLOEXEC);
	if (fd >= 0)
		return fd;
	return gw_error_set(err, -errno, GW_STATUS_FAILURE, "signals cannot be caught: %s",
			    strerror(errno));
}

static size_t room_for_others(const struct gw_watch *w, size_t selected)
{
	if (w->slots)
		return w->slots - selected;
	if (!w->follow)
		return 0;
	/* A program keeps its slot when it becomes another, unless it was asked for by its PID. */
	return w->childless ? selected : FOLLOWED_MAX;
}

static struct gw_session_options session_options(const struct gw_watch *w, size_t selected)
{
	return (struct gw_session_options){
		.selected = selected,
		.followed = room_for_others(w, selected),
		.childless = w->childless,
		.newcomers = w->slots != 0,
		/* A watch that lasts can wait. */
		.news = !w->slots,
		.keep_ended = w->keep_ended,
		.pairless = w->pairless,
		.probes = gw_budget_needs_sites(w) != GW_SITES_UNWANTED,
	};
}

void gw_watch_prepare(struct gw_watch *w, size_t selected)
{
	const struct gw_session_options options = session_options(w, selected);

	w->loading = gw_loading_begin(w->host, &options);
}

static int end_loading(struct gw_watch *w, struct gw_error *err)
{
	struct gw_loading *loading = w->loading;

	w->loading = NULL;
	return gw_loading_end(loading, &w->session, err);
}

static int load_now(struct gw_watch *w, size_t selected, struct gw_error *err)
{
	const struct gw_session_options options = session_options(w, selected);
	int code = gw_session_new(w->host, &w->session, err);

	return code ? code : gw_session_load(w->session, &options, err);
}

static int load(struct gw_watch *w, size_t selected, struct gw_error *err)
{
	int code = w->loading ? end_loading(w, err) : load_now(w, selected, err);

	if (!code)
		gw_session_calibrate(w->session);
	if (code)
		return code;
	w->by_slot = calloc(gw_session_slots(w->session), sizeof(*w->by_slot));
	return w->by_slot ? 0 : no_memory(err);
}

static int tell(struct gw_watch *w, struct gw_watched *watched, struct gw_error *err)
{
	int code = gw_session_select(w->session, watched->pid, &watched->slot, err);

	if (code)
		return code;
	w->by_slot[watched->slot] = watched;
	return gw_identify_tell(w, watched, err);
}

static int settle(struct gw_watch *w, struct gw_error *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < w->list.count; i++) {
		struct gw_watched *watched = w->list.watched[i];

		if (watched->slot != GW_NO_SLOT && watched->kind == GW_WATCHED_PYTHON)
			code = gw_identify_settle(watched, w->session, err);
	}
	return code;
}

int gw_watch_start(struct gw_watch *w, struct gw_error *err)
{
	size_t selected = count_watchable(w), count = w->list.count;
	int code;

	if (!selected && !w->slots) {
		*err = w->list.watched[0]->error;
		return -ESRCH;
	}
	w->signals = catch_signals(err);
	code = w->signals < 0 ? w->signals : load(w, selected, err);
	for (size_t i = 0; !code && i < count; i++)
		if (w->list.watched[i]->kind != GW_WATCHED_REFUSED)
			code = tell(w, w->list.watched[i], err);
	if (!code)
		code = gw_session_attach(w->session, err);
	if (!code)
		code = gw_session_activate(w->session, w->begin_at_ns, err);
	if (!code)
		code = settle(w, err);
	if (!code && w->follow)
		code = gw_followed_select(w, err);
	w->alarm = code ? -1 : gw_session_alarm(w->session);
	return code;
}

/* ---- while it goes on ---- */

int gw_watch_add(struct gw_watch *w, pid_t pid, struct gw_error *err)
{
	struct gw_watched *watched = gw_watched_add(&w->list, pid, 1);
	int code;

	if (!watched)
		return no_memory(err);
	watched->files = w->files;
	/* First of all it is counted, and its children are followed; who it is takes longer. */
	code = gw_session_select(w->session, pid, &watched->slot, err);
	if (code) {
		watched->slot = GW_NO_SLOT;
		watched->kind = GW_WATCHED_REFUSED;
		return code;
	}
	w->by_slot[watched->slot] = watched;
	gw_identify(watched, GW_SITES_UNWANTED);
	if (watched->kind != GW_WATCHED_OTHER && watched->kind != GW_WATCHED_REFUSED)
		return gw_identify_tell(w, watched, err);
	watched->unwanted = 1;
	return gw_session_abandon(w->session, watched->slot, err);
}

static void look_for_ends(struct gw_watch *w)
{
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);

		if (w->by_slot[slot] && !process->flags && kill(w->by_slot[slot]->pid, 0) &&
		    errno == ESRCH)
			gw_session_mark_exited(w->session, slot);
	}
}

static int any_alive(const struct gw_watch *w)
{
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);

		if (process->origin != GW_ORIGIN_NONE && !process->flags &&
		    (!w->by_slot[slot] || w->by_slot[slot]->kind != GW_WATCHED_OTHER))
			return 1;
	}
	return 0;
}

/*
 * Slots that no round has looked at yet count as well. A program begins in its slot before the one
 * that it replaces ends in its own: the second look sees it wherever its slot lies.
 */
int gw_watch_alive(const struct gw_watch *w)
{
	return any_alive(w) || any_alive(w);
}

/* The next tick; news in quick succession is looked at together. */
static uint64_t tick_due_ns(const struct gw_watch *w)
{
	uint64_t soon_ns = w->ticked_ns + TICK_NS;

	return soon_ns < w->due_ns && gw_session_has_news(w->session) ? soon_ns : w->due_ns;
}

uint64_t gw_watch_due_ns(const struct gw_watch *w)
{
	uint64_t now = gw_session_now_ns(w->session), due = gw_budget_due_ns(w);
	uint64_t tick = tick_due_ns(w);

	if (gw_session_alarmed(w->session))
		return 0;
	if (due > tick)
		due = tick;
	return now >= due ? 0 : due - now;
}

/* Whether there is one that still runs and may turn out to be a Python. */
static int any_new(const struct gw_watch *w)
{
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);

		if (process->origin != GW_ORIGIN_NONE && !process->flags &&
		    (!w->by_slot[slot] || w->by_slot[slot]->kind == GW_WATCHED_NEW))
			return 1;
	}
	return 0;
}

static uint64_t until_next_tick_ns(const struct gw_watch *w)
{
	const struct gw_watched *command = command_of(w);

	if (command && command->kind == GW_WATCHED_NEW && command->looks < TICKS_SOON)
		return TICK_SOON_NS;
	return w->slots || any_new(w) ? TICK_NS : TICK_CALM_NS;
}

/* Processes that have come, gone, or become other programs. */
static int look_at_processes(struct gw_watch *w, struct gw_error *err)
{
	int code;

	w->ticked_ns = gw_session_now_ns(w->session);
	gw_session_take_news(w->session);
	/* The kernel tells of ends: this is for those that it could not tell of. */
	if (!w->slots || w->ticks % ENDS_EVERY == 0)
		look_for_ends(w);
	w->ticks++;
	code = gw_followed_tick(w, err);
	w->due_ns = gw_session_now_ns(w->session) + until_next_tick_ns(w);
	return code;
}

int gw_watch_tick(struct gw_watch *w, struct gw_error *err)
{
	int code = 0;

	if (gw_session_now_ns(w->session) >= tick_due_ns(w))
		code = look_at_processes(w, err);
	gw_session_pace_sampler(w->session);
	if (!code && gw_budget_tick(w))
		code = no_memory(err);
	return code;
}

/* ---- what has been measured ---- */

static void describe(const struct gw_watch *w, const struct gw_raw *raw, enum gw_ended ended,
		     struct gw_snapshot *snapshot)
{
	uint64_t start_ns = gw_session_start_ns(w->session);

	snapshot->cpus = w->host->cpus;
	snprintf(snapshot->kernel, sizeof(snapshot->kernel), "%s", w->host->kernel);
	snapshot->requested_ns = (int64_t)w->duration_ns;
	snapshot->elapsed_ns = (int64_t)(raw->end_ns - start_ns);
	snapshot->start_monotonic_ns = raw->epoch_ns + start_ns;
	snapshot->end_monotonic_ns = raw->epoch_ns + raw->end_ns;
	snapshot->ended = ended;
}

int gw_watch_collect(struct gw_watch *w, const struct gw_raw *raw, enum gw_ended ended,
		     struct gw_snapshot *snapshot, struct gw_error *err)
{
	if (gw_collect(w, raw, ended, snapshot))
		return no_memory(err);
	describe(w, raw, ended, snapshot);
	return 0;
}

int gw_watch_look(struct gw_watch *w, enum gw_ended ended, struct gw_snapshot *snapshot,
		  struct gw_error *err)
{
	int code = gw_session_read(w->session, &w->raw, err);

	if (!code)
		code = gw_watch_collect(w, &w->raw, ended, snapshot, err);
	/* What is made of snapshots afterwards can have its memory. */
	gw_raw_reset(&w->raw);
	if (!code)
		gw_session_forget_lately(w->session);
	return code;
}

int gw_watch_finish(struct gw_watch *w, enum gw_ended ended, struct gw_snapshot *snapshot,
		    struct gw_error *err)
{
	int code;

	gw_session_stop(w->session);
	code = gw_followed_end(w, err);
	if (!code)
		code = gw_watch_look(w, ended, snapshot, err);
	if (!code)
		gw_snapshot_sort(snapshot);
	return code;
}

void gw_watch_free(struct gw_watch *w)
{
	struct gw_error ignored;

	if (w->loading)
		end_loading(w, &ignored);
	gw_session_free(w->session);
	gw_watched_list_free(&w->list);
	gw_file_cache_free(w->files);
	free(w->by_slot);
	gw_raw_clear(&w->raw);
	if (w->signals > 0)
		close(w->signals);
}
