// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accounting under probes: what their hits say. */
#include "account_bed.h"

static void test_acquire_and_release(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_RUNNING);
	assert_int_equal(b.gil.holder, GW_RUNNING);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.gil.holder_changes, 1);
	assert_int_equal(b.gil.handovers[GW_SAME_CORE], 1);
	release(&b, 2600, 0);
	assert_span(&b.t, 2600, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.e.hold_ns, 600);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.gil.holder_cpu, 3);
	assert_int_equal(b.t.release_ns, 2600);
	acquire(&b, 2700);
	assert_int_equal(b.gil.holder_changes, 1);
	release(&b, 2800, 1);
	assert_int_equal(b.t.tally.acquisitions, 2);
	assert_int_equal(b.t.tally.releases, 2);
	assert_int_equal(b.t.tally.forced_releases, 1);
	assert_int_equal(b.gil.forced_releases, 1);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 700);
}

static void test_second_acquire_keeps_hold(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	acquire(&b, 2500);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_int_equal(b.t.tally.acquisitions, 2);
	release(&b, 3000, 0);
	assert_int_equal(b.e.hold_ns, 1000);
}

static void test_second_release_ends_nothing(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 0);
	release(&b, 2500, 0);
	assert_int_equal(b.e.hold_ns, 0);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.tally.releases, 2);
}

static void test_hold_without_length_is_counted(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	release(&b, 2000, 0);
	assert_int_equal(b.e.hold_ns, 1);
}

static void test_wait_until_acquired(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holder = OTHER;
	switch_out(&b, 2048, out);
	assert_span(&b.t, 2048, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(b.t.tally.waits, 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
	gw_wakeup(&b.t, &b.gil, 4096);
	assert_int_equal(b.t.wake_ns, 0);
	switch_in(&b, GW_ENGINE_UPROBE, 4160);
	assert_span(&b.t, 4160, GW_GIL_WAITING, GW_RUNNING);
	acquire(&b, 4224);
	assert_int_equal(b.e.wait_ns, 4224 - 2048);
	assert_int_equal(b.e.pair_ns, 4224 - 2048);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(gw_wait_total_ns(&b.gil.waiters, 9999), 4224 - 2048);
}

/* A switch interval passes: the waiter blocks again, perhaps because of another holder. */
static void test_wait_in_parts(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holder = OTHER;
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3100);
	out.holder = OTHER + 1;
	switch_out(&b, 3200, out);
	assert_int_equal(b.e.pair_ns, 1200);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_int_equal(b.e.wait_ns, 0);
	gw_wakeup(&b.t, &b.gil, 4000);
	switch_in(&b, GW_ENGINE_UPROBE, 4100);
	acquire(&b, 4200);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, OTHER + 1);
	assert_int_equal(b.e.wait_ns, 2200);
	assert_int_equal(b.t.tally.waits, 1);
}

static void test_handover_after_forced_release(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 1);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2100, out);
	assert_span(&b.t, 2100, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	assert_span(&b.t, 3200, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.tally.handover_ns, 1100);
	assert_int_equal(b.t.handover_since_ns, 0);
	assert_int_equal(b.t.tally.waits, 0);
}

/* drop_gil locks the GIL's mutex while it still holds the GIL, and may have to wait for that. */
static void test_holder_that_waits_for_the_mutex(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_UPROBE, 2600);
	assert_span(&b.t, 2600, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 3000, 0);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
}

/* take_gil writes last_holder after locked: in between, memory names the last holder. */
static void test_last_holder_that_blocks_does_not_hold(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	out.holds = 1;
	for (int futex = GW_FUTEX_WAIT; futex <= GW_FUTEX_HANDOVER; futex++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		out.futex = (enum gw_futex)futex;
		switch_out(&b, 2000, out);
		assert_span(&b.t, 2000, GW_GIL_WAITING, GW_BLOCKED_GIL);
		assert_int_equal(b.t.tally.corrected, 0);
		assert_int_equal(gw_wait_count(&b.gil.waiters), futex == GW_FUTEX_WAIT);
	}
}

/* take_gil locks switch_mutex as well: a waiter that blocks there goes on waiting, in W(t). */
static void test_taker_blocks_on_the_switch_mutex(void **state)
{
	struct bed b;
	struct gw_out out;
	(void)state;

	for (uint32_t engine = GW_ENGINE_SCHED; engine <= GW_ENGINE_UPROBE; engine++) {
		out = leaves_for(engine, GW_BLOCKED_GIL);
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 2000, out);
		gw_wakeup(&b.t, &b.gil, 2500);
		switch_in(&b, engine, 2600);
		out.futex = GW_FUTEX_HANDOVER;
		switch_out(&b, 2700, out);
		assert_span(&b.t, 2700, GW_GIL_WAITING, GW_BLOCKED_GIL);
		assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
		assert_int_equal(b.t.handover_since_ns, 0);
		gw_wakeup(&b.t, &b.gil, 2800);
		switch_in(&b, engine, 3000);
		if (engine == GW_ENGINE_UPROBE)
			acquire(&b, 3000);
		else
			switch_out(&b, 3500, leaves_for(engine, GW_BLOCKED_SLEEP));
		assert_int_equal(b.e.wait_ns, 1000);
		assert_int_equal(b.t.tally.handover_ns, 0);
	}
}

/* Nobody held it as the waiter blocked, but somebody did before it was its turn. */
static void test_blames_the_holder_that_came_since(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, out);
	gw_sample(&b.other, &b.gil, 2400, 1);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	gw_sample(&b.t, &b.gil, 3200, 1); /* it has it now itself */
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_SLEEP);
	out.switch_number = 1;
	switch_out(&b, 4000, out);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, OTHER);
}

/* Who held it before the waiter blocked is not to blame. */
static void test_blames_no_earlier_holder(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	gw_hold_begin(&b.other, &b.gil, 1500);
	gw_hold_end(&b.other, &b.gil, 1800, &b.e);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3000);
	acquire(&b, 3000);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, 0);
}

/* The host takes the CPU away: one look, late, stands for all the ticks that did not come. */
static void test_late_sample_stands_for_its_ticks(void **state)
{
	struct bed b;
	const uint64_t period = GW_SAMPLE_PERIOD_NS;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	gw_sample(&b.t, &b.gil, 1000 + period / 3, 0);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_RELEASED], 1);
	gw_sample(&b.t, &b.gil, 1000 + period * 4 / 3, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 1);
	gw_sample(&b.t, &b.gil, 1000 + period * 64 / 3 + 50, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 21);
	assert_int_equal(b.t.slice_squares, 1 + 1 + 400);
	/* Off the CPU no tick is missed. */
	switch_out(&b, 30 * period, leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_SLEEP));
	switch_in(&b, GW_ENGINE_SCHED, 90 * period);
	gw_sample(&b.t, &b.gil, 90 * period + period / 2, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 1);
	assert_int_equal(b.t.tally.sample_squares, 402);
}

/* A thread that ran under probes for long, without a switch, before they went. */
static void test_sample_stands_for_no_exact_time(void **state)
{
	const struct gw_regime gone = {.since_ns = 500 * GW_SAMPLE_PERIOD_NS};
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	gw_leave_probes(&b.t, &b.gil, &gone, &b.e);
	gw_sample(&b.t, &b.gil, gone.since_ns + GW_SAMPLE_PERIOD_NS, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 1);
}

/* The hit of the acquisition was missed: the release shows that the wait is over. */
static void test_release_ends_a_wait(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_UPROBE, 2600);
	release(&b, 3000, 0);
	assert_int_equal(b.t.wait_since_ns, 0);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(b.e.wait_ns, 1000);
}

/* A thread that held before the watch began: its release ends what the GIL's holder does. */
static void test_release_of_an_unknown_hold(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.gil.holder = GW_RUNNING; /* as a watch begins */
	assert_true(gw_wait_begin(&b.gil.waiters, 1024));
	release(&b, 2048, 0);
	assert_span(&b.t, 2048, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.e.hold_ns, 0);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 1024);
	assert_int_equal(b.t.tally.inflicted_ns, 1024);
}

static void test_inflicted_wait_of_a_hold(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 1024);
	assert_true(gw_wait_begin(&b.gil.waiters, 2048));
	assert_true(gw_wait_begin(&b.gil.waiters, 2048));
	out.holds = 1;
	switch_out(&b, 4096, out);
	gw_wakeup(&b.t, &b.gil, 8192);
	switch_in(&b, GW_ENGINE_UPROBE, 8192 + 1024);
	release(&b, 16384, 0);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 2 * (2048 + 7168));
	assert_int_equal(b.gil.by_holder_ns[GW_BLOCKED_DISK], 2 * 4096);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNABLE], 2 * 1024);
	assert_int_equal(b.t.tally.inflicted_ns, 2 * (16384 - 2048));
	assert_int_equal(b.t.wake_ns, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_acquire_and_release),
		cmocka_unit_test(test_second_acquire_keeps_hold),
		cmocka_unit_test(test_second_release_ends_nothing),
		cmocka_unit_test(test_hold_without_length_is_counted),
		cmocka_unit_test(test_wait_until_acquired),
		cmocka_unit_test(test_wait_in_parts),
		cmocka_unit_test(test_handover_after_forced_release),
		cmocka_unit_test(test_holder_that_waits_for_the_mutex),
		cmocka_unit_test(test_last_holder_that_blocks_does_not_hold),
		cmocka_unit_test(test_taker_blocks_on_the_switch_mutex),
		cmocka_unit_test(test_blames_the_holder_that_came_since),
		cmocka_unit_test(test_blames_no_earlier_holder),
		cmocka_unit_test(test_late_sample_stands_for_its_ticks),
		cmocka_unit_test(test_sample_stands_for_no_exact_time),
		cmocka_unit_test(test_release_ends_a_wait),
		cmocka_unit_test(test_release_of_an_unknown_hold),
		cmocka_unit_test(test_inflicted_wait_of_a_hold),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
