// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "watch/collect.h"
#include "watch/followed.h"
#include "watch/identify.h"

/* The rate of hits is looked at over two ticks: a burst is noticed after 100 ms at most. */
#define TICK_NS	  50000000ULL
#define SECOND_NS 1000000000ULL
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
	code = gw_identify(watched, w->engine == GW_ENGINE_UPROBE);
	/* One whose Python is not initialised yet will be. */
	if (watched->kind == GW_WATCHED_OTHER || code == -ESRCH)
		watched->kind = GW_WATCHED_REFUSED;
	return 0;
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

static int load(struct gw_watch *w, size_t selected, struct gw_error *err)
{
	const struct gw_session_options options = {
		.selected = selected,
		.followed = w->follow ? FOLLOWED_MAX : 0,
		.probes = w->engine == GW_ENGINE_UPROBE,
	};
	int code = gw_session_new(w->host, &w->session, err);

	if (!code)
		code = gw_session_load(w->session, &options, err);
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
	return gw_identify_tell(watched, w->session, w->engine, err);
}

static int settle(struct gw_watch *w, struct gw_error *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < w->list.count; i++) {
		const struct gw_watched *watched = w->list.watched[i];

		if (watched->slot != GW_NO_SLOT && watched->kind == GW_WATCHED_PYTHON)
			code = gw_session_settle(w->session, watched->slot,
						 &watched->target->python, err);
	}
	return code;
}

int gw_watch_start(struct gw_watch *w, struct gw_error *err)
{
	size_t selected = count_watchable(w), count = w->list.count;
	int code;

	if (!selected) {
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
	return code;
}

/* ---- while it goes on ---- */

static void look_for_ends(struct gw_watch *w)
{
	for (uint32_t slot = 0; slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);

		if (w->by_slot[slot] && !process->flags && kill(w->by_slot[slot]->pid, 0) &&
		    errno == ESRCH)
			gw_session_mark_exited(w->session, slot);
	}
}

/* Whether a process, or a Python that it became or made, still runs. */
static int any_alive(const struct gw_watch *w)
{
	for (size_t i = 0; i < w->list.count; i++) {
		const struct gw_watched *watched = w->list.watched[i];

		if (watched->slot != GW_NO_SLOT &&
		    !gw_session_process(w->session, watched->slot)->flags &&
		    watched->kind != GW_WATCHED_OTHER)
			return 1;
	}
	return 0;
}

static int drop_probes(struct gw_watch *w, struct gw_watched *watched, double rate)
{
	char reason[160];
	uint64_t at_ns = gw_session_now_ns(w->session) - gw_session_start_ns(w->session);

	snprintf(reason, sizeof(reason),
		 "%.0f probe hits a second are more than %d: the probes were taken away", rate,
		 GW_WATCH_HITS_MAX);
	gw_session_drop_probes(w->session, watched->slot);
	return gw_watched_changed(watched, (int64_t)at_ns, "uprobe", "sched", reason);
}

/* Takes probes away that are hit too often. */
static int look_at_rates(struct gw_watch *w)
{
	uint64_t now = gw_session_now_ns(w->session);
	size_t at = w->ticks % GW_RATE_TICKS;
	double seconds = (double)(now - w->tick_ns[at]) / 1e9;
	int code = 0;

	for (uint32_t slot = 0; !code && slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);
		struct gw_watched *watched = w->by_slot[slot];
		uint64_t hits = process->hits;
		double rate;

		if (!watched)
			continue;
		rate = (double)(hits - watched->hits[at]) / seconds;
		watched->hits[at] = hits;
		if (w->ticks >= GW_RATE_TICKS && rate > GW_WATCH_HITS_MAX && !w->force &&
		    process->engine == GW_ENGINE_UPROBE)
			code = drop_probes(w, watched, rate);
	}
	w->tick_ns[at] = now;
	w->ticks++;
	return code;
}

static void show_progress(const struct gw_watch *w, uint64_t left_ns)
{
	if (!w->progress)
		return;
	fprintf(stderr, "\rwatching PID %d%s … %llu s left (Ctrl-C ends early) ",
		w->list.watched[0]->pid, w->list.count > 1 ? " and others" : "",
		(unsigned long long)((left_ns + SECOND_NS - 1) / SECOND_NS));
	fflush(stderr);
}

static void end_progress(const struct gw_watch *w)
{
	if (w->progress)
		fputs("\r\033[K", stderr);
}

/* 1: a signal came. */
static int wait_tick(struct gw_watch *w, uint64_t left_ns, struct gw_error *err)
{
	uint64_t tick_ns = left_ns < TICK_NS ? left_ns : TICK_NS;
	struct timespec timeout = {.tv_nsec = (long)tick_ns};
	struct pollfd signals = {.fd = w->signals, .events = POLLIN};
	int code;

	if (ppoll(&signals, 1, &timeout, NULL) < 0 && errno != EINTR)
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(errno));
	look_for_ends(w);
	code = gw_followed_tick(w, err);
	if (!code && look_at_rates(w))
		code = no_memory(err);
	return code ? code : signals.revents != 0;
}

static enum gw_ended how_the_first_ended(const struct gw_watch *w)
{
	for (size_t i = 0; i < w->list.count; i++)
		if (w->list.watched[i]->selected && w->list.watched[i]->slot != GW_NO_SLOT)
			return gw_session_process(w->session, w->list.watched[i]->slot)->flags &
					       GW_PROCESS_EXECED
				       ? GW_ENDED_TARGET_EXEC
				       : GW_ENDED_TARGET_EXIT;
	return GW_ENDED_TARGET_EXIT;
}

static int wait_for_end(struct gw_watch *w, struct gw_error *err)
{
	uint64_t end_ns = gw_session_start_ns(w->session) + w->duration_ns;
	int code;

	for (;;) {
		uint64_t now = gw_session_now_ns(w->session);

		if (now >= end_ns)
			return GW_ENDED_DURATION;
		show_progress(w, end_ns - now);
		code = wait_tick(w, end_ns - now, err);
		if (code < 0)
			return code;
		if (code)
			return GW_ENDED_INTERRUPTED;
		if (!any_alive(w))
			return (int)how_the_first_ended(w);
	}
}

int gw_watch_wait(struct gw_watch *w, struct gw_error *err)
{
	int code = wait_for_end(w, err);

	end_progress(w);
	return code;
}

/* ---- the end ---- */

int gw_watch_finish(struct gw_watch *w, enum gw_ended ended, struct gw_snapshot *snapshot,
		    struct gw_error *err)
{
	uint64_t start_ns = gw_session_start_ns(w->session);
	struct gw_raw raw = {0};
	int code;

	gw_session_stop(w->session);
	code = gw_followed_end(w, err);
	if (!code)
		code = gw_session_read(w->session, &raw, err);
	if (!code && gw_collect(w, &raw, ended, snapshot))
		code = no_memory(err);
	snapshot->cpus = w->host->cpus;
	snprintf(snapshot->kernel, sizeof(snapshot->kernel), "%s", w->host->kernel);
	snapshot->requested_ns = (int64_t)w->duration_ns;
	snapshot->elapsed_ns = (int64_t)(raw.end_ns - start_ns);
	snapshot->start_monotonic_ns = raw.epoch_ns + start_ns;
	snapshot->end_monotonic_ns = raw.epoch_ns + raw.end_ns;
	snapshot->ended = ended;
	gw_raw_clear(&raw);
	return code;
}

void gw_watch_free(struct gw_watch *w)
{
	gw_session_free(w->session);
	gw_watched_list_free(&w->list);
	free(w->by_slot);
	if (w->signals > 0)
		close(w->signals);
}
