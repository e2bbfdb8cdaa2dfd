// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The live view's screens at several sizes, and what names of the target may do to them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixtures.h"
#include "golden.h"
#include "render/escape.h"
#include "view/bar.h"
#include "view/grid.h"
#include "view/screen.h"

struct bed {
	struct gw_snapshot snapshot;
	struct gw_rows rows;
	struct gw_series series;
	struct gw_view_state state;
	struct gw_screen screen;
};

static struct bed *bed_new(void (*make)(struct gw_snapshot *))
{
	struct bed *b = calloc(1, sizeof(*b));

	assert_non_null(b);
	make(&b->snapshot);
	gw_view_state_init(&b->state, 1000000000);
	for (int i = 0; i < 40; i++) {
		gw_series_add(&b->series, &b->snapshot);
		b->series.point[i].held *= (double)i / 40;
		b->series.point[i].waiters *= (double)(i % 7) / 7;
	}
	b->screen = (struct gw_screen){
		.shown = &b->snapshot,
		.interval = &b->snapshot,
		.rows = &b->rows,
		.series = &b->series,
		.state = &b->state,
		.watched_ns = 754 * 1000000000LL,
	};
	return b;
}

static void bed_free(struct bed *b)
{
	gw_snapshot_clear(&b->snapshot);
	gw_rows_free(&b->rows);
	free(b);
}

/* The screen as lines, without spaces at their ends. */
static char *text_of(struct bed *b, int rows, int columns, int utf8)
{
	struct gw_rows_options options = gw_view_rows_options(&b->state);
	struct gw_grid grid = {.utf8 = utf8};
	char *text = calloc((size_t)rows * ((size_t)columns * GW_CELL_BYTES + 1) + 1, 1),
	     *at = text;

	assert_int_equal(gw_rows_make(&b->rows, &b->snapshot, &options, !b->rows.refreshes), 0);
	gw_view_follow(&b->state, &b->rows, gw_screen_page(rows, columns, b->rows.count));
	assert_int_equal(gw_grid_resize(&grid, rows, columns), 0);
	gw_screen_draw(&b->screen, &grid);
	for (int row = 0; row < rows; row++) {
		char *end = at;

		for (int i = 0; i < columns; i++) {
			at = stpcpy(at, grid.cell[row * columns + i].text);
			if (strcmp(grid.cell[row * columns + i].text, " "))
				end = at;
		}
		at = stpcpy(end, "\n");
		*at = '\0';
	}
	gw_grid_free(&grid);
	return text;
}

/* One file holds several sizes. */
static void assert_screens(const char *name, struct bed *b, int utf8)
{
	static const int size[][2] = {{24, 80}, {50, 200}, {10, 40}};
	char *text = calloc(1, 1 << 18), *at = text;

	for (size_t i = 0; i < sizeof(size) / sizeof(size[0]); i++) {
		char *screen = text_of(b, size[i][0], size[i][1], utf8);

		at += sprintf(at, "---- %dx%d\n%s", size[i][1], size[i][0], screen);
		free(screen);
	}
	assert_golden(name, text);
	free(text);
}

static void the_table(void **state)
{
	struct bed *b = bed_new(fixture_contended_uprobe);

	(void)state;
	assert_screens("view_table.utf8.txt", b, 1);
	assert_screens("view_table.ascii.txt", b, 0);
	bed_free(b);
	b = bed_new(fixture_contended_sched);
	b->state.mode = GW_MODE_START;
	b->state.paused = 1;
	assert_screens("view_sched.utf8.txt", b, 1);
	bed_free(b);
}

static void many_threads(void **state)
{
	struct bed *b = bed_new(fixture_many);

	(void)state;
	b->state.selected = 30;
	b->state.tid = 4194294;
	b->state.pid = 4242;
	assert_screens("view_many.utf8.txt", b, 1);
	bed_free(b);
}

static void several_processes(void **state)
{
	struct bed *b = bed_new(fixture_error);

	(void)state;
	b->state.opened[b->state.opened_count++] = 4242;
	assert_screens("view_processes.utf8.txt", b, 1);
	bed_free(b);
}

static void no_facts(void **state)
{
	struct bed *b = bed_new(fixture_no_facts);

	(void)state;
	assert_screens("view_no_facts.ascii.txt", b, 0);
	bed_free(b);
}

static void one_thread(void **state)
{
	struct bed *b = bed_new(fixture_contended_uprobe);

	(void)state;
	b->state.detail = 1;
	assert_screens("view_thread.utf8.txt", b, 1);
	b->state.detail_top = 5;
	free(text_of(b, 24, 80, 1));
	bed_free(b);
	b = bed_new(fixture_long);
	b->state.detail = 1;
	assert_screens("view_thread_long.ascii.txt", b, 0);
	bed_free(b);
}

static void help(void **state)
{
	struct bed *b = bed_new(fixture_idle);
	char *text;

	(void)state;
	b->state.help = 1;
	assert_screens("view_help.utf8.txt", b, 1);
	b->state.help_top = 99; /* as far as it goes */
	text = text_of(b, 10, 40, 1);
	assert_non_null(strstr(text, "? unknown"));
	free(text);
	bed_free(b);
}

static void the_last_line_says_what_is_typed_or_has_happened(void **state)
{
	struct bed *b = bed_new(fixture_contended_uprobe);
	char *text;

	(void)state;
	b->state.typing = 1;
	strcpy(b->state.typed, "work");
	text = text_of(b, 24, 80, 1);
	assert_non_null(strstr(text, "filter: work_"));
	assert_null(strstr(text, "lock 10s"));
	free(text);
	b->state.typing = 0;
	strcpy(b->state.message, "written");
	text = text_of(b, 24, 80, 1);
	assert_string_equal(text + strlen(text) - 8, "written\n");
	free(text);
	bed_free(b);
}

static void names_cannot_write_to_the_terminal(void **state)
{
	struct bed *b = bed_new(fixture_hostile);

	(void)state;
	for (int utf8 = 0; utf8 < 2; utf8++)
		for (int detail = 0; detail < 2; detail++) {
			char *text;

			b->state.detail = detail;
			text = text_of(b, 24, 120, utf8);
			for (const char *at = text; *at; at++) {
				assert_true(*at == '\n' || (unsigned char)*at >= ' ');
				assert_true(utf8 || (unsigned char)*at < 0x7f);
			}
			free(text);
		}
	bed_free(b);
}

/* Whatever the size, nothing is written outside of the grid, and no line is too long. */
static void any_size_will_do(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct bed *b = bed_new(fixture_table[i].make);

		for (int rows = 1; rows < 60; rows += 7)
			for (int columns = 1; columns < 230; columns += 19)
				for (int what = 0; what < 3; what++) {
					char *text, *line, *rest;

					b->state.detail = what == 1;
					b->state.help = what == 2;
					text = text_of(b, rows, columns, 1);
					for (rest = text; (line = strsep(&rest, "\n"));)
						assert_true(gw_columns(line) <= (size_t)columns);
					free(text);
				}
		bed_free(b);
	}
}

/* ---- the grid ---- */

static void a_wide_character_takes_two_cells_or_none(void **state)
{
	struct gw_grid grid = {.utf8 = 1};

	(void)state;
	assert_int_equal(gw_grid_resize(&grid, 1, 4), 0);
	assert_int_equal(gw_grid_put(&grid, 0, 0, 4, GW_PEN_PLAIN,
				     "a\xe4\xb8\xad"
				     "b"),
			 4);
	assert_string_equal(grid.cell[1].text, "\xe4\xb8\xad");
	assert_string_equal(grid.cell[2].text, "");
	gw_grid_clear(&grid);
	assert_int_equal(gw_grid_put(&grid, 0, 3, 9, GW_PEN_PLAIN, "\xe4\xb8\xad"), 1);
	assert_string_equal(grid.cell[3].text, "\xe2\x80\xa6");
	gw_grid_free(&grid);
}

static void a_name_is_cut_before_its_number(void **state)
{
	static const struct {
		const char *name, *shown;
		int utf8;
	} names[] = {
		{"pool-0_17", "pool-0_17", 1}, /* as wide as its place */
		{"ThreadPoolExecutor-0_17", "Threa\xe2\x80\xa6_17", 1},
		{"ThreadPoolExecutor-0_17", "Threa~_17", 0},
		{"worker-thread-of-mine", "worker-t~", 0},
		{"1234567890123", "12345678~", 0},
		{"a-very-long-12345", "a-very-l~", 0}, /* more number than name */
		{"\xe4\xb8\xad\xe4\xb8\xad-12", "\xe4\xb8\xad\xe4\xb8\xad-12  ", 1},
		{"\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad\xe4\xb8\xad-12",
		 "\xe4\xb8\xad\xe4\xb8\xad\xe2\x80\xa6 -12", 1},
		{"\x1b]0;EVIL\x1b-7", "\\x1b]0~-7", 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		struct gw_grid grid = {.utf8 = names[i].utf8};
		char text[9 * GW_CELL_BYTES + 1] = "";

		assert_int_equal(gw_grid_resize(&grid, 1, 9), 0);
		gw_grid_put_name(&grid, 0, 0, 9, GW_PEN_PLAIN, names[i].name);
		for (int cell = 0; cell < 9; cell++)
			strcat(text, grid.cell[cell].text);
		gw_grid_free(&grid);
		if (strcmp(text, names[i].shown))
			fail_msg("%s: %s and not %s", names[i].name, text, names[i].shown);
	}
}

/* A verdict has the lines that the table leaves, up to some, and takes no row of the table. */
static void what_helps_is_read_where_there_is_room(void **state)
{
	static const struct {
		int rows, columns;
		size_t least, most; /* rows of the table */
	} sizes[] = {{24, 80, 10, 14}, {50, 200, 36, 38}, {10, 40, 3, 5}};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
		for (size_t count = 0; count < 100; count++) {
			size_t page = count < sizes[i].least  ? sizes[i].least
				      : count > sizes[i].most ? sizes[i].most
							      : count;

			assert_int_equal(gw_screen_page(sizes[i].rows, sizes[i].columns, count),
					 page);
		}
}

/* What fonts of consoles do not have: a line of question marks is no graph. */
static void a_console_has_no_eighths_of_a_block(void **state)
{
	static const double share[] = {0.13, 0.5, 1};
	struct gw_grid grid = {.utf8 = 1};

	(void)state;
	assert_int_equal(gw_grid_resize(&grid, 1, 3), 0);
	gw_bar_column(&grid, 0, 0, GW_PEN_PLAIN, 0.13);
	assert_string_equal(grid.cell[0].text, "\xe2\x96\x81");
	grid.no_eighths = 1;
	for (int i = 0; i < 3; i++)
		gw_bar_column(&grid, 0, i, GW_PEN_PLAIN, share[i]);
	assert_string_equal(grid.cell[0].text, "_");
	assert_string_equal(grid.cell[1].text, "=");
	assert_string_equal(grid.cell[2].text, "#");
	gw_grid_free(&grid);
}

static void what_lies_outside_is_lost(void **state)
{
	struct gw_grid grid = {.utf8 = 1};

	(void)state;
	assert_int_equal(gw_grid_resize(&grid, 2, 5), 0);
	assert_int_equal(gw_grid_put(&grid, -1, 0, 5, GW_PEN_PLAIN, "x"), 0);
	assert_int_equal(gw_grid_put(&grid, 2, 0, 5, GW_PEN_PLAIN, "x"), 0);
	assert_int_equal(gw_grid_put(&grid, 0, 5, 5, GW_PEN_PLAIN, "x"), 0);
	assert_int_equal(gw_grid_put(&grid, 0, 0, 0, GW_PEN_PLAIN, "x"), 0);
	gw_grid_paint(&grid, 1, 3, 99, GW_PEN_TITLE);
	gw_grid_put_right(&grid, 1, 0, 5, GW_PEN_PLAIN, "1234567");
	assert_string_equal(grid.cell[9].text, "\xe2\x80\xa6");
	gw_grid_free(&grid);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_table),
		cmocka_unit_test(many_threads),
		cmocka_unit_test(several_processes),
		cmocka_unit_test(no_facts),
		cmocka_unit_test(one_thread),
		cmocka_unit_test(help),
		cmocka_unit_test(the_last_line_says_what_is_typed_or_has_happened),
		cmocka_unit_test(names_cannot_write_to_the_terminal),
		cmocka_unit_test(any_size_will_do),
		cmocka_unit_test(a_wide_character_takes_two_cells_or_none),
		cmocka_unit_test(a_name_is_cut_before_its_number),
		cmocka_unit_test(what_helps_is_read_where_there_is_room),
		cmocka_unit_test(a_console_has_no_eighths_of_a_block),
		cmocka_unit_test(what_lies_outside_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
