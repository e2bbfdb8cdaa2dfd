// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about CPUs: too few, a quota, one that is busy, native code in parallel. */
#include "verdict_bed.h"

static struct fixture *starved(double running_s, double runnable_s)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_busy(f, "spin", running_s, 0);

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNABLE, runnable_s);
	return f;
}

static void test_cpu_starved(void **state)
{
	struct fixture *f = starved(5, 5); /* four busy processes on two cores */
	(void)state;

	assert_severity(f, "cpu_starved", GW_CRITICAL);
	assert_int_equal(f->process.verdict_count, 1);
	assert_says(f, "cpu_starved", "Others compete");
	assert_says(f, "cpu_starved", "Not the GIL");
	assert_says(f, "cpu_starved", "5.00 s for a CPU, 50 %");
	free(f);
	assert_codes(starved(8.51, 1.49), "cpu_single");
	f = starved(8.5, 1.5);
	assert_severity(f, "cpu_starved", GW_WARNING);
	assert_says_not(f, "cpu_single", "splitting"); /* no CPU to spare */
	free(f);
	f = starved(6.01, 3.99);
	assert_severity(f, "cpu_starved", GW_WARNING);
	free(f);
	f = starved(6, 4);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	free(f);
	f = starved(1, 0.99); /* wake-up latency is no starvation */
	assert_severity(f, "cpu_starved", -1);
	free(f);
	f = starved(1, 1);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	free(f);
	f = starved(1.8, 8.2);
	f->process.cpus_usable = 2;
	f->process.where_ns[GW_RUNNING] = seconds(19.5);
	f->process.held_off_by_ns[GW_RUNNABLE] = seconds(20);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	assert_says(f, "cpu_starved", "Its own threads fill");
	free(f);
}

/* Waiters wake up every interval, and could do nothing with a CPU. */
static void test_waiters_are_not_starved(void **state)
{
	struct fixture *f = contended(3);
	(void)state;

	spend(f, &f->thread[0], GW_GIL_WAITING, GW_RUNNABLE, 8);
	assert_codes(f, "gil_bound");
	f = contended(3);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 8);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	free(f);
}

/* Each wake-up takes 50 us until the thread is on a CPU, of 10,000 half a second. */
static void test_wake_ups_are_not_starved(void **state)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_busy(f, "waker", 2, 0);
	(void)state;

	thread->wakes = 10000;
	spend(f, thread, GW_GIL_NONE, GW_RUNNABLE, 1.499);
	assert_severity(f, "cpu_starved", -1);
	spend(f, thread, GW_GIL_NONE, GW_RUNNABLE, 0.001);
	assert_severity(f, "cpu_starved", GW_WARNING);
	free(f);
}

/* Processes are advised only where the others that are watched leave CPUs. */
static void test_siblings_use_cpus_too(void **state)
{
	struct gw_process_view both[2];
	struct fixture *f = starved(9.9, 0);
	(void)state;

	f->process.where_ns[GW_RUNNABLE] = 0;
	both[0] = both[1] = f->process;
	f->snapshot.process = both;
	f->snapshot.process_count = 2;
	gw_verdicts_judge(&f->snapshot);
	f->process = both[0];
	assert_says_not(f, "cpu_single", "splitting");
	free(f);
}

static void test_quota(void **state)
{
	struct fixture *f = starved(5, 5);
	(void)state;

	f->process.cpu_quota = 0.5;
	f->process.throttled_ns = seconds(4.9);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	assert_says(f, "cpu_starved", "quota (0.5 CPUs) throttled it for 4.90 s");
	assert_codes(f, "cpu_starved");

	f = starved(5, 5);
	f->process.throttled_ns = seconds(0.49);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	assert_says_not(f, "cpu_starved", "quota (");
	f->process.throttled_ns = seconds(0.5);
	assert_severity(f, "cpu_starved", GW_CRITICAL);
	assert_says(f, "cpu_starved", "quota throttled");
	free(f);
	f = starved(1, 0.5);
	assert_severity(f, "cpu_starved", -1);
	f->process.throttled_ns = seconds(0.499);
	assert_severity(f, "cpu_starved", -1);
	f->process.throttled_ns = seconds(2);
	f->process.held_off_by_ns[GW_RUNNABLE] = seconds(0.499);
	assert_severity(f, "cpu_starved", -1);
	f->process.held_off_by_ns[GW_RUNNABLE] = seconds(0.5);
	f->process.throttled_ns = seconds(0.5);
	assert_severity(f, "cpu_starved", GW_WARNING);
	free(f);

	/* Two spinners under it: the GIL comes second. */
	f = start(10);
	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *thread = add_busy(f, "spin", 2.5, 2.5);

		spend(f, thread, GW_GIL_HOLDING, GW_RUNNABLE, 2.5);
		wait_gil(f, thread, GW_RUNNABLE, 2.5);
	}
	f->process.cpu_quota = 0.5;
	f->process.throttled_ns = seconds(5);
	judge(f);
	assert_says(f, "cpu_starved", "5.00 s of waiting for the GIL");
	assert_says_not(f, "cpu_starved", "Not the GIL");
	assert_says(f, "gil_bound", "nor can processes here");
	assert_codes(f, "cpu_starved gil_bound");
}

static void test_cpu_single(void **state)
{
	struct fixture *f = contended(1);
	(void)state;

	judge(f);
	assert_says(f, "cpu_single", "One thread, spin (tid 101)");
	assert_says(f, "cpu_single", "splitting the work over processes: 2 usable CPUs, 1.0 used");
	f->process.cpus_usable = 1;
	judge(f);
	assert_says_not(f, "cpu_single", "splitting");
	assert_codes(f, "cpu_single");
	f = start(10);
	add_busy(f, "spin", 7.99, 0);
	assert_codes(f, "healthy");
	f = start(10);
	add_busy(f, "spin", 8, 0);
	assert_codes(f, "cpu_single");
	f = start(10);
	add_busy(f, "spin", 8, 0);
	add_busy(f, "b", 0.5, 0.99);
	assert_codes(f, "cpu_single");
	f = start(10);
	add_busy(f, "spin", 8, 0);
	add_busy(f, "b", 0.5, 1);
	assert_codes(f, "healthy");
	f = start(10); /* the error of a sampled wait leaves it open */
	add_busy(f, "spin", 8, 0);
	add_busy(f, "b", 0.5, 0.9);
	f->process.basis[GW_STATE_GIL_WAIT].kind = GW_BASIS_SAMPLED;
	f->process.basis[GW_STATE_GIL_WAIT].error_ns = seconds(0.2);
	assert_codes(f, "healthy");
	/* 500,000 GIL cycles a second that make nobody wait. */
	f = start(10);
	spend(f, add_busy(f, "cycles", 6, 0), GW_GIL_NONE, GW_RUNNING, 4);
	f->thread[0].acquisitions = f->gil.acquisitions = 5000000;
	assert_codes(f, "cpu_single");
}

static struct fixture *hashers(double native_s, double wait_s, double error_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *thread = add_busy(f, "hash", 0.2, wait_s / 2);

		spend(f, thread, GW_GIL_NONE, GW_RUNNING, native_s / 2);
	}
	f->process.basis[GW_STATE_NATIVE].kind = error_s > 0 ? GW_BASIS_SAMPLED : GW_BASIS_EXACT;
	f->process.basis[GW_STATE_NATIVE].error_ns = seconds(error_s);
	return f;
}

static void test_native_parallel(void **state)
{
	struct fixture *f = hashers(18, 0.1, 0);
	(void)state;

	judge(f);
	assert_says(f, "native_parallel", "on 1.8 CPUs at once");
	assert_says(f, "native_parallel", "More threads gain nothing");
	assert_codes(f, "native_parallel");
	assert_codes(hashers(11.99, 0.1, 0), "healthy");
	assert_codes(hashers(12, 0.1, 0), "native_parallel");
	assert_codes(hashers(13, 0.1, 1.1), "healthy");
	assert_codes(hashers(13, 0.1, 0.9), "native_parallel");
	assert_codes(hashers(17.6, 2, 0), "native_parallel"); /* 2 of 20 */
	assert_codes(hashers(17.6, 2.02, 0), "healthy");
	f = hashers(18, 0.1, 0);
	f->process.cpus_usable = 8;
	judge(f);
	assert_says(f, "native_parallel", "More threads can use more CPUs");
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_starved),
		cmocka_unit_test(test_waiters_are_not_starved),
		cmocka_unit_test(test_wake_ups_are_not_starved),
		cmocka_unit_test(test_siblings_use_cpus_too),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_cpu_single),
		cmocka_unit_test(test_native_parallel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
