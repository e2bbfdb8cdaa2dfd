// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The accounting: spans, switches and wake-ups, resume latency. */
#include "account_bed.h"

/* ---- spans ---- */

static void test_span_packs_time_and_cell(void **state)
{
	uint64_t since = (1ULL << 56) - 1;
	(void)state;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++) {
		for (int where = 0; where < GW_WHERE_COUNT; where++) {
			gw_span span = gw_span_make(since, (enum gw_gil)gil, (enum gw_where)where);

			assert_int_equal(gw_span_since_ns(span), since);
			assert_int_equal(gw_span_gil(span), gil);
			assert_int_equal(gw_span_where(span), where);
			assert_true(gw_is_seeded(span));
		}
	}
}

static void test_span_set_keeps_where(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	gw_span_set_gil(&b.t, 1500, GW_GIL_HOLDING, 0);
	assert_span(&b.t, 1500, GW_GIL_HOLDING, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNING, 500);
	gw_span_set_gil(&b.t, 1400, GW_GIL_NONE, 0);
	assert_span(&b.t, 1500, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(wall(&b.t, 1600), 600);
}

/* ---- switches and wake-ups ---- */

static void test_block_wake_run(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK));
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_DISK);
	assert_int_equal(b.t.cpu_ns[0], 1000);
	assert_int_equal(b.t.run_since_ns, 0);
	gw_wakeup(&b.t, &b.gil, 5000);
	assert_span(&b.t, 5000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 1);
	switch_in(&b, GW_ENGINE_UPROBE, 5300);
	assert_span(&b.t, 5300, GW_GIL_NONE, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_BLOCKED_DISK, 3000);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNABLE, 300);
	assert_int_equal(b.t.run_since_ns, 5300);
}

static void test_wakeup_of_running_is_ignored(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	gw_wakeup(&b.t, &b.gil, 2000);
	assert_span(&b.t, 1000, GW_GIL_HOLDING, GW_RUNNING);
	switch_out(&b, 3000, (struct gw_out){.engine = GW_ENGINE_UPROBE, .where = GW_RUNNABLE});
	gw_wakeup(&b.t, &b.gil, 4000);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 0);
	assert_int_equal(b.t.wake_ns, 0);
}

static void test_second_wakeup_is_ignored(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	gw_wakeup(&b.t, &b.gil, 2500);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 1);
	assert_int_equal(b.t.wake_ns, 2000);
}

static void test_missed_wakeup(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_PIPE);
	switch_in(&b, GW_ENGINE_UPROBE, 4000);
	assert_span(&b.t, 4000, GW_GIL_NONE, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_BLOCKED_PIPE, 3000);
	acquire(&b, 4100);
	assert_int_equal(b.e.resume_ns, 0);
}

static void test_two_switches_in(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNABLE);
	switch_in(&b, GW_ENGINE_SCHED, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2500);
	assert_span(&b.t, 2500, GW_GIL_SAMPLED, GW_RUNNING);
	assert_int_equal(wall(&b.t, 3000), 2000);
}

static void test_two_switches_out(void **state)
{
	struct bed b;
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 2000, leaves_for(engine, GW_BLOCKED_LOCK));
		switch_out(&b, 2600, leaves_for(engine, GW_RUNNABLE));
		assert_int_equal(wall(&b.t, 3000), 2000);
		assert_int_equal(b.t.cpu_ns[0], 1000);
	}
}

/* Clocks of two CPUs may disagree by a little: a record's time stands still, it never runs back. */
static void test_time_never_runs_backwards(void **state)
{
	struct bed b;
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 5000, leaves_for(engine, GW_BLOCKED_SLEEP));
		gw_wakeup(&b.t, &b.gil, 4990);
		switch_in(&b, engine, 4980);
		switch_out(&b, 4970, leaves_for(engine, GW_RUNNABLE));
		assert_int_equal(gw_span_since_ns(b.t.span), 5000);
		assert_int_equal(wall(&b.t, 6000), 5000);
		assert_int_equal(b.t.cpu_ns[0], 4000);
	}
}

static void test_backward_time_in_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 5000, out);
	switch_in(&b, GW_ENGINE_UPROBE, 4990);
	assert_int_equal(b.t.tally.handover_ns, 0);
}

static void test_backward_time_in_sleep(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.sleeps = 1;
	out.asked_ns = 100;
	switch_out(&b, 5000, out);
	gw_wakeup(&b.t, &b.gil, 4995);
	switch_in(&b, GW_ENGINE_UPROBE, 4995);
	acquire(&b, 4995);
	assert_int_equal(b.t.tally.delays, 1);
	assert_int_equal(b.t.tally.delay_actual_ns, 0);
}

static void test_without_engine_gil_is_unknown(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_NONE, GW_BLOCKED_POLL));
	assert_span(&b.t, 2000, GW_GIL_UNKNOWN, GW_BLOCKED_POLL);
	gw_wakeup(&b.t, NULL, 3000);
	switch_in(&b, GW_ENGINE_NONE, 3500);
	assert_span(&b.t, 3500, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_BLOCKED_POLL, 1000);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNABLE, 500);
}

/* Without a GIL there is nothing to sample: the time would be split by chance. */
static void test_no_gil_is_never_sampled(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNABLE);
	gw_switch_in(&b.t, NULL, GW_ENGINE_SCHED, 2000, &b.e);
	gw_switch_out(&b.t, NULL, 3000, &out, &b.e);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 0);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
}

/* Ready after it gave its CPU away by itself: told apart, and counted as runnable all the same. */
static void test_yield(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_OFF, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.yields = 1;
	switch_out(&b, 2000, out);
	switch_in(&b, GW_ENGINE_OFF, 2300);
	assert_int_equal(b.t.tally.yielded_ns, 300);
	out.yields = 0; /* made to give way */
	switch_out(&b, 3000, out);
	switch_in(&b, GW_ENGINE_OFF, 3500);
	assert_int_equal(b.t.tally.yielded_ns, 300);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNABLE, 800);
	out.yields = 1;
	switch_out(&b, 4000, out); /* nobody tells of the switch-in */
	switch_out(&b, 5000, leaves_for(GW_ENGINE_OFF, GW_BLOCKED_LOCK));
	switch_in(&b, GW_ENGINE_OFF, 6000);
	assert_int_equal(b.t.tally.yielded_ns, 300);
}

/* Times on CPUs whose numbers are far apart enough are kept in the record. */
static void test_cpu_change_flushes(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	gw_cpu_begin(&b.t, 2);
	switch_out(&b, 1700, leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE));
	gw_switch_in_cpu(&b.t, 2, GW_SAME_CPU, &b.e);
	gw_switch_in_cpu(&b.t, 5, GW_CROSS_NODE, &b.e);
	assert_int_equal(b.e.flush_ns, 0);
	assert_int_equal(b.t.cpu, 5);
	assert_int_equal(b.t.tally.migrations[GW_CROSS_NODE], 1);
	switch_in(&b, GW_ENGINE_UPROBE, 2000);
	switch_out(&b, 2300, leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE));
	gw_switch_in_cpu(&b.t, 2 + GW_CPUS_KEPT, GW_SAME_CORE, &b.e);
	assert_int_equal(b.e.flush_ns, 700);
	assert_int_equal(b.e.flush_cpu, 2);
	assert_int_equal(b.t.cpu_ns[2], 0);
	assert_int_equal(b.t.cpu_ns[1], 300);
	assert_int_equal(b.t.cpu_kept[1], 5);
	gw_switch_in_cpu(&b.t, 7, GW_DISTANCE_COUNT, &b.e);
	assert_int_equal(b.t.tally.migrations[GW_CROSS_NODE], 1);
}

/* ---- resume latency and sleeps ---- */

static void test_resume_until_acquired(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_UPROBE, 2300);
	switch_out(&b, 2400, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_UPROBE, 3450);
	acquire(&b, 3500);
	assert_int_equal(b.e.resume_ns, 1500);
	assert_int_equal(b.t.tally.resume_runqueue_ns, 300);
	assert_int_equal(b.t.tally.resume_gil_ns, 1100);
	release(&b, 3600, 0);
	acquire(&b, 3700);
	assert_int_equal(b.e.resume_ns, 0);
}

static void test_sched_resume_until_last_switch_in(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2300);
	switch_out(&b, 2400, out);
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_SCHED, 3450);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	out.switch_number = 1;
	switch_out(&b, 5000, out);
	assert_int_equal(b.e.resume_ns, 1450);
	assert_int_equal(b.t.tally.resume_runqueue_ns, 300);
	assert_int_equal(b.t.tally.resume_gil_ns, 1050);
}

/* The waiter is preempted before it has the GIL: it resumes at a later switch-in. */
static void test_sched_resume_of_preempted_waiter(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2300);
	switch_out(&b, 2400, out);
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_SCHED, 3450);
	switch_out(&b, 3500, leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE));
	switch_in(&b, GW_ENGINE_SCHED, 4500);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	out.switch_number = 1;
	switch_out(&b, 5000, out);
	assert_int_equal(b.e.resume_ns, 2500);
}

static void test_delay_runs_from_the_release(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 0);
	out.sleeps = 1;
	out.asked_ns = 1000;
	switch_out(&b, 2100, out);
	gw_wakeup(&b.t, &b.gil, 3100);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	acquire(&b, 3500);
	assert_int_equal(b.t.tally.delays, 1);
	assert_int_equal(b.t.tally.delay_asked_ns, 1000);
	assert_int_equal(b.t.tally.delay_actual_ns, 1500);
}

static void test_sleep_of_unknown_length_has_no_delay(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2100, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP));
	gw_wakeup(&b.t, &b.gil, 3100);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	acquire(&b, 3500);
	assert_int_equal(b.t.tally.delays, 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_packs_time_and_cell),
		cmocka_unit_test(test_span_set_keeps_where),
		cmocka_unit_test(test_block_wake_run),
		cmocka_unit_test(test_wakeup_of_running_is_ignored),
		cmocka_unit_test(test_second_wakeup_is_ignored),
		cmocka_unit_test(test_missed_wakeup),
		cmocka_unit_test(test_two_switches_in),
		cmocka_unit_test(test_two_switches_out),
		cmocka_unit_test(test_time_never_runs_backwards),
		cmocka_unit_test(test_backward_time_in_handover),
		cmocka_unit_test(test_backward_time_in_sleep),
		cmocka_unit_test(test_without_engine_gil_is_unknown),
		cmocka_unit_test(test_no_gil_is_never_sampled),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_cpu_change_flushes),
		cmocka_unit_test(test_resume_until_acquired),
		cmocka_unit_test(test_sched_resume_until_last_switch_in),
		cmocka_unit_test(test_sched_resume_of_preempted_waiter),
		cmocka_unit_test(test_delay_runs_from_the_release),
		cmocka_unit_test(test_sleep_of_unknown_length_has_no_delay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
