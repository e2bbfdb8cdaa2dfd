// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/rows.h"

#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "render/interval.h"
#include "util/clock.h"

/* The columns' names come again after so many intervals. */
#define HEADING_EVERY 20
#define SECOND_NS     1000000000ULL

struct rows {
	const struct gw_options *options;
	struct gw_watch *watch;
	struct gw_looks *looks;
	struct gw_text_options text;
	uint64_t due_ns; /* end of the interval that goes on, CLOCK_MONOTONIC */
	int interrupted, unread;
};

static int is_unread(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};

	return poll(&out, 1, 0) == 1 && (out.revents & (POLLERR | POLLHUP));
}

/* The reader of a pipe has enough when it closes it: that is no error. */
static int write_interval(struct rows *r, struct gw_error *err)
{
	struct gw_interval interval = {
		.seq = r->looks->seq,
		.heading = r->looks->seq % HEADING_EVERY == 1,
		.between = &r->looks->between,
		.since_start = r->options->json ? gw_looks_since_start(r->looks) : NULL,
	};
	int code;

	gw_clock_write(interval.at, sizeof(interval.at));
	if (r->options->json)
		code = gw_interval_json_write(&interval, stdout);
	else
		code = gw_interval_text_write(&interval, &r->text, stdout);
	if (!code)
		return 0;
	r->unread = is_unread();
	return r->unread ? 0
			 : gw_error_set(err, code, GW_STATUS_FAILURE,
					"the rows cannot be written to standard output: %s",
					strerror(-code));
}

/* Until the watch's tick or the interval's end is due, a signal comes, or the reader leaves. */
static int wait_a_moment(struct rows *r, struct gw_error *err)
{
	struct pollfd fds[] = {
		{.fd = r->watch->signals, .events = POLLIN},
		{.fd = STDOUT_FILENO}, /* its errors come unasked */
		{.fd = r->watch->alarm, .events = POLLIN},
	};
	uint64_t now_ns = gw_clock_now_ns(), wait_ns = gw_watch_due_ns(r->watch);
	struct timespec timeout;

	if (now_ns >= r->due_ns)
		wait_ns = 0;
	else if (r->due_ns - now_ns < wait_ns)
		wait_ns = r->due_ns - now_ns;
	timeout.tv_sec = (time_t)(wait_ns / SECOND_NS);
	timeout.tv_nsec = (long)(wait_ns % SECOND_NS);
	if (ppoll(fds, 3, &timeout, NULL) < 0 && errno != EINTR)
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(errno));
	r->interrupted |= fds[0].revents != 0;
	r->unread |= (fds[1].revents & (POLLERR | POLLHUP)) != 0;
	return gw_watch_due_ns(r->watch) ? 0 : gw_watch_tick(r->watch, err);
}

static int is_last(const struct rows *r)
{
	return r->interrupted || !gw_watch_alive(r->watch) ||
	       (r->options->count && r->looks->seq + 1 >= r->options->count &&
		gw_clock_now_ns() >= r->due_ns);
}

/* The end of an interval, or of all. 1: it was the last. */
static int end_interval(struct rows *r, struct gw_error *err)
{
	int last = is_last(r);
	enum gw_ended ended = r->interrupted ? GW_ENDED_INTERRUPTED : GW_ENDED_DURATION;
	int code = gw_looks_take(r->looks, r->watch, ended, last, err);

	if (!code)
		code = write_interval(r, err);
	/* One that was missed, as on a stopped machine, is not made up for. */
	do
		r->due_ns += r->options->interval_ns;
	while (r->due_ns <= gw_clock_now_ns());
	return code ? code : last || r->unread;
}

int gw_rows(const struct gw_options *options, struct gw_watch *watch, struct gw_looks *looks,
	    struct gw_error *err)
{
	struct rows r = {.options = options, .watch = watch, .looks = looks};
	int code = 0;

	gw_text_options_detect(&r.text, stdout);
	r.text.rows = options->rows;
	r.due_ns = gw_clock_now_ns() + options->interval_ns;
	while (!code && !r.unread) {
		code = wait_a_moment(&r, err);
		if (!code && !r.unread && (gw_clock_now_ns() >= r.due_ns || is_last(&r)))
			code = end_interval(&r, err);
	}
	return code < 0 ? code : 0;
}
