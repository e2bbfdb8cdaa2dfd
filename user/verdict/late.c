// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/late.h"

#include <string.h>

#include "model/histogram.h"
#include "verdict/thresholds.h"

static double percentile_ns(const struct gw_histogram *histogram, unsigned int permille)
{
	return (double)gw_known_ns(gw_histogram_percentile_ns(histogram, permille));
}

/* Which of the percentiles tells of the tail. */
static unsigned int tail_permille(uint64_t count)
{
	uint64_t permille = 1000 * (count - GW_LATE_BY_CHANCE) / count;

	return permille < 990 ? (unsigned int)permille : 990;
}

/*
 * The histogram is of the whole latency and only its sum is split, so that a percentile's GIL part
 * is estimated by the GIL's share of the sum.
 */
static int judge(struct gw_late *late, const struct gw_resume *resume, int64_t interval_ns,
		 const struct gw_ease *ease)
{
	const struct gw_histogram *latency = &resume->latency;
	int64_t gil_ns = gw_known_ns(resume->gil_ns);
	double share = gw_ratio(gil_ns, (int64_t)latency->sum_ns);
	double limit_ns = GW_LATE_INTERVALS * (double)interval_ns;
	double enough = gw_ease_least(ease->fires, GW_LATE_RESUMES), mean_ns, tail_ns;
	int by_ratio, by_tail;

	memset(late, 0, sizeof(*late));
	if (latency->absent || (double)latency->count < enough ||
	    share < gw_ease_least(ease->fires, GW_LATE_GIL_SHARE))
		return 0;
	if (share > 1.0)
		share = 1.0;
	late->resumes = latency->count;
	late->delay_ratio = (double)resume->delays >= enough ? resume->delay_ratio : -1.0;
	late->p50_ns = share * percentile_ns(latency, 500);
	late->p99_ns = share * percentile_ns(latency, 990);
	tail_ns = share * percentile_ns(latency, tail_permille(latency->count));
	mean_ns = (double)gil_ns / (double)latency->count;
	by_ratio = late->delay_ratio >= gw_ease_least(ease->fires, GW_LATE_DELAY_RATIO) &&
		   mean_ns >= gw_ease_least(ease->fires, GW_LATE_MEAN_NS);
	by_tail = tail_ns >= gw_ease_least(ease->fires, limit_ns);
	late->fires = by_ratio || by_tail;
	late->critical = late->fires && late->p50_ns >= gw_ease_least(ease->critical, limit_ns);
	return late->fires;
}

void gw_late_find(struct gw_late *late, const struct gw_facts *facts)
{
	const struct gw_process_view *process = facts->process;
	struct gw_ease ease = gw_ease_of("gil_latency", facts->shown);
	int64_t most_ns = -1;
	struct gw_late one;

	memset(late, 0, sizeof(*late));
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];

		if (!judge(&one, &thread->resume, facts->interval_ns, &ease) ||
		    thread->resume.gil_ns <= most_ns)
			continue;
		most_ns = thread->resume.gil_ns;
		*late = one;
		late->thread = thread;
	}
	if (!late->fires)
		judge(late, &process->resume, facts->interval_ns, &ease);
}
