// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <signal.h>
#include <stdio.h>

#include "cmd/begin.h"
#include "cmd/commands.h"
#include "cmd/looks.h"
#include "cmd/rows.h"
#include "cmd/view.h"
#include "util/clock.h"
#include "view/terminal.h"

struct live {
	struct gw_options options;
	struct gw_host host;
	struct gw_watch watch;
	struct gw_looks looks;
};

static int watch(struct live *l, struct gw_error *err)
{
	int rows = l->options.json || l->options.count || !gw_terminal_possible(), code;

	if (!rows)
		gw_terminal_hold_signals();
	code = gw_begin(&l->options, &l->host, &l->watch, err);
	if (code)
		return code;
	gw_clock_write(l->looks.started, sizeof(l->looks.started));
	return rows ? gw_rows(&l->options, &l->watch, &l->looks, err)
		    : gw_view(&l->options, &l->watch, &l->looks, err);
}

static void live_free(struct live *l)
{
	gw_looks_free(&l->looks);
	gw_watch_free(&l->watch);
	gw_host_free(&l->host);
}

int gw_command_live(int argc, char **argv)
{
	struct live live = {0};
	struct gw_error err = {0};
	int code, status;

	signal(SIGPIPE, SIG_IGN);
	code = gw_options_live(argc, argv, &live.options, &err);
	if (!live.options.verbose)
		gw_session_be_quiet();
	if (!code)
		code = watch(&live, &err);
	if (code) {
		status = err.status ? (int)err.status : GW_STATUS_FAILURE;
		fprintf(stderr, "gilwatch: %s\n",
			err.text[0] ? err.text : "something went wrong inside gilwatch");
	} else {
		status = gw_begin_report_refused(&live.watch);
	}
	live_free(&live);
	return status;
}
