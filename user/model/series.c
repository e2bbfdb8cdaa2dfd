// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/series.h"

size_t gw_waiting_now(const struct gw_process_view *process)
{
	size_t count = 0;

	for (size_t i = 0; i < process->open_count; i++)
		count += process->open[i].kind == GW_OPEN_WAIT;
	return count;
}

double gw_held_share(const struct gw_process_view *process)
{
	int64_t most_ns = 0;

	if (process->basis[GW_STATE_PYTHON].kind == GW_BASIS_ABSENT)
		return -1;
	for (size_t i = 0; i < process->gil_count; i++)
		if (process->gil[i].holding_ns > most_ns)
			most_ns = process->gil[i].holding_ns;
	return process->elapsed_ns > 0 ? (double)most_ns / (double)process->elapsed_ns : 0;
}

static void add(double *sum, int64_t ns, int64_t elapsed_ns)
{
	if (ns < 0)
		return;
	if (*sum < 0)
		*sum = 0;
	*sum += elapsed_ns > 0 ? (double)ns / (double)elapsed_ns : 0;
}

struct gw_series_point gw_series_measure(const struct gw_snapshot *interval)
{
	struct gw_series_point point = {.held = -1, .waiters = -1, .cpus = -1};

	for (size_t i = 0; i < interval->process_count; i++) {
		const struct gw_process_view *p = &interval->process[i];
		double held;

		if (p->error[0])
			continue;
		held = gw_held_share(p);
		if (held > point.held)
			point.held = held;
		if (p->basis[GW_STATE_GIL_WAIT].kind != GW_BASIS_ABSENT)
			add(&point.waiters, p->states.ns[GW_STATE_GIL_WAIT], interval->elapsed_ns);
		add(&point.cpus, p->where_ns[GW_RUNNING], interval->elapsed_ns);
	}
	return point;
}

void gw_series_add(struct gw_series *series, const struct gw_snapshot *interval)
{
	series->point[series->next] = gw_series_measure(interval);
	series->next = (series->next + 1) % GW_SERIES_LENGTH;
	if (series->count < GW_SERIES_LENGTH)
		series->count++;
	series->added++;
}

const struct gw_series_point *gw_series_at(const struct gw_series *series, size_t age)
{
	return &series->point[(series->next + GW_SERIES_LENGTH - 1 - age) % GW_SERIES_LENGTH];
}

size_t gw_series_columns(const struct gw_series *series, size_t intervals)
{
	if (!series->count)
		return 0;
	return (size_t)((series->added - 1) / intervals -
			(series->added - series->count) / intervals + 1);
}

struct mean {
	double sum;
	size_t count;
};

static void take(struct mean *mean, double figure)
{
	if (figure < 0)
		return;
	mean->sum += figure;
	mean->count++;
}

static double mean_of(const struct mean *mean)
{
	return mean->count ? mean->sum / (double)mean->count : -1;
}

struct gw_series_point gw_series_column(const struct gw_series *series, size_t intervals,
					size_t age)
{
	uint64_t last = series->added - 1, first = (last / intervals - age) * intervals;
	struct mean held = {0}, waiters = {0}, cpus = {0};

	for (uint64_t at = first; at < first + intervals && at <= last; at++) {
		const struct gw_series_point *point;

		if (last - at >= series->count)
			continue;
		point = gw_series_at(series, (size_t)(last - at));
		take(&held, point->held);
		take(&waiters, point->waiters);
		take(&cpus, point->cpus);
	}
	return (struct gw_series_point){mean_of(&held), mean_of(&waiters), mean_of(&cpus)};
}
