// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accounting where probes are not the last word: belief against memory, probes that go. */
#include "account_bed.h"

/* ---- belief against memory ---- */

static void test_pending_hit_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holds = 1;
	out.at_site = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 0);
}

static void test_unreadable_memory_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.gil_read = 0;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.tally.corrected, 0);
}

static void test_correction_to_holding_survives_its_hit(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 1);
	assert_int_equal(b.gil.holder, GW_RUNNABLE);
	switch_in(&b, GW_ENGINE_UPROBE, 2500);
	acquire(&b, 2600);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_span(&b.t, 2500, GW_GIL_HOLDING, GW_RUNNING);
}

static void test_correction_ends_a_wait(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3100);
	out.holds = 1;
	switch_out(&b, 4000, out);
	assert_int_equal(b.e.wait_ns, 2000);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_span(&b.t, 4000, GW_GIL_HOLDING, GW_RUNNABLE);
}

static void test_correction_to_released(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP));
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_SLEEP);
	assert_int_equal(b.e.hold_ns, 1000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.t.tally.corrected, 1);
}

static void test_first_evidence_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_NET);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_int_equal(b.t.tally.corrected, 0);
}

/* The sampled pool is time on a CPU; what nobody knows about the rest is unknown. */
static void test_nothing_off_cpu_is_sampled(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	out.gil_read = 0;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
}

static void test_sample_of_an_unknown_thread(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_first_evidence(&b.t, &b.gil, 3000, 1, &b.regime, &b.e);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNING);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.t.hold_since_ns, 3000);
	gw_first_evidence(&b.t, &b.gil, 4000, 0, &b.regime, &b.e);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNING);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_first_evidence(&b.t, &b.gil, 3000, 0, &b.regime, &b.e);
	assert_span(&b.t, 3000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.hold_since_ns, 0);
}

/* ---- probes that are taken away ---- */

static void test_slice_begun_under_probes(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.engine_since_ns = 1800;
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 800);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 1200);
	assert_int_equal(b.t.hold_since_ns, 0);
	assert_span(&b.t, 3000, GW_GIL_NONE, GW_RUNNABLE);
}

static void test_slice_begun_after_probes(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.engine_since_ns = 500;
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 2000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 2000);
}

/* Woken under probes, so that it is in W(t) while it runs; without them it blocks again. */
static void test_waiter_of_probes_blocks_again(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	uint64_t booked;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	switch_out(&b, 1024, out);
	gw_wakeup(&b.t, &b.gil, 2048);
	switch_in(&b, GW_ENGINE_UPROBE, 2048);
	out.engine = GW_ENGINE_SCHED;
	out.engine_since_ns = 2560;
	switch_out(&b, 4096, out);
	gw_gil_advance(&b.gil, 4096, GW_RUNNING);
	booked = b.gil.by_holder_ns[GW_RUNNING];
	assert_int_equal(booked, 4096 - 1024);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 4096 - 2048);
}

static void test_waiter_of_probes_runs_on(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 1024, out);
	gw_wakeup(&b.t, &b.gil, 2048);
	switch_in(&b, GW_ENGINE_UPROBE, 2048);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_DISK);
	out.engine_since_ns = 2560;
	switch_out(&b, 4096, out);
	assert_int_equal(b.e.wait_ns, 2560 - 1024);
	assert_int_equal(gw_wait_total_ns(&b.gil.waiters, 8192), 2560 - 1024);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 4096 - 2560);
}

/* Nobody told that it runs again after a forced release: its next wait is not hand-over. */
static void test_handover_ends_without_a_switch_in(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	for (int acquires = 0; acquires < 2; acquires++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		out.futex = GW_FUTEX_HANDOVER;
		switch_out(&b, 2000, out);
		gw_wakeup(&b.t, &b.gil, 2500);
		if (acquires) {
			acquire(&b, 3000);
		} else {
			out.futex = GW_FUTEX_WAIT;
			switch_out(&b, 3000, out);
		}
		assert_int_equal(b.t.tally.handover_ns, 1000);
		assert_int_equal(b.t.handover_since_ns, 0);
		if (acquires)
			continue;
		gw_wakeup(&b.t, &b.gil, 8000);
		switch_in(&b, GW_ENGINE_UPROBE, 8000);
		assert_span(&b.t, 8000, GW_GIL_WAITING, GW_RUNNING);
		acquire(&b, 8500);
		assert_int_equal(b.e.wait_ns, 5500);
		assert_int_equal(b.t.tally.handover_ns, 1000);
	}
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pending_hit_is_no_correction),
		cmocka_unit_test(test_unreadable_memory_is_no_correction),
		cmocka_unit_test(test_correction_to_holding_survives_its_hit),
		cmocka_unit_test(test_correction_ends_a_wait),
		cmocka_unit_test(test_correction_to_released),
		cmocka_unit_test(test_first_evidence_is_no_correction),
		cmocka_unit_test(test_nothing_off_cpu_is_sampled),
		cmocka_unit_test(test_sample_of_an_unknown_thread),
		cmocka_unit_test(test_slice_begun_under_probes),
		cmocka_unit_test(test_slice_begun_after_probes),
		cmocka_unit_test(test_waiter_of_probes_blocks_again),
		cmocka_unit_test(test_waiter_of_probes_runs_on),
		cmocka_unit_test(test_handover_ends_without_a_switch_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
