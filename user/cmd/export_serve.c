// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The daemon's loop, and what it does when somebody asks. */
#include <errno.h>
#include <malloc.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "cmd/export_parts.h"
#include "export/notify.h"
#include "util/clock.h"

#define MS_NS 1000000ULL
/* Whoever asks within that time of another one gets the same answer. */
#define SAME_ANSWER_NS (100 * MS_NS)
/* Programs that begin in quick succession are looked at together. */
#define GATHER_NS (2 * MS_NS)

/* ---- answers ---- */

int gw_daemon_look(struct gw_daemon *d, struct gw_error *err)
{
	struct gw_snapshot snapshot = {0};
	int64_t now_ns = (int64_t)gw_clock_now_ns();
	int code = gw_standing_look(&d->standing, &snapshot, err);

	if (!code && gw_exporter_update(&d->exporter, &snapshot, now_ns))
		code = gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	if (code)
		gw_snapshot_clear(&snapshot);
	else
		gw_daemon_judge(d, &snapshot, now_ns);
	return code;
}

static struct gw_body *write_metrics(struct gw_daemon *d, int openmetrics)
{
	struct gw_exposition x = {.openmetrics = openmetrics};
	size_t length = 0;
	char *text = NULL;
	int failed;

	x.out = open_memstream(&text, &length);
	if (!x.out)
		return NULL;
	gw_exporter_write(&d->exporter, &x);
	failed = ferror(x.out);
	if (!fclose(x.out) && !failed)
		return gw_body_new(text, length);
	free(text);
	return NULL;
}

static void forget_answers(struct gw_daemon *d)
{
	for (int i = 0; i < 2; i++) {
		gw_body_free(d->body[i]);
		d->body[i] = NULL;
	}
}

/* A failure is said once, not with every scrape. */
static void complain(struct gw_daemon *d, const struct gw_error *err)
{
	if (!d->complained)
		fprintf(stderr, "gilwatch: %s\n", err->text);
	d->complained = 1;
}

static struct gw_body *metrics(struct gw_daemon *d, int openmetrics)
{
	uint64_t now_ns = gw_clock_now_ns();
	struct gw_error err = {0};

	if (now_ns - d->body_ns >= SAME_ANSWER_NS) {
		forget_answers(d);
		if (gw_daemon_look(d, &err)) {
			complain(d, &err);
			return NULL;
		}
		d->complained = 0;
		gw_daemon_describe(d, &d->exporter.self);
		d->exporter.self.scrape_ns = (int64_t)(gw_clock_now_ns() - now_ns);
		d->body_ns = now_ns;
		d->untidy = 1;
	}
	if (!d->body[openmetrics])
		d->body[openmetrics] = write_metrics(d, openmetrics);
	return gw_body_share(d->body[openmetrics]);
}

static struct gw_body *text_of(const char *text)
{
	char *copy = strdup(text);

	return copy ? gw_body_new(copy, strlen(copy)) : NULL;
}

void gw_daemon_get(const char *path, const char *accept, struct gw_http_answer *answer, void *data)
{
	struct gw_daemon *d = data;

	answer->type = "text/plain; charset=utf-8";
	answer->status = 200;
	if (!strcmp(path, "/healthz")) {
		answer->body = text_of("ok\n");
	} else if (!strcmp(path, "/readyz")) {
		answer->status = d->ready ? 200 : 503;
		answer->body = text_of(d->ready ? "ready\n" : "not ready yet\n");
	} else if (!d->ready) {
		answer->status = 503;
		answer->body = text_of("not ready yet\n");
	} else if (!strcmp(path, "/metrics")) {
		int openmetrics = gw_exposition_wants_openmetrics(accept);

		answer->type = gw_exposition_type(openmetrics);
		answer->body = metrics(d, openmetrics);
	} else if (!strcmp(path, "/")) {
		answer->type = "text/html; charset=utf-8";
		answer->body = gw_daemon_index(d);
	} else {
		answer->status = 404;
		answer->body = text_of("there is /metrics, /healthz, /readyz and /\n");
	}
	if (!answer->body)
		answer->status = 500;
}

/* ---- the loop ---- */

/* 1: it is to end. */
static int take_signal(struct gw_daemon *d)
{
	struct signalfd_siginfo info;

	if (read(d->standing.watch.signals, &info, sizeof(info)) != sizeof(info))
		return 0;
	if (info.ssi_signo != SIGHUP)
		return 1;
	gw_daemon_reload(d);
	return 0;
}

static int timeout_ms(const struct gw_daemon *d, int gathers)
{
	uint64_t due_ms = (gw_standing_due_ns(&d->standing) + MS_NS - 1) / MS_NS;
	int http_ms = gw_http_timeout_ms(d->http);

	if (gathers && due_ms > GATHER_NS / MS_NS)
		due_ms = GATHER_NS / MS_NS;
	return http_ms >= 0 && (uint64_t)http_ms < due_ms ? http_ms : (int)due_ms;
}

/* A look takes some megabytes for a moment; the next one may be a minute away. */
static void tidy_up(struct gw_daemon *d)
{
	if (d->untidy && gw_clock_now_ns() - d->body_ns > SAME_ANSWER_NS) {
		malloc_trim(0);
		d->untidy = 0;
	}
}

static int wait(struct gw_daemon *d, struct pollfd *wanted, size_t count, struct gw_error *err)
{
	if (poll(wanted, count, timeout_ms(d, count < 3)) < 0 && errno != EINTR)
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "waiting failed: %s",
				    strerror(errno));
	return 0;
}

int gw_daemon_serve(struct gw_daemon *d, struct gw_error *err)
{
	struct pollfd wanted[] = {
		{.fd = d->standing.watch.signals, .events = POLLIN},
		{.fd = gw_http_fd(d->http), .events = POLLIN},
		{.fd = d->standing.watch.alarm, .events = POLLIN},
		{.fd = gw_session_newcomers_fd(d->standing.watch.session), .events = POLLIN},
	};
	uint64_t ticked_ns = 0;
	int code = 0;

	while (!code) {
		uint64_t now_ns = gw_clock_now_ns();
		/* The ring is left alone for a moment after each round. */
		size_t count = now_ns - ticked_ns < GATHER_NS ? 3 : 4;

		wanted[3].revents = 0;
		code = wait(d, wanted, count, err);
		if (code)
			break;
		if (wanted[0].revents && take_signal(d))
			return 0;
		gw_http_run(d->http);
		if (!wanted[3].revents && gw_standing_due_ns(&d->standing))
			continue;
		code = gw_standing_tick(&d->standing, err);
		tidy_up(d);
		ticked_ns = gw_clock_now_ns();
	}
	return code;
}
