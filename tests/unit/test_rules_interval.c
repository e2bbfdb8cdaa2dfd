// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about the switch interval. */
#include "verdict_bed.h"

static struct fixture *interval(double interval_s, int64_t forced)
{
	struct fixture *f = contended(2);

	f->gil.interval_ns = seconds(interval_s);
	f->gil.forced_releases = forced;
	fill(&f->gil.hold, 100, 0.003);
	return f;
}

static void test_switch_interval(void **state)
{
	struct fixture *f = interval(0.005, 2000);
	(void)state;

	assert_severity(f, "switch_interval", -1);
	free(f);
	f = interval(0.001, 50000);
	assert_severity(f, "switch_interval", GW_INFO); /* not below 1 ms */
	assert_says(f, "switch_interval", "1 ms, not 5 ms");
	assert_says(f, "switch_interval", "5000 forced releases a second");
	assert_says(f, "switch_interval", "3 ms on average");
	free(f);
	f = interval(0.00099, 10001);
	assert_severity(f, "switch_interval", GW_WARNING);
	free(f);
	f = interval(0.00099, 10000);
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
	f = interval(0.00099, GW_ABSENT_COUNT); /* without probes: by changes of the holder */
	f->gil.holder_changes = 10001;
	assert_severity(f, "switch_interval", GW_WARNING);
	assert_says(f, "switch_interval", "hand-overs a second");
	free(f);
}

static struct fixture *late(double interval_s)
{
	struct fixture *f = interval(interval_s, 100);
	struct gw_thread_view *thread = add_thread(f, "heartbeat", 100);

	fill(&thread->resume.latency, 100, 0.04);
	thread->resume.gil_ns = (int64_t)thread->resume.latency.sum_ns;
	spend(f, thread, GW_GIL_WAITING, GW_BLOCKED_GIL, 4);
	return f;
}

static void test_long_interval_beside_io(void **state)
{
	struct fixture *f = late(0.0201);
	(void)state;

	assert_severity(f, "switch_interval", GW_WARNING);
	assert_codes(f, "gil_bound gil_latency switch_interval");
	f = late(0.02);
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
	f = interval(0.05, 100); /* nobody is late */
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
}

static void test_changed_interval(void **state)
{
	struct gw_interval_phase phase[] = {
		{.interval_ns = seconds(0.005),
		 .to_ns = seconds(4),
		 .exact_ns = seconds(4),
		 .acquisitions = 800,
		 .forced_releases = 800,
		 .held_ns = seconds(4)},
		{.interval_ns = seconds(0.05),
		 .from_ns = seconds(4.2),
		 .to_ns = seconds(10),
		 .exact_ns = seconds(5.8),
		 .acquisitions = 116,
		 .forced_releases = 116,
		 .held_ns = seconds(5.8)},
	};
	struct fixture *f = interval(0.05, 916);
	(void)state;

	f->process.interval_phase = phase;
	f->process.interval_phase_count = 2;
	assert_severity(f, "switch_interval", GW_INFO);
	assert_says(f, "switch_interval",
		    "Before (4.0 s, 5 ms) 200 forced releases a second and "
		    "holds of 5 ms");
	assert_says(f, "switch_interval",
		    "after (5.8 s, 50 ms) 20 forced releases a second and "
		    "holds of 50 ms");
	assert_true(fabs(evidence(f, "switch_interval", "hold_mean_after_s") - 0.05) < 1e-9);
	phase[1].exact_ns = seconds(5.22) + 1; /* 0.9 of it */
	judge(f);
	assert_says(f, "switch_interval", "20 forced");
	phase[1].exact_ns = seconds(5.21); /* a window of probes less is not told of */
	judge(f);
	assert_says_not(f, "switch_interval", "20 forced");
	phase[0].acquisitions = phase[1].acquisitions = GW_ABSENT_COUNT;
	judge(f);
	phase[0].holder_changes = 800;
	phase[1].holder_changes = 58;
	judge(f);
	assert_says(f, "switch_interval",
		    "Before (4.0 s, 5 ms) 200 hand-overs a second; after (5.8 "
		    "s, 50 ms) 10 hand-overs a second.");
	free(f);
}

/* From 500 threads on, tasks would be lighter. */
static void test_very_many_waiters(void **state)
{
	struct fixture *f = waiters(1, 10);
	struct gw_thread_view *many = calloc(500, sizeof(*many));
	(void)state;

	assert_non_null(many);
	for (int i = 0; i < 500; i++)
		many[i] = f->thread[0];
	f->process.thread = many;
	f->process.thread_count = 499;
	judge(f);
	assert_says_not(f, "io_bound", "With so many at once");
	f->process.thread_count = 500;
	judge(f);
	assert_says(f, "io_bound", "With so many at once");
	free(many);
	free(f);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_switch_interval),
		cmocka_unit_test(test_long_interval_beside_io),
		cmocka_unit_test(test_changed_interval),
		cmocka_unit_test(test_very_many_waiters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
