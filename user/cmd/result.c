// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/result.h"

#include <string.h>

#include "cmd/output.h"
#include "render/json.h"
#include "render/text.h"

int gw_result_write(const struct gw_snapshot *snapshot, const struct gw_options *options, FILE *out,
		    const char *path, struct gw_error *err)
{
	struct gw_text_options text = {0};
	int code, closed;

	gw_text_options_detect(&text, out);
	text.rows = options->rows;
	if (options->json)
		code = gw_json_write(snapshot, out);
	else
		code = gw_text_write(snapshot, &text, out);
	closed = gw_output_close(out, path, err);
	if (closed || !code)
		return closed;
	return gw_error_set(err, code, GW_STATUS_FAILURE, "the result cannot be written: %s",
			    strerror(-code));
}

int gw_result_saw_something(const struct gw_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->process_count; i++)
		if (snapshot->process[i].threads_wall_ns > 0)
			return 1;
	return 0;
}
