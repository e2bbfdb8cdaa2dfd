/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process out of raw data, and the laws that its figures obey. */
#ifndef GW_BUILD_BED_H
#define GW_BUILD_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gilwatch/account.h"
#include "gilwatch/fold.h"
#include "model/build.h"
#include "model/figures.h"

#define START 1000
#define END   1001000
#define ROOM  8
/* The first GIL of the process in slot 1. */
#define GIL GW_GIL_SLOT(1, 0)

struct rig {
	struct gw_raw raw;
	struct gw_process process[2];
	struct gw_gil_state gil[2 * GW_GILS_PER_PROCESS];
	struct gw_raw_thread thread[ROOM];
	struct gw_raw_cpu cpu[ROOM];
	struct gw_raw_pair pair[ROOM];
	struct gw_snapshot snapshot;
	struct gw_process_view *view;
};

static inline struct rig *rig_new(enum gw_engine engine)
{
	struct rig *r = calloc(1, sizeof(*r));

	assert_non_null(r);
	r->raw.end_ns = END;
	r->raw.process = r->process;
	r->raw.process_count = 2;
	r->raw.gil = r->gil;
	r->raw.gil_count = 2 * GW_GILS_PER_PROCESS;
	r->raw.thread = r->thread;
	r->raw.cpu = r->cpu;
	r->raw.pair = r->pair;
	r->process[0].tgid = 50;
	r->process[1].tgid = 10;
	r->process[1].engine = engine;
	r->process[1].gil_count = engine != GW_ENGINE_NONE;
	r->process[1].start_ns = START;
	r->process[1].probed = engine == GW_ENGINE_UPROBE;
	r->gil[GIL].holder = GW_RUNNING;
	r->snapshot.process_count = 1;
	r->snapshot.process = calloc(1, sizeof(*r->snapshot.process));
	r->view = r->snapshot.process;
	assert_non_null(r->view);
	r->view->gil = calloc(1, sizeof(*r->view->gil));
	assert_non_null(r->view->gil);
	r->view->gil_count = r->process[1].gil_count;
	return r;
}

static inline void rig_free(struct rig *r)
{
	gw_snapshot_clear(&r->snapshot);
	free(r->raw.bucket);
	free(r->raw.sum);
	free(r);
}

/* A histogram as it was read, with one entry. */
static inline struct gw_raw_hist rig_hist(struct rig *r, uint64_t ns)
{
	struct gw_hist hist = {0};
	struct gw_raw_hist raw;

	gw_hist_add(&hist, ns);
	assert_int_equal(gw_raw_pack(&r->raw, &hist, &raw), 0);
	return raw;
}

/* A histogram with these entries, ending in 0, that is of no single thread. */
static inline void rig_sum(struct rig *r, enum gw_sum which, uint32_t slot, const uint64_t *ns)
{
	const struct gw_sum_key key = {.which = which, .slot = slot};
	struct gw_hist hist = {0};

	for (; *ns; ns++)
		gw_hist_add(&hist, *ns);
	assert_int_equal(gw_raw_add_sum(&r->raw, &key, &hist), 0);
	gw_raw_sort_sums(&r->raw);
}

#define RIG_SUM(r, which, slot, ...) rig_sum(r, which, slot, (const uint64_t[]){__VA_ARGS__, 0})

/* A thread of the process in slot 1, running since the start. */
static inline struct gw_raw_thread *rig_thread(struct rig *r, uint32_t tid)
{
	struct gw_raw_thread *thread = &r->thread[r->raw.thread_count++];

	assert_true(r->raw.thread_count <= ROOM);
	memcpy(thread->comm, "worker", 7);
	thread->thread.process = 1;
	thread->thread.tgid = 10;
	thread->thread.tid = tid;
	thread->thread.gil = GIL;
	thread->thread.start_ns = START;
	thread->thread.span = gw_span_make(START, GW_GIL_NONE, GW_RUNNING);
	return thread;
}

static inline void rig_cpu(struct rig *r, uint32_t tid, uint32_t cpu, uint64_t ns)
{
	struct gw_raw_cpu *entry = &r->cpu[r->raw.cpu_count++];

	entry->key.process = 1;
	entry->key.tid = tid;
	entry->key.start = tid ? START >> 10 : 0;
	entry->key.cpu = cpu;
	entry->ns = ns;
}

static inline void rig_pair(struct rig *r, uint32_t by, uint32_t on, uint64_t ns)
{
	struct gw_raw_pair *pair = &r->pair[r->raw.pair_count++];

	pair->key.process = 1;
	pair->key.by = by;
	pair->key.on = on;
	pair->ns = ns;
}

static inline void rig_build(struct rig *r)
{
	const char *no_gil = r->process[1].engine == GW_ENGINE_NONE ? "no GIL facts" : NULL;

	assert_int_equal(gw_build_process(&r->raw, 1, no_gil, r->view), 0);
}

/* Spends the time up to `until` in a cell. */
static inline void spend(struct gw_raw_thread *thread, uint64_t until, enum gw_gil gil,
			 enum gw_where where)
{
	struct gw_thread *t = &thread->thread;

	t->tally.cells.ns[gil][where] += until - gw_span_since_ns(t->span);
	t->span = gw_span_make(until, gil, where);
}

static inline int64_t states_sum(const struct gw_states *s)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_STATE_COUNT; i++)
		sum += s->ns[i];
	return sum;
}

static inline int64_t where_sum(const int64_t *where)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_WHERE_COUNT; i++)
		sum += where[i];
	return sum;
}

/* What holds for every process, whatever was seen of it. */
static inline void assert_laws(const struct gw_process_view *v)
{
	struct gw_states sum = v->ended_states;
	int64_t wall = v->ended_wall_ns, cpus = 0;

	for (size_t i = 0; i < v->thread_count; i++) {
		const struct gw_thread_view *t = &v->thread[i];

		assert_int_equal(t->cells_ns, t->wall_ns);
		assert_int_equal(states_sum(&t->states), t->wall_ns);
		assert_int_equal(where_sum(t->where_ns), t->wall_ns);
		assert_int_equal(where_sum(t->held_off_by_ns), t->states.ns[GW_STATE_HELD_OFF]);
		wall += t->wall_ns;
		for (int j = 0; j < GW_STATE_COUNT; j++)
			sum.ns[j] += t->states.ns[j];
	}
	for (int j = 0; j < GW_STATE_COUNT; j++)
		assert_int_equal(sum.ns[j], v->states.ns[j]);
	assert_int_equal(wall, v->threads_wall_ns);
	assert_int_equal(v->cells_ns, wall);
	assert_int_equal(states_sum(&v->states), wall);
	assert_int_equal(where_sum(v->where_ns), wall);
	assert_int_equal(where_sum(v->held_off_by_ns), v->states.ns[GW_STATE_HELD_OFF]);
	for (size_t i = 0; i < v->cpu_count; i++) {
		assert_true(!i || v->cpu[i].cpu > v->cpu[i - 1].cpu);
		cpus += v->cpu[i].ns;
	}
	assert_int_equal(cpus, v->where_ns[GW_RUNNING]);
}

static const struct gw_thread_view *view_of(const struct rig *r, uint32_t tid)
{
	for (size_t i = 0; i < r->view->thread_count; i++)
		if (r->view->thread[i].tid == tid)
			return &r->view->thread[i];
	fail_msg("thread %u is not there", tid);
	return NULL;
}

#endif
