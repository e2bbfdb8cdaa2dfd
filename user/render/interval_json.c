// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <jansson.h>

#include "render/interval.h"
#include "render/json_snapshot.h"
#include "render/report_json.h"

int gw_interval_json_write(const struct gw_interval *interval, FILE *out)
{
	struct gw_json_stream stream = {
		.out = out,
		.precision = gw_json_precision(interval->since_start),
	};
	struct gw_report report;

	gw_report_begin(&report, "gilwatch.interval.v1");
	gw_report_put(&report, report.root, "seq", json_integer((json_int_t)interval->seq));
	gw_report_text(&report, report.root, "at", interval->at);
	gw_report_put(&report, report.root, "monotonic_ns",
		      json_integer((json_int_t)interval->between->end_monotonic_ns));
	if (report.failed)
		stream.code = -ENOMEM;
	gw_json_stream_text(&stream, "{");
	gw_json_stream_members(&stream, report.root);
	gw_json_stream_text(&stream, ",\"interval\":");
	gw_json_stream_snapshot(&stream, interval->between);
	gw_json_stream_text(&stream, ",\"cumulative\":");
	gw_json_stream_snapshot(&stream, interval->since_start);
	gw_json_stream_text(&stream, "}");
	return gw_json_stream_end(&stream);
}
