// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Colours by the environment. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/colour.h"

static void set(const char *name, const char *value)
{
	assert_int_equal(value ? setenv(name, value, 1) : unsetenv(name), 0);
}

static void test_colours(void **state)
{
	static const struct {
		const char *none, *some, *force;
		int on_terminal, elsewhere;
	} cases[] = {
		{NULL, NULL, NULL, 1, 0}, {"1", NULL, NULL, 0, 0}, {"", NULL, NULL, 1, 0},
		{NULL, "0", NULL, 0, 0},  {NULL, "1", NULL, 1, 0}, {NULL, NULL, "1", 1, 1},
		{NULL, NULL, "0", 1, 0},  {NULL, "0", "1", 1, 1},  {"1", NULL, "1", 0, 0},
		{NULL, NULL, "", 1, 0},	  {NULL, "", NULL, 1, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		set("NO_COLOR", cases[i].none);
		set("CLICOLOR", cases[i].some);
		set("CLICOLOR_FORCE", cases[i].force);
		assert_int_equal(gw_colour_wanted(1), cases[i].on_terminal);
		assert_int_equal(gw_colour_wanted(0), cases[i].elsewhere);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_colours),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
