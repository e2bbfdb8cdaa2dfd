// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verdicts over synthetic snapshots: both sides of every threshold, and situations as a whole. */
#include "verdict_bed.h"

/* -- gil_bound ------------------------------------------------------------------------------------
 */

static void test_contended(void **state)
{
	struct fixture *f = contended(4);

	(void)state;
	assert_severity(f, "gil_bound", GW_CRITICAL);
	assert_int_equal(f->process.verdict_count, 1);
	assert_says(f, "gil_bound", "4 threads want the GIL at once: 3.0 of them wait");
	assert_says(f, "gil_bound", "processes can: 2 usable CPUs, 1.0 used");
	assert_true(fabs(evidence(f, "gil_bound", "waiters_ratio") - 3.005) < 1e-6);
	free(f);
	assert_codes(contended(2), "gil_bound");
	assert_codes(contended(50), "gil_bound");
}

static void gil_bound_case(double wait_s, double held_s, int severity)
{
	struct fixture *f = start(10);

	add_busy(f, "a", held_s / 2, wait_s / 2);
	add_busy(f, "b", held_s / 2, wait_s / 2);
	assert_severity(f, "gil_bound", severity);
	free(f);
}

static void test_gil_bound_thresholds(void **state)
{
	(void)state;
	gil_bound_case(2.99, 9.0, -1);
	gil_bound_case(3.0, 9.0, GW_WARNING);
	gil_bound_case(7.49, 9.0, GW_WARNING);
	gil_bound_case(7.5, 9.0, GW_CRITICAL);
	gil_bound_case(8.0, 6.99, -1);
	gil_bound_case(8.0, 7.0, GW_CRITICAL);
}

static void test_gil_bound_counts_only_contention(void **state)
{
	static const int not_contended[] = {GW_RUNNABLE, GW_STOPPED, GW_BLOCKED_SLEEP,
					    GW_BLOCKED_DISK, GW_BLOCKED_OTHER};
	static const int is_contention[] = {GW_RUNNING, GW_HOLDER_NONE, GW_HOLDER_HANDOVER};
	(void)state;

	for (size_t i = 0; i < sizeof(not_contended) / sizeof(not_contended[0]); i++) {
		struct fixture *f = contended(1);

		wait_gil(f, add_busy(f, "b", 1, 0), not_contended[i], 9);
		assert_severity(f, "gil_bound", -1);
		free(f);
	}
	for (size_t i = 0; i < sizeof(is_contention) / sizeof(is_contention[0]); i++) {
		struct fixture *f = start(10);

		add_busy(f, "a", 8, 0);
		wait_gil(f, add_busy(f, "b", 1, 0), is_contention[i], 9);
		assert_severity(f, "gil_bound", GW_CRITICAL);
		free(f);
	}
}

static void test_absent_holder_none_is_no_number(void **state)
{
	struct fixture *f = contended(2);
	(void)state;

	f->process.gil_wait_by_holder_ns[GW_HOLDER_NONE] = GW_ABSENT_NS;
	f->process.gil_wait_by_holder_ns[GW_HOLDER_HANDOVER] = GW_ABSENT_NS;
	f->thread[0].inflicted_ns = GW_ABSENT_NS;
	assert_codes(f, "gil_bound");
}

static void test_processes_only_where_cpus_are_free(void **state)
{
	struct fixture *f = contended(3);
	(void)state;

	f->process.cpus_usable = 1;
	assert_severity(f, "gil_bound", GW_CRITICAL);
	assert_says(f, "gil_bound", "nor can processes here");
	assert_says(f, "gil_bound", "1 usable CPU, 1.0 used");
	free(f);
	f = contended(3);
	f->process.cpu_quota = 1.394; /* 0.995 used, 0.4 needed */
	assert_severity(f, "gil_bound", GW_CRITICAL);
	assert_says(f, "gil_bound", "nor can processes here");
	free(f);
	f = contended(3);
	f->process.cpu_quota = 1.396;
	assert_severity(f, "gil_bound", GW_CRITICAL);
	assert_says(f, "gil_bound", "processes can: 1.4 usable CPUs");
	free(f);
	f = contended(3);
	f->process.cpus_usable = f->snapshot.cpus = 0; /* not known: no advice */
	assert_severity(f, "gil_bound", GW_CRITICAL);
	assert_says(f, "gil_bound", "nor can processes here");
	free(f);
}

static struct fixture *sampled(double wait_s, double wait_error_s, double held_error_s)
{
	struct fixture *f = start(10);

	add_busy(f, "a", 4.5, wait_s / 2);
	add_busy(f, "b", 4.5, wait_s / 2);
	f->process.by_holder_basis.kind = GW_BASIS_SAMPLED;
	f->process.by_holder_basis.error_ns = seconds(wait_error_s);
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_SAMPLED;
	f->process.basis[GW_STATE_PYTHON].error_ns = seconds(held_error_s);
	return f;
}

static void test_sampled_figures_must_be_sure(void **state)
{
	struct fixture *f = sampled(5, 1, 1);
	(void)state;

	assert_severity(f, "gil_bound", GW_WARNING);
	assert_says(f, "gil_bound", "+/- 0.10");
	free(f);
	assert_codes(sampled(5, 2.1, 0), "insufficient_data");
	assert_codes(sampled(5, 0, 2.1), "insufficient_data");
	f = sampled(8, 1, 0); /* 0.8 - 0.1 is not surely critical */
	assert_severity(f, "gil_bound", GW_WARNING);
	free(f);
}

/* -- Holds --------------------------------------------------------------------------------------
 */

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

/* -- Latency
 * ---------------------------------------------------------------------------------------- */

static struct fixture *heartbeat(int hogs, int resumes, double gil_s, double runqueue_s)
{
	struct fixture *f = start(10);
	struct gw_thread_view *beat = add_thread(f, "heartbeat", resumes);
	struct gw_resume *resume = &beat->resume;

	spend(f, beat, GW_GIL_HOLDING, GW_RUNNING, 0.1);
	wait_gil(f, beat, GW_RUNNING, resumes * gil_s);
	spend(f, beat, GW_GIL_NONE, GW_BLOCKED_SLEEP, 10 - 0.1 - resumes * (gil_s + runqueue_s));
	spend(f, beat, GW_GIL_NONE, GW_RUNNABLE, resumes * runqueue_s);
	fill(&resume->latency, resumes, gil_s + runqueue_s);
	resume->gil_ns = seconds(resumes * gil_s);
	resume->runqueue_ns = seconds(resumes * runqueue_s);
	for (int i = 0; i < hogs; i++)
		add_busy(f, "hog", 9.85 / hogs, 10 - 9.85 / hogs);
	return f;
}

static void test_heartbeat(void **state)
{
	struct fixture *f = heartbeat(1, 1600, 0.0052, 0.00002);
	(void)state;

	f->thread[0].resume.delay_ratio = 6.3;
	f->thread[0].resume.delays = 1600;
	f->inflicted = (struct gw_inflicted){.by = 102, .on = 101, .wait_ns = seconds(8)};
	f->process.inflicted_count = 1;
	assert_severity(f, "gil_latency", GW_CRITICAL);
	assert_says(f, "gil_latency", "heartbeat (tid 101)");
	assert_says(f, "gil_latency", "sleeps last 6.3 times");
	assert_says(f, "gil_latency", "due to hog (tid 102)");
	assert_string_equal(f->process.verdict[0].code, "gil_latency");
	assert_null(find(f, "gil_bound"));
	free(f);
	f = heartbeat(3, 600, 0.0155, 0.00002);
	f->thread[1].inflicted_ns = 5;
	f->thread[2].inflicted_ns = 7;
	assert_severity(f, "gil_latency", GW_CRITICAL);
	assert_says(f, "gil_latency", "due to hog (tid 103)");
	assert_string_equal(f->process.verdict[0].code, "gil_bound");
	free(f);
	f = heartbeat(0, 9000, 0.000001, 0.00005);
	f->thread[0].resume.delay_ratio = 1.1;
	f->thread[0].resume.delays = 9000;
	assert_codes(f, "healthy");
}

/* A late thread that also works: from 5 % of the held time on, its throughput matters. */
static void test_late_and_bound(void **state)
{
	struct fixture *f = heartbeat(1, 1600, 0.0052, 0); /* 0.1 of 9.95 s */
	(void)state;

	spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNING, 0.4); /* 0.5 of 10.35 */
	judge(f);
	assert_non_null(find(f, "gil_latency"));
	assert_null(find(f, "gil_bound"));
	spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNING, 0.05); /* 0.55 of 10.4 */
	assert_codes(f, "gil_bound gil_latency");
	f = start(10); /* one-sided, but nobody is told to be late */
	add_busy(f, "hog", 9.8, 0);
	add_busy(f, "cycles", 0.1, 9);
	assert_codes(f, "gil_bound");
}

/* Where the interval could not be read, CPython's default is taken: 5 ms. */
static void test_interval_not_known(void **state)
{
	struct fixture *f = heartbeat(1, 100, 0.0025, 0);
	(void)state;

	f->gil.interval_ns = 0;
	assert_severity(f, "gil_latency", GW_CRITICAL);
	f->gil.interval_ns = 6 * GW_MILLISECOND_NS;
	assert_severity(f, "gil_latency", -1);
	free(f);
	f = heartbeat(1, 100, 0.0022, 0);
	f->gil.interval_ns = 0;
	assert_severity(f, "gil_latency", -1);
	free(f);
}

/* The GIL takes almost nothing of most resumes, and an interval of the others. */
static struct fixture *seldom_late(int resumes, int late)
{
	struct fixture *f = heartbeat(1, resumes - late, 0.0001, 0);
	struct gw_resume *resume = &f->thread[0].resume;

	fill(&resume->latency, (uint64_t)late, 0.0052);
	resume->gil_ns += seconds(late * 0.0052);
	return f;
}

static void test_late_by_chance(void **state)
{
	static const struct {
		int resumes, late, severity;
	} cases[] = {
		{20, 2, -1},	      {20, 3, GW_WARNING}, {199, 2, -1},
		{199, 3, GW_WARNING}, {1000, 9, -1},	   {1000, 11, GW_WARNING},
	};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct fixture *f = seldom_late(cases[i].resumes, cases[i].late);

		assert_severity(f, "gil_latency", cases[i].severity);
		free(f);
	}
}

static void test_gil_latency_thresholds(void **state)
{
	struct fixture *f = heartbeat(1, 19, 0.0052, 0);
	(void)state;

	assert_severity(f, "gil_latency", -1);
	free(f);
	f = heartbeat(1, 20, 0.0052, 0);
	assert_severity(f, "gil_latency", GW_CRITICAL);
	free(f);
	f = heartbeat(1, 100, 0.0021, 0); /* its bucket ends below half an interval */
	assert_severity(f, "gil_latency", -1);
	f->thread[0].resume.delay_ratio = 1.49;
	f->thread[0].resume.delays = 100;
	assert_severity(f, "gil_latency", -1);
	f->thread[0].resume.delay_ratio = 1.5;
	assert_severity(f, "gil_latency", GW_WARNING);
	f->thread[0].resume.delays = 19;
	assert_severity(f, "gil_latency", -1);
	free(f);
	f = heartbeat(1, 100, 0.000251, 0);
	f->thread[0].resume.delay_ratio = 5;
	f->thread[0].resume.delays = 100;
	assert_severity(f, "gil_latency", GW_WARNING);
	free(f);
	f = heartbeat(1, 100, 0.000249, 0); /* short sleeps reach the ratio by timer slack */
	f->thread[0].resume.delay_ratio = 5;
	f->thread[0].resume.delays = 100;
	assert_severity(f, "gil_latency", -1);
	free(f);
	f = heartbeat(1, 100, 0.0025, 0);
	assert_severity(f, "gil_latency", GW_CRITICAL);
	free(f);
	f = heartbeat(1, 100, 0.0053, 0.0052);
	assert_severity(f, "gil_latency", GW_CRITICAL);
	free(f);
	f = heartbeat(1, 100, 0.0052, 0.0053); /* mostly the run queue's */
	assert_severity(f, "gil_latency", -1);
	free(f);
	f = heartbeat(1, 900, 0.0002, 0); /* late at the tail only */
	fill(&f->thread[0].resume.latency, 20, 0.006);
	f->thread[0].resume.gil_ns += seconds(20 * 0.006);
	assert_severity(f, "gil_latency", GW_WARNING);
	f->gil.interval_ns = 20 * GW_MILLISECOND_NS;
	assert_severity(f, "gil_latency", -1);
	free(f);
	f = contended(2); /* told of the process only */
	fill(&f->process.resume.latency, 50, 0.005);
	f->process.resume.gil_ns = seconds(0.25);
	assert_severity(f, "gil_latency", GW_CRITICAL);
	assert_says(f, "gil_latency", "threads that wake up");
	free(f);
}

/* -- CPUs
 * ------------------------------------------------------------------------------------------- */

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

/* -- Waiting for something else
 * ---------------------------------------------------------------------- */

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

/* -- What cannot be said
 * ------------------------------------------------------------------------------ */

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

/* -- Order, number, and nothing at all
 * ------------------------------------------------------------- */

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
		cmocka_unit_test(test_contended),
		cmocka_unit_test(test_gil_bound_thresholds),
		cmocka_unit_test(test_gil_bound_counts_only_contention),
		cmocka_unit_test(test_absent_holder_none_is_no_number),
		cmocka_unit_test(test_processes_only_where_cpus_are_free),
		cmocka_unit_test(test_sampled_figures_must_be_sure),
		cmocka_unit_test(test_gil_held_blocked),
		cmocka_unit_test(test_held_blocked_by_cause),
		cmocka_unit_test(test_gil_held_starved),
		cmocka_unit_test(test_gil_stuck),
		cmocka_unit_test(test_long_holds),
		cmocka_unit_test(test_long_off_the_cpu),
		cmocka_unit_test(test_long_holds_loss),
		cmocka_unit_test(test_long_holds_that_give_way),
		cmocka_unit_test(test_heartbeat),
		cmocka_unit_test(test_late_and_bound),
		cmocka_unit_test(test_interval_not_known),
		cmocka_unit_test(test_late_by_chance),
		cmocka_unit_test(test_gil_latency_thresholds),
		cmocka_unit_test(test_cpu_starved),
		cmocka_unit_test(test_waiters_are_not_starved),
		cmocka_unit_test(test_wake_ups_are_not_starved),
		cmocka_unit_test(test_siblings_use_cpus_too),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_cpu_single),
		cmocka_unit_test(test_native_parallel),
		cmocka_unit_test(test_lock_bound),
		cmocka_unit_test(test_locked_counter),
		cmocka_unit_test(test_idle_workers),
		cmocka_unit_test(test_wanting_is_not_parked),
		cmocka_unit_test(test_io_bound),
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
