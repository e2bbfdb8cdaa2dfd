// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accounting without probes: what memory and samples tell. */
#include "account_bed.h"

/* ---- the sched engine ---- */

static void test_sched_tells_by_memory(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_NET);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	assert_span(&b.t, 3000, GW_GIL_SAMPLED, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 4000, out);
	assert_span(&b.t, 4000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.gil.holder, GW_BLOCKED_NET);
	switch_in(&b, GW_ENGINE_SCHED, 5000);
	assert_int_equal(b.gil.holder, GW_RUNNING);
	out.holds = out.gil_read = 0;
	switch_out(&b, 6000, out);
	assert_span(&b.t, 6000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 3000);
}

static void test_sched_wait_ended_by_a_run(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_DISK);
	(void)state;

	sched_wait(&b, 10);
	assert_span(&b.t, 4160, GW_GIL_SAMPLED, GW_RUNNING);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	out.switch_number = 11;
	switch_out(&b, 9000, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.e.pair_ns, 4160 - 2048);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 1048 + 9000 - 4160);
}

static void test_sched_waiter_blocks_again(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	sched_wait(&b, 10);
	b.t.slice_samples[GW_SAMPLE_HELD] = 5;
	out.switch_number = 10;
	out.holder = OTHER + 1;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 0);
	assert_int_equal(b.e.pair_ns, 4224 - 2048);
	assert_int_equal(b.t.tally.waits, 1);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 64);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 64);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 0);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 0);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
}

/* Nobody told of its switch-in: its cell has it waiting until now, and so have the GIL's books. */
static void test_sched_wait_that_ended_unseen(void **state)
{
	struct bed b;
	struct gw_out blocks = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_DISK);
	uint64_t booked = 0;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	blocks.switch_number = 10;
	blocks.holder = OTHER;
	switch_out(&b, 2048, blocks);
	out.switch_number = 11;
	switch_out(&b, 8192, out);
	assert_int_equal(b.e.wait_ns, 8192 - 2048);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 8192 - 2048);
	gw_gil_advance(&b.gil, 8192, GW_RUNNING);
	for (int i = 0; i < GW_BY_COUNT; i++)
		booked += b.gil.by_holder_ns[i];
	assert_int_equal(booked, 8192 - 2048);
}

static void test_sched_waiter_had_it_in_between(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	sched_wait(&b, 10);
	b.t.slice_samples[GW_SAMPLE_HELD] = 5;
	out.switch_number = 11;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.tally.waits, 2);
	assert_int_equal(b.t.wait_since_ns, 4224);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 0);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 0);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 5);
}

/* A thread that takes the GIL again after itself leaves no trace in switch_number. */
static void test_sched_last_holder_may_have_had_it(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	out.switch_number = 10;
	out.was_last = 1;
	switch_out(&b, 2048, out);
	gw_wakeup(&b.t, &b.gil, 4096);
	switch_in(&b, GW_ENGINE_SCHED, 4160);
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.tally.waits, 2);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 0);
}

static void test_sched_waiter_is_preempted(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	sched_wait(&b, 10);
	out.switch_number = 10;
	switch_out(&b, 4224, out);
	assert_span(&b.t, 4224, GW_GIL_WAITING, GW_RUNNABLE);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
	switch_in(&b, GW_ENGINE_SCHED, 5120);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	out.switch_number = 11;
	out.holds = 1;
	switch_out(&b, 6144, out);
	assert_int_equal(b.e.wait_ns, 5120 - 2048);
	assert_span(&b.t, 6144, GW_GIL_HOLDING, GW_RUNNABLE);
}

static void test_sched_unreadable_memory_ends_a_wait(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	sched_wait(&b, 10);
	out.gil_read = 0;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_span(&b.t, 4224, GW_GIL_UNKNOWN, GW_RUNNABLE);
}

static void test_sched_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_SCHED, 2700);
	assert_int_equal(b.t.tally.handover_ns, 700);
	assert_int_equal(b.t.tally.waits, 0);
	assert_span(&b.t, 2700, GW_GIL_SAMPLED, GW_RUNNING);
}

/* Since when a thread holds is not seen without probes: an old time would be a lie. */
static void test_sched_hold_has_no_beginning(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
	gw_settle(&b.t, &b.gil, 1100, 1, 1100, 0);
	assert_int_equal(b.t.hold_since_ns, 1000);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2100);
	out.holds = 1;
	switch_out(&b, 900000, out);
	assert_span(&b.t, 900000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.hold_since_ns, 0);
}

/* Nobody told that a woken waiter ran: that time is in W(t), and must not be booked once more. */
static void test_waits_on_without_a_switch_in(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	uint64_t booked;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	switch_out(&b, 1000, out);
	gw_wakeup(&b.t, &b.gil, 6464);
	switch_out(&b, 12864, out);
	gw_gil_advance(&b.gil, 19264, GW_RUNNING);
	booked = b.gil.by_holder_ns[GW_RUNNING];
	/* It waits from 1000 on; W(t) counts in units of 64 ns. */
	assert_in_range(booked, 18264 - 64, 18264 + 64);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sched_tells_by_memory),
		cmocka_unit_test(test_sched_wait_ended_by_a_run),
		cmocka_unit_test(test_sched_waiter_blocks_again),
		cmocka_unit_test(test_sched_wait_that_ended_unseen),
		cmocka_unit_test(test_sched_waiter_had_it_in_between),
		cmocka_unit_test(test_sched_last_holder_may_have_had_it),
		cmocka_unit_test(test_sched_waiter_is_preempted),
		cmocka_unit_test(test_sched_unreadable_memory_ends_a_wait),
		cmocka_unit_test(test_sched_handover),
		cmocka_unit_test(test_sched_hold_has_no_beginning),
		cmocka_unit_test(test_waits_on_without_a_switch_in),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
