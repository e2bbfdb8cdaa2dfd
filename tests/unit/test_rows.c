// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rows of a table: order, filter, folding, marks; and the history behind the graphs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/rows.h"
#include "model/series.h"

#define MS(x) ((int64_t)(x)*1000000)

struct bed {
	struct gw_snapshot snapshot;
	struct gw_rows rows;
	struct gw_rows_options options;
};

static void begin(struct bed *b, size_t processes)
{
	memset(b, 0, sizeof(*b));
	b->options.threads = 1;
	b->options.filter = "";
	b->snapshot.elapsed_ns = MS(1000);
	b->snapshot.process = calloc(processes, sizeof(*b->snapshot.process));
	b->snapshot.process_count = processes;
	for (size_t i = 0; i < processes; i++) {
		struct gw_process_view *p = &b->snapshot.process[i];

		p->pid = 100 + 100 * (uint32_t)i;
		p->elapsed_ns = MS(1000);
		snprintf(p->comm, sizeof(p->comm), "app%zu", i);
		p->thread = calloc(20, sizeof(*p->thread));
	}
}

static void end(struct bed *b)
{
	gw_snapshot_clear(&b->snapshot);
	gw_rows_free(&b->rows);
}

static struct gw_thread_view *add(struct bed *b, size_t process, uint32_t tid, const char *name,
				  int64_t gil_wait_ns)
{
	struct gw_process_view *p = &b->snapshot.process[process];
	struct gw_thread_view *t = &p->thread[p->thread_count++];

	t->tid = tid;
	snprintf(t->name, sizeof(t->name), "%s", name);
	t->states.ns[GW_STATE_GIL_WAIT] = gil_wait_ns;
	p->states.ns[GW_STATE_GIL_WAIT] += gil_wait_ns;
	return t;
}

static void drop_first(struct bed *b)
{
	struct gw_process_view *p = &b->snapshot.process[0];

	p->thread_count--;
	memmove(p->thread, p->thread + 1, p->thread_count * sizeof(*p->thread));
}

/* The rows as "11 12 100:"; a process has a colon, new and ended ones + and -. */
static void assert_rows_again(struct bed *b, int refresh, const char *expected)
{
	char text[512] = "";
	size_t used = 0;

	assert_int_equal(gw_rows_make(&b->rows, &b->snapshot, &b->options, refresh), 0);
	for (size_t i = 0; i < b->rows.count; i++) {
		const struct gw_row *row = &b->rows.row[i];

		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s%u%s",
					 used ? " " : "",
					 row->mark == GW_ROW_NEW     ? "+"
					 : row->mark == GW_ROW_ENDED ? "-"
								     : "",
					 row->tid ? row->tid : row->pid, row->tid ? "" : ":");
	}
	assert_string_equal(text, expected);
}

static void assert_rows(struct bed *b, const char *expected)
{
	assert_rows_again(b, 1, expected);
}

static void the_busiest_come_first_and_equals_by_number(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	add(&b, 0, 13, "c", MS(500));
	add(&b, 0, 12, "b", MS(100));
	add(&b, 0, 11, "a", MS(500));
	assert_rows(&b, "11 13 12");
	b.options.reverse = 1;
	assert_rows_again(&b, 0, "12 11 13");
	end(&b);
}

static void every_key_sorts(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	add(&b, 0, 11, "b", 0)->states.ns[GW_STATE_PYTHON] = MS(900);
	add(&b, 0, 12, "C", 0)->states.ns[GW_STATE_NATIVE] = MS(900);
	add(&b, 0, 13, "a", 0)->states.ns[GW_STATE_HELD_OFF] = MS(900);
	add(&b, 0, 14, "d", 0)->inflicted_ns = MS(900);
	add(&b, 0, 15, "e", 0)->migrations[GW_SAME_LLC] = 50;
	b.options.sort = GW_SORT_PYTHON;
	assert_rows(&b, "11 12 13 14 15");
	b.options.sort = GW_SORT_NATIVE;
	assert_rows_again(&b, 0, "12 11 13 14 15");
	b.options.sort = GW_SORT_HELD_OFF;
	assert_rows_again(&b, 0, "13 11 12 14 15");
	b.options.sort = GW_SORT_INFLICTED;
	assert_rows_again(&b, 0, "14 11 12 13 15");
	b.options.sort = GW_SORT_MIGRATIONS;
	assert_rows_again(&b, 0, "15 11 12 13 14");
	b.options.sort = GW_SORT_NAME;
	assert_rows_again(&b, 0, "13 11 12 14 15");
	b.options.sort = GW_SORT_ID;
	b.options.reverse = 1;
	assert_rows_again(&b, 0, "15 14 13 12 11");
	end(&b);
}

static void equally_busy_ones_do_not_swap_places(void **state)
{
	struct bed b;
	struct gw_thread_view *one, *other;

	(void)state;
	begin(&b, 1);
	one = add(&b, 0, 11, "a", MS(500));
	other = add(&b, 0, 12, "b", MS(500));
	for (int i = 0; i < 20; i++) {
		one->states.ns[GW_STATE_GIL_WAIT] = MS(500 - i % 10);
		other->states.ns[GW_STATE_GIL_WAIT] = MS(500 + i % 10);
		assert_rows(&b, "11 12");
	}
	other->states.ns[GW_STATE_GIL_WAIT] = MS(700);
	assert_rows(&b, "12 11");
	end(&b);
}

static void new_and_ended_threads_are_marked_for_a_while(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	add(&b, 0, 11, "a", MS(500));
	assert_rows(&b, "11");
	add(&b, 0, 12, "b", MS(100));
	assert_rows(&b, "11 +12");
	assert_rows_again(&b, 0, "11 +12"); /* looking again makes nothing older */
	assert_rows(&b, "11 +12");
	assert_rows(&b, "11 +12");
	assert_rows(&b, "11 12");
	drop_first(&b);
	assert_rows(&b, "-11 12"); /* where it stood */
	assert_rows(&b, "-11 12");
	assert_rows(&b, "12");
	end(&b);
}

static void a_tid_used_again_is_a_new_thread(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	add(&b, 0, 11, "a", MS(500));
	assert_rows(&b, "11");
	b.snapshot.process[0].thread[0].start_ns = 7;
	assert_rows(&b, "-11 +11");
	end(&b);
}

static void processes_open_into_their_threads(void **state)
{
	static const uint32_t opened[] = {200};
	struct bed b;

	(void)state;
	begin(&b, 2);
	add(&b, 0, 101, "a", MS(100));
	add(&b, 1, 201, "b", MS(500));
	add(&b, 1, 202, "c", MS(600));
	assert_rows(&b, "200: 100:");
	b.options.opened = opened;
	b.options.opened_count = 1;
	assert_rows_again(&b, 0, "200: 202 201 100:");
	b.options.threads = 0;
	assert_rows_again(&b, 0, "200: 100:");
	end(&b);
}

static void a_filter_is_a_part_of_a_name_or_the_beginning_of_a_number(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	add(&b, 0, 11, "worker-1", MS(300));
	add(&b, 0, 12, "Worker-2", MS(200));
	add(&b, 0, 21, "main", MS(100));
	b.options.filter = "WORK";
	assert_rows(&b, "11 12");
	b.options.filter = "2";
	assert_rows_again(&b, 0, "12 21");
	b.options.filter = "nothing";
	assert_rows_again(&b, 0, "");
	end(&b);
}

static void a_filter_finds_threads_in_closed_processes(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 2);
	add(&b, 0, 101, "pool-1", MS(100));
	add(&b, 1, 201, "main", MS(500));
	b.options.filter = "pool";
	assert_rows(&b, "100: 101");
	b.options.filter = "app1";
	assert_rows_again(&b, 0, "200:");
	end(&b);
}

static void a_child_that_has_ended_leaves_the_table(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 3);
	for (int i = 0; i < 3; i++)
		b.snapshot.process[i].ended = i ? GW_ENDED_TARGET_EXIT : GW_ENDED_DURATION;
	b.snapshot.process[1].child = b.snapshot.process[2].child = 1;
	assert_rows(&b, "100: 200: 300:"); /* they did something in this interval */
	b.snapshot.process[1].elapsed_ns = 0;
	assert_rows(&b, "100: 300:");
	b.snapshot.process[1].child = 0; /* one that was asked for stays */
	assert_rows(&b, "100: 300: 200:");
	end(&b);
}

static void what_could_not_be_measured_has_a_row_to_say_so(void **state)
{
	struct bed b;

	(void)state;
	begin(&b, 1);
	strcpy(b.snapshot.process[0].error, "it is PyPy");
	assert_rows(&b, "100:");
	end(&b);
}

/* ---- history ---- */

static void history_is_a_ring(void **state)
{
	struct gw_series *series = calloc(1, sizeof(*series));
	struct bed b;

	(void)state;
	begin(&b, 2);
	for (int i = 0; i < GW_SERIES_LENGTH + 5; i++) {
		b.snapshot.process[0].states.ns[GW_STATE_GIL_WAIT] = MS(i);
		b.snapshot.process[1].states.ns[GW_STATE_GIL_WAIT] = MS(1000);
		gw_series_add(series, &b.snapshot);
	}
	assert_int_equal(series->count, GW_SERIES_LENGTH);
	assert_true(gw_series_at(series, 0)->waiters > 1.603 &&
		    gw_series_at(series, 0)->waiters < 1.605);
	assert_true(gw_series_at(series, GW_SERIES_LENGTH - 1)->waiters < 1.006);
	free(series);
	end(&b);
}

/* Columns begin at multiples of their intervals, and have the means of what is known of those. */
static void a_column_of_the_history_is_a_mean(void **state)
{
	static const double waiters[] = {9, 1, 3, -1, 5, 7, -1, -1, 2};
	struct gw_series *series = calloc(1, sizeof(*series));
	struct bed b;

	(void)state;
	begin(&b, 1);
	assert_int_equal(gw_series_columns(series, 2), 0);
	for (size_t i = 0; i < sizeof(waiters) / sizeof(waiters[0]); i++) {
		gw_series_add(series, &b.snapshot);
		series->point[i].waiters = waiters[i];
	}
	assert_int_equal(gw_series_columns(series, 1), 9);
	assert_int_equal(gw_series_columns(series, 2), 5);
	assert_int_equal(gw_series_columns(series, 16), 1);
	assert_true(gw_series_column(series, 1, 1).waiters < 0);
	assert_true(gw_series_column(series, 2, 0).waiters == 2);
	assert_true(gw_series_column(series, 2, 1).waiters < 0);
	assert_true(gw_series_column(series, 2, 2).waiters == 6);
	assert_true(gw_series_column(series, 2, 3).waiters == 3);
	assert_true(gw_series_column(series, 2, 4).waiters == 5);
	assert_true(gw_series_column(series, 16, 0).waiters == 27.0 / 6);
	/* What has left the ring is in no column. */
	while (series->added < GW_SERIES_LENGTH + 1) {
		gw_series_add(series, &b.snapshot);
		series->point[(series->added - 1) % GW_SERIES_LENGTH].waiters = 1;
	}
	assert_int_equal(gw_series_columns(series, 2), GW_SERIES_LENGTH / 2 + 1);
	assert_true(gw_series_column(series, 2, GW_SERIES_LENGTH / 2).waiters == 1);
	free(series);
	end(&b);
}

static void what_is_not_known_is_not_zero_in_the_history(void **state)
{
	struct gw_series_point point;
	struct bed b;

	(void)state;
	begin(&b, 1);
	b.snapshot.process[0].basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	b.snapshot.process[0].basis[GW_STATE_GIL_WAIT].kind = GW_BASIS_ABSENT;
	b.snapshot.process[0].where_ns[GW_RUNNING] = MS(250);
	point = gw_series_measure(&b.snapshot);
	assert_true(point.held < 0 && point.waiters < 0);
	assert_true(point.cpus > 0.249 && point.cpus < 0.251);
	end(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_busiest_come_first_and_equals_by_number),
		cmocka_unit_test(every_key_sorts),
		cmocka_unit_test(equally_busy_ones_do_not_swap_places),
		cmocka_unit_test(new_and_ended_threads_are_marked_for_a_while),
		cmocka_unit_test(a_tid_used_again_is_a_new_thread),
		cmocka_unit_test(processes_open_into_their_threads),
		cmocka_unit_test(a_filter_is_a_part_of_a_name_or_the_beginning_of_a_number),
		cmocka_unit_test(a_filter_finds_threads_in_closed_processes),
		cmocka_unit_test(a_child_that_has_ended_leaves_the_table),
		cmocka_unit_test(what_could_not_be_measured_has_a_row_to_say_so),
		cmocka_unit_test(history_is_a_ring),
		cmocka_unit_test(a_column_of_the_history_is_a_mean),
		cmocka_unit_test(what_is_not_known_is_not_zero_in_the_history),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
