// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/diff_parts.h"

enum gw_direction gw_difference_direction(const struct gw_difference *d)
{
	double change = d->after - d->before;

	if (isnan(change) || isinf(d->noise))
		return GW_DIRECTION_UNKNOWN;
	if (fabs(change) <= d->noise)
		return GW_DIRECTION_SAME;
	return change < 0 ? GW_DIRECTION_LESS : GW_DIRECTION_MORE;
}

/* ---- which process is which ---- */

/* Each is compared with each: more than that comes from no summary that people compare. */
static size_t compared_count(const struct gw_snapshot *snapshot)
{
	return snapshot->process_count < GW_DIFF_PROCESSES_MAX ? snapshot->process_count
							       : GW_DIFF_PROCESSES_MAX;
}

typedef int same_fn(const struct gw_process_view *a, const struct gw_process_view *b);

static int same_process(const struct gw_process_view *a, const struct gw_process_view *b)
{
	return a->pid == b->pid && a->child == b->child && !strcmp(a->command, b->command);
}

static int same_command(const struct gw_process_view *a, const struct gw_process_view *b)
{
	return a->child == b->child && !strcmp(a->command, b->command);
}

static int same_name(const struct gw_process_view *a, const struct gw_process_view *b)
{
	return a->child == b->child && !strcmp(a->comm, b->comm);
}

static int same_role(const struct gw_process_view *a, const struct gw_process_view *b)
{
	return a->child == b->child;
}

/* Gives each process that has no partner yet the first free one that is the same. */
static void match(const struct gw_snapshot *before, const struct gw_snapshot *after, same_fn *same,
		  const struct gw_process_view **partner, char *taken)
{
	for (size_t i = 0; i < compared_count(before); i++) {
		for (size_t j = 0; !partner[i] && j < compared_count(after); j++) {
			if (taken[j] || !same(&before->process[i], &after->process[j]))
				continue;
			partner[i] = &after->process[j];
			taken[j] = 1;
		}
	}
}

static void match_all(const struct gw_snapshot *before, const struct gw_snapshot *after,
		      const struct gw_process_view **partner, char *taken)
{
	same_fn *const rule[] = {same_process, same_command, same_name, same_role};

	for (size_t i = 0; i < sizeof(rule) / sizeof(rule[0]); i++)
		match(before, after, rule[i], partner, taken);
}

/* ---- verdicts ---- */

struct given {
	const struct gw_verdict *verdict;
	size_t count;
};

static struct given given_to(const struct gw_process_view *process)
{
	if (!process)
		return (struct given){NULL, 0};
	return (struct given){process->verdict, process->verdict_count};
}

static struct given given_to_all(const struct gw_snapshot *snapshot)
{
	return (struct given){snapshot->verdict, snapshot->verdict_count};
}

static const struct gw_verdict *find(struct given given, const char *code)
{
	for (size_t i = 0; i < given.count && i < GW_VERDICTS_MAX; i++)
		if (!strcmp(given.verdict[i].code, code))
			return &given.verdict[i];
	return NULL;
}

static void add_verdict(struct gw_diff_pair *pair, const struct gw_verdict *before,
			const struct gw_verdict *after)
{
	pair->verdict[pair->verdict_count++] = (struct gw_diff_verdict){before, after};
}

static void compare_verdicts(struct gw_diff_pair *pair, struct given before, struct given after)
{
	const struct gw_verdict *was = before.verdict, *is = after.verdict;

	for (size_t i = 0; i < before.count && i < GW_VERDICTS_MAX; i++)
		if (!find(after, was[i].code))
			add_verdict(pair, &was[i], NULL);
	for (size_t i = 0; i < after.count && i < GW_VERDICTS_MAX; i++)
		if (!find(before, is[i].code))
			add_verdict(pair, NULL, &is[i]);
	for (size_t i = 0; i < before.count && i < GW_VERDICTS_MAX; i++)
		if (find(after, was[i].code))
			add_verdict(pair, &was[i], find(after, was[i].code));
}

/* ---- all of it ---- */

static int is_measured(const struct gw_process_view *process)
{
	return process && !process->error[0];
}

/* Why one could not be measured is told in its error; its verdicts would say the same. */
static void compare(struct gw_diff_pair *pair)
{
	pair->compared = is_measured(pair->before) && is_measured(pair->after);
	if (pair->compared)
		gw_diff_figures(pair);
	if (pair->compared || (is_measured(pair->before) && !pair->after) ||
	    (is_measured(pair->after) && !pair->before))
		compare_verdicts(pair, given_to(pair->before), given_to(pair->after));
	if (pair->compared)
		gw_diff_remark_pair(pair);
}

static void make_pairs(struct gw_diff *diff, const struct gw_process_view *const *partner,
		       const char *taken)
{
	for (size_t i = 0; i < compared_count(diff->before); i++)
		diff->pair[diff->pair_count++] = (struct gw_diff_pair){
			.before = &diff->before->process[i], .after = partner[i]};
	for (size_t j = 0; j < compared_count(diff->after); j++)
		if (!taken[j])
			diff->pair[diff->pair_count++].after = &diff->after->process[j];
	for (size_t i = 0; i < diff->pair_count; i++)
		compare(&diff->pair[i]);
}

static int has_several(const struct gw_diff *diff)
{
	return diff->before->process_count > 1 || diff->after->process_count > 1;
}

static void compare_together(struct gw_diff *diff)
{
	gw_diff_sum(diff->before, &diff->sum[0]);
	gw_diff_sum(diff->after, &diff->sum[1]);
	diff->together.before = &diff->sum[0];
	diff->together.after = &diff->sum[1];
	diff->together.compared = 1;
	gw_diff_figures(&diff->together);
	compare_verdicts(&diff->together, given_to_all(diff->before), given_to_all(diff->after));
}

int gw_diff_make(const struct gw_snapshot *before, const struct gw_snapshot *after,
		 struct gw_diff *diff)
{
	const struct gw_process_view **partner =
		calloc(compared_count(before) + 1, sizeof(*partner));
	char *taken = calloc(compared_count(after) + 1, 1);
	int code = 0;

	diff->before = before;
	diff->after = after;
	diff->pair =
		calloc(compared_count(before) + compared_count(after) + 1, sizeof(*diff->pair));
	diff->sum = calloc(2, sizeof(*diff->sum));
	if (partner && taken && diff->pair && diff->sum) {
		match_all(before, after, partner, taken);
		make_pairs(diff, partner, taken);
		if (has_several(diff))
			compare_together(diff);
		gw_diff_remark_all(diff);
	} else {
		code = -ENOMEM;
	}
	free(partner);
	free(taken);
	return code;
}

void gw_diff_clear(struct gw_diff *diff)
{
	free(diff->pair);
	free(diff->sum);
	memset(diff, 0, sizeof(*diff));
}
