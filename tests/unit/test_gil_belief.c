// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the futex words of threads say about a GIL. The live tests do the same with processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/gil_belief.h"
#include "target/layout.h"

#define RUNTIME 0x7f0000001000ULL

static struct gw_python make(uint32_t version, uint64_t gil)
{
	struct gw_python python = {.version_hex = version, .runtime_address = RUNTIME};

	python.layout = *gw_layout_for(version, 0);
	python.gil_count = 1;
	python.gil[0].address = gil;
	return python;
}

static void test_words_of_lines(void **state)
{
	char line[128];

	(void)state;
	snprintf(line, sizeof(line), "%d 0x7f0000001188 0x189 0x0 0x7ffe1 0x0 0xffffffff 0x1 0x2\n",
		 SYS_futex);
	assert_int_equal(gw_gil_belief_parse(line), 0x7f0000001188);
	snprintf(line, sizeof(line), "%d 0x7f0000001188 0x189\n", SYS_read);
	assert_int_equal(gw_gil_belief_parse(line), 0);
	assert_int_equal(gw_gil_belief_parse("running\n"), 0);
	assert_int_equal(gw_gil_belief_parse("-1 0x7ffe 0x7ffe\n"), 0);
	assert_int_equal(gw_gil_belief_parse(""), 0);
}

static void test_in_the_runtime(void **state)
{
	struct gw_python python = make(0x030b02f0, RUNTIME + 360);

	(void)state;
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 360), GW_BELIEF_SEEN);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 360 + 207), GW_BELIEF_SEEN);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 360 + 208), GW_BELIEF_BESIDE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 359), GW_BELIEF_BESIDE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME), GW_BELIEF_BESIDE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME - 4), GW_BELIEF_ELSEWHERE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 360 + 4096), GW_BELIEF_ELSEWHERE);
	assert_int_equal(gw_gil_belief_judge(&python, 0), GW_BELIEF_ELSEWHERE);
	assert_int_equal(gw_gil_belief_judge(&python, UINT64_MAX), GW_BELIEF_ELSEWHERE);
}

/* What follows a small runtime may be anybody's condition variable. */
static void test_behind_a_small_runtime(void **state)
{
	struct gw_python python = make(0x030902f0, RUNTIME + 352);

	(void)state;
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 655), GW_BELIEF_BESIDE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 656), GW_BELIEF_ELSEWHERE);
}

static void test_several_gils(void **state)
{
	struct gw_python python = make(0x030d00f0, RUNTIME + 88424 + 7752);

	(void)state;
	python.gil_count = 2;
	python.gil[1].address = 0x500000;
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 88424 + 7752 + 32), GW_BELIEF_SEEN);
	assert_int_equal(gw_gil_belief_judge(&python, 0x500020), GW_BELIEF_SEEN);
	assert_int_equal(gw_gil_belief_judge(&python, 0x500000 + 300), GW_BELIEF_ELSEWHERE);
	assert_int_equal(gw_gil_belief_judge(&python, RUNTIME + 88424 + 7700), GW_BELIEF_BESIDE);
}

static void test_nobody_waits(void **state)
{
	struct gw_python python = make(0x030b02f0, RUNTIME + 360);

	(void)state;
	assert_int_equal(gw_gil_belief_check(getpid(), &python), 0);
	assert_int_equal(gw_gil_belief_check(-1, &python), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words_of_lines),
		cmocka_unit_test(test_in_the_runtime),
		cmocka_unit_test(test_behind_a_small_runtime),
		cmocka_unit_test(test_several_gils),
		cmocka_unit_test(test_nobody_waits),
	};

	return cmocka_run_group_tests_name("gil belief", tests, NULL, NULL);
}
