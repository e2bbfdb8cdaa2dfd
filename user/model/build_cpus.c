// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "model/build_parts.h"

static int add(struct gw_cpu_time **times, size_t *count, uint32_t cpu, int64_t ns)
{
	struct gw_cpu_time *grown;
	size_t at = 0;

	if (ns <= 0)
		return 0;
	while (at < *count && (*times)[at].cpu < cpu)
		at++;
	if (at < *count && (*times)[at].cpu == cpu) {
		(*times)[at].ns += ns;
		return 0;
	}
	grown = realloc(*times, (*count + 1) * sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	*times = grown;
	for (size_t i = *count; i > at; i--)
		grown[i] = grown[i - 1];
	grown[at].cpu = cpu;
	grown[at].ns = ns;
	(*count)++;
	return 0;
}

/* Time on CPUs that is in the record, and not in the map. */
static int add_kept(const struct gw_build *b, const struct gw_thread *thread,
		    struct gw_thread_view *view)
{
	int code = 0;

	for (uint32_t i = 0; !code && i < GW_CPUS_KEPT; i++)
		code = add(&view->cpu, &view->cpu_count, thread->cpu_kept[i],
			   (int64_t)thread->cpu_ns[i]);
	if (!code && thread->run_since_ns && b->end_ns > thread->run_since_ns)
		code = add(&view->cpu, &view->cpu_count, thread->cpu,
			   (int64_t)(b->end_ns - thread->run_since_ns));
	return code;
}

/* The first of a thread's entries in the index; threads that ended are tid 0, start 0. */
static size_t first_of(const struct gw_build *b, uint32_t tid, uint32_t start)
{
	size_t low = 0, high = b->cpu_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct gw_cpu_key *key = &b->cpu[middle].key;

		if (key->tid < tid || (key->tid == tid && key->start < start))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int add_flushed(const struct gw_build *b, uint32_t tid, uint32_t start,
		       struct gw_cpu_time **times, size_t *count)
{
	int code = 0;

	for (size_t i = first_of(b, tid, start); !code && i < b->cpu_count; i++) {
		const struct gw_raw_cpu *from = &b->cpu[i];

		if (from->key.tid != tid || from->key.start != start)
			break;
		code = add(times, count, from->key.cpu, (int64_t)from->ns);
	}
	return code;
}

int gw_build_thread_cpus(const struct gw_build *b, const struct gw_thread *thread,
			 struct gw_thread_view *view)
{
	int code = add_kept(b, thread, view);

	return code ? code
		    : add_flushed(b, thread->tid, (uint32_t)(thread->start_ns >> 10), &view->cpu,
				  &view->cpu_count);
}

int gw_build_process_cpus(const struct gw_build *b, struct gw_process_view *view)
{
	int code = 0;

	for (size_t i = 0; i < view->thread_count; i++)
		for (size_t j = 0; !code && j < view->thread[i].cpu_count; j++)
			code = add(&view->cpu, &view->cpu_count, view->thread[i].cpu[j].cpu,
				   view->thread[i].cpu[j].ns);
	return code ? code : add_flushed(b, 0, 0, &view->cpu, &view->cpu_count);
}
