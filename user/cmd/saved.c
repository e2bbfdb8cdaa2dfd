// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/saved.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "render/json_load.h"

int gw_saved_load(const char *path, struct gw_snapshot *snapshot, struct gw_error *err)
{
	FILE *in = strcmp(path, "-") ? fopen(path, "re") : stdin;
	struct gw_error wrong = {0};
	int code;

	if (!in)
		return gw_error_set(err, -errno, GW_STATUS_USAGE, "%s cannot be read: %s", path,
				    strerror(errno));
	code = gw_json_load(in, snapshot, &wrong);
	if (in != stdin)
		fclose(in);
	return code ? gw_error_set(err, code, wrong.status, "%.200s: %s", path, wrong.text) : 0;
}
