// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about the GIL itself: too many want it, late answers, hops between CPUs. */
#include "verdict_bed.h"

/* ---- gil_bound ---- */

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

/* ---- late answers ---- */

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

/* ---- hops ---- */

static struct fixture *hops(int64_t near, int64_t far)
{
	struct fixture *f = contended(2);

	f->gil.handovers[GW_SAME_LLC] = near;
	f->gil.handovers[GW_CROSS_NODE] = far;
	return f;
}

static void test_gil_hops(void **state)
{
	struct fixture *f = hops(9000, 1000);
	(void)state;

	assert_severity(f, "gil_hops", GW_WARNING);
	assert_says(f, "gil_hops", "1000 times a second");
	free(f);
	f = hops(9001, 999);
	assert_severity(f, "gil_hops", -1);
	free(f);
	f = hops(0, 9999);
	assert_severity(f, "gil_hops", -1);
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
		cmocka_unit_test(test_heartbeat),
		cmocka_unit_test(test_late_and_bound),
		cmocka_unit_test(test_interval_not_known),
		cmocka_unit_test(test_late_by_chance),
		cmocka_unit_test(test_gil_latency_thresholds),
		cmocka_unit_test(test_gil_hops),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
