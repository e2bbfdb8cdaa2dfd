// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Probes that come for a moment and go: what is handed over, and what does not count. */
#include "account_bed.h"

/* A window from 5000 on: the bed's thread has lived under the sched engine before. */
static void open_window(struct bed *b)
{
	b->regime = (struct gw_regime){.since_ns = 5000, .pooled = 1};
}

static struct gw_out leaves_window(const struct bed *b, enum gw_where where)
{
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, where);

	out.engine_since_ns = b->regime.since_ns;
	out.pooled = (uint8_t)b->regime.pooled;
	return out;
}

static void test_first_hold_of_a_window_is_in_no_histogram(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	open_window(&b);
	release(&b, 6000, 0); /* of a hold that began before */
	assert_int_equal(b.e.hold_ns, 0);
	assert_span(&b.t, 6000, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 7000);
	release(&b, 7400, 0);
	assert_int_equal(b.e.hold_ns, 400);
	assert_int_equal(b.t.tally.acquisitions, 1);
	assert_int_equal(b.t.tally.releases, 2);
}

static void test_hold_found_by_the_sampler(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	open_window(&b);
	gw_first_evidence(&b.t, &b.gil, 5500, 1, &b.regime, &b.e);
	assert_span(&b.t, 5500, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 6000, 1);
	assert_int_equal(b.e.hold_ns, 0);
	assert_int_equal(b.gil.held_ns, 500);
	assert_int_equal(b.gil.forced_releases, 1);
}

static void test_hold_inherited_off_the_cpu(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNABLE);
	b.t.hold_since_ns = 0; /* as the sched engine has it */
	open_window(&b);
	switch_in(&b, GW_ENGINE_UPROBE, 6000);
	assert_span(&b.t, 6000, GW_GIL_HOLDING, GW_RUNNING);
	assert_int_equal(b.gil.held_ns, 5000);
	release(&b, 6300, 0);
	assert_int_equal(b.e.hold_ns, 0);
	assert_int_equal(b.gil.held_ns, 5300);
}

/* In a window time on a CPU is left to the sampler, whatever the probes say. */
static void test_window_time_is_pooled(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	open_window(&b);
	acquire(&b, 6000);
	release(&b, 6500, 0);
	acquire(&b, 7000);
	switch_out(&b, 8000, leaves_window(&b, GW_BLOCKED_DISK));
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 7000);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 0);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNING, 0);
	assert_int_equal(wall(&b.t, 9000), 8000);
}

/* What is off the CPU, and waiting, is as exact in a window as before it. */
static void test_other_time_is_not(void **state)
{
	struct gw_out out;
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	open_window(&b);
	acquire(&b, 6000);
	out = leaves_window(&b, GW_BLOCKED_DISK);
	out.holds = 1;
	switch_out(&b, 6500, out);
	gw_wakeup(&b.t, &b.gil, 7000);
	switch_in(&b, GW_ENGINE_UPROBE, 7100);
	release(&b, 7200, 0);
	switch_out(&b, 7300, leaves_window(&b, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 8000);
	switch_in(&b, GW_ENGINE_UPROBE, 8200);
	acquire(&b, 8500);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_BLOCKED_DISK, 500);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNABLE, 100);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 700);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNABLE, 200);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 300);
	assert_int_equal(b.e.wait_ns, 1200);
}

static void test_exact_time_is_not_pooled(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	b.regime.since_ns = 5000; /* the probes are to stay */
	acquire(&b, 6000);
	release(&b, 6500, 0);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 500);
}

static void test_inherited_belief_is_no_fault_of_the_probes(void **state)
{
	struct gw_out out;
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNABLE);
	open_window(&b);
	switch_in(&b, GW_ENGINE_UPROBE, 6000);
	out = leaves_window(&b, GW_RUNNABLE);
	out.holds = 1;
	switch_out(&b, 6500, out);
	assert_span(&b.t, 6500, GW_GIL_HOLDING, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 0);
	/* By now it is their own. */
	switch_in(&b, GW_ENGINE_UPROBE, 7000);
	switch_out(&b, 7500, leaves_window(&b, GW_RUNNABLE));
	assert_span(&b.t, 7500, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 1);
}

/* It ran through the end of the last window and on, and no tick of the sampler came. */
static void test_belief_of_the_last_window_is_stale(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	b.regime = (struct gw_regime){.since_ns = 2000, .pooled = 1};
	acquire(&b, 3000);
	open_window(&b);
	assert_true(gw_belief_is_stale(&b.t, &b.regime));
	assert_true(gw_lacks_evidence(&b.t, &b.regime));
	acquire(&b, 6000); /* not the hold of 3000, which nobody saw end */
	assert_int_equal(b.t.hold_since_ns, 6000);
	release(&b, 6200, 0);
	assert_int_equal(b.e.hold_ns, 200);
	assert_int_equal(wall(&b.t, 7000), 6000);
}

static void test_slice_of_a_window_goes_back_to_the_sampler(void **state)
{
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	open_window(&b);
	acquire(&b, 6000);
	out.engine_since_ns = 7000; /* it is over */
	out.pooled = 1;
	switch_out(&b, 9000, out);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 8000);
	assert_int_equal(b.t.hold_since_ns, 0);
	assert_span(&b.t, 9000, GW_GIL_NONE, GW_RUNNABLE);
}

/* A waiter that ran as the window opened: its wait ended as it began to run, as without probes. */
static void test_wait_that_ends_as_a_window_opens(void **state)
{
	struct bed b;
	(void)state;

	sched_wait(&b, 17);
	open_window(&b);
	acquire(&b, 6000);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_span(&b.t, 6000, GW_GIL_HOLDING, GW_RUNNING);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_hold_of_a_window_is_in_no_histogram),
		cmocka_unit_test(test_hold_found_by_the_sampler),
		cmocka_unit_test(test_hold_inherited_off_the_cpu),
		cmocka_unit_test(test_window_time_is_pooled),
		cmocka_unit_test(test_other_time_is_not),
		cmocka_unit_test(test_exact_time_is_not_pooled),
		cmocka_unit_test(test_inherited_belief_is_no_fault_of_the_probes),
		cmocka_unit_test(test_belief_of_the_last_window_is_stale),
		cmocka_unit_test(test_slice_of_a_window_goes_back_to_the_sampler),
		cmocka_unit_test(test_wait_that_ends_as_a_window_opens),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
