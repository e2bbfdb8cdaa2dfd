// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/result.h"
#include "cmd/saved.h"

static int show(const struct gw_options *options, struct gw_error *err)
{
	struct gw_snapshot snapshot = {0};
	int code;
	FILE *out;

	code = gw_saved_load(options->file, &snapshot, err);
	if (code)
		return code;
	out = gw_output_open(options->output, err);
	code = out ? gw_result_write(&snapshot, options, out, options->output, err) : -EIO;
	gw_snapshot_clear(&snapshot);
	return code;
}

int gw_command_show(int argc, char **argv)
{
	struct gw_error err = {0};
	struct gw_options options;

	signal(SIGPIPE, SIG_IGN);
	if (!gw_options_show(argc, argv, &options, &err) && !show(&options, &err))
		return GW_OK;
	fprintf(stderr, "gilwatch: %s\n", err.text[0] ? err.text : "the summary cannot be shown");
	return err.status ? err.status : GW_STATUS_FAILURE;
}
