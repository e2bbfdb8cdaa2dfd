// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about holds: blocked, without a CPU, stuck, long. */
#include "verdict_bed.h"

static struct fixture *pydll_sleeper(double wb_s)
{
	struct fixture *f = start(10);
	struct gw_thread_view *holder = add_thread(f, "pydll", 40);

	spend(f, holder, GW_GIL_HOLDING, GW_RUNNING, 0.1);
	spend(f, holder, GW_GIL_HOLDING, GW_BLOCKED_SLEEP, 6);
	spend(f, holder, GW_GIL_HOLDING, GW_BLOCKED_DISK, 0.5);
	spend(f, holder, GW_GIL_NONE, GW_BLOCKED_SLEEP, 3.4);
	holder->inflicted_ns = seconds(wb_s + 0.1);
	wait_gil(f, add_busy(f, "spin", 3.4, 0.1), GW_BLOCKED_SLEEP, wb_s);
	return f;
}

static void test_gil_held_blocked(void **state)
{
	struct fixture *f = pydll_sleeper(6.4);
	(void)state;

	assert_severity(f, "gil_held_blocked", GW_CRITICAL);
	assert_says(f, "gil_held_blocked",
		    "pydll (tid 101) keeps the GIL while it is blocked (6.50 s");
	assert_says(f, "gil_held_blocked", "mostly in sleep");
	assert_says(f, "gil_held_blocked", "others lost 6.40 s");
	assert_says(f, "gil_held_blocked", "all its holds cost them 6.50 s");
	assert_true(evidence(f, "gil_held_blocked", "tid") == 101);
	assert_null(find(f, "gil_bound"));
	free(f);
	f = pydll_sleeper(0.19);
	assert_severity(f, "gil_held_blocked", -1);
	free(f);
	f = pydll_sleeper(0.2);
	assert_severity(f, "gil_held_blocked", GW_WARNING);
	free(f);
	f = pydll_sleeper(1.99);
	assert_severity(f, "gil_held_blocked", GW_WARNING);
	free(f);
	f = pydll_sleeper(2.0);
	assert_severity(f, "gil_held_blocked", GW_CRITICAL);
	free(f);
	f = pydll_sleeper(0.3);
	f->process.by_holder_basis.kind = GW_BASIS_SAMPLED;
	f->process.by_holder_basis.error_ns = seconds(0.15);
	assert_severity(f, "gil_held_blocked", -1);
	free(f);
	f = pydll_sleeper(5);
	f->process.inflicted_basis.kind = GW_BASIS_ABSENT;
	assert_severity(f, "gil_held_blocked", GW_CRITICAL);
	assert_says_not(f, "gil_held_blocked", "cost them");
	free(f);
}

static void test_held_blocked_by_cause(void **state)
{
	struct fixture *f = start(10);
	struct gw_thread_view *holder = add_thread(f, "", 500);
	(void)state;

	spend(f, holder, GW_GIL_HOLDING, GW_BLOCKED_DISK, 5);
	spend(f, holder, GW_GIL_HOLDING, GW_RUNNING, 1);
	wait_gil(f, add_busy(f, "b", 1, 0), GW_BLOCKED_DISK, 5);
	assert_severity(f, "gil_held_blocked", GW_CRITICAL);
	assert_says(f, "gil_held_blocked", "a thread (tid 101)");
	assert_says(f, "gil_held_blocked", "disk I/O");
	free(f);
	f = start(10);
	wait_gil(f, add_busy(f, "b", 5, 0), GW_STOPPED, 5); /* the holder is gone */
	assert_severity(f, "gil_held_blocked", GW_CRITICAL);
	assert_says(f, "gil_held_blocked", "mostly in a stop");
	free(f);
}

static void test_gil_held_starved(void **state)
{
	struct fixture *f = contended(1);
	(void)state;

	wait_gil(f, add_busy(f, "b", 1, 0), GW_RUNNABLE, 0.49);
	assert_severity(f, "gil_held_starved", -1);
	wait_gil(f, &f->thread[1], GW_RUNNABLE, 0.02);
	assert_severity(f, "gil_held_starved", GW_WARNING);
	spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNABLE, 8);
	assert_severity(f, "gil_held_starved", -1);
	assert_says(f, "cpu_starved", "0.51 s of waiting for the GIL came of it");
	free(f);
}

static void stuck_case(double elapsed_s, double hold_s, double wait_s, int severity)
{
	struct fixture *f = start(elapsed_s);

	add_thread(f, "holder", 0);
	add_thread(f, "waiter", 0);
	add_open(f, 101, GW_OPEN_HOLD, hold_s, GW_BLOCKED_LOCK);
	if (wait_s > 0)
		add_open(f, 102, GW_OPEN_WAIT, wait_s, GW_BLOCKED_GIL);
	add_open(f, 103, GW_OPEN_BLOCK, hold_s, GW_BLOCKED_SLEEP);
	assert_severity(f, "gil_stuck", severity);
	if (severity >= 0) {
		assert_says(f, "gil_stuck", "holder (tid 101), which is blocked in a lock");
		assert_says(f, "gil_stuck", "1 thread waits, the longest waiter (tid 102)");
		assert_says(f, "gil_stuck", "deadlock");
	}
	free(f);
}

static void test_gil_stuck(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	stuck_case(10, 5, 5, GW_CRITICAL);
	stuck_case(8, 4.99, 4.9, -1);
	stuck_case(6, 5, 4.9, GW_CRITICAL);
	stuck_case(20, 9.9, 9, -1);
	stuck_case(20, 10, 9, GW_CRITICAL);
	stuck_case(10, 9, 0, -1);
	stuck_case(10, 9, 0.049, -1); /* only just asked for */
	stuck_case(10, 9, 0.05, GW_CRITICAL);

	add_thread(f, "loop", 0);
	add_open(f, 101, GW_OPEN_HOLD, 9, GW_RUNNING);
	add_open(f, 999, GW_OPEN_WAIT, 8, GW_BLOCKED_GIL);
	assert_severity(f, "gil_stuck", GW_CRITICAL);
	assert_says(f, "gil_stuck", "which is running");
	assert_says(f, "gil_stuck", "a thread (tid 999)");
	assert_says_not(f, "gil_stuck", "deadlock");
	free(f);
}

/* A thread with calls of 300 ms that keep the GIL, and one that would like it. */
static struct fixture *long_calls(int holds, double wr_s, double longest_wait_s)
{
	struct fixture *f = start(10);
	struct gw_thread_view *call = add_busy(f, "native", 0.3 * holds, 0.1);

	fill(&call->hold, holds, 0.3);
	fill(&f->gil.hold, holds, 0.3);
	fill(&f->gil.hold, 30, 0.005);
	if (longest_wait_s > 0)
		fill(&f->gil.wait, holds, longest_wait_s);
	f->gil.wait.absent = 0;
	add_busy(f, "spin", 0.3, wr_s);
	return f;
}

static void test_long_holds(void **state)
{
	struct fixture *f = long_calls(30, 9, 0.3);
	(void)state;

	assert_severity(f, "long_holds", GW_CRITICAL);
	assert_says(f, "long_holds", "native (tid 101) kept the GIL for up to 300 ms");
	assert_says(f, "long_holds", "30 holds of more than 50 ms");
	assert_string_equal(f->process.verdict[0].code, "long_holds");
	free(f);
	f = long_calls(10, 0.2, 0.3); /* little more than they cost by nature */
	assert_severity(f, "long_holds", GW_WARNING);
	free(f);
	f = long_calls(10, 0.05, 0.3);
	assert_severity(f, "long_holds", GW_INFO);
	free(f);
	f = long_calls(30, 9, 0.049); /* it gave way when asked: no wait is long */
	assert_severity(f, "long_holds", GW_INFO);
	free(f);
	f = long_calls(20, 0, 0);
	assert_codes(f, "healthy long_holds");
	f = long_calls(20, 9, 0.3); /* holds of some 5 ms are what the interval gives */
	gw_histogram_clear(&f->gil.hold);
	fill(&f->gil.hold, 2000, 0.0049);
	assert_severity(f, "long_holds", -1);
	free(f);
	f = long_calls(20, 9, 0.3);
	f->gil.interval_ns = 100 * GW_MILLISECOND_NS; /* ten of them are a second */
	assert_severity(f, "long_holds", -1);
	free(f);
	f = long_calls(20, 9, 0.3);
	no_histogram(&f->gil.hold);
	assert_severity(f, "long_holds", -1);
	free(f);
}

/* Its holder was blocked, or had no CPU: that is told by other rules. */
static void test_long_off_the_cpu(void **state)
{
	struct fixture *f = long_calls(20, 9, 0.3);
	struct gw_thread_view *thread = &f->thread[0];
	double long_s = 20 * 0.268435456; /* as the lower edges of buckets tell */
	(void)state;

	thread->states.ns[GW_STATE_HELD_OFF] = seconds(long_s - 20 * 0.0501);
	assert_severity(f, "long_holds", GW_CRITICAL);
	thread->states.ns[GW_STATE_HELD_OFF] = seconds(long_s - 20 * 0.0499);
	assert_severity(f, "long_holds", -1);
	free(f);
}

/* The loss is Wr times the long holds' share of held time, less two intervals a hold. */
static void long_loss_case(double loss_s, int severity)
{
	const double edge_s =
		0.268435456; /* a hold just above a bucket's edge counts as the edge */
	struct fixture *f = start(10);

	add_busy(f, "native", 3, 0);
	add_busy(f, "spin", 0.3, loss_s + 10 * 0.010);
	fill(&f->thread[0].hold, 10, edge_s + 1e-9);
	fill(&f->gil.hold, 10, edge_s + 1e-9);
	f->gil.hold.sum_ns = (uint64_t)seconds(10 * edge_s);
	fill(&f->gil.wait, 10, 0.25);
	assert_severity(f, "long_holds", severity);
	free(f);
}

static void test_long_holds_loss(void **state)
{
	(void)state;
	long_loss_case(0.099, GW_INFO);
	long_loss_case(0.101, GW_WARNING);
	long_loss_case(1.999, GW_WARNING);
	long_loss_case(2.001, GW_CRITICAL);
}

/* A spinner beside a thread that asks ten times a second: long holds, but it gives way. */
static void test_long_holds_that_give_way(void **state)
{
	struct fixture *f = start(10);
	struct gw_thread_view *spin = add_busy(f, "spin", 9.9, 0);
	(void)state;

	fill(&spin->hold, 100, 0.099);
	fill(&f->gil.hold, 100, 0.099);
	fill(&f->gil.wait, 100, 0.0051);
	add_busy(f, "tick", 0.05, 0.51);
	assert_severity(f, "long_holds", GW_INFO);
	assert_says(f, "long_holds", "nobody lost by it");
	assert_string_equal(f->process.verdict[0].code, "cpu_single");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gil_held_blocked),
		cmocka_unit_test(test_held_blocked_by_cause),
		cmocka_unit_test(test_gil_held_starved),
		cmocka_unit_test(test_gil_stuck),
		cmocka_unit_test(test_long_holds),
		cmocka_unit_test(test_long_off_the_cpu),
		cmocka_unit_test(test_long_holds_loss),
		cmocka_unit_test(test_long_holds_that_give_way),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
