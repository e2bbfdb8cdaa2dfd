// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* One answer to a scrape: each metric of the table, for each that it is told of. */
#include <stdio.h>

#include "export/exporter.h"

static void begin_labels(struct gw_labels *labels, const char *group)
{
	labels->used = 0;
	gw_labels_add(labels, "group", group);
}

static void add_number(struct gw_labels *labels, const char *name, uint32_t number)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", number);
	gw_labels_add(labels, name, text);
}

/* ---- groups ---- */

static void write_groups(const struct gw_exporter *e, const struct gw_exposition *x,
			 const struct gw_metric *metric)
{
	struct gw_labels labels;

	gw_exposition_family(x, metric);
	for (size_t i = 0; i < e->groups.count; i++) {
		const struct gw_group *group = e->groups.group[i];
		const void *base = metric->source == GW_OF_GROUP_TOTALS
					   ? (const void *)&group->now
					   : (const void *)&group->levels;

		begin_labels(&labels, group->name);
		gw_exposition_words(x, metric, &labels, base, &group->levels);
	}
}

/* ---- processes and threads ---- */

static void write_info(const struct gw_exposition *x, const struct gw_metric *metric,
		       struct gw_labels *labels, const struct gw_own *own)
{
	gw_labels_add(labels, "python", own->python);
	gw_labels_add(labels, "build", own->build);
	gw_labels_add(labels, "cgroup", own->cgroup);
	gw_labels_add(labels, "container_id", own->container_id);
	gw_exposition_sample(x, metric, labels, NULL);
}

static void write_processes(const struct gw_exporter *e, const struct gw_exposition *x,
			    const struct gw_metric *metric)
{
	struct gw_labels labels;

	gw_exposition_family(x, metric);
	for (size_t i = 0; i < e->subjects.count; i++) {
		const struct gw_subject *subject = &e->subjects.subject[i];

		if (!subject->own)
			continue;
		begin_labels(&labels, subject->group->name);
		add_number(&labels, "pid", subject->pid);
		if (metric->kind == GW_INFO_METRIC)
			write_info(x, metric, &labels, subject->own);
		else
			gw_exposition_words(x, metric, &labels,
					    metric->source == GW_OF_PROCESS
						    ? (const void *)&subject->own->totals
						    : (const void *)&subject->own->levels,
					    NULL);
	}
}

static void write_thread(const struct gw_exposition *x, const struct gw_metric *metric,
			 const struct gw_subject *subject, const struct gw_own_thread *thread)
{
	struct gw_labels labels;

	begin_labels(&labels, subject->group->name);
	add_number(&labels, "pid", subject->pid);
	add_number(&labels, "tid", thread->tid);
	gw_labels_add(&labels, "thread", thread->name);
	gw_exposition_words(x, metric, &labels, &thread->states, NULL);
}

static void write_threads(const struct gw_exporter *e, const struct gw_exposition *x,
			  const struct gw_metric *metric)
{
	size_t left = e->options.threads_max;

	gw_exposition_family(x, metric);
	for (size_t i = 0; i < e->subjects.count; i++) {
		const struct gw_subject *subject = &e->subjects.subject[i];

		for (size_t j = 0;
		     left && subject->own && !subject->ended_ns && j < subject->own->thread_count;
		     j++, left--)
			write_thread(x, metric, subject, &subject->own->thread[j]);
	}
}

/* Processes and threads that would have series if there were no limit. */
static int64_t count_suppressed(const struct gw_exporter *e)
{
	const struct gw_exporter_options *o = &e->options;
	size_t without = 0, threads = 0;

	for (size_t i = 0; i < e->subjects.count; i++) {
		const struct gw_subject *subject = &e->subjects.subject[i];

		without += !subject->own && !subject->ended_ns;
		if (subject->own && !subject->ended_ns)
			threads += subject->own->thread_count;
	}
	if (!o->per_process && !o->per_thread)
		return 0;
	return (int64_t)(without + (threads > o->threads_max ? threads - o->threads_max : 0));
}

/* ---- gilwatch itself ---- */

static void write_changes(const struct gw_exporter *e, const struct gw_exposition *x,
			  const struct gw_metric *metric)
{
	const int64_t(*changes)[GW_CHANGE_REASONS] = e->self.engine_changes;
	struct gw_metric counted = *metric;
	struct gw_labels labels = {.used = 0};

	counted.unit = GW_UNIT_COUNT;
	for (size_t to = 0; to < GW_LABEL_ENGINES; to++)
		for (size_t reason = 0; reason < GW_CHANGE_REASONS; reason++) {
			if (!changes[to][reason])
				continue;
			labels.used = 0;
			gw_labels_add(&labels, "to", gw_name(&gw_engine_label_names, to));
			gw_labels_add(&labels, "reason", gw_name(&gw_change_reason_names, reason));
			gw_exposition_sample(x, &counted, &labels, &changes[to][reason]);
		}
}

static void write_self(const struct gw_exporter *e, const struct gw_exposition *x,
		       const struct gw_metric *metric)
{
	struct gw_labels labels = {.used = 0};

	gw_exposition_family(x, metric);
	if (metric->kind == GW_INFO_METRIC) {
		gw_labels_add(&labels, "version", GW_VERSION);
		gw_labels_add(&labels, "kernel", e->kernel ? e->kernel : "unknown");
		gw_exposition_sample(x, metric, &labels, NULL);
	} else if (metric->unit == GW_UNIT_NONE) {
		write_changes(e, x, metric);
	} else {
		gw_exposition_words(x, metric, &labels, &e->self, NULL);
	}
}

/* What gilwatch says of itself is the sum over all groups. */
static void sum_self(struct gw_exporter *e)
{
	struct gw_totals sum;

	gw_groups_sum(&e->groups, &sum);
	e->self.probe_hits = sum.probe_hits;
	e->self.probe_cost_ns = sum.probe_cost_ns;
	e->self.corrected = sum.corrected;
	for (int i = 0; i < GW_LOST_REASONS; i++)
		e->self.lost[i] = sum.lost[i];
	e->self.missed[GW_MISSED_GROUPS] = e->groups.refused;
	e->self.suppressed = count_suppressed(e);
}

void gw_exporter_write(struct gw_exporter *e, const struct gw_exposition *x)
{
	sum_self(e);
	for (size_t i = 0; i < gw_metric_count; i++) {
		const struct gw_metric *metric = &gw_metrics[i];

		switch (metric->source) {
		case GW_OF_GROUP_TOTALS:
		case GW_OF_GROUP_LEVELS:
			write_groups(e, x, metric);
			break;
		case GW_OF_PROCESS:
		case GW_OF_PROCESS_LEVELS:
			if (e->options.per_process)
				write_processes(e, x, metric);
			break;
		case GW_OF_THREAD:
			if (e->options.per_thread)
				write_threads(e, x, metric);
			break;
		default:
			write_self(e, x, metric);
		}
	}
	gw_exposition_end(x);
}
