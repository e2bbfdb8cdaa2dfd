// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* A process built out of raw data: what is open, who made whom wait, and what holders did. */
#include "build_bed.h"

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
		cmocka_unit_test(test_open_intervals),
		cmocka_unit_test(test_pairs_with_their_open_parts),
		cmocka_unit_test(test_open_part_ends_where_the_waiter_ran),
		cmocka_unit_test(test_rest_of_many_pairs),
		cmocka_unit_test(test_uprobe_by_holder_sums_to_gil_wait),
		cmocka_unit_test(test_sched_by_holder_sums_to_gil_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
