// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What keeps two summaries from being compared like for like. */
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "model/diff_parts.h"

#define SECOND_NS 1000000000
/* Times that are an order apart hold different things: a start, a cache that fills, a timer. */
#define ELAPSED_RATIO_MAX 10

static void __attribute__((format(printf, 2, 3)))
remark(struct gw_diff_remarks *remarks, const char *format, ...)
{
	va_list args;

	if (remarks->count == GW_DIFF_REMARKS_MAX)
		return;
	va_start(args, format);
	vsnprintf(remarks->text[remarks->count++], sizeof(remarks->text[0]), format, args);
	va_end(args);
}

static int is_apart(double a, double b, double ratio)
{
	return a > b ? a >= b * ratio : b >= a * ratio;
}

static const char *version_of(const struct gw_process_view *p)
{
	return p->python_version[0] ? p->python_version : "unknown";
}

static void remark_python(struct gw_diff_remarks *r, const struct gw_process_view *a,
			  const struct gw_process_view *b)
{
	if (strcmp(a->python_version, b->python_version))
		remark(r, "Another interpreter: version %s before, %s after", version_of(a),
		       version_of(b));
	else if (strcmp(a->build_id, b->build_id))
		remark(r, "Another build of the interpreter: its build ID differs");
	if (a->gil_enabled != b->gil_enabled)
		remark(r,
		       "The GIL is %s before and %s after: only times on and off the CPUs "
		       "compare",
		       a->gil_enabled ? "on" : "off", b->gil_enabled ? "on" : "off");
	if (strcmp(a->engine, b->engine))
		remark(r,
		       "Another engine: %s before, %s after; what is exact in one is an "
		       "estimate, or missing, in the other",
		       a->engine, b->engine);
}

static void remark_time(struct gw_diff_remarks *r, const struct gw_process_view *a,
			const struct gw_process_view *b)
{
	double before_s = (double)a->elapsed_ns / SECOND_NS,
	       after_s = (double)b->elapsed_ns / SECOND_NS;

	if (is_apart(before_s, after_s, ELAPSED_RATIO_MAX))
		remark(r,
		       "Watched for %.3g s before and %.3g s after: so different times hold "
		       "different work",
		       before_s, after_s);
	if (before_s < 1 || after_s < 1)
		remark(r, "Watched for less than a second %s: that is too short to compare",
		       before_s >= 1  ? "after"
		       : after_s >= 1 ? "before"
				      : "before and after");
}

void gw_diff_remark_pair(struct gw_diff_pair *pair)
{
	const struct gw_process_view *a = pair->before, *b = pair->after;
	struct gw_diff_remarks *r = &pair->remarks;
	double had = gw_diff_threads(a), has = gw_diff_threads(b);

	remark_python(r, a, b);
	remark_time(r, a, b);
	if (pair->by_threads)
		remark(r,
		       "%.3g threads on average before, %.3g after: compare how many of them "
		       "are in a state, not their share of all",
		       had, has);
	if (a->cpus_usable != b->cpus_usable)
		remark(r, "%" PRIu32 " usable CPUs before, %" PRIu32 " after", a->cpus_usable,
		       b->cpus_usable);
	if (a->lost_events || b->lost_events)
		remark(r, "Events were lost: %" PRIu64 " before, %" PRIu64 " after", a->lost_events,
		       b->lost_events);
}

/* The same local time zone in both, so that the texts have the times' order. */
static int is_later(const char *a, const char *b)
{
	return strlen(a) == strlen(b) && strlen(a) > 19 && !strcmp(a + 19, b + 19) &&
	       strcmp(a, b) > 0;
}

static int is_same(const struct gw_snapshot *a, const struct gw_snapshot *b)
{
	if (strcmp(a->started, b->started) || a->end_monotonic_ns != b->end_monotonic_ns ||
	    a->process_count != b->process_count)
		return 0;
	return !a->process_count || (a->process[0].pid == b->process[0].pid &&
				     a->process[0].cells_ns == b->process[0].cells_ns &&
				     !strcmp(a->process[0].engine, b->process[0].engine));
}

void gw_diff_remark_all(struct gw_diff *diff)
{
	const struct gw_snapshot *a = diff->before, *b = diff->after;
	struct gw_diff_remarks *r = &diff->remarks;

	if (is_same(a, b))
		remark(r, "Both are the same summary");
	else if (is_later(a->started, b->started))
		remark(r, "What is before here was taken after the other: perhaps the files are "
			  "meant the other way round");
	if (a->process_count > GW_DIFF_PROCESSES_MAX || b->process_count > GW_DIFF_PROCESSES_MAX)
		remark(r, "Only the first %d processes are compared", GW_DIFF_PROCESSES_MAX);
	if (strcmp(a->kernel, b->kernel) || a->cpus != b->cpus)
		remark(r,
		       "Another host or kernel: %s with %" PRIu32 " CPUs before, %s with %" PRIu32
		       " after",
		       a->kernel, a->cpus, b->kernel, b->cpus);
}
