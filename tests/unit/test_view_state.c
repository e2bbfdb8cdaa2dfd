// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What the view's keys do, key by key. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "view/state.h"

#define PAGE 5
#define ROWS 20

/* Twenty threads of process 100: tid 1 to 20. */
struct bed {
	struct gw_view_state state;
	struct gw_row row[ROWS];
	struct gw_rows rows;
};

static void begin(struct bed *b)
{
	memset(b, 0, sizeof(*b));
	gw_view_state_init(&b->state, 1000000000);
	for (uint32_t i = 0; i < ROWS; i++)
		b->row[i] = (struct gw_row){.pid = 100, .tid = i + 1, .name = "t"};
	b->rows = (struct gw_rows){.row = b->row, .count = ROWS};
	gw_view_follow(&b->state, &b->rows, PAGE);
}

static enum gw_view_action press(struct bed *b, int key)
{
	return gw_view_key(&b->state, key, &b->rows, PAGE);
}

static void arrows_move_the_selection_and_the_screen_follows(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, GW_KEY_UP);
	assert_int_equal(b.state.selected, 0);
	for (int i = 0; i < 6; i++)
		press(&b, GW_KEY_DOWN);
	assert_int_equal(b.state.selected, 6);
	assert_int_equal(b.state.top, 2);
	assert_int_equal(b.state.tid, 7);
	press(&b, GW_KEY_PAGE_DOWN);
	assert_int_equal(b.state.selected, 11);
	press(&b, GW_KEY_PAGE_UP);
	assert_int_equal(b.state.selected, 6);
	press(&b, GW_KEY_END);
	assert_int_equal(b.state.selected, ROWS - 1);
	assert_int_equal(b.state.top, ROWS - PAGE);
	press(&b, GW_KEY_DOWN);
	assert_int_equal(b.state.selected, ROWS - 1);
	press(&b, GW_KEY_HOME);
	assert_int_equal(b.state.selected, 0);
	assert_int_equal(b.state.top, 0);
}

static void the_chosen_thread_is_followed_wherever_it_goes(void **state)
{
	struct bed b;
	struct gw_row moved;

	(void)state;
	begin(&b);
	press(&b, GW_KEY_DOWN);
	press(&b, GW_KEY_DOWN);
	moved = b.row[2];
	b.row[2] = b.row[15];
	b.row[15] = moved;
	gw_view_follow(&b.state, &b.rows, PAGE);
	assert_int_equal(b.state.selected, 15);
	assert_int_equal(b.state.top, 11);
	b.rows.count = 3; /* it has gone */
	gw_view_follow(&b.state, &b.rows, PAGE);
	assert_int_equal(b.state.selected, 2);
	assert_int_equal(b.state.top, 0);
	b.rows.count = 0;
	gw_view_follow(&b.state, &b.rows, PAGE);
	assert_null(gw_view_selected(&b.state, &b.rows));
	press(&b, GW_KEY_DOWN);
	press(&b, GW_KEY_ENTER);
	assert_int_equal(b.state.detail, 0);
}

static void the_top_row_stays_the_top_row(void **state)
{
	struct bed b;
	struct gw_row moved;

	(void)state;
	begin(&b);
	moved = b.row[0];
	b.row[0] = b.row[1];
	b.row[1] = moved;
	gw_view_follow(&b.state, &b.rows, PAGE);
	assert_int_equal(b.state.selected, 0);
	assert_int_equal(b.state.tid, 2);
}

static void enter_opens_a_thread_and_escape_leaves_it(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, GW_KEY_ENTER);
	assert_int_equal(b.state.detail, 1);
	press(&b, GW_KEY_DOWN);
	assert_int_equal(b.state.detail, 1);
	assert_int_equal(b.state.tid, 2);
	press(&b, GW_KEY_PAGE_DOWN);
	assert_int_equal(b.state.tid, 2);
	assert_true(b.state.detail_top > 0);
	for (int i = 0; i < 3; i++)
		press(&b, GW_KEY_PAGE_UP);
	assert_int_equal(b.state.detail_top, 0);
	press(&b, GW_KEY_ESCAPE);
	assert_int_equal(b.state.detail, 0);
}

static void enter_opens_and_closes_a_process(void **state)
{
	struct bed b;
	struct gw_rows_options options;

	(void)state;
	begin(&b);
	b.row[0].tid = 0;
	gw_view_follow(&b.state, &b.rows, PAGE);
	b.state.threads = 0;
	press(&b, GW_KEY_ENTER);
	options = gw_view_rows_options(&b.state);
	assert_int_equal(options.opened_count, 1);
	assert_int_equal(options.opened[0], 100);
	assert_int_equal(options.threads, 1);
	press(&b, GW_KEY_ENTER);
	assert_int_equal(gw_view_rows_options(&b.state).opened_count, 0);
}

static void any_number_of_processes_can_be_opened(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	b.row[0].tid = 0;
	for (uint32_t i = 0; i < GW_OPENED_MAX + 10; i++) {
		b.row[0].pid = i + 1;
		press(&b, GW_KEY_ENTER);
	}
	assert_int_equal(b.state.opened_count, GW_OPENED_MAX);
	assert_int_equal(b.state.opened[GW_OPENED_MAX - 1], GW_OPENED_MAX + 10);
}

static void the_sort_key_goes_round(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	assert_int_equal(b.state.sort, GW_SORT_BUSY);
	press(&b, 's');
	assert_int_equal(b.state.sort, GW_SORT_GIL_WAIT);
	press(&b, 'S');
	press(&b, 'S');
	assert_int_equal(b.state.sort, GW_SORT_ID);
	press(&b, 's');
	assert_int_equal(b.state.sort, GW_SORT_BUSY);
	press(&b, 'R');
	assert_int_equal(gw_view_rows_options(&b.state).reverse, 1);
	press(&b, 'R');
	assert_int_equal(gw_view_rows_options(&b.state).reverse, 0);
}

static void modes_pause_and_threads_are_switches(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	assert_int_equal(b.state.mode, GW_MODE_INTERVAL);
	press(&b, 'm');
	assert_int_equal(b.state.mode, GW_MODE_MARK);
	press(&b, 'm');
	assert_int_equal(b.state.mode, GW_MODE_START);
	press(&b, 'm');
	assert_int_equal(b.state.mode, GW_MODE_INTERVAL);
	press(&b, 'p');
	assert_int_equal(b.state.paused, 1);
	press(&b, ' ');
	assert_int_equal(b.state.paused, 0);
	press(&b, 't');
	assert_int_equal(b.state.threads, 0);
	press(&b, 't');
	assert_int_equal(b.state.threads, 1);
}

static void some_keys_are_for_the_program(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	assert_int_equal(press(&b, 'r'), GW_VIEW_RESET);
	assert_int_equal(b.state.mode, GW_MODE_MARK);
	assert_int_equal(press(&b, 'w'), GW_VIEW_WRITE);
	assert_int_equal(press(&b, 'q'), GW_VIEW_QUIT);
	assert_int_equal(press(&b, 'Q'), GW_VIEW_QUIT);
	assert_int_equal(press(&b, 'x'), GW_VIEW_NOTHING);
	assert_int_equal(press(&b, GW_KEY_NONE), GW_VIEW_NOTHING);
}

static void intervals_go_by_steps(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, '+');
	assert_int_equal(b.state.interval_ns, 2000000000);
	press(&b, '-');
	press(&b, '-');
	assert_int_equal(b.state.interval_ns, 500000000);
	for (int i = 0; i < 20; i++)
		press(&b, '-');
	assert_int_equal(b.state.interval_ns, 100000000);
	for (int i = 0; i < 20; i++)
		press(&b, '+');
	assert_int_equal(b.state.interval_ns, 60000000000);
	b.state.interval_ns = 3000000000; /* between two steps */
	press(&b, '+');
	assert_int_equal(b.state.interval_ns, 5000000000);
	b.state.interval_ns = 3000000000;
	press(&b, '-');
	assert_int_equal(b.state.interval_ns, 2000000000);
	b.state.interval_ns = 3600000000000;
	press(&b, '+');
	assert_int_equal(b.state.interval_ns, 3600000000000);
	press(&b, '-');
	assert_int_equal(b.state.interval_ns, 60000000000);
}

static void type(struct bed *b, const char *text)
{
	for (; *text; text++)
		press(b, *text);
}

static void a_filter_is_typed(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	type(&b, "/quit");
	assert_int_equal(b.state.typing, 1);
	assert_string_equal(gw_view_rows_options(&b.state).filter, "quit"); /* seen at once */
	press(&b, GW_KEY_BACKSPACE);
	press(&b, GW_KEY_BACKSPACE);
	press(&b, GW_KEY_ENTER);
	assert_int_equal(b.state.typing, 0);
	assert_string_equal(gw_view_rows_options(&b.state).filter, "qu");
	type(&b, "/xyz");
	press(&b, GW_KEY_ESCAPE);
	assert_string_equal(gw_view_rows_options(&b.state).filter, "qu");
	press(&b, GW_KEY_ESCAPE);
	assert_string_equal(gw_view_rows_options(&b.state).filter, "");
}

static void a_filter_has_an_end(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, '/');
	press(&b, GW_KEY_BACKSPACE);
	for (int i = 0; i < 1000; i++)
		press(&b, 'x');
	press(&b, 0x01);
	press(&b, 0xe9);
	press(&b, GW_KEY_DOWN);
	press(&b, GW_KEY_ENTER);
	assert_int_equal(strlen(b.state.filter), GW_FILTER_MAX - 1);
}

static void help_goes_with_any_key_that_does_nothing_else(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, 'h');
	assert_int_equal(b.state.help, 1);
	press(&b, 's');
	assert_int_equal(b.state.help, 0);
	assert_int_equal(b.state.sort, GW_SORT_BUSY);
	press(&b, '?');
	press(&b, GW_KEY_ESCAPE);
	assert_int_equal(b.state.help, 0);
	press(&b, '?');
	assert_int_equal(press(&b, 'q'), GW_VIEW_QUIT);
}

static void keys_move_about_in_the_help(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	press(&b, 'h');
	press(&b, GW_KEY_UP);
	assert_int_equal(b.state.help_top, 0);
	press(&b, GW_KEY_PAGE_DOWN);
	press(&b, GW_KEY_DOWN);
	assert_int_equal(b.state.help_top, 6);
	press(&b, GW_KEY_UP);
	press(&b, GW_KEY_PAGE_UP);
	assert_int_equal(b.state.help_top, 0);
	for (int i = 0; i < 100; i++)
		press(&b, GW_KEY_PAGE_DOWN);
	assert_in_range(b.state.help_top, 20, 100);
	assert_int_equal(b.state.help, 1);
	assert_int_equal(b.state.selected, 0);
	press(&b, GW_KEY_ESCAPE);
	press(&b, '?');
	assert_int_equal(b.state.help_top, 0);
}

static void a_message_goes_with_the_next_key(void **state)
{
	struct bed b;

	(void)state;
	begin(&b);
	strcpy(b.state.message, "written");
	press(&b, GW_KEY_RESIZE);
	assert_string_equal(b.state.message, "written");
	press(&b, GW_KEY_DOWN);
	assert_string_equal(b.state.message, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(arrows_move_the_selection_and_the_screen_follows),
		cmocka_unit_test(the_chosen_thread_is_followed_wherever_it_goes),
		cmocka_unit_test(the_top_row_stays_the_top_row),
		cmocka_unit_test(enter_opens_a_thread_and_escape_leaves_it),
		cmocka_unit_test(enter_opens_and_closes_a_process),
		cmocka_unit_test(any_number_of_processes_can_be_opened),
		cmocka_unit_test(the_sort_key_goes_round),
		cmocka_unit_test(modes_pause_and_threads_are_switches),
		cmocka_unit_test(some_keys_are_for_the_program),
		cmocka_unit_test(intervals_go_by_steps),
		cmocka_unit_test(a_filter_is_typed),
		cmocka_unit_test(a_filter_has_an_end),
		cmocka_unit_test(help_goes_with_any_key_that_does_nothing_else),
		cmocka_unit_test(keys_move_about_in_the_help),
		cmocka_unit_test(a_message_goes_with_the_next_key),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
