// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/output.h"
#include "cmd/view.h"
#include "render/json.h"
#include "render/text.h"

#define TEXT_ROWS  1000
#define TEXT_WIDTH 100

static int write_text(const struct gw_snapshot *snapshot, FILE *out)
{
	const struct gw_text_options options = {
		.rows = TEXT_ROWS, .width = TEXT_WIDTH, .utf8 = true};

	return gw_text_write(snapshot, &options, out);
}

static int write_file(const struct gw_snapshot *snapshot, const char *path,
		      int (*write)(const struct gw_snapshot *, FILE *), struct gw_error *err)
{
	FILE *out = gw_output_create(path, err);
	int code;

	if (!out)
		return -EIO;
	code = write(snapshot, out);
	if (gw_output_close(out, path, err))
		return -EIO;
	return code ? gw_error_set(err, code, GW_STATUS_FAILURE, "%s cannot be written: %s", path,
				   strerror(-code))
		    : 0;
}

void gw_view_write(const struct gw_snapshot *snapshot, char *message, size_t size)
{
	uint32_t pid = snapshot->process_count ? snapshot->process[0].pid : 0;
	char stamp[32], text[96], json[96];
	struct gw_error err = {0};
	time_t now = time(NULL);
	struct tm local;

	localtime_r(&now, &local);
	strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &local);
	snprintf(text, sizeof(text), "gilwatch-%" PRIu32 "-%s.txt", pid, stamp);
	snprintf(json, sizeof(json), "gilwatch-%" PRIu32 "-%s.json", pid, stamp);
	if (write_file(snapshot, text, write_text, &err) ||
	    write_file(snapshot, json, gw_json_write, &err))
		snprintf(message, size, "not written: %s", err.text);
	else
		snprintf(message, size, "written: %s and .json", text);
}
