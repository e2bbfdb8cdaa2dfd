// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"

/* As many pairs as a summary carries; the others are summed up. */
#define PAIRS_MAX 100

static int64_t busyness(const struct gw_thread_view *t)
{
	return t->states.ns[GW_STATE_GIL_WAIT] + t->states.ns[GW_STATE_HELD_OFF] +
	       t->where_ns[GW_RUNNING];
}

static int busiest_first(const void *a, const void *b)
{
	const struct gw_thread_view *left = a, *right = b;
	int64_t difference = busyness(right) - busyness(left);

	if (difference)
		return difference > 0 ? 1 : -1;
	return left->tid < right->tid ? -1 : left->tid > right->tid;
}

void gw_threads_sort(struct gw_process_view *process)
{
	if (process->thread_count)
		qsort(process->thread, process->thread_count, sizeof(*process->thread),
		      busiest_first);
}

void gw_snapshot_sort(struct gw_snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->process_count; i++)
		gw_threads_sort(&snapshot->process[i]);
}

static int largest_first(const void *a, const void *b)
{
	const struct gw_inflicted *left = a, *right = b;

	return left->wait_ns < right->wait_ns ? 1 : left->wait_ns > right->wait_ns ? -1 : 0;
}

void gw_inflicted_limit(struct gw_process_view *process)
{
	size_t count = process->inflicted_count;

	qsort(process->inflicted, count, sizeof(*process->inflicted), largest_first);
	for (; process->inflicted_count > PAIRS_MAX; process->inflicted_beyond++)
		process->inflicted_rest_ns +=
			process->inflicted[--process->inflicted_count].wait_ns;
}

static void thread_clear(struct gw_thread_view *thread)
{
	free(thread->cpu);
	gw_histogram_clear(&thread->hold);
	gw_histogram_clear(&thread->wait);
	gw_histogram_clear(&thread->resume.latency);
}

static void gil_clear(struct gw_gil_row *gil)
{
	gw_histogram_clear(&gil->hold);
	gw_histogram_clear(&gil->wait);
}

void gw_process_view_clear(struct gw_process_view *process)
{
	/* A snapshot that was only half built has counts without arrays. */
	for (size_t i = 0; process->thread && i < process->thread_count; i++)
		thread_clear(&process->thread[i]);
	for (size_t i = 0; process->gil && i < process->gil_count; i++)
		gil_clear(&process->gil[i]);
	gil_clear(&process->ended_gils);
	gw_histogram_clear(&process->resume.latency);
	free(process->thread);
	free(process->engine_change);
	free(process->cpu);
	free(process->gil);
	free(process->interval_phase);
	free(process->open);
	free(process->inflicted);
}

/* A copy of an array, NULL where there is none; *failed is set where memory is lacking. */
static void *copy_of(const void *from, size_t count, size_t size, int *failed)
{
	void *to = from ? malloc(count * size + 1) : NULL;

	if (to)
		memcpy(to, from, count * size);
	else if (from)
		*failed = 1;
	return to;
}

static void copy_histogram(const struct gw_histogram *from, struct gw_histogram *to, int *failed)
{
	if (gw_histogram_copy(from, to))
		*failed = 1;
}

static void copy_threads(const struct gw_process_view *from, struct gw_process_view *to,
			 int *failed)
{
	to->thread = copy_of(from->thread, from->thread_count, sizeof(*from->thread), failed);
	for (size_t i = 0; to->thread && i < to->thread_count; i++) {
		const struct gw_thread_view *had = &from->thread[i];
		struct gw_thread_view *has = &to->thread[i];

		has->cpu = copy_of(had->cpu, had->cpu_count, sizeof(*had->cpu), failed);
		copy_histogram(&had->hold, &has->hold, failed);
		copy_histogram(&had->wait, &has->wait, failed);
		copy_histogram(&had->resume.latency, &has->resume.latency, failed);
	}
}

static void copy_gils(const struct gw_process_view *from, struct gw_process_view *to, int *failed)
{
	to->gil = copy_of(from->gil, from->gil_count, sizeof(*from->gil), failed);
	for (size_t i = 0; to->gil && i < to->gil_count; i++) {
		copy_histogram(&from->gil[i].hold, &to->gil[i].hold, failed);
		copy_histogram(&from->gil[i].wait, &to->gil[i].wait, failed);
	}
	copy_histogram(&from->ended_gils.hold, &to->ended_gils.hold, failed);
	copy_histogram(&from->ended_gils.wait, &to->ended_gils.wait, failed);
}

int gw_process_view_copy(const struct gw_process_view *from, struct gw_process_view *to)
{
	int failed = 0;

	*to = *from;
	copy_threads(from, to, &failed);
	to->engine_change = copy_of(from->engine_change, from->engine_change_count,
				    sizeof(*from->engine_change), &failed);
	to->cpu = copy_of(from->cpu, from->cpu_count, sizeof(*from->cpu), &failed);
	copy_gils(from, to, &failed);
	copy_histogram(&from->resume.latency, &to->resume.latency, &failed);
	to->interval_phase = copy_of(from->interval_phase, from->interval_phase_count,
				     sizeof(*from->interval_phase), &failed);
	to->open = copy_of(from->open, from->open_count, sizeof(*from->open), &failed);
	to->inflicted = copy_of(from->inflicted, from->inflicted_count + from->inflicted_beyond,
				sizeof(*from->inflicted), &failed);
	if (!failed)
		return 0;
	gw_process_view_clear(to);
	memset(to, 0, sizeof(*to));
	return -ENOMEM;
}

void gw_snapshot_clear(struct gw_snapshot *snapshot)
{
	if (!snapshot)
		return;
	for (size_t i = 0; snapshot->process && i < snapshot->process_count; i++)
		gw_process_view_clear(&snapshot->process[i]);
	free(snapshot->process);
	memset(snapshot, 0, sizeof(*snapshot));
}
