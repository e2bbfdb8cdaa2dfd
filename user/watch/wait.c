// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/wait.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#define SECOND_NS 1000000000ULL

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

/* Until the next tick is due, at most. 1: a signal came. */
static int wait_a_moment(struct gw_watch *w, uint64_t left_ns, struct gw_error *err)
{
	uint64_t due_ns = gw_watch_due_ns(w);
	struct timespec timeout = {.tv_nsec = (long)(left_ns < due_ns ? left_ns : due_ns)};
	struct pollfd polled[] = {
		{.fd = w->signals, .events = POLLIN},
		{.fd = w->alarm, .events = POLLIN},
	};
	int code;

	if (ppoll(polled, 2, &timeout, NULL) < 0 && errno != EINTR)
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(errno));
	code = gw_watch_tick(w, err);
	return code ? code : polled[0].revents != 0;
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
		code = wait_a_moment(w, end_ns - now, err);
		if (code < 0)
			return code;
		if (code)
			return GW_ENDED_INTERRUPTED;
		if (!gw_watch_alive(w))
			return (int)how_the_first_ended(w);
	}
}

int gw_watch_wait(struct gw_watch *w, struct gw_error *err)
{
	int code = wait_for_end(w, err);

	end_progress(w);
	return code;
}
