// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/view.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "util/clock.h"
#include "verdict/verdict.h"
#include "view/screen.h"
#include "view/terminal.h"

/* The first figures come soon, whatever the interval. */
#define FIRST_LOOK_NS 250000000ULL
#define SECOND_NS     1000000000ULL
/* Where nothing but a key can happen. */
#define IDLE_NS (3600 * SECOND_NS)

struct view {
	struct gw_watch *watch;
	struct gw_looks *looks;
	struct gw_terminal *terminal;
	struct gw_view_state state;
	struct gw_rows rows;
	struct gw_series *series;
	struct gw_snapshot marked; /* what passed since the mark, where that is shown … */
	uint64_t marked_seq;	   /* … as of this look; 0: not made */
	struct gw_grid grid;
	uint64_t due_ns; /* of the next look, CLOCK_MONOTONIC */
	int over;	 /* all targets have ended, and the last look was taken */
	int quit;
};

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- what is shown ---- */

static const struct gw_snapshot *shown(const struct view *v)
{
	switch (v->state.mode) {
	case GW_MODE_MARK:
		return &v->marked;
	case GW_MODE_START:
		return gw_looks_since_start(v->looks);
	default:
		return &v->looks->between;
	}
}

static size_t page(const struct view *v)
{
	int rows, columns;

	gw_terminal_size(v->terminal, &rows, &columns);
	return gw_screen_page(rows, columns, v->rows.count);
}

/* Makes the rows; refresh: of a new look. */
static int make_rows(struct view *v, int refresh, struct gw_error *err)
{
	struct gw_rows_options options = gw_view_rows_options(&v->state);

	if (v->state.mode == GW_MODE_MARK && v->marked_seq != v->looks->seq) {
		gw_snapshot_clear(&v->marked);
		if (gw_looks_since_mark(v->looks, &v->marked))
			return no_memory(err);
		gw_verdicts_judge(&v->marked);
		v->marked_seq = v->looks->seq;
	}
	if (gw_rows_make(&v->rows, shown(v), &options, refresh))
		return no_memory(err);
	gw_view_follow(&v->state, &v->rows, page(v));
	return 0;
}

static int draw(struct view *v, struct gw_error *err)
{
	const struct gw_screen screen = {
		.shown = shown(v),
		.interval = &v->looks->between,
		.rows = &v->rows,
		.series = v->series,
		.state = &v->state,
		.watched_ns = gw_looks_watched_ns(v->looks),
		.over = v->over,
	};
	int rows, columns;

	gw_terminal_size(v->terminal, &rows, &columns);
	if ((rows != v->grid.rows || columns != v->grid.columns) &&
	    gw_grid_resize(&v->grid, rows, columns))
		return no_memory(err);
	gw_screen_draw(&screen, &v->grid);
	gw_terminal_draw(v->terminal, &v->grid);
	return 0;
}

/* ---- what happens ---- */

static int look(struct view *v, struct gw_error *err)
{
	int last = !gw_watch_alive(v->watch), code;

	code = gw_looks_take(v->looks, v->watch, GW_ENDED_DURATION, last, err);
	if (code)
		return code;
	gw_series_add(v->series, &v->looks->between);
	v->over = last;
	v->due_ns = gw_clock_now_ns() + v->state.interval_ns;
	code = make_rows(v, 1, err);
	return code ? code : draw(v, err);
}

static int key(struct view *v, int pressed, struct gw_error *err)
{
	uint64_t interval_ns = v->state.interval_ns;
	int code;

	switch (gw_view_key(&v->state, pressed, &v->rows, page(v))) {
	case GW_VIEW_QUIT:
		v->quit = 1;
		return 0;
	case GW_VIEW_RESET:
		gw_looks_mark(v->looks, 0);
		v->marked_seq = 0;
		break;
	case GW_VIEW_WRITE:
		gw_view_write(gw_looks_since_start(v->looks), v->state.message,
			      sizeof(v->state.message));
		break;
	default:
		break;
	}
	if (v->state.interval_ns != interval_ns)
		v->due_ns = gw_clock_now_ns() + v->state.interval_ns;
	code = make_rows(v, 0, err);
	return code ? code : draw(v, err);
}

static int keys(struct view *v, struct gw_error *err)
{
	int code = 0, pressed;

	while (!code && !v->quit && (pressed = gw_terminal_key(v->terminal)) != GW_KEY_NONE)
		code = key(v, pressed, err);
	return code;
}

/* Nanoseconds until something has to be done by itself. */
static uint64_t patience_ns(const struct view *v)
{
	uint64_t now_ns = gw_clock_now_ns(), tick_ns, look_ns;

	if (v->over)
		return IDLE_NS;
	tick_ns = gw_watch_due_ns(v->watch);
	look_ns = now_ns >= v->due_ns ? 0 : v->due_ns - now_ns;
	return v->state.paused || tick_ns < look_ns ? tick_ns : look_ns;
}

static int wait_a_moment(struct view *v, struct gw_error *err)
{
	struct pollfd fds[] = {
		{.fd = STDIN_FILENO, .events = POLLIN},
		{.fd = v->watch->signals, .events = POLLIN},
		{.fd = gw_terminal_signal_fd(v->terminal), .events = POLLIN},
		{.fd = v->over ? -1 : v->watch->alarm, .events = POLLIN},
	};
	uint64_t wait_ns = patience_ns(v);
	struct timespec timeout = {.tv_sec = (time_t)(wait_ns / SECOND_NS),
				   .tv_nsec = (long)(wait_ns % SECOND_NS)};

	/* A change of the terminal's size interrupts it, and is read as a key. */
	if (ppoll(fds, 4, &timeout, NULL) < 0) {
		if (errno == EINTR)
			return 0;
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(errno));
	}
	/* A terminal that is gone is like a q. */
	v->quit |= fds[1].revents || fds[0].revents & (POLLHUP | POLLERR | POLLNVAL);
	if (!v->quit && fds[2].revents && gw_terminal_signals(v->terminal))
		return draw(v, err);
	return 0;
}

static int step(struct view *v, struct gw_error *err)
{
	int code = wait_a_moment(v, err);

	if (!code && !v->quit)
		code = keys(v, err);
	if (code || v->quit || v->over)
		return code;
	if (!gw_watch_due_ns(v->watch))
		code = gw_watch_tick(v->watch, err);
	/* The end of the target is shown even while the view is paused. */
	if (!code &&
	    ((!v->state.paused && gw_clock_now_ns() >= v->due_ns) || !gw_watch_alive(v->watch)))
		code = look(v, err);
	return code;
}

static void view_free(struct view *v)
{
	gw_terminal_close(v->terminal);
	gw_rows_free(&v->rows);
	gw_snapshot_clear(&v->marked);
	gw_grid_free(&v->grid);
	free(v->series);
}

int gw_view(const struct gw_options *options, struct gw_watch *watch, struct gw_looks *looks,
	    struct gw_error *err)
{
	struct view v = {.watch = watch, .looks = looks};
	int code;

	gw_view_state_init(&v.state, options->interval_ns);
	v.series = calloc(1, sizeof(*v.series));
	if (!v.series)
		return no_memory(err);
	code = gw_terminal_open(&v.terminal, err);
	if (!code) {
		v.grid.utf8 = gw_terminal_utf8(v.terminal);
		v.grid.no_eighths = gw_terminal_no_eighths(v.terminal);
		code = look(&v, err);
	}
	if (!code && v.state.interval_ns > FIRST_LOOK_NS)
		v.due_ns = gw_clock_now_ns() + FIRST_LOOK_NS;
	while (!code && !v.quit)
		code = step(&v, err);
	view_free(&v);
	return code;
}
