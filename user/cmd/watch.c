// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/watch.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The rate is looked at over two ticks: a burst is noticed after 100 ms at most. */
#define TICK_NS	   50000000ULL
#define RATE_TICKS 2
#define SECOND_NS  1000000000ULL

struct state {
	struct pollfd *fds; /* signals, then a pidfd a target */
	uint64_t *hits;	    /* by target: at the last RATE_TICKS ticks */
	uint64_t tick_ns[RATE_TICKS];
	size_t ticks;
	size_t alive;
};

int gw_watch_signals(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	if (sigprocmask(SIG_BLOCK, &set, NULL))
		return -errno;
	fd = signalfd(-1, &set, SFD_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int open_pidfd(pid_t pid)
{
	return (int)syscall(SYS_pidfd_open, pid, 0);
}

static void state_free(struct state *s, size_t count)
{
	for (size_t i = 0; s->fds && i < count; i++)
		if (s->fds[i + 1].fd >= 0)
			close(s->fds[i + 1].fd);
	free(s->fds);
	free(s->hits);
}

static void mark_ended(struct gw_watch *w, struct state *s, size_t index, enum gw_ended how)
{
	w->ended[index] = how;
	if (how == GW_ENDED_TARGET_EXIT)
		gw_session_mark_exited(w->session, index);
	if (s->fds[index + 1].fd >= 0)
		close(s->fds[index + 1].fd);
	s->fds[index + 1].fd = -1;
	s->alive--;
}

static int state_init(struct gw_watch *w, struct state *s)
{
	s->fds = calloc(w->count + 1, sizeof(*s->fds));
	s->hits = calloc(w->count * RATE_TICKS, sizeof(*s->hits));
	if (!s->fds || !s->hits)
		return -ENOMEM;
	s->fds[0].fd = w->signals;
	s->fds[0].events = POLLIN;
	s->alive = w->count;
	for (size_t slot = 0; slot < RATE_TICKS; slot++) {
		s->tick_ns[slot] = gw_session_now_ns(w->session);
		for (size_t i = 0; i < w->count; i++)
			s->hits[i * RATE_TICKS + slot] = gw_session_process(w->session, i)->hits;
	}
	for (size_t i = 0; i < w->count; i++)
		s->fds[i + 1].fd = -1;
	for (size_t i = 0; i < w->count; i++) {
		s->fds[i + 1].fd = open_pidfd(w->target[i].pid);
		s->fds[i + 1].events = POLLIN;
		if (s->fds[i + 1].fd < 0)
			mark_ended(w, s, i, GW_ENDED_TARGET_EXIT);
	}
	return 0;
}

static void look_for_ends(struct gw_watch *w, struct state *s)
{
	for (size_t i = 0; i < w->count; i++) {
		if (s->fds[i + 1].fd < 0)
			continue;
		if (s->fds[i + 1].revents)
			mark_ended(w, s, i, GW_ENDED_TARGET_EXIT);
		else if (gw_session_process(w->session, i)->flags & GW_PROCESS_EXECED)
			mark_ended(w, s, i, GW_ENDED_TARGET_EXEC);
	}
}

static void drop_probes(struct gw_watch *w, size_t index, double rate)
{
	struct gw_engine_change *change = &w->change[index];

	change->at_ns = (int64_t)(gw_session_now_ns(w->session) - gw_session_start_ns(w->session));
	strcpy(change->from, "uprobe");
	strcpy(change->to, "sched");
	snprintf(change->reason, sizeof(change->reason),
		 "%.0f probe hits a second are more than %d: the probes were taken away", rate,
		 GW_WATCH_HITS_MAX);
	gw_session_drop_probes(w->session, index);
}

/* Takes probes away that are hit too often. */
static void look_at_rates(struct gw_watch *w, struct state *s)
{
	uint64_t now = gw_session_now_ns(w->session);
	size_t slot = s->ticks % RATE_TICKS;
	double seconds = (double)(now - s->tick_ns[slot]) / 1e9;

	for (size_t i = 0; i < w->count; i++) {
		const volatile struct gw_process *process = gw_session_process(w->session, i);
		uint64_t hits = process->hits;
		double rate = (double)(hits - s->hits[i * RATE_TICKS + slot]) / seconds;

		if (rate > GW_WATCH_HITS_MAX && process->engine == GW_ENGINE_UPROBE && !w->force)
			drop_probes(w, i, rate);
		s->hits[i * RATE_TICKS + slot] = hits;
	}
	s->tick_ns[slot] = now;
	s->ticks++;
}

static void show_progress(const struct gw_watch *w, uint64_t left_ns)
{
	if (!w->progress)
		return;
	fprintf(stderr, "\rwatching PID %d%s … %llu s left (Ctrl-C ends early) ", w->target[0].pid,
		w->count > 1 ? " and others" : "",
		(unsigned long long)((left_ns + SECOND_NS - 1) / SECOND_NS));
	fflush(stderr);
}

static void end_progress(const struct gw_watch *w)
{
	if (w->progress)
		fputs("\r\033[K", stderr);
}

static int wait_tick(struct gw_watch *w, struct state *s, uint64_t left_ns)
{
	uint64_t tick_ns = left_ns < TICK_NS ? left_ns : TICK_NS;
	struct timespec timeout = {.tv_nsec = (long)tick_ns};

	if (ppoll(s->fds, w->count + 1, &timeout, NULL) < 0 && errno != EINTR)
		return -errno;
	look_for_ends(w, s);
	look_at_rates(w, s);
	return 0;
}

static int wait_for_end(struct gw_watch *w, struct state *s)
{
	uint64_t end_ns = gw_session_start_ns(w->session) + w->duration_ns;
	int code;

	for (;;) {
		uint64_t now = gw_session_now_ns(w->session);

		if (!s->alive)
			return w->ended[0];
		if (now >= end_ns)
			return GW_ENDED_DURATION;
		show_progress(w, end_ns - now);
		code = wait_tick(w, s, end_ns - now);
		if (code)
			return code;
		if (s->fds[0].revents)
			return GW_ENDED_INTERRUPTED;
	}
}

int gw_watch_wait(struct gw_watch *w, struct gw_error *err)
{
	struct state s = {0};
	int code = state_init(w, &s);

	if (!code)
		code = wait_for_end(w, &s);
	end_progress(w);
	state_free(&s, w->count);
	if (code < 0)
		return gw_error_set(err, code, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(-code));
	return code;
}
