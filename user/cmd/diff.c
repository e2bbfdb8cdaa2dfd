// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/options.h"
#include "cmd/output.h"
#include "cmd/saved.h"
#include "render/diff.h"

static const char *name_of(const char *path)
{
	return strcmp(path, "-") ? path : "";
}

static int write_diff(const struct gw_diff *diff, const struct gw_options *options, FILE *out)
{
	const struct gw_diff_files files = {name_of(options->file), name_of(options->other_file)};
	struct gw_text_options text;

	if (options->json)
		return gw_diff_json_write(diff, &files, out);
	gw_text_options_detect(&text, out);
	return gw_diff_text_write(diff, &files, &text, out);
}

static int show(const struct gw_diff *diff, const struct gw_options *options, struct gw_error *err)
{
	FILE *out = gw_output_open(options->output, err);
	int code, closed;

	if (!out)
		return -EIO;
	code = write_diff(diff, options, out);
	closed = gw_output_close(out, options->output, err);
	return code ? code : closed;
}

static int compare(const struct gw_options *options, struct gw_error *err)
{
	struct gw_snapshot before = {0}, after = {0};
	struct gw_diff diff = {0};
	int code = gw_saved_load(options->file, &before, err);

	if (!code)
		code = gw_saved_load(options->other_file, &after, err);
	if (!code && gw_diff_make(&before, &after, &diff))
		code = gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	if (!code)
		code = show(&diff, options, err);
	gw_diff_clear(&diff);
	gw_snapshot_clear(&before);
	gw_snapshot_clear(&after);
	return code;
}

int gw_command_diff(int argc, char **argv)
{
	struct gw_error err = {0};
	struct gw_options options;

	signal(SIGPIPE, SIG_IGN);
	if (!gw_options_diff(argc, argv, &options, &err) && !compare(&options, &err))
		return GW_OK;
	fprintf(stderr, "gilwatch: %s\n", err.text[0] ? err.text : "the result cannot be written");
	return err.status ? err.status : GW_STATUS_FAILURE;
}
