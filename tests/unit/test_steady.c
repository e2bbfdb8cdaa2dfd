// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The headline from judgement to judgement. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "verdict/steady.h"

static void judge(struct gw_process_view *p, const char *code, enum gw_severity severity)
{
	struct gw_verdict *verdict = &p->verdict[p->verdict_count++];

	snprintf(verdict->code, sizeof(verdict->code), "%s", code);
	snprintf(verdict->text, sizeof(verdict->text), "%s", code);
	verdict->severity = severity;
}

/* Each a judgement with one verdict; what is shown after the last. */
static struct gw_steady after(const char *const *codes, size_t count)
{
	struct gw_steady steady = {0};

	for (size_t i = 0; i < count; i++) {
		struct gw_process_view p = {0};

		judge(&p, codes[i], GW_WARNING);
		steady = gw_steady_next(&steady, &p);
	}
	return steady;
}

#define AFTER(...)                                                                                 \
	after((const char *const[]){__VA_ARGS__},                                                  \
	      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(const char *))

static void the_first_verdict_is_shown_at_once(void **state)
{
	(void)state;
	assert_string_equal(AFTER("gil_bound").shown.code, "gil_bound");
}

static void one_judgement_changes_nothing_and_two_do(void **state)
{
	(void)state;
	assert_string_equal(AFTER("idle", "gil_bound").shown.code, "idle");
	assert_string_equal(AFTER("idle", "gil_bound", "gil_bound").shown.code, "gil_bound");
}

static void a_figure_about_its_threshold_does_not_flicker(void **state)
{
	(void)state;
	assert_string_equal(AFTER("a", "b", "a", "b", "a", "b", "a", "b").shown.code, "a");
	assert_string_equal(AFTER("a", "b", "c", "b", "c").shown.code, "a");
}

static void a_short_window_neither_takes_nor_keeps_the_place(void **state)
{
	(void)state;
	assert_string_equal(AFTER("insufficient_data", "idle").shown.code, "idle");
	assert_string_equal(AFTER("idle", "insufficient_data", "insufficient_data").shown.code,
			    "idle");
}

static void the_same_verdict_shows_its_figures_of_now(void **state)
{
	struct gw_steady steady = {0};
	struct gw_process_view first = {0}, second = {0};

	(void)state;
	judge(&first, "idle", GW_INFO);
	judge(&second, "idle", GW_INFO);
	strcpy(second.verdict[0].text, "newer");
	steady = gw_steady_next(&steady, &first);
	steady = gw_steady_next(&steady, &second);
	assert_string_equal(steady.shown.text, "newer");
}

static void of_equals_the_shown_one_stays_and_a_worse_one_takes_over(void **state)
{
	struct gw_steady steady = AFTER("long_holds");
	struct gw_process_view equals = {0}, worse = {0};

	(void)state;
	judge(&equals, "gil_bound", GW_WARNING);
	judge(&equals, "long_holds", GW_WARNING);
	for (int i = 0; i < 5; i++)
		steady = gw_steady_next(&steady, &equals);
	assert_string_equal(steady.shown.code, "long_holds");
	judge(&worse, "gil_stuck", GW_CRITICAL);
	judge(&worse, "long_holds", GW_WARNING);
	for (int i = 0; i < 2; i++)
		steady = gw_steady_next(&steady, &worse);
	assert_string_equal(steady.shown.code, "gil_stuck");
}

static void no_verdicts_change_nothing(void **state)
{
	struct gw_steady steady = AFTER("idle");
	struct gw_process_view none = {0};

	(void)state;
	steady = gw_steady_next(&steady, &none);
	assert_string_equal(steady.shown.code, "idle");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_first_verdict_is_shown_at_once),
		cmocka_unit_test(one_judgement_changes_nothing_and_two_do),
		cmocka_unit_test(a_figure_about_its_threshold_does_not_flicker),
		cmocka_unit_test(a_short_window_neither_takes_nor_keeps_the_place),
		cmocka_unit_test(the_same_verdict_shows_its_figures_of_now),
		cmocka_unit_test(of_equals_the_shown_one_stays_and_a_worse_one_takes_over),
		cmocka_unit_test(no_verdicts_change_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
