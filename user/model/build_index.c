// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "model/build_parts.h"

/* Whether the thread is one of the process that was there before its end. */
static int belongs(const struct gw_build *b, const struct gw_thread *thread)
{
	return thread->process == b->slot && thread->start_ns < b->end_ns;
}

static int compare(uint32_t a, uint32_t b)
{
	return a < b ? -1 : a > b;
}

static int by_thread(const void *a, const void *b)
{
	const struct gw_cpu_key *left = &((const struct gw_raw_cpu *)a)->key;
	const struct gw_cpu_key *right = &((const struct gw_raw_cpu *)b)->key;
	int order = compare(left->tid, right->tid);

	return order ? order : compare(left->start, right->start);
}

static int by_pair(const void *a, const void *b)
{
	const struct gw_pair_key *left = &((const struct gw_raw_pair *)a)->key;
	const struct gw_pair_key *right = &((const struct gw_raw_pair *)b)->key;
	int order = compare(left->by, right->by);

	return order ? order : compare(left->on, right->on);
}

/*
 * Without probes a waiter that runs may have the GIL: until it leaves the CPU, its wait ended as it
 * began to run.
 */
static uint64_t waited_until_ns(const struct gw_build *b, const struct gw_thread *thread)
{
	enum gw_gil gil = gw_span_gil(thread->span);

	if (gil == GW_GIL_WAITING)
		return b->end_ns;
	if (thread->wait_end_ns)
		return thread->wait_end_ns;
	return gil == GW_GIL_SAMPLED ? gw_span_since_ns(thread->span) : b->end_ns;
}

/* Waits that still go on: their last part is at the expense of the holder seen last. */
static void add_open_parts(struct gw_build *b)
{
	for (size_t i = 0; i < b->thread_count; i++) {
		const struct gw_thread *thread = &b->thread[i]->thread;
		uint64_t until_ns = waited_until_ns(b, thread);

		if (!thread->wait_block_ns || thread->flags & GW_THREAD_DEAD ||
		    until_ns <= thread->wait_block_ns)
			continue;
		b->pair[b->pair_count++] = (struct gw_raw_pair){
			.key = {.process = thread->process,
				.by = thread->wait_holder,
				.on = thread->tid},
			.ns = until_ns - thread->wait_block_ns,
		};
	}
}

/* Makes one entry of those for the same pair. */
static void merge_pairs(struct gw_build *b)
{
	size_t to = 0;

	for (size_t i = 1; i < b->pair_count; i++) {
		if (!by_pair(&b->pair[to], &b->pair[i]))
			b->pair[to].ns += b->pair[i].ns;
		else
			b->pair[++to] = b->pair[i];
	}
	if (b->pair_count)
		b->pair_count = to + 1;
}

/* The process's own threads: one pass over all of them, and not one for each figure. */
static int index_threads(struct gw_build *b)
{
	const struct gw_raw *raw = b->raw;

	b->thread = malloc((raw->thread_count + 1) * sizeof(*b->thread));
	if (!b->thread)
		return -ENOMEM;
	for (size_t i = 0; i < raw->thread_count; i++)
		if (belongs(b, &raw->thread[i].thread))
			b->thread[b->thread_count++] = &raw->thread[i];
	return 0;
}

int gw_build_index(struct gw_build *b)
{
	const struct gw_raw *raw = b->raw;

	if (index_threads(b))
		return -ENOMEM;
	b->cpu = malloc((raw->cpu_count + 1) * sizeof(*b->cpu));
	b->pair = malloc((raw->pair_count + b->thread_count + 1) * sizeof(*b->pair));
	if (!b->cpu || !b->pair)
		return -ENOMEM;
	for (size_t i = 0; i < raw->cpu_count; i++)
		if (raw->cpu[i].key.process == b->slot)
			b->cpu[b->cpu_count++] = raw->cpu[i];
	for (size_t i = 0; i < raw->pair_count; i++)
		if (raw->pair[i].key.process == b->slot)
			b->pair[b->pair_count++] = raw->pair[i];
	qsort(b->cpu, b->cpu_count, sizeof(*b->cpu), by_thread);
	add_open_parts(b);
	qsort(b->pair, b->pair_count, sizeof(*b->pair), by_pair);
	merge_pairs(b);
	return 0;
}

void gw_build_index_free(struct gw_build *b)
{
	free(b->thread);
	free(b->cpu);
	free(b->pair);
}
