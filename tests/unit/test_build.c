// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A process built out of raw data. */
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

/* ---- a process out of raw data ---- */

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

static struct rig *rig_new(enum gw_engine engine)
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

static void rig_free(struct rig *r)
{
	gw_snapshot_clear(&r->snapshot);
	free(r->raw.bucket);
	free(r->raw.sum);
	free(r);
}

/* A histogram as it was read, with one entry. */
static struct gw_raw_hist rig_hist(struct rig *r, uint64_t ns)
{
	struct gw_hist hist = {0};
	struct gw_raw_hist raw;

	gw_hist_add(&hist, ns);
	assert_int_equal(gw_raw_pack(&r->raw, &hist, &raw), 0);
	return raw;
}

/* A histogram with these entries, ending in 0, that is of no single thread. */
static void rig_sum(struct rig *r, enum gw_sum which, uint32_t slot, const uint64_t *ns)
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
static struct gw_raw_thread *rig_thread(struct rig *r, uint32_t tid)
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

static void rig_cpu(struct rig *r, uint32_t tid, uint32_t cpu, uint64_t ns)
{
	struct gw_raw_cpu *entry = &r->cpu[r->raw.cpu_count++];

	entry->key.process = 1;
	entry->key.tid = tid;
	entry->key.start = tid ? START >> 10 : 0;
	entry->key.cpu = cpu;
	entry->ns = ns;
}

static void rig_pair(struct rig *r, uint32_t by, uint32_t on, uint64_t ns)
{
	struct gw_raw_pair *pair = &r->pair[r->raw.pair_count++];

	pair->key.process = 1;
	pair->key.by = by;
	pair->key.on = on;
	pair->ns = ns;
}

static void rig_build(struct rig *r)
{
	const char *no_gil = r->process[1].engine == GW_ENGINE_NONE ? "no GIL facts" : NULL;

	assert_int_equal(gw_build_process(&r->raw, 1, no_gil, r->view), 0);
}

/* Spends the time up to `until` in a cell. */
static void spend(struct gw_raw_thread *thread, uint64_t until, enum gw_gil gil,
		  enum gw_where where)
{
	struct gw_thread *t = &thread->thread;

	t->tally.cells.ns[gil][where] += until - gw_span_since_ns(t->span);
	t->span = gw_span_make(until, gil, where);
}

static int64_t states_sum(const struct gw_states *s)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_STATE_COUNT; i++)
		sum += s->ns[i];
	return sum;
}

static int64_t where_sum(const int64_t *where)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_WHERE_COUNT; i++)
		sum += where[i];
	return sum;
}

/* What holds for every process, whatever was seen of it. */
static void assert_laws(const struct gw_process_view *v)
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

static void add_ended(struct rig *r)
{
	struct gw_process *p = &r->process[1];

	p->threads_ended = 2;
	p->ended_wall_ns = 700;
	p->ended.cells.ns[GW_GIL_HOLDING][GW_RUNNING] = 400;
	p->ended.cells.ns[GW_GIL_HOLDING][GW_BLOCKED_NET] = 100;
	p->ended.cells.ns[GW_GIL_NONE][GW_BLOCKED_SLEEP] = 200;
	p->ended.corrected = 5;
	RIG_SUM(r, GW_SUM_ENDED_WAIT, 1, 77);
	RIG_SUM(r, GW_SUM_ENDED_HOLD, 1, 88);
	rig_cpu(r, 0, 3, 400);
}

static void test_sched_threads_and_ended_are_the_process(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	struct gw_raw_thread *a = rig_thread(r, 11), *b = rig_thread(r, 12);
	(void)state;

	spend(a, 401000, GW_GIL_SAMPLED, GW_RUNNING);
	a->thread.tally.samples[GW_SAMPLE_HELD] = 3;
	a->thread.tally.samples[GW_SAMPLE_RELEASED] = 1;
	spend(a, 601000, GW_GIL_HOLDING, GW_BLOCKED_DISK);
	a->thread.span = gw_span_make(601000, GW_GIL_HOLDING, GW_RUNNABLE);
	rig_cpu(r, 11, 0, 300000);
	rig_cpu(r, 11, 2, 60000);
	a->thread.cpu = 0;
	a->thread.cpu_ns[0] = 40000;
	spend(b, 201000, GW_GIL_NONE, GW_BLOCKED_POLL);
	b->thread.span = gw_span_make(201000, GW_GIL_SAMPLED, GW_RUNNING);
	b->thread.run_since_ns = 201000;
	b->thread.cpu = 1;
	add_ended(r);
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->thread_count, 2);
	assert_int_equal(r->view->ended_count, 2);
	assert_int_equal(view_of(r, 11)->states.ns[GW_STATE_PYTHON], 300000);
	assert_int_equal(view_of(r, 11)->states.ns[GW_STATE_HELD_OFF], 600000);
	/* no sample of its own: split as the samples of all threads are */
	assert_int_equal(view_of(r, 12)->states.ns[GW_STATE_PYTHON], 600000);
	assert_int_equal(view_of(r, 12)->python_error_ns, 600000);
	assert_int_equal(r->view->corrected, 5);
	assert_int_equal(r->view->thread[0].tid, 11);
	assert_string_equal(r->view->thread[0].name, "worker");
	rig_free(r);
}

static void test_sched_has_no_figures_of_probes(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	(void)state;

	rig_thread(r, 11)->thread.run_since_ns = START;
	rig_build(r);
	assert_true(r->view->thread[0].acquisitions == GW_ABSENT_COUNT);
	assert_true(r->view->gil[0].releases == GW_ABSENT_COUNT);
	assert_true(r->view->thread[0].hold.absent);
	assert_true(r->view->gil[0].hold.absent);
	assert_false(r->view->thread[0].wait.absent);
	assert_true(r->view->gil_wait_by_holder_ns[GW_HOLDER_NONE] == GW_ABSENT_NS);
	assert_int_equal(r->view->basis[GW_STATE_PYTHON].kind, GW_BASIS_SAMPLED);
	assert_int_equal(r->view->basis[GW_STATE_GIL_WAIT].kind, GW_BASIS_EXACT);
	rig_free(r);
}

static void test_uprobe_is_exact(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	struct gw_raw_thread *a = rig_thread(r, 11);
	(void)state;

	spend(a, 401000, GW_GIL_HOLDING, GW_RUNNING);
	a->thread.run_since_ns = START;
	a->thread.span = gw_span_make(401000, GW_GIL_NONE, GW_RUNNING);
	a->thread.tally.acquisitions = 4;
	a->thread.tally.forced_releases = 1;
	a->hold = rig_hist(r, 400000);
	r->gil[GIL].acquisitions = 4;
	r->gil[GIL].most_waiting = 7;
	r->gil[GIL].most_lately = 3;
	r->process[1].hits = 100;
	add_ended(r);
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->basis[GW_STATE_PYTHON].kind, GW_BASIS_EXACT);
	assert_int_equal(r->view->thread[0].acquisitions, 4);
	assert_int_equal(r->view->gil[0].acquisitions, 4);
	assert_int_equal(r->view->gil[0].most_waiting, 7);
	assert_int_equal(r->view->gil[0].most_lately, 3);
	assert_int_equal(r->view->gil[0].hold.count, 2);
	assert_int_equal(r->view->gil[0].hold.sum_ns, 400088);
	assert_int_equal(r->view->gil[0].holding_ns, 400500);
	assert_int_equal(r->view->overhead_hits, 100);
	assert_true(fabs(r->view->parallelism_python - 0.4004) < 1e-9);
	rig_free(r);
}

/* A thread that went from GIL to GIL: each has its own, and the first one what is left. */
static void test_histograms_of_each_gil(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	struct gw_raw_thread *a = rig_thread(r, 11), *b = rig_thread(r, 12);
	struct gw_gil_row *row = realloc(r->view->gil, 2 * sizeof(*row));
	(void)state;

	assert_non_null(row);
	memset(row, 0, 2 * sizeof(*row));
	r->view->gil = row;
	r->view->gil_count = r->process[1].gil_count = 2;
	a->thread.gil = GW_GIL_SLOT(1, 1);
	a->hold = rig_hist(r, 5000);
	a->wait = rig_hist(r, 700);
	b->hold = rig_hist(r, 100);
	RIG_SUM(r, GW_SUM_ENDED_HOLD, 1, 5000, 90000, 60);
	RIG_SUM(r, GW_SUM_GIL_HOLD, GW_GIL_SLOT(1, 1), 5000);
	RIG_SUM(r, GW_SUM_GIL_WAIT, GW_GIL_SLOT(1, 1), 700);
	RIG_SUM(r, GW_SUM_GIL_HOLD, GW_GIL_SLOT(1, 0), 90000); /* of one that has gone */
	RIG_SUM(r, GW_SUM_GIL_HOLD, GW_GIL_SLOT(0, 1), 60);    /* another process's */
	rig_build(r);
	assert_int_equal(row[0].hold.count, 3);
	assert_int_equal(row[0].hold.sum_ns, 5000 + 100 + 60);
	assert_int_equal(row[0].wait.count, 0);
	assert_int_equal(row[1].hold.count, 1);
	assert_int_equal(row[1].hold.max_ns, 5000);
	assert_int_equal(row[1].wait.sum_ns, 700);
	rig_free(r);
}

static void test_without_gil_facts_all_of_it_is_absent(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_NONE);
	struct gw_raw_thread *a = rig_thread(r, 11);
	(void)state;

	a->thread.gil = GW_NO_SLOT;
	spend(a, 401000, GW_GIL_UNKNOWN, GW_RUNNING);
	a->thread.cpu_ns[0] = 400000;
	a->thread.span = gw_span_make(401000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->states.ns[GW_STATE_UNKNOWN], 1000000);
	assert_int_equal(r->view->where_ns[GW_BLOCKED_NET], 600000);
	assert_int_equal(r->view->basis[GW_STATE_PYTHON].kind, GW_BASIS_ABSENT);
	assert_int_equal(r->view->basis[GW_STATE_GIL_WAIT].kind, GW_BASIS_ABSENT);
	assert_int_equal(r->view->basis[GW_STATE_SLEEP].kind, GW_BASIS_EXACT);
	assert_int_equal(r->view->by_holder_basis.kind, GW_BASIS_ABSENT);
	assert_true(r->view->thread[0].wait.absent);
	rig_free(r);
}

/* What belongs to other processes, and threads that came after the end, count nowhere. */
static void test_others_count_nowhere(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	struct gw_raw_thread *other, *late;
	(void)state;

	rig_thread(r, 11)->thread.run_since_ns = START;
	other = rig_thread(r, 51);
	other->thread.process = 0;
	other->thread.tgid = 50;
	other->thread.wait_block_ns = START;
	late = rig_thread(r, 12);
	late->thread.start_ns = END;
	late->thread.span = gw_span_make(END, GW_GIL_NONE, GW_BLOCKED_NET);
	rig_cpu(r, 51, 0, 12345);
	r->cpu[0].key.process = 0;
	rig_pair(r, 51, 52, 777);
	r->pair[0].key.process = 0;
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->thread_count, 1);
	assert_int_equal(r->view->open_count, 0);
	assert_int_equal(r->view->inflicted_count, 0);
	rig_free(r);
}

static void test_process_that_ended_ends_its_figures(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	(void)state;

	rig_thread(r, 11)->thread.run_since_ns = START;
	r->process[1].flags = GW_PROCESS_EXITED;
	r->process[1].ended_at_ns = 501000;
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->elapsed_ns, 500000);
	assert_int_equal(r->view->thread[0].wall_ns, 500000);
	rig_free(r);
}

/* A thread whose record was kept after its end: one of its own, with nothing open. */
static void test_a_kept_thread_ends_with_itself(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	struct gw_raw_thread *kept;
	(void)state;

	rig_thread(r, 11)->thread.run_since_ns = START;
	add_ended(r);
	r->process[1].threads_ended = 3;
	r->process[1].threads_kept = 1;
	kept = rig_thread(r, 12);
	spend(kept, START + 300, GW_GIL_HOLDING, GW_RUNNING);
	spend(kept, START + 500, GW_GIL_NONE, GW_BLOCKED_NET);
	spend(kept, START + 600, GW_GIL_NONE, GW_RUNNING);
	kept->thread.span = gw_span_make(START + 600, GW_GIL_NONE, GW_RUNNING);
	kept->thread.flags = GW_THREAD_DEAD;
	kept->thread.wait_block_ns = START;
	kept->wait = rig_hist(r, 99);
	rig_cpu(r, 12, 1, 400);
	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->thread_count, 2);
	assert_int_equal(r->view->ended_count, 2);
	assert_int_equal(view_of(r, 12)->alive, 0);
	assert_int_equal(view_of(r, 12)->wall_ns, 600);
	assert_int_equal(view_of(r, 12)->states.ns[GW_STATE_NET], 200);
	assert_int_equal(view_of(r, 11)->alive, 1);
	assert_int_equal(r->view->gil[0].wait.count, 2);
	assert_int_equal(r->view->inflicted_count, 0);
	assert_int_equal(r->view->open_count, 0);
	rig_free(r);
}

static void test_process_without_threads(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	(void)state;

	rig_build(r);
	assert_laws(r->view);
	assert_int_equal(r->view->thread_count, 0);
	rig_free(r);
}

/* ---- what is open, and who made whom wait ---- */

static void test_open_intervals(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	struct gw_raw_thread *holds = rig_thread(r, 11), *waits = rig_thread(r, 12);
	(void)state;

	holds->thread.hold_since_ns = 101000;
	holds->thread.span = gw_span_make(301000, GW_GIL_HOLDING, GW_BLOCKED_DISK);
	waits->thread.wait_since_ns = 201000;
	waits->thread.span = gw_span_make(901000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	rig_thread(r, 13)->thread.span = gw_span_make(801000, GW_GIL_NONE, GW_BLOCKED_NET);
	rig_thread(r, 14)->thread.span = gw_span_make(801000, GW_GIL_NONE, GW_RUNNABLE);
	rig_build(r);
	assert_int_equal(r->view->open_count, 4);
	assert_int_equal(r->view->open[0].kind, GW_OPEN_HOLD);
	assert_int_equal(r->view->open[0].tid, 11);
	assert_int_equal(r->view->open[0].age_ns, 900000);
	assert_int_equal(r->view->open[0].where, GW_BLOCKED_DISK);
	assert_int_equal(r->view->open[1].kind, GW_OPEN_WAIT);
	assert_int_equal(r->view->open[1].age_ns, 800000);
	assert_int_equal(r->view->open[2].kind, GW_OPEN_BLOCK);
	assert_int_equal(r->view->open[2].tid, 11);
	assert_int_equal(r->view->open[2].age_ns, 700000);
	assert_int_equal(r->view->open[3].tid, 13);
	assert_int_equal(r->view->open[3].age_ns, 200000);
	rig_free(r);
}

static void test_pairs_with_their_open_parts(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	struct gw_raw_thread *a = rig_thread(r, 11), *b = rig_thread(r, 12);
	(void)state;

	rig_pair(r, 11, 12, 5000);
	rig_pair(r, 0, 12, 9000);
	rig_pair(r, 12, 11, 100);
	rig_pair(r, 11, 0, 40); /* on those that have no entry of their own */
	r->process[1].inflicted_rest_ns = 33;
	a->thread.run_since_ns = START;
	b->thread.span = gw_span_make(991000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	b->thread.wait_since_ns = b->thread.wait_block_ns = 991000;
	b->thread.wait_holder = 11;
	rig_build(r);
	assert_int_equal(r->view->inflicted_count, 3);
	assert_int_equal(r->view->inflicted[0].by, 11);
	assert_int_equal(r->view->inflicted[0].on, 12);
	assert_int_equal(r->view->inflicted[0].wait_ns, 15000);
	assert_int_equal(r->view->inflicted[1].by, 0);
	assert_int_equal(r->view->inflicted[2].wait_ns, 100);
	assert_int_equal(r->view->inflicted_rest_ns, 33 + 40);
	assert_int_equal(view_of(r, 11)->inflicted_ns, 15000 + 40);
	assert_int_equal(view_of(r, 12)->inflicted_ns, 100);
	rig_free(r);
}

/* A waiter that has run on since its wait: what it runs is nobody's fault. */
static void test_open_part_ends_where_the_waiter_ran(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	struct gw_raw_thread *a = rig_thread(r, 11);
	(void)state;

	a->thread.span = gw_span_make(101000, GW_GIL_SAMPLED, GW_RUNNING);
	a->thread.run_since_ns = 101000;
	a->thread.wait_since_ns = a->thread.wait_block_ns = 91000;
	a->thread.wait_end_ns = 101000;
	a->thread.wait_holder = 12;
	rig_build(r);
	assert_int_equal(r->view->inflicted_count, 1);
	assert_int_equal(r->view->inflicted[0].wait_ns, 10000);
	rig_free(r);
}

static void test_rest_of_many_pairs(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	struct gw_raw_pair many[150];
	int64_t sum = 0;
	(void)state;

	memset(many, 0, sizeof(many));
	for (uint32_t i = 0; i < 150; i++) {
		many[i].key.process = 1;
		many[i].key.by = 1000 + i;
		many[i].key.on = 1;
		many[i].ns = 1 + (i * 37) % 150;
	}
	r->raw.pair = many;
	r->raw.pair_count = 150;
	rig_build(r);
	assert_int_equal(r->view->inflicted_count, 100);
	assert_int_equal(r->view->inflicted[0].wait_ns, 150);
	assert_int_equal(r->view->inflicted[99].wait_ns, 51);
	for (int i = 0; i < 100; i++)
		sum += r->view->inflicted[i].wait_ns;
	assert_int_equal(sum + r->view->inflicted_rest_ns, 150 * 151 / 2);
	rig_free(r);
}

/* ---- the books of a GIL, as the accounting writes them ---- */

static void leave(struct rig *r, struct gw_thread *t, uint64_t now, enum gw_where where,
		  enum gw_futex futex, int holds)
{
	struct gw_effects e = {0};
	struct gw_out out = {.engine = r->process[1].engine,
			     .where = where,
			     .futex = futex,
			     .gil_read = 1,
			     .holds = (__u8)holds,
			     .holder = 11};

	gw_switch_out(t, &r->gil[GIL], now, &out, &e);
	if (e.pair_ns)
		rig_pair(r, e.pair_by, t->tid, e.pair_ns);
}

static void enter(struct rig *r, struct gw_thread *t, uint64_t now)
{
	struct gw_effects e = {0};

	gw_wakeup(t, &r->gil[GIL], now - 64);
	gw_switch_in(t, &r->gil[GIL], r->process[1].engine, now, &e);
}

static int64_t by_holder_sum(const struct gw_process_view *v)
{
	int64_t sum = 0;

	for (int i = 0; i < GW_HOLDER_COUNT; i++)
		if (v->gil_wait_by_holder_ns[i] != GW_ABSENT_NS)
			sum += v->gil_wait_by_holder_ns[i];
	return sum;
}

/*
 * Thread 11 holds; 12 and 13 wait while it runs and while it reads from disk. All goes on at the
 * end, and 14 waits for the hand-over.
 */
static void play(struct rig *r)
{
	struct gw_thread *t[4];
	const struct gw_regime regime = {0};
	struct gw_effects e = {0};

	for (uint32_t i = 0; i < 4; i++) {
		t[i] = &rig_thread(r, 11 + i)->thread;
		t[i]->run_since_ns = START;
	}
	r->gil[GIL].holder = GW_BY_NOBODY;
	if (r->process[1].engine == GW_ENGINE_UPROBE)
		gw_acquire(t[0], &r->gil[GIL], 64000, GW_SAME_CPU, &regime, &e);
	leave(r, t[1], 128000, GW_BLOCKED_GIL, GW_FUTEX_WAIT, 0);
	leave(r, t[2], 192000, GW_BLOCKED_GIL, GW_FUTEX_WAIT, 0);
	leave(r, t[0], 256000, GW_BLOCKED_DISK, GW_FUTEX_OTHER, 1);
	enter(r, t[1], 320000);
	leave(r, t[1], 320064, GW_BLOCKED_GIL, GW_FUTEX_WAIT, 0);
	enter(r, t[0], 640000);
	leave(r, t[3], 768000, GW_BLOCKED_GIL, GW_FUTEX_HANDOVER, 0);
}

static void assert_played(const struct gw_process_view *v)
{
	int64_t pairs = v->inflicted_rest_ns;

	assert_laws(v);
	for (size_t i = 0; i < v->inflicted_count; i++)
		pairs += v->inflicted[i].wait_ns;
	assert_int_equal(v->states.ns[GW_STATE_GIL_WAIT],
			 (END - 128000) + (END - 192000) + (END - 768000));
	assert_true(llabs(by_holder_sum(v) - v->states.ns[GW_STATE_GIL_WAIT]) <= 3 * 64);
	assert_int_equal(v->gil_wait_by_holder_ns[GW_HOLDER_HANDOVER], END - 768000);
	assert_int_equal(pairs, (END - 128000) + (END - 192000));
}

static void test_uprobe_by_holder_sums_to_gil_wait(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_UPROBE);
	int64_t inflicted;
	(void)state;

	play(r);
	rig_build(r);
	assert_played(r->view);
	assert_int_equal(r->view->open_count, 4);
	assert_int_equal(r->view->gil_wait_by_holder_ns[GW_BLOCKED_DISK], 2 * (639936 - 256000));
	assert_int_equal(r->view->gil_wait_by_holder_ns[GW_RUNNABLE], 2 * 64);
	assert_int_equal(r->view->gil_wait_by_holder_ns[GW_HOLDER_NONE], 0);
	inflicted = view_of(r, 11)->inflicted_ns;
	assert_true(llabs(inflicted - ((END - 128000) + (END - 192000))) <= 3 * 64);
	rig_free(r);
}

static void test_sched_by_holder_sums_to_gil_wait(void **state)
{
	struct rig *r = rig_new(GW_ENGINE_SCHED);
	(void)state;

	play(r);
	rig_build(r);
	assert_played(r->view);
	assert_true(r->view->gil_wait_by_holder_ns[GW_BLOCKED_DISK] > 0);
	rig_free(r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sched_threads_and_ended_are_the_process),
		cmocka_unit_test(test_sched_has_no_figures_of_probes),
		cmocka_unit_test(test_uprobe_is_exact),
		cmocka_unit_test(test_histograms_of_each_gil),
		cmocka_unit_test(test_without_gil_facts_all_of_it_is_absent),
		cmocka_unit_test(test_others_count_nowhere),
		cmocka_unit_test(test_process_that_ended_ends_its_figures),
		cmocka_unit_test(test_a_kept_thread_ends_with_itself),
		cmocka_unit_test(test_process_without_threads),
		cmocka_unit_test(test_open_intervals),
		cmocka_unit_test(test_pairs_with_their_open_parts),
		cmocka_unit_test(test_open_part_ends_where_the_waiter_ran),
		cmocka_unit_test(test_rest_of_many_pairs),
		cmocka_unit_test(test_uprobe_by_holder_sums_to_gil_wait),
		cmocka_unit_test(test_sched_by_holder_sums_to_gil_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
