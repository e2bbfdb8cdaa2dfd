// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A process built out of raw data: its threads, its sums, and what is absent. */
#include "build_bed.h"

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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
