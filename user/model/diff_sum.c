// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All processes of a summary together, as if they were one. */
#include <math.h>

#include "model/diff_parts.h"

static int64_t add(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == GW_ABSENT_NS || b == GW_ABSENT_NS)
		return GW_ABSENT_NS;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

/* A part that is not known leaves the sum unknown; errors are independent. */
static void add_state(struct gw_process_view *sum, const struct gw_process_view *part, int state)
{
	struct gw_basis *basis = &sum->basis[state];

	sum->states.ns[state] = add(sum->states.ns[state], part->states.ns[state]);
	if (part->basis[state].kind > basis->kind)
		basis->kind = part->basis[state].kind;
	basis->error_ns = (int64_t)fmin(
		hypot((double)basis->error_ns, (double)part->basis[state].error_ns), 9e18);
}

static double add_known(double a, double b)
{
	return a < 0 || b < 0 ? -1 : a + b;
}

static void add_process(struct gw_process_view *sum, const struct gw_process_view *part,
			double elapsed_ns)
{
	/* Its parallelism is over its own time. */
	double share = elapsed_ns > 0 ? (double)part->elapsed_ns / elapsed_ns : 0;

	sum->threads_wall_ns = add(sum->threads_wall_ns, part->threads_wall_ns);
	for (int i = 0; i < GW_STATE_COUNT; i++)
		add_state(sum, part, i);
	sum->parallelism_python =
		add_known(sum->parallelism_python, part->parallelism_python * share);
	sum->parallelism_native =
		add_known(sum->parallelism_native, part->parallelism_native * share);
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		sum->migrations[i] = add(sum->migrations[i], part->migrations[i]);
}

void gw_diff_sum(const struct gw_snapshot *snapshot, struct gw_process_view *sum)
{
	sum->elapsed_ns = snapshot->elapsed_ns;
	sum->resume.latency.absent = 1;
	for (size_t i = 0; i < snapshot->process_count; i++)
		if (!snapshot->process[i].error[0])
			add_process(sum, &snapshot->process[i], (double)snapshot->elapsed_ns);
}
