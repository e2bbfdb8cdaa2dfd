// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* When a program that has begun is looked at. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "watch/newcomers.h"

#define MS 1000000ULL

/* Takes the one that is due at a time, and nothing before it. */
static void assert_due(struct gw_newcomers *n, uint64_t at_ns, pid_t pid, unsigned int looks)
{
	struct gw_newcomer next;

	assert_int_equal(gw_newcomers_due_ns(n), at_ns);
	assert_int_equal(gw_newcomers_next(n, at_ns - 1, &next), 0);
	assert_int_equal(gw_newcomers_next(n, at_ns, &next), 1);
	assert_int_equal(next.pid, pid);
	assert_int_equal(next.looks, looks);
}

static void test_three_looks(void **state)
{
	struct gw_newcomers n = {0};

	(void)state;
	gw_newcomers_add(&n, 7, "python3", 0);
	assert_due(&n, MS, 7, 1);
	assert_due(&n, 21 * MS, 7, 2);
	assert_due(&n, 1021 * MS, 7, 3);
	assert_int_equal(gw_newcomers_due_ns(&n), UINT64_MAX);
	gw_newcomers_free(&n);
}

static void test_a_look_that_came_too_early(void **state)
{
	uint64_t now_ns = MS, pause_ns = 2 * MS;
	struct gw_newcomers n = {0};

	(void)state;
	gw_newcomers_add(&n, 7, "python3", 0);
	assert_due(&n, now_ns, 7, 1);
	for (int i = 0; i < 12; i++) {
		gw_newcomers_wait(&n, 7, now_ns);
		now_ns += pause_ns;
		assert_due(&n, now_ns, 7, 1);
		if (pause_ns < 256 * MS)
			pause_ns *= 2;
	}
	/* Then it goes on as ever. */
	assert_due(&n, now_ns + 20 * MS, 7, 2);
	gw_newcomers_free(&n);
}

static void test_one_that_nobody_knew_has_two_looks(void **state)
{
	struct gw_newcomers n = {0};

	(void)state;
	gw_newcomers_wait(&n, 7, 0);
	assert_due(&n, 2 * MS, 7, 2);
	/* Too early again: a little later. */
	gw_newcomers_wait(&n, 7, 2 * MS);
	assert_due(&n, 6 * MS, 7, 2);
	assert_due(&n, 1006 * MS, 7, 3);
	assert_int_equal(gw_newcomers_due_ns(&n), UINT64_MAX);
	gw_newcomers_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_three_looks),
		cmocka_unit_test(test_a_look_that_came_too_early),
		cmocka_unit_test(test_one_that_nobody_knew_has_two_looks),
	};

	return cmocka_run_group_tests_name("newcomers", tests, NULL, NULL);
}
