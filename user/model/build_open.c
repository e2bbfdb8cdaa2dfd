// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "model/build_parts.h"

static void append(struct gw_process_view *view, const struct gw_build *b,
		   const struct gw_thread *thread, enum gw_open_kind kind, uint64_t since_ns)
{
	struct gw_open *open = &view->open[view->open_count++];

	open->tid = thread->tid;
	open->kind = kind;
	open->where = gw_span_where(thread->span);
	open->age_ns = b->end_ns > since_ns ? (int64_t)(b->end_ns - since_ns) : 0;
}

/* A thread can hold (or wait) and be blocked at once: two entries. */
static void add_open(struct gw_process_view *view, const struct gw_build *b,
		     const struct gw_thread *thread)
{
	enum gw_gil gil = gw_span_gil(thread->span);
	enum gw_where where = gw_span_where(thread->span);
	uint64_t since_ns = gw_span_since_ns(thread->span);

	if (gil == GW_GIL_HOLDING)
		append(view, b, thread, GW_OPEN_HOLD,
		       thread->hold_since_ns ? thread->hold_since_ns : since_ns);
	if (gil == GW_GIL_WAITING)
		append(view, b, thread, GW_OPEN_WAIT,
		       thread->wait_since_ns ? thread->wait_since_ns : since_ns);
	else if (where > GW_STOPPED && where < GW_WHERE_COUNT)
		append(view, b, thread, GW_OPEN_BLOCK, since_ns);
}

static int oldest_first(const void *a, const void *b)
{
	const struct gw_open *left = a, *right = b;

	if (left->kind != right->kind)
		return (int)left->kind - (int)right->kind;
	return left->age_ns < right->age_ns ? 1 : left->age_ns > right->age_ns ? -1 : 0;
}

int gw_build_open(const struct gw_build *b, struct gw_process_view *view)
{
	view->open = calloc(2 * b->thread_count + 1, sizeof(*view->open));
	if (!view->open)
		return -ENOMEM;
	for (size_t i = 0; i < b->thread_count; i++)
		add_open(view, b, &b->thread[i]->thread);
	qsort(view->open, view->open_count, sizeof(*view->open), oldest_first);
	return 0;
}
