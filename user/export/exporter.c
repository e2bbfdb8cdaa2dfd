// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/exporter.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "verdict/codes.h"

/* ---- who is who ---- */

static struct gw_subject *subject_new(struct gw_exporter *e, const struct gw_process_view *view,
				      int64_t now_ns)
{
	char unit[GW_GROUP_NAME_MAX], name[GW_GROUP_NAME_MAX];
	const struct gw_origin_facts facts = {
		.unit = unit,
		.container = view->container_id,
		.runtime = view->container_runtime,
		.cgroup = view->cgroup,
		.comm = view->comm,
		.command = view->command,
	};
	struct gw_group *group;

	gw_unit_of(view->cgroup, unit, sizeof(unit));
	gw_group_name(e->options.rules, &facts, name);
	e->groups.max = e->options.groups_max;
	group = gw_groups_get(&e->groups, name, now_ns);
	return group ? gw_subjects_add(&e->subjects, view, group) : NULL;
}

static struct gw_subject *subject_of(struct gw_exporter *e, const struct gw_process_view *view,
				     int64_t now_ns)
{
	struct gw_subject *subject = gw_subjects_find(&e->subjects, view);

	return subject ? subject : subject_new(e, view, now_ns);
}

static size_t count_owners(const struct gw_subjects *subjects)
{
	size_t count = 0;

	for (size_t i = 0; i < subjects->count; i++)
		count += subjects->subject[i].own != NULL;
	return count;
}

/* Whether it has series of its own; an owner keeps them. */
static int give_own(struct gw_exporter *e, struct gw_subject *subject)
{
	int wanted = e->options.per_process || e->options.per_thread;

	if (!wanted || subject->own || count_owners(&e->subjects) >= e->options.processes_max)
		return 0;
	subject->own = calloc(1, sizeof(*subject->own));
	return subject->own ? 0 : -ENOMEM;
}

/* ---- one process ---- */

static enum gw_engine_label engine_of(const char *engine, int gil_enabled)
{
	if (!strcmp(engine, "sched"))
		return GW_LABEL_SCHED;
	if (!strcmp(engine, "uprobe"))
		return GW_LABEL_UPROBE;
	return gil_enabled ? GW_LABEL_NONE : GW_LABEL_OFF;
}

static enum gw_change_reason reason_of(const struct gw_engine_change *change)
{
	if (!strcmp(change->from, "none"))
		return strcmp(change->reason, "the GIL was switched on") ? GW_CHANGE_FOUND
									 : GW_CHANGE_GIL_ENABLED;
	return strcmp(change->to, "uprobe") ? GW_CHANGE_OVER_BUDGET : GW_CHANGE_WITHIN_BUDGET;
}

static void count_changes(struct gw_exporter *e, struct gw_subject *subject,
			  const struct gw_process_view *view)
{
	uint64_t all = view->engine_change_count + view->engine_change_rest;

	for (; subject->engine_changes < all; subject->engine_changes++) {
		uint64_t back = all - subject->engine_changes;
		const struct gw_engine_change *change;

		if (back > view->engine_change_count)
			continue; /* it was not kept */
		change = &view->engine_change[view->engine_change_count - back];
		e->self.engine_changes[engine_of(change->to, view->gil_enabled)]
				      [reason_of(change)]++;
	}
}

static void add_levels(struct gw_levels *levels, const struct gw_process_view *view)
{
	levels->processes++;
	levels->threads += (int64_t)view->thread_count;
	if (levels->cpus_usable < view->cpus_usable)
		levels->cpus_usable = view->cpus_usable;
	for (size_t i = 0; i < view->gil_count; i++) {
		size_t slot = gw_interpreter_slot(view->gil[i].interpreter);

		levels->has_interpreter[slot] = 1;
		if (levels->switch_interval_ns[slot] < view->gil[i].interval_ns)
			levels->switch_interval_ns[slot] = view->gil[i].interval_ns;
		levels->gil_enabled[slot] |= view->gil_enabled;
	}
}

static void note_interpreters(struct gw_levels *levels, const struct gw_process_view *view)
{
	for (size_t i = 0; i < view->gil_count; i++)
		levels->had_interpreter[gw_interpreter_slot(view->gil[i].interpreter)] = 1;
}

/* What the quota took from it since the last look; its cgroup has it in common with others. */
static void note_throttled(struct gw_subject *subject, int64_t throttled_ns)
{
	if (throttled_ns <= subject->throttled_ns)
		return;
	subject->throttled_more_ns += throttled_ns - subject->throttled_ns;
	subject->throttled_ns = throttled_ns;
}

/* Brings everything but sums up to date. NULL: out of memory. */
static struct gw_subject *take(struct gw_exporter *e, const struct gw_process_view *view,
			       int64_t now_ns, struct gw_totals *totals)
{
	struct gw_subject *subject = subject_of(e, view, now_ns);

	if (!subject || give_own(e, subject))
		return NULL;
	gw_totals_of(view, totals);
	note_throttled(subject, totals->throttled_ns);
	note_interpreters(&subject->group->levels, view);
	count_changes(e, subject, view);
	if (gw_subject_update(subject, view, totals, e->options.per_thread))
		return NULL;
	totals->throttled_ns = 0; /* a group's own book */
	return subject;
}

static void count_target(struct gw_exporter *e, const struct gw_process_view *view)
{
	enum gw_engine_label engine = engine_of(view->engine, view->gil_enabled);

	e->self.engine_targets[engine]++;
	e->self.targets[engine == GW_LABEL_NONE ? GW_TARGET_OPAQUE : GW_TARGET_MEASURED]++;
}

static int has_ended(const struct gw_process_view *view)
{
	return view->ended == GW_ENDED_TARGET_EXIT || view->ended == GW_ENDED_TARGET_EXEC;
}

static int update_one(struct gw_exporter *e, const struct gw_process_view *view, int64_t now_ns)
{
	struct gw_totals totals;
	struct gw_subject *subject = take(e, view, now_ns, &totals);

	if (!subject)
		return -ENOMEM;
	gw_totals_add(&subject->group->next, &totals);
	if (has_ended(view))
		return 0;
	add_levels(&subject->group->levels, view);
	count_target(e, view);
	return 0;
}

/* ---- all of them ---- */

/* Of processes in one cgroup the one that has seen most counts for all. */
static int64_t more_of_cgroup(const struct gw_subjects *subjects, size_t first)
{
	const struct gw_subject *like = &subjects->subject[first];
	int64_t most = 0;

	for (size_t i = 0; i < subjects->count; i++) {
		const struct gw_subject *subject = &subjects->subject[i];

		if (subject->group != like->group || subject->cgroup_hash != like->cgroup_hash)
			continue;
		if (i < first && subject->throttled_more_ns)
			return 0; /* it has been counted with that one */
		if (subject->throttled_more_ns > most)
			most = subject->throttled_more_ns;
	}
	return most;
}

static void sum_throttled(struct gw_subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++)
		if (subjects->subject[i].throttled_more_ns)
			subjects->subject[i].group->throttled_ns += more_of_cgroup(subjects, i);
	for (size_t i = 0; i < subjects->count; i++)
		subjects->subject[i].throttled_more_ns = 0;
}

int gw_exporter_update(struct gw_exporter *e, const struct gw_snapshot *snapshot, int64_t now_ns)
{
	int code = 0;

	gw_groups_begin(&e->groups);
	memset(e->self.engine_targets, 0, sizeof(e->self.engine_targets));
	e->self.targets[GW_TARGET_MEASURED] = 0;
	e->self.targets[GW_TARGET_OPAQUE] = 0;
	for (size_t i = 0; !code && i < snapshot->process_count; i++)
		if (!snapshot->process[i].error[0])
			code = update_one(e, &snapshot->process[i], now_ns);
	sum_throttled(&e->subjects);
	gw_groups_end(&e->groups);
	gw_subjects_expire(&e->subjects, now_ns);
	return code;
}

int gw_exporter_fold(struct gw_exporter *e, const struct gw_process_view *view, int64_t now_ns)
{
	struct gw_totals totals;
	struct gw_subject *subject = take(e, view, now_ns, &totals);

	if (!subject)
		return -ENOMEM;
	gw_totals_add(&subject->group->dead, &totals);
	subject->ended_ns = now_ns;
	if (subject->own)
		subject->own->levels.threads = 0;
	if (!--subject->group->live)
		subject->group->empty_since_ns = now_ns;
	return 0;
}

static void note_verdicts(struct gw_levels *levels, const struct gw_verdict *verdict, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t code = gw_verdict_code_find(verdict[i].code);

		if (code < GW_VERDICT_CODE_COUNT)
			levels->verdict[code] = 1;
	}
}

static void judge_group(const struct gw_exporter *e, struct gw_group *group,
			const struct gw_snapshot *passed, struct gw_snapshot *part,
			void (*judge)(struct gw_snapshot *part))
{
	struct gw_levels *levels = &group->levels;

	part->process_count = 0;
	part->verdict_count = 0;
	for (size_t i = 0; i < passed->process_count; i++) {
		const struct gw_subject *subject =
			gw_subjects_find(&e->subjects, &passed->process[i]);

		/* What is inside stays the original's. */
		if (subject && subject->group == group)
			part->process[part->process_count++] = passed->process[i];
	}
	judge(part);
	for (size_t code = 0; code < GW_VERDICT_CODE_COUNT; code++) {
		levels->judged[code] = 1;
		levels->verdict[code] = 0;
	}
	note_verdicts(levels, part->verdict, part->verdict_count);
	for (size_t i = 0; i < part->process_count; i++)
		note_verdicts(levels, part->process[i].verdict, part->process[i].verdict_count);
}

int gw_exporter_judge(struct gw_exporter *e, const struct gw_snapshot *passed,
		      void (*judge)(struct gw_snapshot *part))
{
	struct gw_snapshot part = *passed;

	part.process = malloc((passed->process_count + 1) * sizeof(*part.process));
	if (!part.process)
		return -ENOMEM;
	for (size_t i = 0; i < e->groups.count; i++)
		judge_group(e, e->groups.group[i], passed, &part, judge);
	free(part.process);
	return 0;
}

void gw_exporter_free(struct gw_exporter *e)
{
	gw_groups_free(&e->groups);
	gw_subjects_free(&e->subjects);
}
