// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "probe/session.h"
#include "render/list.h"

static int write_listing(const struct gw_listing *listing, int json, struct gw_error *err)
{
	struct gw_list_options options = {.whole = !isatty(STDOUT_FILENO)};
	int code, closed;

	gw_text_options_detect(&options.text, stdout);
	code = json ? gw_list_json_write(listing, stdout)
		    : gw_list_text_write(listing, &options, stdout);
	closed = gw_output_close(stdout, NULL, err);
	if (closed)
		return closed;
	return code ? gw_error_set(err, code, GW_STATUS_FAILURE, "the list cannot be written: %s",
				   strerror(-code))
		    : 0;
}

int gw_command_list(int argc, char **argv)
{
	struct gw_listing listing = {0};
	struct gw_error err = {0};
	struct gw_options options;
	int code;

	signal(SIGPIPE, SIG_IGN);
	gw_session_be_quiet();
	code = gw_options_list(argc, argv, &options, &err);
	if (!code)
		code = gw_listing_make(&listing, &err);
	if (!code)
		code = write_listing(&listing, options.json, &err);
	gw_listing_clear(&listing);
	if (!code)
		return GW_OK;
	fprintf(stderr, "gilwatch: %s\n", err.text);
	return err.status ? err.status : GW_STATUS_FAILURE;
}
