// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"
#include "model/interval_parts.h"

int64_t gw_minus(int64_t after, int64_t before)
{
	if (after == GW_ABSENT_NS || before == GW_ABSENT_NS)
		return after;
	return after > before ? after - before : 0;
}

uint64_t gw_minus_u64(uint64_t after, uint64_t before)
{
	return after > before ? after - before : 0;
}

void gw_minus_all(int64_t *between, const int64_t *after, const int64_t *before, size_t count)
{
	for (size_t i = 0; i < count; i++)
		between[i] = gw_minus(after[i], before[i]);
}

/* ---- wake-ups ---- */

int gw_minus_resume(struct gw_resume *between, const struct gw_resume *after,
		    const struct gw_resume *before)
{
	between->runqueue_ns = gw_minus(after->runqueue_ns, before->runqueue_ns);
	between->gil_ns = gw_minus(after->gil_ns, before->gil_ns);
	between->delays = gw_minus_u64(after->delays, before->delays);
	between->delay_asked_ns = gw_minus(after->delay_asked_ns, before->delay_asked_ns);
	between->delay_actual_ns = gw_minus(after->delay_actual_ns, before->delay_actual_ns);
	between->delay_ratio = between->delay_asked_ns ? (double)between->delay_actual_ns /
								 (double)between->delay_asked_ns
						       : -1;
	return gw_histogram_minus(&between->latency, &after->latency, &before->latency);
}

/* ---- time by CPU ---- */

int gw_minus_cpus(struct gw_cpu_time **between, size_t *between_count,
		  const struct gw_cpu_time *after, size_t after_count,
		  const struct gw_cpu_time *before, size_t before_count)
{
	struct gw_cpu_time *cpu = malloc((after_count + 1) * sizeof(*cpu));
	size_t count = 0, at = 0;

	*between = cpu;
	*between_count = 0;
	if (!cpu)
		return -ENOMEM;
	for (size_t i = 0; i < after_count; i++) {
		int64_t ns = after[i].ns;

		while (at < before_count && before[at].cpu < after[i].cpu)
			at++;
		if (at < before_count && before[at].cpu == after[i].cpu)
			ns = gw_minus(ns, before[at].ns);
		if (ns > 0)
			cpu[count++] = (struct gw_cpu_time){.cpu = after[i].cpu, .ns = ns};
	}
	*between_count = count;
	return 0;
}

/* ---- states ---- */

static struct gw_samples minus_samples(const struct gw_samples *after,
				       const struct gw_samples *before)
{
	return (struct gw_samples){
		.held = gw_minus_u64(after->held, before->held),
		.released = gw_minus_u64(after->released, before->released),
		.squares = gw_minus_u64(after->squares, before->squares),
	};
}

/* What of a state is no estimate: native is the rest of the sampled part. */
static int64_t exact_ns(const struct gw_states *states, const struct gw_sampled *sampled,
			enum gw_state state)
{
	int64_t estimated_ns =
		state == GW_STATE_PYTHON ? sampled->held_ns : sampled->ns - sampled->held_ns;

	return states->ns[state] - estimated_ns;
}

int64_t gw_minus_states(struct gw_states *states, struct gw_sampled *sampled,
			const struct gw_states *before_states,
			const struct gw_sampled *before_sampled, double fallback_share)
{
	struct gw_samples taken = minus_samples(&sampled->taken, &before_sampled->taken);
	int64_t pool_ns = gw_minus(sampled->ns, before_sampled->ns);
	struct gw_split split = gw_split_pool(pool_ns, &taken, fallback_share);
	int64_t python_ns = gw_minus(exact_ns(states, sampled, GW_STATE_PYTHON),
				     exact_ns(before_states, before_sampled, GW_STATE_PYTHON));
	int64_t native_ns = gw_minus(exact_ns(states, sampled, GW_STATE_NATIVE),
				     exact_ns(before_states, before_sampled, GW_STATE_NATIVE));

	gw_minus_all(states->ns, states->ns, before_states->ns, GW_STATE_COUNT);
	states->ns[GW_STATE_PYTHON] = python_ns + split.held_ns;
	states->ns[GW_STATE_NATIVE] = native_ns + split.released_ns;
	*sampled = (struct gw_sampled){.ns = pool_ns, .held_ns = split.held_ns, .taken = taken};
	return split.error_ns;
}
