// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <math.h>

#include "render/diff.h"
#include "render/names.h"
#include "render/report_json.h"

#define SCHEMA "gilwatch.diff.v1"

static const char *const direction_name[] = {
	[GW_DIRECTION_SAME] = "same",
	[GW_DIRECTION_LESS] = "less",
	[GW_DIRECTION_MORE] = "more",
	[GW_DIRECTION_UNKNOWN] = "unknown",
};

static const char *const figure_name[GW_DIFF_FIGURE_COUNT] = {
	[GW_DIFF_THREADS] = "threads",
	[GW_DIFF_PARALLELISM_PYTHON] = "parallelism_python",
	[GW_DIFF_PARALLELISM_NATIVE] = "parallelism_native",
	[GW_DIFF_GIL_HELD] = "gil_held_ratio",
	[GW_DIFF_INTERVAL] = "interval_s",
	[GW_DIFF_ACQUISITIONS] = "acquisitions_per_s",
	[GW_DIFF_FORCED_RELEASES] = "forced_releases_per_s",
	[GW_DIFF_HOLDER_CHANGES] = "holder_changes_per_s",
	[GW_DIFF_HOLD_P50] = "hold_p50_s",
	[GW_DIFF_HOLD_P99] = "hold_p99_s",
	[GW_DIFF_WAIT_P50] = "wait_p50_s",
	[GW_DIFF_WAIT_P99] = "wait_p99_s",
	[GW_DIFF_RESUME_P50] = "resume_p50_s",
	[GW_DIFF_RESUME_P99] = "resume_p99_s",
	[GW_DIFF_DELAY_RATIO] = "delay_ratio",
	[GW_DIFF_MIGRATIONS] = "migrations_per_s",
};

static void put_number(struct gw_report *r, json_t *object, const char *name, double number,
		       const char *reason)
{
	if (isfinite(number))
		gw_report_put(r, object, name, json_real(number));
	else
		gw_report_null(r, object, name, reason);
}

static json_t *difference(struct gw_report *r, const struct gw_difference *d)
{
	json_t *object = json_object();

	put_number(r, object, "before", d->before, "that summary does not have it");
	put_number(r, object, "after", d->after, "that summary does not have it");
	put_number(r, object, "noise", d->noise,
		   isnan(d->before) || isnan(d->after) ? "the figure is not known before or after"
						       : "it rests on too few events to compare");
	gw_report_put(r, object, "change", json_string(direction_name[gw_difference_direction(d)]));
	return object;
}

static json_t *states(struct gw_report *r, const struct gw_difference *state)
{
	json_t *object = json_object();

	for (size_t i = 0; i < GW_STATE_COUNT; i++)
		gw_report_put(r, object, gw_name(&gw_state_names, i), difference(r, &state[i]));
	return object;
}

static json_t *figures(struct gw_report *r, const struct gw_difference *figure)
{
	json_t *object = json_object();

	for (size_t i = 0; i < GW_DIFF_FIGURE_COUNT; i++)
		gw_report_put(r, object, figure_name[i], difference(r, &figure[i]));
	return object;
}

static json_t *remarks(struct gw_report *r, const struct gw_diff_remarks *remarks)
{
	json_t *array = json_array();

	for (size_t i = 0; i < remarks->count; i++) {
		json_t *holder = json_object();

		/* The one way from bytes to valid text. */
		gw_report_text(r, holder, "text", remarks->text[i]);
		json_array_append_new(array, holder);
	}
	return array;
}

static json_t *side_of_verdict(struct gw_report *r, const struct gw_verdict *verdict)
{
	json_t *object;

	if (!verdict)
		return json_null();
	object = json_object();
	gw_report_put(r, object, "severity",
		      json_string(gw_name(&gw_severity_names, verdict->severity)));
	gw_report_text(r, object, "text", verdict->text);
	return object;
}

static json_t *verdicts(struct gw_report *r, const struct gw_diff_pair *pair)
{
	json_t *array = json_array();

	for (size_t i = 0; i < pair->verdict_count; i++) {
		const struct gw_diff_verdict *v = &pair->verdict[i];
		json_t *object = json_object();

		gw_report_text(r, object, "code", v->before ? v->before->code : v->after->code);
		gw_report_put(r, object, "before", side_of_verdict(r, v->before));
		gw_report_put(r, object, "after", side_of_verdict(r, v->after));
		json_array_append_new(array, object);
	}
	return array;
}

static json_t *process(struct gw_report *r, const struct gw_process_view *p)
{
	json_t *object;

	if (!p)
		return json_null();
	object = json_object();
	gw_report_put(r, object, "pid", json_integer(p->pid));
	gw_report_text(r, object, "command", p->command);
	if (p->error[0]) {
		gw_report_text(r, object, "error", p->error);
		return object;
	}
	gw_report_put(r, object, "error", json_null());
	gw_report_known(r, object, "python", p->python_version, "it could not be read");
	gw_report_text(r, object, "engine", p->engine);
	gw_report_put(r, object, "elapsed_s", json_real((double)p->elapsed_ns / 1e9));
	return object;
}

static json_t *pair(struct gw_report *r, const struct gw_diff_pair *of)
{
	json_t *object = json_object();

	gw_report_put(r, object, "before", process(r, of->before));
	gw_report_put(r, object, "after", process(r, of->after));
	gw_report_put(r, object, "compared", json_boolean(of->compared));
	if (of->compared)
		gw_report_put(r, object, "remarks", remarks(r, &of->remarks));
	gw_report_put(r, object, "verdicts", verdicts(r, of));
	if (!of->compared)
		return object;
	gw_report_put(r, object, "shares", states(r, of->state));
	gw_report_put(r, object, "threads", states(r, of->threads));
	gw_report_put(r, object, "figures", figures(r, of->figure));
	return object;
}

static json_t *together(struct gw_report *r, const struct gw_diff_pair *of)
{
	json_t *object;

	if (!of->before)
		return json_null();
	object = json_object();
	gw_report_put(r, object, "verdicts", verdicts(r, of));
	gw_report_put(r, object, "shares", states(r, of->state));
	gw_report_put(r, object, "threads", states(r, of->threads));
	gw_report_put(r, object, "figures", figures(r, of->figure));
	return object;
}

static json_t *summary(struct gw_report *r, const struct gw_snapshot *s, const char *file)
{
	json_t *object = json_object();

	gw_report_known(r, object, "file", file, "it was not a file with a name");
	gw_report_text(r, object, "started", s->started);
	gw_report_put(r, object, "elapsed_s", json_real((double)s->elapsed_ns / 1e9));
	gw_report_text(r, object, "kernel", s->kernel);
	return object;
}

int gw_diff_json_write(const struct gw_diff *diff, const struct gw_diff_files *files, FILE *out)
{
	json_t *processes = json_array();
	struct gw_report r;

	gw_report_begin(&r, SCHEMA);
	gw_report_put(&r, r.root, "before", summary(&r, diff->before, files->before));
	gw_report_put(&r, r.root, "after", summary(&r, diff->after, files->after));
	gw_report_put(&r, r.root, "remarks", remarks(&r, &diff->remarks));
	for (size_t i = 0; i < diff->pair_count; i++)
		if (json_array_append_new(processes, pair(&r, &diff->pair[i])))
			r.failed = 1;
	gw_report_put(&r, r.root, "together", together(&r, &diff->together));
	gw_report_put(&r, r.root, "processes", processes);
	return gw_report_end(&r, out);
}
