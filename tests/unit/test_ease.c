// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Hysteresis: a verdict that is shown stays up to 20 % beyond its thresholds, and no other does. */
#include "verdict_bed.h"

#include "verdict/steady.h"

#define NOTHING -1

/* The severity of a code where one is shown ("": none): by what the fixture then is judged as. */
static int severity_again(struct fixture *f, const char *code, const char *shown_code,
			  enum gw_severity shown_severity)
{
	struct gw_verdict shown = {.severity = shown_severity};
	const struct gw_verdict *of_process = shown_code[0] ? &shown : NULL, *found;

	snprintf(shown.code, sizeof(shown.code), "%s", shown_code);
	gw_verdicts_judge_again(&f->snapshot, &of_process, NULL, 0);
	found = find(f, code);
	return found ? (int)found->severity : NOTHING;
}

/* As found where nothing is shown, and where it is shown as a warning, and as critical. */
static void assert_again(struct fixture *f, const char *code, int fresh, int as_warning,
			 int as_critical)
{
	assert_int_equal(severity_again(f, code, "", GW_INFO), fresh);
	assert_int_equal(severity_again(f, code, "lock_bound", GW_CRITICAL), fresh);
	assert_int_equal(severity_again(f, code, code, GW_WARNING), as_warning);
	assert_int_equal(severity_again(f, code, code, GW_CRITICAL), as_critical);
	free(f);
}

static struct fixture *contention(double wait_s, double held_s)
{
	struct fixture *f = start(10);

	add_busy(f, "a", held_s / 2, wait_s / 2);
	add_busy(f, "b", held_s / 2, wait_s / 2);
	return f;
}

static void test_gil_bound(void **state)
{
	(void)state;
	assert_again(contention(3.0, 9), "gil_bound", GW_WARNING, GW_WARNING, GW_WARNING);
	assert_again(contention(2.99, 9), "gil_bound", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(contention(2.41, 9), "gil_bound", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(contention(2.39, 9), "gil_bound", NOTHING, NOTHING, NOTHING);
	assert_again(contention(5, 5.61), "gil_bound", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(contention(5, 5.59), "gil_bound", NOTHING, NOTHING, NOTHING);
	/* Critical is a step of its own. */
	assert_again(contention(7.5, 9), "gil_bound", GW_CRITICAL, GW_CRITICAL, GW_CRITICAL);
	assert_again(contention(6.01, 9), "gil_bound", GW_WARNING, GW_WARNING, GW_CRITICAL);
	assert_again(contention(5.99, 9), "gil_bound", GW_WARNING, GW_WARNING, GW_WARNING);
}

static struct fixture *held_blocked(double lost_s)
{
	struct fixture *f = start(10);

	spend(f, add_busy(f, "a", 5, 0), GW_GIL_HOLDING, GW_BLOCKED_DISK, 4);
	wait_gil(f, add_busy(f, "b", 0.5, 0), GW_BLOCKED_DISK, lost_s);
	return f;
}

static void test_gil_held_blocked(void **state)
{
	(void)state;
	assert_again(held_blocked(0.199), "gil_held_blocked", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(held_blocked(0.161), "gil_held_blocked", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(held_blocked(0.159), "gil_held_blocked", NOTHING, NOTHING, NOTHING);
	assert_again(held_blocked(1.61), "gil_held_blocked", GW_WARNING, GW_WARNING, GW_CRITICAL);
	assert_again(held_blocked(1.59), "gil_held_blocked", GW_WARNING, GW_WARNING, GW_WARNING);
}

static struct fixture *starved(double running_s, double runnable_s)
{
	struct fixture *f = start(10);

	spend(f, add_busy(f, "spin", running_s, 0), GW_GIL_HOLDING, GW_RUNNABLE, runnable_s);
	return f;
}

static void test_cpu_starved(void **state)
{
	(void)state;
	assert_again(starved(8.51, 1.49), "cpu_starved", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(starved(8.79, 1.21), "cpu_starved", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(starved(8.81, 1.19), "cpu_starved", NOTHING, NOTHING, NOTHING);
	assert_again(starved(6.79, 3.21), "cpu_starved", GW_WARNING, GW_WARNING, GW_CRITICAL);
	assert_again(starved(6.81, 3.19), "cpu_starved", GW_WARNING, GW_WARNING, GW_WARNING);
	assert_again(starved(1, 0.81), "cpu_starved", NOTHING, GW_CRITICAL, GW_CRITICAL);
}

/* Late by the ratio of its sleeps, and the GIL's part of the latency as given. */
static struct fixture *late(int resumes, double gil_s, double ratio)
{
	struct fixture *f = start(10);
	struct gw_thread_view *beat = add_thread(f, "heartbeat", resumes);

	spend(f, beat, GW_GIL_HOLDING, GW_RUNNING, 0.2);
	wait_gil(f, beat, GW_RUNNING, resumes * gil_s);
	spend(f, beat, GW_GIL_NONE, GW_BLOCKED_SLEEP, 9.8 - resumes * gil_s);
	fill(&beat->resume.latency, resumes, gil_s);
	beat->resume.gil_ns = seconds(resumes * gil_s);
	beat->resume.delays = (uint64_t)resumes;
	beat->resume.delay_ratio = ratio;
	add_busy(f, "hog", 9, 0);
	return f;
}

static void test_gil_latency(void **state)
{
	(void)state;
	assert_again(late(100, 0.0003, 1.49), "gil_latency", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(late(100, 0.0003, 1.21), "gil_latency", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(late(100, 0.0003, 1.19), "gil_latency", NOTHING, NOTHING, NOTHING);
	assert_again(late(16, 0.0003, 1.6), "gil_latency", NOTHING, GW_WARNING, GW_WARNING);
	assert_again(late(15, 0.0003, 1.6), "gil_latency", NOTHING, NOTHING, NOTHING);
}

/* Thresholds from below are eased upwards. */
static void test_idle(void **state)
{
	static const double cpu_s[] = {0.099, 0.101, 0.119, 0.121};
	static const int found[] = {1, 0, 0, 0}, stays[] = {1, 1, 1, 0};
	(void)state;

	for (int i = 0; i < 4; i++) {
		struct fixture *f = start(10);

		add_parked(f, 1);
		spend(f, &f->thread[0], GW_GIL_HOLDING, GW_RUNNING, cpu_s[i]);
		assert_int_equal(severity_again(f, "idle", "", GW_INFO),
				 found[i] ? GW_INFO : NOTHING);
		assert_int_equal(severity_again(f, "idle", "idle", GW_INFO),
				 stays[i] ? GW_INFO : NOTHING);
		free(f);
	}
}

static struct fixture *io(double waited_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *t = add_thread(f, "io", 100);

		spend(f, t, GW_GIL_NONE, GW_BLOCKED_NET, waited_s);
		spend(f, t, GW_GIL_NONE, GW_RUNNING, 10 - waited_s);
	}
	return f;
}

static void test_io_bound(void **state)
{
	(void)state;
	assert_again(io(7.0), "io_bound", GW_INFO, GW_INFO, GW_INFO);
	assert_again(io(6.9), "io_bound", NOTHING, GW_INFO, GW_INFO);
	assert_again(io(5.61), "io_bound", NOTHING, GW_INFO, GW_INFO);
	assert_again(io(5.59), "io_bound", NOTHING, NOTHING, NOTHING);
}

static struct fixture *single(double busy_s, double wait_s)
{
	struct fixture *f = start(10);

	add_busy(f, "busy", busy_s, 0);
	wait_gil(f, add_busy(f, "seldom", 0.3, 0), GW_RUNNING, wait_s);
	return f;
}

static void test_cpu_single(void **state)
{
	struct fixture *f;

	(void)state;
	assert_again(single(8, 0.5), "cpu_single", GW_INFO, GW_INFO, GW_INFO);
	assert_again(single(7.9, 0.5), "cpu_single", NOTHING, GW_INFO, GW_INFO);
	assert_again(single(6.39, 0.5), "cpu_single", NOTHING, NOTHING, NOTHING);
	assert_again(single(9, 1.19), "cpu_single", NOTHING, GW_INFO, GW_INFO);
	assert_again(single(9, 1.21), "cpu_single", NOTHING, NOTHING, NOTHING);
	/* A second busy one ends it as ever; and what runs without the GIL has its own verdict. */
	f = single(9, 0);
	spend(f, add_thread(f, "native", 9), GW_GIL_NONE, GW_RUNNING, 8.0);
	assert_again(f, "cpu_single", NOTHING, NOTHING, NOTHING);
	f = start(10);
	spend(f, add_thread(f, "native", 9), GW_GIL_NONE, GW_RUNNING, 9.9);
	assert_again(f, "cpu_single", GW_INFO, GW_INFO, GW_INFO);
}

/* A loss makes a warning of the same code that is else a remark: never both. */
static void long_holds_case(double loss_s, int fresh, int as_info, int as_warning, int as_critical)
{
	struct fixture *f = start(10);
	const double edge_s = 0.268435456; /* of a bucket: it counts as that */

	add_busy(f, "native", 3, 0);
	add_busy(f, "spin", 0.3, loss_s + 10 * 0.010);
	fill(&f->thread[0].hold, 10, edge_s + 1e-9);
	fill(&f->gil.hold, 10, edge_s + 1e-9);
	f->gil.hold.sum_ns = (uint64_t)seconds(10 * edge_s);
	fill(&f->gil.wait, 10, 0.25);
	assert_int_equal(severity_again(f, "long_holds", "long_holds", GW_INFO), as_info);
	for (size_t i = 0, seen = 0; i < f->process.verdict_count; i++) {
		seen += !strcmp(f->process.verdict[i].code, "long_holds");
		assert_true(seen <= 1);
	}
	assert_again(f, "long_holds", fresh, as_warning, as_critical);
}

static void test_long_holds(void **state)
{
	(void)state;
	long_holds_case(0.101, GW_WARNING, GW_WARNING, GW_WARNING, GW_WARNING);
	long_holds_case(0.099, GW_INFO, GW_INFO, GW_WARNING, GW_WARNING);
	long_holds_case(0.081, GW_INFO, GW_INFO, GW_WARNING, GW_WARNING);
	long_holds_case(0.079, GW_INFO, GW_INFO, GW_INFO, GW_INFO);
	long_holds_case(1.61, GW_WARNING, GW_WARNING, GW_WARNING, GW_CRITICAL);
	long_holds_case(1.59, GW_WARNING, GW_WARNING, GW_WARNING, GW_WARNING);
}

/* Two processes that compute so much each: of the family, process_parallel, or 0. */
static int is_parallel(double each_s, const struct gw_verdict *family, size_t count)
{
	struct fixture *one = start(10), *two = start(10);
	struct gw_process_view process[2];
	int found;

	add_busy(one, "worker", each_s, 0);
	add_busy(two, "worker", each_s, 0);
	process[0] = one->process;
	process[1] = two->process;
	process[1].pid++;
	one->snapshot.process = process;
	one->snapshot.process_count = 2;
	gw_verdicts_judge_again(&one->snapshot, NULL, family, count);
	found = one->snapshot.verdict_count == 1 &&
		!strcmp(one->snapshot.verdict[0].code, "process_parallel");
	free(one);
	free(two);
	return found;
}

static void test_family(void **state)
{
	const struct gw_verdict parallel = {.code = "process_parallel"}, other = {.code = "idle"};

	(void)state;
	assert_true(is_parallel(8.0, NULL, 0));
	assert_false(is_parallel(7.9, NULL, 0));
	assert_false(is_parallel(7.9, &other, 1));
	assert_true(is_parallel(6.5, &parallel, 1));
	assert_false(is_parallel(6.3, &parallel, 1));
}

/* All of it: a figure that plays about its threshold, from judgement to judgement. */
static void test_a_headline_does_not_flicker(void **state)
{
	static const double wait_s[] = {3.1, 2.9, 2.9, 2.7, 3.0, 2.6, 2.5, 2.5, 2.9};
	struct gw_steady steady = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wait_s) / sizeof(wait_s[0]); i++) {
		struct fixture *f = contention(wait_s[i], 9);
		const struct gw_verdict *shown = steady.any ? &steady.shown : NULL;

		gw_verdicts_judge_again(&f->snapshot, &shown, NULL, 0);
		steady = gw_steady_next(&steady, &f->process);
		assert_string_equal(steady.shown.code, "gil_bound");
		free(f);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_gil_bound),
		cmocka_unit_test(test_gil_held_blocked),
		cmocka_unit_test(test_cpu_starved),
		cmocka_unit_test(test_gil_latency),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_io_bound),
		cmocka_unit_test(test_cpu_single),
		cmocka_unit_test(test_long_holds),
		cmocka_unit_test(test_family),
		cmocka_unit_test(test_a_headline_does_not_flicker),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
