// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verdicts as a whole: what cannot be said, their order and number. */
#include "verdict_bed.h"

/* ---- what cannot be said ---- */

static void test_insufficient_data(void **state)
{
	struct fixture *f = start(0.9);
	(void)state;

	add_busy(f, "a", 0.45, 0.45);
	add_busy(f, "b", 0.45, 0.45);
	assert_codes(f, "insufficient_data");
	f = start(0.999);
	add_busy(f, "a", 0.49, 0.5);
	add_busy(f, "b", 0.49, 0.5);
	assert_codes(f, "gil_bound");
	f = start(5); /* one thread that is active by its wake-ups, 15 in all */
	spend(f, add_thread(f, "a", 15), GW_GIL_NONE, GW_BLOCKED_SLEEP, 5);
	judge(f);
	assert_says(f, "insufficient_data", "15 wake-ups");
	assert_codes(f, "insufficient_data");
	f = start(5);
	spend(f, add_thread(f, "a", 19), GW_GIL_NONE, GW_BLOCKED_SLEEP, 5);
	assert_codes(f, "insufficient_data");
	f = start(5);
	spend(f, add_thread(f, "a", 20), GW_GIL_NONE, GW_BLOCKED_SLEEP, 5);
	assert_codes(f, "healthy");
	f = start(0.949);
	add_busy(f, "a", 0.9, 0);
	assert_codes(f, "insufficient_data");
	f = start(0.5);
	f->process.ended = GW_ENDED_TARGET_EXIT;
	assert_codes(f, "insufficient_data ended");
}

static void test_ended(void **state)
{
	struct fixture *f = contended(2);
	(void)state;

	f->process.ended = GW_ENDED_TARGET_EXIT;
	judge(f);
	assert_says(f, "ended", "ended after 10.0 s");
	f->process.ended = GW_ENDED_TARGET_EXEC;
	judge(f);
	assert_says(f, "ended", "exec");
	assert_codes(f, "gil_bound ended");
	f = contended(2);
	f->process.ended = GW_ENDED_INTERRUPTED;
	assert_codes(f, "gil_bound");
	/* What was run to be watched was to end. */
	f = contended(2);
	f->snapshot.run.pid = f->process.pid = 42;
	f->process.ended = GW_ENDED_TARGET_EXIT;
	assert_codes(f, "gil_bound");
	f = contended(2);
	f->snapshot.run.pid = f->process.pid = 42;
	f->process.ended = GW_ENDED_TARGET_EXIT;
	f->process.elapsed_ns = seconds(0.5);
	judge(f);
	assert_says(f, "insufficient_data", "It ran for 0.50 s only");
	assert_codes(f, "insufficient_data");
}

static void test_cannot_measure(void **state)
{
	struct fixture *f = contended(2);
	(void)state;

	snprintf(f->process.error, sizeof(f->process.error), "Python 3.7 is too old.");
	f->process.ended = GW_ENDED_TARGET_EXIT;
	judge(f);
	assert_says(f, "cannot_measure", "Python 3.7 is too old.");
	assert_codes(f, "cannot_measure");

	f = start(10);
	spend(f, add_thread(f, "a", 0), GW_GIL_UNKNOWN, GW_RUNNING, 10);
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	snprintf(f->process.basis[GW_STATE_PYTHON].reason, 96, "no symbols");
	f->process.by_holder_basis.kind = GW_BASIS_ABSENT;
	judge(f);
	assert_says(f, "cannot_measure", "no symbols");
	assert_codes(f, "cannot_measure");

	f = start(10);
	spend(f, add_busy(f, "a", 5.01, 0), GW_GIL_UNKNOWN, GW_BLOCKED_SLEEP, 4.99);
	assert_codes(f, "healthy");
	f = start(10);
	spend(f, add_busy(f, "a", 5, 0), GW_GIL_UNKNOWN, GW_BLOCKED_SLEEP, 5);
	assert_codes(f, "cannot_measure");
	f = start(10); /* but not for parked threads */
	add_busy(f, "a", 9, 0);
	for (int i = 0; i < 9; i++)
		spend(f, add_thread(f, "w", 0), GW_GIL_UNKNOWN, GW_BLOCKED_LOCK, 10);
	assert_codes(f, "cpu_single");

	f = contended(3);
	f->process.by_holder_basis.kind = GW_BASIS_ABSENT;
	assert_codes(f, "cannot_measure");
}

/* Without GIL facts the CPUs can be judged all the same. */
static void test_starved_without_gil_facts(void **state)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_thread(f, "a", 0);
	(void)state;

	spend(f, thread, GW_GIL_UNKNOWN, GW_RUNNING, 5);
	spend(f, thread, GW_GIL_UNKNOWN, GW_RUNNABLE, 5);
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	assert_codes(f, "cpu_starved cannot_measure");
}

static void test_free_threaded(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	f->process.free_threaded = 1;
	f->process.gil_enabled = 0;
	f->process.gil_count = 0;
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	for (int i = 0; i < 2; i++)
		spend(f, add_thread(f, "spin", 0), GW_GIL_NONE, GW_RUNNING, 9.9);
	judge(f);
	assert_says(f, "free_threaded", "GIL off");
	assert_codes(f, "free_threaded");
	f = contended(2);
	f->process.free_threaded = 1;
	assert_codes(f, "gil_bound");
}

static void test_bursts(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	for (int i = 0; i < 20; i++)
		add_busy(f, "burst", 0.25, 2);
	judge(f);
	assert_says(f, "healthy", "in bursts");
	assert_codes(f, "healthy");
}

/* ---- order, number, and nothing at all ---- */

static void test_worst_first_and_at_most_three(void **state)
{
	struct fixture *f = contended(4);
	(void)state;

	f->process.ended = GW_ENDED_TARGET_EXIT;
	wait_gil(f, &f->thread[0], GW_BLOCKED_DISK, 0.5);	 /* a warning */
	spend(f, &f->thread[1], GW_GIL_HOLDING, GW_RUNNABLE, 8); /* critical */
	judge(f);
	assert_int_equal(f->process.verdict[0].severity, GW_CRITICAL);
	assert_int_equal(f->process.verdict[2].severity, GW_WARNING);
	assert_codes(f, "cpu_starved gil_bound gil_held_blocked");

	f = contended(4); /* a later one that is worse pushes the mild ones out */
	wait_gil(f, &f->thread[0], GW_BLOCKED_DISK, 0.5);
	wait_gil(f, &f->thread[0], GW_RUNNABLE, 0.6);
	fill(&f->process.resume.latency, 50, 0.005);
	f->process.resume.gil_ns = seconds(0.25);
	f->process.ended = GW_ENDED_TARGET_EXIT;
	assert_codes(f, "gil_bound gil_latency gil_held_blocked");
}

static void test_empty(void **state)
{
	struct gw_snapshot snapshot = {.process_count = 0};
	struct gw_process_view process = {.pid = 1};
	struct gw_verdict out[GW_VERDICTS_MAX];
	(void)state;

	gw_verdicts_judge(&snapshot);
	assert_int_equal(gw_verdict_process(&snapshot, &process, NULL, out), 1);
	assert_string_equal(out[0].code, "insufficient_data");
	process.elapsed_ns = seconds(10);
	assert_int_equal(gw_verdict_process(&snapshot, &process, NULL, out), 1);
	assert_string_equal(out[0].code, "insufficient_data");
	process.elapsed_ns = GW_ABSENT_NS;
	assert_int_equal(gw_verdict_process(&snapshot, &process, NULL, out), 1);
	for (int i = 0; i < GW_STATE_COUNT; i++)
		process.states.ns[i] = process.ended_states.ns[i] = GW_ABSENT_NS;
	for (int i = 0; i < GW_HOLDER_COUNT; i++)
		process.gil_wait_by_holder_ns[i] = GW_ABSENT_NS;
	for (int i = 0; i < GW_WHERE_COUNT; i++)
		process.where_ns[i] = GW_ABSENT_NS;
	process.throttled_ns = GW_ABSENT_NS;
	process.elapsed_ns = seconds(10);
	process.ended_wall_ns = seconds(5);
	process.ended_count = 2;
	assert_int_equal(gw_verdict_process(&snapshot, &process, NULL, out), 1);
	assert_string_equal(out[0].code, "idle");
}

static void test_ended_threads_count(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	f->process.ended_count = 300; /* a pool of threads that lived shortly */
	f->process.ended_wall_ns = seconds(40);
	f->process.ended_states.ns[GW_STATE_PYTHON] = seconds(9.9);
	f->process.ended_states.ns[GW_STATE_GIL_WAIT] = seconds(30);
	f->process.states = f->process.ended_states;
	f->process.where_ns[GW_RUNNING] = seconds(9.9);
	f->process.gil_wait_by_holder_ns[GW_RUNNING] = seconds(30);
	f->gil.holding_ns = seconds(9.9);
	judge(f);
	assert_says(f, "gil_bound", "Threads queue for the GIL");
	assert_codes(f, "gil_bound");
}

/* A name as long as it can be, in characters of three bytes, is cut between two of them. */
static void test_long_name(void **state)
{
	struct fixture *f = contended(1);
	(void)state;

	memset(f->thread[0].name, 'x', 64);
	judge(f);
	assert_says(f, "cpu_single", "xxxxxxxx (tid 101)");
	for (int i = 0; i < 63; i += 3)
		memcpy(f->thread[0].name + i, "\xe2\x82\xac", 3);
	judge(f);
	assert_says(f, "cpu_single", "\xe2\x82\xac (tid 101)");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_insufficient_data),
		cmocka_unit_test(test_ended),
		cmocka_unit_test(test_cannot_measure),
		cmocka_unit_test(test_starved_without_gil_facts),
		cmocka_unit_test(test_free_threaded),
		cmocka_unit_test(test_bursts),
		cmocka_unit_test(test_worst_first_and_at_most_three),
		cmocka_unit_test(test_empty),
		cmocka_unit_test(test_ended_threads_count),
		cmocka_unit_test(test_long_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
