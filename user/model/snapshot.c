// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/snapshot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
}

void gw_process_view_clear(struct gw_process_view *process)
{
	/* A snapshot that was only half built has counts without arrays. */
	for (size_t i = 0; process->thread && i < process->thread_count; i++)
		thread_clear(&process->thread[i]);
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

static void copy_threads(const struct gw_process_view *from, struct gw_process_view *to,
			 int *failed)
{
	to->thread = copy_of(from->thread, from->thread_count, sizeof(*from->thread), failed);
	for (size_t i = 0; to->thread && i < to->thread_count; i++)
		to->thread[i].cpu = copy_of(from->thread[i].cpu, from->thread[i].cpu_count,
					    sizeof(*from->thread[i].cpu), failed);
}

int gw_process_view_copy(const struct gw_process_view *from, struct gw_process_view *to)
{
	int failed = 0;

	*to = *from;
	copy_threads(from, to, &failed);
	to->engine_change = copy_of(from->engine_change, from->engine_change_count,
				    sizeof(*from->engine_change), &failed);
	to->cpu = copy_of(from->cpu, from->cpu_count, sizeof(*from->cpu), &failed);
	to->gil = copy_of(from->gil, from->gil_count, sizeof(*from->gil), &failed);
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
