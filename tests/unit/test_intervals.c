// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Looks at the switch interval become phases. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "watch/intervals.h"

#define MS INT64_C(1000000)

static void look(struct gw_intervals *in, int64_t at_ms, int64_t interval_ms, uint64_t forced)
{
	struct gw_interval_counts counts = {.acquisitions = 2 * forced,
					    .forced_releases = forced,
					    .held_ns = forced * 1000,
					    .switch_number = 7 + forced,
					    .exact_ns = (uint64_t)(at_ms * MS)};

	gw_intervals_look(in, at_ms * MS, interval_ms * MS, &counts);
}

static void test_one_interval_is_no_change(void **state)
{
	struct gw_intervals in = {0};
	struct gw_interval_phase *phase = NULL;
	size_t count = 1;
	(void)state;

	look(&in, 0, 5, 0);
	look(&in, 250, 5, 50);
	assert_int_equal(gw_intervals_copy(&in, 1, &phase, &count), 0);
	assert_int_equal(count, 0);
	assert_null(phase);
}

/* What came between the looks that differ belongs to neither. */
static void test_before_and_after(void **state)
{
	struct gw_intervals in = {0};
	struct gw_interval_phase *phase;
	size_t count;
	(void)state;

	look(&in, 0, 5, 0);
	look(&in, 250, 5, 50);
	look(&in, 500, 1, 150);
	look(&in, 600, 0, 200); /* it could not be read */
	look(&in, 750, 1, 400);
	assert_int_equal(gw_intervals_copy(&in, 1, &phase, &count), 0);
	assert_int_equal(count, 2);
	assert_int_equal(phase[0].interval_ns, 5 * MS);
	assert_int_equal(phase[0].to_ns, 250 * MS);
	assert_int_equal(phase[0].forced_releases, 50);
	assert_int_equal(phase[1].from_ns, 500 * MS);
	assert_int_equal(phase[1].to_ns, 750 * MS);
	assert_int_equal(phase[1].forced_releases, 250);
	assert_int_equal(phase[1].acquisitions, 500);
	assert_int_equal(phase[1].held_ns, 250000);
	assert_int_equal(phase[1].holder_changes, 250);
	assert_int_equal(phase[1].exact_ns, 250 * MS);
	free(phase);
	assert_int_equal(gw_intervals_copy(&in, 0, &phase, &count), 0);
	assert_true(phase[1].forced_releases == GW_ABSENT_COUNT);
	assert_true(phase[1].held_ns == GW_ABSENT_NS);
	free(phase);
}

static void test_the_oldest_go(void **state)
{
	struct gw_intervals in = {0};
	(void)state;

	for (int i = 0; i < 20; i++)
		look(&in, i, 1 + i, 0);
	assert_int_equal(in.count, GW_INTERVAL_PHASES_MAX);
	assert_int_equal(in.phase[0].interval_ns, 13 * MS);
	assert_int_equal(in.phase[in.count - 1].interval_ns, 20 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_interval_is_no_change),
		cmocka_unit_test(test_before_and_after),
		cmocka_unit_test(test_the_oldest_go),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
