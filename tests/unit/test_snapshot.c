// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copies of a process's view. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixtures.h"
#include "model/snapshot.h"
#include "rendered.h"

static void a_copy_says_the_same_after_its_original_has_gone(void **state)
{
	struct gw_snapshot snapshot = {0};
	struct gw_process_view copy = {0};
	char *before, *after;

	(void)state;
	fixture_contended_uprobe(&snapshot);
	before = json_of(&snapshot);
	assert_int_equal(gw_process_view_copy(&snapshot.process[0], &copy), 0);
	gw_process_view_clear(&snapshot.process[0]);
	snapshot.process[0] = copy;
	after = json_of(&snapshot);
	assert_string_equal(before, after);
	free(before);
	free(after);
	gw_snapshot_clear(&snapshot);
}

static void an_empty_view_has_an_empty_copy(void **state)
{
	struct gw_process_view empty = {0}, copy;

	(void)state;
	assert_int_equal(gw_process_view_copy(&empty, &copy), 0);
	assert_null(copy.thread);
	assert_null(copy.gil);
	gw_process_view_clear(&copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_copy_says_the_same_after_its_original_has_gone),
		cmocka_unit_test(an_empty_view_has_an_empty_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
