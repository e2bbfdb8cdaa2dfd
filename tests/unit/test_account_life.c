// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accounting: how threads begin and end, and what is known of them by then. */
#include "account_bed.h"

/* ---- the end of a thread ---- */

static void test_exit_while_holding(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	gw_cpu_begin(&b.t, 5);
	b.t.slice_samples[GW_SAMPLE_HELD] = 2;
	gw_exit(&b.t, &b.gil, 3000, &b.e);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.t.cpu_ns[1], 2000);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 2);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_true(b.t.flags & GW_THREAD_DEAD);
	assert_int_equal(cells_sum(&b.t.tally.cells), 2000);
}

static void test_exit_after_a_wait(void **state)
{
	struct bed b;
	(void)state;

	sched_wait(&b, 10);
	memset(&b.e, 0, sizeof(b.e));
	gw_exit(&b.t, &b.gil, 9000, &b.e);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.wait_since_ns, 0);
}

static void test_exit_in_a_wait(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2048, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_exit(&b.t, &b.gil, 4096, &b.e);
	assert_int_equal(b.e.wait_ns, 2048);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 2048);
}

/* After counting has stopped a thread can go on to its end: as of the stop it was blocked. */
static void test_exit_in_a_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2000, out);
	gw_exit(&b.t, &b.gil, 3000, &b.e);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 1000);
	assert_int_equal(b.t.tally.handover_ns, 1000);
}

static void test_exit_without_a_gil(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_exit(&b.t, NULL, 3000, &b.e);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 2000);
}

/* ---- the beginning ---- */

static void test_seed_running(void **state)
{
	static const enum gw_gil belief[] = {GW_GIL_UNKNOWN, GW_GIL_SAMPLED, GW_GIL_UNKNOWN};
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		struct bed b;
		struct gw_out out = leaves_for(engine, GW_RUNNING);

		bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
		b.t.span = 0;
		assert_int_equal(gw_seed(&b.t, engine ? &b.gil : NULL, 0, 5000, &out, &b.e), 1);
		assert_span(&b.t, 5000, belief[engine], GW_RUNNING);
		assert_int_equal(b.t.start_ns, 5000);
		assert_int_equal(b.t.run_since_ns, 5000);
	}
}

static void test_seed_blocked(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_span(&b.t, 5000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	assert_int_equal(b.t.run_since_ns, 0);
	assert_int_equal(b.t.handover_since_ns, 0);
}

static void test_seed_waiting(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_span(&b.t, 5000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(b.t.wait_since_ns, 5000);
	assert_int_equal(b.t.tally.waits, 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
}

static void test_seed_in_a_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	out.futex = GW_FUTEX_HANDOVER;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	switch_in(&b, GW_ENGINE_UPROBE, 6000);
	assert_int_equal(b.t.tally.handover_ns, 1000);
	assert_span(&b.t, 6000, GW_GIL_NONE, GW_RUNNING);
}

static void test_seed_overtaken_by_an_event(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	gw_span seen;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	seen = b.t.span;
	gw_unseeded_event(&b.t);
	assert_int_equal(gw_seed(&b.t, &b.gil, seen, 5000, &out, &b.e), 0);
	assert_false(gw_is_seeded(b.t.span));
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(b.t.tally.waits, 0);
	out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNING);
	seen = b.t.span;
	assert_int_equal(gw_seed(&b.t, &b.gil, seen, 6000, &out, &b.e), 1);
	assert_span(&b.t, 6000, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_int_equal(b.t.wait_since_ns, 0);
	assert_int_equal(b.t.wait_block_ns, 0);
	assert_int_equal(wall(&b.t, 7000), 1000);
}

static void test_unseeded_events_never_look_seeded(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	for (int i = 0; i < 1000; i++) {
		gw_span before = b.t.span;

		gw_unseeded_event(&b.t);
		assert_false(gw_is_seeded(b.t.span));
		assert_true(b.t.span != before);
		assert_true(b.t.span != 0);
	}
}

static void test_settle(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_HOLDING, GW_BLOCKED_DISK);
	assert_int_equal(b.gil.holder, GW_BLOCKED_DISK);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.t.hold_since_ns, 1000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNABLE);
	gw_settle(&b.t, &b.gil, 2000, 0, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.gil.holder_tid, 0);
}

/* A GIL that is switched on: what was before it stays unknown. */
static void test_settle_when_the_facts_come_late(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	gw_settle(&b.t, &b.gil, 2000, 0, 1900, 1700);
	assert_span(&b.t, 1700, GW_GIL_NONE, GW_BLOCKED_NET);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_UNKNOWN][GW_BLOCKED_NET], 700);
	assert_int_equal(wall(&b.t, 2500), 1500);
}

/* Without a GIL nothing is sampled; the slice that goes on as it comes is from then on. */
static void test_sampling_begins_with_the_facts(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	out.engine_since_ns = 1400;
	switch_out(&b, 2000, out);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_UNKNOWN][GW_RUNNING], 400);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 600);
}

/* Probes come while a woken waiter runs: its wait ended as it began to, and its samples count. */
static void test_probes_come_while_a_waiter_runs(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3100);
	gw_sample(&b.t, &b.gil, 3200, 1);
	release(&b, 4000, 0);
	assert_int_equal(b.e.wait_ns, 1100);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 1);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 1000 + 900);
	assert_span(&b.t, 4000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
}

/* What a thread was is over; it runs on as a new one of which nothing is known. */
static void test_exec_closes_the_books(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	b.t.fs_base = 1;
	memset(&b.e, 0, sizeof(b.e));
	gw_exec(&b.t, &b.gil, 3000, &b.e);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_span(&b.t, 3000, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_int_equal(b.t.fs_base, 0);
	assert_int_equal(b.t.flags, 0);
	assert_int_equal(b.t.run_since_ns, 3000);
	assert_int_equal(wall(&b.t, 3500), 2500);
}

/* A thread of several GILs: another GIL's number says nothing of the wait for the first. */
static void test_no_wait_goes_on_at_another_gil(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	b.t.gil = 1;
	switch_out(&b, 3500, out);
	assert_int_equal(b.e.wait_ns, 1000);
	assert_int_equal(b.t.tally.waits, 2);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 1000 + 500);
}

/* Of a GIL: holds that probes saw, and without probes the holder's time off the CPU. */
static void test_held_time_of_a_gil(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	out.holds = 1;
	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	switch_out(&b, 2500, out);
	gw_wakeup(&b.t, &b.gil, 2600);
	switch_in(&b, GW_ENGINE_UPROBE, 2700);
	release(&b, 3000, 0);
	assert_int_equal(b.gil.held_ns, 1000);
	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	gw_sample(&b.t, &b.gil, 1500, 1);
	out.engine = GW_ENGINE_SCHED;
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 2600);
	switch_in(&b, GW_ENGINE_SCHED, 2700);
	assert_int_equal(b.gil.held_ns, 700);
	assert_int_equal(b.gil.held_ticks, 1);
}

static void test_settle_leaves_what_is_known_or_has_run(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_UNKNOWN, GW_RUNNING);
	bed_make(&b, GW_GIL_WAITING, GW_BLOCKED_GIL);
	gw_settle(&b.t, &b.gil, 2000, 0, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	gw_settle(&b.t, &b.gil, 2000, 1, 1000, 0);
	assert_span(&b.t, 1000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	b.t.span = 3;
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_int_equal(b.t.span, 3);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_exit_while_holding),
		cmocka_unit_test(test_exit_after_a_wait),
		cmocka_unit_test(test_exit_in_a_wait),
		cmocka_unit_test(test_exit_in_a_handover),
		cmocka_unit_test(test_exit_without_a_gil),
		cmocka_unit_test(test_seed_running),
		cmocka_unit_test(test_seed_blocked),
		cmocka_unit_test(test_seed_waiting),
		cmocka_unit_test(test_seed_in_a_handover),
		cmocka_unit_test(test_seed_overtaken_by_an_event),
		cmocka_unit_test(test_unseeded_events_never_look_seeded),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_when_the_facts_come_late),
		cmocka_unit_test(test_sampling_begins_with_the_facts),
		cmocka_unit_test(test_probes_come_while_a_waiter_runs),
		cmocka_unit_test(test_exec_closes_the_books),
		cmocka_unit_test(test_no_wait_goes_on_at_another_gil),
		cmocka_unit_test(test_held_time_of_a_gil),
		cmocka_unit_test(test_settle_leaves_what_is_known_or_has_run),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
