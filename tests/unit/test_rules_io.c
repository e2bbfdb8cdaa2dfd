// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about waiting for something else: locks, I/O, sleep; and what overlapping saved. */
#include "verdict_bed.h"

/* ---- locks and I/O ---- */

static struct fixture *locked(double lock_s, int64_t wakes, double wait_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 4; i++) {
		struct gw_thread_view *thread = add_busy(f, "worker", 0.2, wait_s / 4);

		thread->wakes = wakes / 4;
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_LOCK, lock_s / 4);
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_SLEEP, 10 - 0.2 - (wait_s + lock_s) / 4);
	}
	return f;
}

static void test_lock_bound(void **state)
{
	struct fixture *f = locked(28, 4000, 0.1);
	(void)state;

	judge(f);
	assert_says(f, "lock_bound", "not to blame");
	assert_says(f, "lock_bound", "70 % of their time in locks, events or queues");
	assert_codes(f, "lock_bound");
	f = locked(11.99, 4000, 0.1);
	assert_severity(f, "lock_bound", -1);
	free(f);
	f = locked(12, 4000, 0.1);
	assert_severity(f, "lock_bound", GW_WARNING);
	free(f);
	f = locked(38.4, 102, 0.2); /* about 9.8 a second of them from the lock */
	assert_severity(f, "lock_bound", -1);
	free(f);
	f = locked(38.4, 108, 0.1);
	assert_severity(f, "lock_bound", GW_WARNING);
	free(f);
	f = locked(14, 4000, 14);
	assert_severity(f, "lock_bound", -1);
	free(f);
	f = locked(14, 4000, 13.9);
	assert_severity(f, "lock_bound", GW_WARNING);
	free(f);
}

/* On 3.9, 50 threads on one locked counter: the lock's holder waits for the GIL. */
static void test_locked_counter(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	for (int i = 0; i < 50; i++) {
		struct gw_thread_view *thread = add_busy(f, "count", 0.19, 1);

		thread->wakes = 400;
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_LOCK, 8.8);
	}
	judge(f);
	assert_says(f, "lock_bound", "which is the lesser part");
	assert_codes(f, "gil_bound lock_bound");
}

static void test_idle_workers(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	add_parked(f, 20);
	judge(f);
	assert_says(f, "idle", "20 threads");
	assert_says(f, "idle", "mostly in a lock");
	assert_codes(f, "idle");
	f = start(10); /* a thread that wakes twice a second is not parked */
	add_parked(f, 1);
	f->thread[0].wakes = 20;
	assert_codes(f, "healthy");
	f = start(10);
	add_parked(f, 1);
	f->thread[0].wakes = 19;
	assert_codes(f, "idle");
	f = start(10); /* 1 % of a CPU */
	add_parked(f, 1);
	spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNING, 0.1);
	assert_codes(f, "healthy");
	f = start(10);
	add_parked(f, 1);
	spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNING, 0.099);
	assert_codes(f, "idle");
	f = start(10); /* just active: its time counts, and is I/O */
	spend(f, add_thread(f, "a", 0), GW_GIL_NONE, GW_RUNNING, 0.1);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_BLOCKED_NET, 9.9);
	assert_codes(f, "io_bound");
	f = start(10);
	spend(f, add_thread(f, "a", 0), GW_GIL_NONE, GW_RUNNING, 0.099);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_BLOCKED_NET, 9.9);
	assert_codes(f, "idle");
	f = start(10); /* many that hardly run do work together */
	add_parked(f, 20);
	for (int i = 0; i < 20; i++)
		spend(f, &f->thread[i], GW_GIL_HOLDING, GW_RUNNING, 0.05);
	assert_codes(f, "healthy");
}

/* Neither a thread that never gets the GIL nor one that never gets a CPU is parked. */
static void test_wanting_is_not_parked(void **state)
{
	struct fixture *f = start(10);
	(void)state;

	spend(f, add_thread(f, "a", 0), GW_GIL_WAITING, GW_BLOCKED_GIL, 1);
	judge(f);
	assert_null(find(f, "idle"));
	free(f);
	f = start(10);
	spend(f, add_thread(f, "a", 0), GW_GIL_NONE, GW_RUNNABLE, 0.99);
	assert_codes(f, "idle");
	f = start(10);
	spend(f, add_thread(f, "a", 0), GW_GIL_NONE, GW_RUNNABLE, 9.9);
	assert_codes(f, "cpu_starved");
}

static struct fixture *sleepers(double io_s, double wait_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 5; i++) {
		struct gw_thread_view *thread = add_busy(f, "fetch", 0.05, wait_s / 5);

		thread->wakes = 100;
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_SLEEP, io_s / 10);
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_NET, io_s / 10);
	}
	return f;
}

static void test_io_bound(void **state)
{
	struct fixture *f = sleepers(46, 0.2);
	(void)state;

	judge(f);
	assert_says(f, "io_bound", "5 active threads spend 92 % of the time in I/O and sleep");
	assert_codes(f, "io_bound");
	assert_codes(sleepers(34.9, 0.2), "healthy");
	assert_codes(sleepers(35, 0.2), "io_bound");
	assert_codes(sleepers(46, 2.5), "io_bound");
	assert_codes(sleepers(46, 2.51), "healthy");
	f = sleepers(46, 0.2); /* parked threads leave the denominator */
	add_parked(f, 20);
	assert_codes(f, "io_bound");
}

/* ---- overlap ---- */

static void test_overlap_saved(void **state)
{
	struct fixture *f = waiters(4, 10);
	(void)state;

	judge(f);
	assert_says(f, "io_bound", "saved 30.00 s");
	assert_true(evidence(f, "io_bound", "overlap_saved_s") == 30);
	free(f);
	f = waiters(1, 10);
	judge(f);
	assert_says(f, "io_bound", "one after the other");
	free(f);
	f = waiters(2, 19.8); /* 0.2 s saved */
	judge(f);
	assert_says(f, "io_bound", "threads serve this work");
	free(f);
	f = waiters(2, 19.81);
	judge(f);
	assert_says(f, "io_bound", "one after the other");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lock_bound),   cmocka_unit_test(test_locked_counter),
		cmocka_unit_test(test_idle_workers), cmocka_unit_test(test_wanting_is_not_parked),
		cmocka_unit_test(test_io_bound),     cmocka_unit_test(test_overlap_saved),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
