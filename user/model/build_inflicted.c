// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "model/build_parts.h"

/* As many pairs as a summary carries; the others are summed up. */
#define PAIRS_MAX 100

/* The part of a wait that is still going on, at the expense of the holder seen last. */
static int64_t open_part_ns(const struct gw_build *b, const struct gw_thread *thread)
{
	if (thread->process != b->slot || !thread->wait_block_ns ||
	    b->end_ns <= thread->wait_block_ns)
		return 0;
	return (int64_t)(b->end_ns - thread->wait_block_ns);
}

int64_t gw_build_inflicted_by(const struct gw_build *b, uint32_t tid)
{
	int64_t sum = 0;

	for (size_t i = 0; i < b->raw->pair_count; i++)
		if (b->raw->pair[i].key.tgid == b->process->tgid && b->raw->pair[i].key.by == tid)
			sum += (int64_t)b->raw->pair[i].ns;
	for (size_t i = 0; i < b->raw->thread_count; i++)
		if (b->raw->thread[i].thread.wait_holder == tid)
			sum += open_part_ns(b, &b->raw->thread[i].thread);
	return sum;
}

static void add_pair(struct gw_inflicted *pairs, size_t *count, uint32_t by, uint32_t on,
		     int64_t ns)
{
	for (size_t i = 0; i < *count; i++) {
		if (pairs[i].by == by && pairs[i].on == on) {
			pairs[i].wait_ns += ns;
			return;
		}
	}
	pairs[*count].by = by;
	pairs[*count].on = on;
	pairs[(*count)++].wait_ns = ns;
}

static int largest_first(const void *a, const void *b)
{
	const struct gw_inflicted *left = a, *right = b;

	return left->wait_ns < right->wait_ns ? 1 : left->wait_ns > right->wait_ns ? -1 : 0;
}

int gw_build_inflicted(const struct gw_build *b, struct gw_process_view *view)
{
	struct gw_inflicted *pairs = calloc(b->raw->pair_count + b->raw->thread_count + 1,
					    sizeof(*pairs));
	size_t count = 0;

	if (!pairs)
		return -ENOMEM;
	for (size_t i = 0; i < b->raw->pair_count; i++) {
		const struct gw_raw_pair *from = &b->raw->pair[i];

		if (from->key.tgid != b->process->tgid)
			continue;
		/* Keys of the map are unique: no need to look for an equal one. */
		pairs[count].by = from->key.by;
		pairs[count].on = from->key.on;
		pairs[count++].wait_ns = (int64_t)from->ns;
	}
	for (size_t i = 0; i < b->raw->thread_count; i++) {
		const struct gw_thread *thread = &b->raw->thread[i].thread;
		int64_t ns = open_part_ns(b, thread);

		if (ns)
			add_pair(pairs, &count, thread->wait_holder, thread->tid, ns);
	}
	qsort(pairs, count, sizeof(*pairs), largest_first);
	view->inflicted = pairs;
	view->inflicted_count = count < PAIRS_MAX ? count : PAIRS_MAX;
	view->inflicted_rest_ns = (int64_t)b->process->inflicted_rest_ns;
	for (size_t i = view->inflicted_count; i < count; i++)
		view->inflicted_rest_ns += pairs[i].wait_ns;
	return 0;
}
