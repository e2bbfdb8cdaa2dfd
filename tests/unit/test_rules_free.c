// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about builds without a GIL. */
#include "verdict_bed.h"

static struct fixture *free_threaded(double lock_s)
{
	struct fixture *f = start(10);

	f->process.free_threaded = 1;
	f->process.gil_enabled = 0;
	f->process.gil_count = 0;
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *thread = add_thread(f, "spin", 5);

		spend(f, thread, GW_GIL_NONE, GW_RUNNING, 10 - lock_s);
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_LOCK, lock_s);
	}
	return f;
}

static void test_free_threaded_contention(void **state)
{
	struct fixture *f = free_threaded(1);
	(void)state;

	judge(f);
	assert_says(f, "free_threaded", "What contends instead: locks, with 10 %");
	free(f);
	f = free_threaded(0.99);
	judge(f);
	assert_says(f, "free_threaded", "Nothing contends instead");
	assert_says(f, "free_threaded", "slower");
	free(f);
	f = free_threaded(0);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 9);
	judge(f);
	assert_says(f, "free_threaded", "wait for is a CPU");
	free(f);
}

/* Waiting for a lock that spins looks like waiting for a CPU, and like work. */
static void test_free_threaded_spinning(void **state)
{
	struct fixture *f = free_threaded(0);
	(void)state;

	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 9);
	f->process.yielded_runqueue_ns = seconds(8);
	judge(f);
	assert_says(f, "free_threaded",
		    "locks, with 40 % of the active threads' time (mostly "
		    "spinning on them: sched_yield). ");
	assert_codes(f, "free_threaded");
	f = free_threaded(0);
	f->process.yielding_ns = seconds(2);
	judge(f);
	assert_says(f, "free_threaded", "locks, with 10 % of the active threads' time (mostly");
	free(f);
	f = free_threaded(1);
	f->process.yielding_ns = seconds(1);
	judge(f);
	assert_says(f, "free_threaded", "locks, with 15 % of the active threads' time. ");
	free(f);
}

/* Others keep the CPUs busy as well: then it is what takes longer. */
static void test_free_threaded_waits_for_both(void **state)
{
	struct fixture *f = free_threaded(0);
	(void)state;

	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 15);
	f->process.yielded_runqueue_ns = seconds(8);
	judge(f);
	assert_says(f, "free_threaded", "What contends instead: locks, with 40 %");
	assert_codes(f, "cpu_starved free_threaded");
	f = free_threaded(0);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 15);
	f->process.yielded_runqueue_ns = seconds(7);
	judge(f);
	assert_says(f, "free_threaded", "What they wait for is a CPU (8.00 s)");
	assert_codes(f, "cpu_starved free_threaded");
}

static void test_gil_reenabled(void **state)
{
	struct fixture *f = contended(2);
	(void)state;

	f->process.free_threaded = 1;
	f->process.gil_enabled_at_ns = seconds(2.1);
	assert_severity(f, "gil_reenabled", GW_WARNING);
	assert_says(f, "gil_reenabled", "2.1 s after the start");
	assert_codes(f, "gil_bound gil_reenabled");
	f = contended(2);
	f->process.free_threaded = 1; /* on by option */
	assert_codes(f, "gil_bound");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_free_threaded_contention),
		cmocka_unit_test(test_free_threaded_spinning),
		cmocka_unit_test(test_free_threaded_waits_for_both),
		cmocka_unit_test(test_gil_reenabled),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
