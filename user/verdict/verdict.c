// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/verdict.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "verdict/rules.h"
#include "verdict/thresholds.h"

enum {
	FOR_ERROR = 1 << 0, /* asked of a process that could not be measured */
	FOR_SHORT = 1 << 1, /* asked where the window is too short to judge */
	FOR_FULL = 1 << 2,  /* asked of everything else */
	ASIDE = 1 << 3,	    /* a remark: does not keep the last resorts away */
	LAST = 1 << 4,	    /* asked only where no rule but remarks fired */
};

struct rule {
	const char *code;
	int (*judge)(const struct gw_facts *facts, struct gw_verdict *verdict);
	unsigned int flags;
};

/* Among verdicts of one severity the earlier rule comes first: the nearer to a cause, the earlier.
 */
static const struct rule rules[] = {
	{"gil_stuck", gw_rule_gil_stuck, FOR_FULL},
	{"cpu_starved", gw_rule_cpu_starved, FOR_FULL},
	{"gil_held_blocked", gw_rule_gil_held_blocked, FOR_FULL},
	{"long_holds", gw_rule_long_holds, FOR_FULL},
	{"gil_bound", gw_rule_gil_bound, FOR_FULL},
	{"gil_latency", gw_rule_gil_latency, FOR_FULL},
	{"gil_held_starved", gw_rule_gil_held_starved, FOR_FULL},
	{"event_loop_stalled", gw_rule_event_loop_stalled, FOR_FULL},
	{"lock_bound", gw_rule_lock_bound, FOR_FULL},
	{"gil_hops", gw_rule_gil_hops, FOR_FULL},
	{"gil_reenabled", gw_rule_gil_reenabled, FOR_FULL | ASIDE},
	{"cannot_measure", gw_rule_cannot_measure, FOR_ERROR | FOR_FULL},
	{"switch_interval", gw_rule_switch_interval, FOR_FULL | ASIDE},
	{"free_threaded", gw_rule_free_threaded, FOR_FULL},
	{"native_parallel", gw_rule_native_parallel, FOR_FULL},
	{"cpu_single", gw_rule_cpu_single, FOR_FULL},
	{"io_bound", gw_rule_io_bound, FOR_FULL},
	{"idle", gw_rule_idle, FOR_FULL},
	{"insufficient_data", gw_rule_insufficient_data, FOR_SHORT | FOR_FULL | LAST},
	{"healthy", gw_rule_healthy, FOR_FULL | LAST},
	{"long_holds", gw_rule_long_holds_alone, FOR_FULL | ASIDE},
	{"ended", gw_rule_ended, FOR_SHORT | FOR_FULL | ASIDE},
};

/* Over all processes together. */
static const struct {
	const char *code;
	int (*judge)(const struct gw_facts *facts, size_t count, struct gw_verdict *verdict);
} family_rules[] = {
	{"process_parallel", gw_rule_process_parallel},
	{"io_bound", gw_rule_processes_io_bound},
};

const char *gw_verdict_rule_code(size_t index)
{
	return index < sizeof(rules) / sizeof(rules[0]) ? rules[index].code : NULL;
}

static unsigned int kind_of(const struct gw_process_view *process)
{
	if (process->error[0])
		return FOR_ERROR;
	return process->elapsed_ns < GW_WINDOW_MIN_NS ? FOR_SHORT : FOR_FULL;
}

/* Inserts behind all that are as bad; the last one falls off where there is no room. */
static size_t insert(struct gw_verdict out[GW_VERDICTS_MAX], size_t count,
		     const struct gw_verdict *verdict)
{
	size_t at = count;

	while (at > 0 && out[at - 1].severity < verdict->severity)
		at--;
	if (at == GW_VERDICTS_MAX)
		return count;
	if (count < GW_VERDICTS_MAX)
		count++;
	memmove(&out[at + 1], &out[at], (count - 1 - at) * sizeof(out[0]));
	out[at] = *verdict;
	return count;
}

size_t gw_verdict_process(const struct gw_snapshot *snapshot, const struct gw_process_view *process,
			  const struct gw_verdict *shown, struct gw_verdict out[GW_VERDICTS_MAX])
{
	unsigned int kind = kind_of(process);
	struct gw_facts facts;
	size_t count = 0;
	int found = 0;

	gw_facts_find(&facts, snapshot, process, shown);
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		const struct rule *rule = &rules[i];
		struct gw_verdict verdict = {.code = ""};

		if (!(rule->flags & kind) || (rule->flags & LAST && found))
			continue;
		facts.ease = gw_ease_of(rule->code, shown);
		if (!rule->judge(&facts, &verdict))
			continue;
		snprintf(verdict.code, sizeof(verdict.code), "%s", rule->code);
		count = insert(out, count, &verdict);
		if (!(rule->flags & ASIDE))
			found = 1;
	}
	return count;
}

static const struct gw_verdict *find(const struct gw_verdict *verdict, size_t count,
				     const char *code)
{
	for (size_t i = 0; i < count; i++)
		if (!strcmp(verdict[i].code, code))
			return &verdict[i];
	return NULL;
}

static void ease_all(struct gw_facts *facts, size_t count, struct gw_ease ease)
{
	for (size_t i = 0; i < count; i++)
		facts[i].ease = ease;
}

static void judge_family(struct gw_snapshot *snapshot, const struct gw_verdict *const *shown,
			 const struct gw_verdict *family, size_t family_count)
{
	size_t count = snapshot->process_count;
	struct gw_facts *facts;

	snapshot->verdict_count = 0;
	if (count < 2 || snapshot->elapsed_ns < GW_WINDOW_MIN_NS)
		return;
	facts = calloc(count, sizeof(*facts));
	for (size_t i = 0; facts && i < count; i++)
		gw_facts_find(&facts[i], snapshot, &snapshot->process[i], shown ? shown[i] : NULL);
	for (size_t i = 0; facts && i < sizeof(family_rules) / sizeof(family_rules[0]); i++) {
		const char *code = family_rules[i].code;
		struct gw_verdict verdict = {.code = ""};

		ease_all(facts, count, gw_ease_of(code, find(family, family_count, code)));
		if (!family_rules[i].judge(facts, count, &verdict))
			continue;
		snprintf(verdict.code, sizeof(verdict.code), "%s", code);
		snapshot->verdict_count =
			insert(snapshot->verdict, snapshot->verdict_count, &verdict);
	}
	free(facts);
}

void gw_verdicts_judge_again(struct gw_snapshot *snapshot, const struct gw_verdict *const *shown,
			     const struct gw_verdict *family, size_t family_count)
{
	for (size_t i = 0; i < snapshot->process_count; i++) {
		struct gw_process_view *process = &snapshot->process[i];

		process->verdict_count = gw_verdict_process(
			snapshot, process, shown ? shown[i] : NULL, process->verdict);
	}
	judge_family(snapshot, shown, family, family_count);
}

void gw_verdicts_judge(struct gw_snapshot *snapshot)
{
	gw_verdicts_judge_again(snapshot, NULL, NULL, 0);
}
