// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Watches a process as gilwatch does, looks at it again and again, and says how long each look took
 * (until there is a snapshot), and what was lost: what gilwatch itself does not tell of its parts.
 * A JSON object on standard output.
 */
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "probe/session.h"
#include "watch/watch.h"

#define INTERVAL_NS 200000000ULL

static int wait_ns(struct gw_watch *w, uint64_t ns, struct gw_error *err)
{
	uint64_t end_ns = gw_session_now_ns(w->session) + ns;
	int code = 0;

	while (!code && gw_session_now_ns(w->session) < end_ns) {
		poll(NULL, 0, (int)(gw_watch_due_ns(w) / 1000000) + 1);
		code = gw_watch_tick(w, err);
	}
	return code;
}

static int look(struct gw_watch *w, int last, struct gw_error *err)
{
	struct gw_snapshot snapshot = {0};
	uint64_t begin_ns = gw_session_now_ns(w->session), end_ns;
	int code = gw_watch_look(w, GW_ENDED_INTERRUPTED, &snapshot, err);

	end_ns = gw_session_now_ns(w->session);
	if (!code)
		printf("%" PRIu64 "%s", end_ns - begin_ns, last ? "" : ", ");
	if (!code && last)
		printf("], \"threads\": %zu, \"lost\": %" PRIu64 "}\n",
		       snapshot.process[0].thread_count, snapshot.process[0].lost_events);
	gw_snapshot_clear(&snapshot);
	return code;
}

static int look_often(struct gw_watch *w, int looks, struct gw_error *err)
{
	int code = 0;

	printf("{\"look_ns\": [");
	for (int i = 0; !code && i < looks; i++) {
		code = wait_ns(w, INTERVAL_NS, err);
		if (!code)
			code = look(w, i + 1 == looks, err);
	}
	return code;
}

int main(int argc, char **argv)
{
	struct gw_watch watch = {0};
	struct gw_error err = {0};
	struct gw_host host = {0};
	int code;

	if (argc != 4) {
		fprintf(stderr, "Usage: look sched|uprobe PID LOOKS\n");
		return 2;
	}
	gw_session_be_quiet();
	code = gw_host_read(&host);
	watch.host = &host;
	watch.engine = strcmp(argv[1], "uprobe") ? GW_CHOICE_SCHED : GW_CHOICE_UPROBE;
	watch.duration_ns = UINT64_MAX / 2;
	if (!code)
		code = gw_watch_select(&watch, atoi(argv[2]), &err);
	if (!code)
		code = gw_watch_start(&watch, &err);
	if (!code)
		code = look_often(&watch, atoi(argv[3]), &err);
	if (code)
		fprintf(stderr, "look: %s\n", err.text);
	gw_watch_free(&watch);
	gw_host_free(&host);
	return code != 0;
}
