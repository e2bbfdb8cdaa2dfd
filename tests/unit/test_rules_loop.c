// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rule about event loops. */
#include "verdict_bed.h"

static struct fixture *loop(int64_t polls, int64_t stalls)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_thread(f, "server", 100);

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNING, 2);
	spend(f, thread, GW_GIL_NONE, GW_BLOCKED_POLL, 8);
	thread->polls = polls;
	thread->stalls = stalls;
	thread->stalled_ns = stalls * seconds(0.3);
	thread->stretch_longest_ns = seconds(0.312);
	f->process.io_any_ns = seconds(8);
	return f;
}

static void test_event_loop(void **state)
{
	struct fixture *f = loop(GW_LOOP_POLLS, 3);
	(void)state;

	assert_severity(f, "event_loop_stalled", GW_WARNING);
	assert_says(f, "event_loop_stalled", "server (tid 101)");
	assert_says(f, "event_loop_stalled", "3 times");
	assert_says(f, "event_loop_stalled", "312 ms");
	assert_codes(f, "event_loop_stalled");
	assert_codes(loop(GW_LOOP_POLLS - 1, 3), "io_bound"); /* it waits for a thing or two */
	assert_codes(loop(1000, 0), "io_bound");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_loop),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
