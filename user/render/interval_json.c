// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <jansson.h>

#include "render/interval.h"
#include "render/json_snapshot.h"
#include "render/report_json.h"

int gw_interval_json_write(const struct gw_interval *interval, FILE *out)
{
	struct gw_report report;
	int code = 0;

	gw_report_begin(&report, "gilwatch.interval.v1");
	gw_report_put(&report, report.root, "seq", json_integer((json_int_t)interval->seq));
	gw_report_text(&report, report.root, "at", interval->at);
	gw_report_put(&report, report.root, "monotonic_ns",
		      json_integer((json_int_t)interval->between->end_monotonic_ns));
	gw_report_put(&report, report.root, "interval", gw_json_snapshot(interval->between));
	gw_report_put(&report, report.root, "cumulative", gw_json_snapshot(interval->since_start));
	if (report.failed || !report.root)
		code = -ENOMEM;
	else if (json_dumpf(report.root, out,
			    JSON_COMPACT | JSON_REAL_PRECISION(
						   gw_json_precision(interval->since_start))) ||
		 fputc('\n', out) == EOF || fflush(out))
		code = -EIO;
	json_decref(report.root);
	return code;
}
