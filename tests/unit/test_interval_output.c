// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Intervals as rows and as JSON. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fixtures.h"
#include "golden.h"
#include "model/histogram.h"
#include "render/interval.h"
#include "render/json.h"
#include "render/json_load.h"

static char *rows_of(void (*make)(struct gw_snapshot *), uint64_t seq, int rows, int utf8)
{
	struct gw_text_options options = {.rows = rows, .utf8 = utf8};
	struct gw_snapshot snapshot;
	struct gw_interval interval = {
		.seq = seq,
		.at = "2026-03-01T12:00:10+01:00",
		.heading = seq == 1,
		.between = &snapshot,
		.since_start = &snapshot,
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	make(&snapshot);
	assert_int_equal(gw_interval_text_write(&interval, &options, out), 0);
	fclose(out);
	gw_snapshot_clear(&snapshot);
	return text;
}

static void assert_rows(const char *name, void (*make)(struct gw_snapshot *), int rows)
{
	char *text = rows_of(make, 1, rows, 0);

	assert_golden(name, text);
	free(text);
}

static void rows_stand_under_their_names(void **state)
{
	(void)state;
	assert_rows("interval_contended.txt", fixture_contended_uprobe, 10);
	assert_rows("interval_error.txt", fixture_error, 10);
	assert_rows("interval_no_facts.txt", fixture_no_facts, 10);
	assert_rows("interval_many.txt", fixture_many, 3);
}

static void names_of_threads_are_escaped(void **state)
{
	(void)state;
	for (int utf8 = 0; utf8 < 2; utf8++) {
		char *text = rows_of(fixture_hostile, 1, 100, utf8);

		for (const char *at = text; *at; at++)
			assert_true(*at == '\n' || (unsigned char)*at >= ' ');
		free(text);
	}
}

static void a_later_interval_has_no_heading(void **state)
{
	char *text = rows_of(fixture_idle, 2, 1, 0);

	(void)state;
	assert_null(strstr(text, "threads"));
	assert_non_null(strstr(text, "12:00:10"));
	free(text);
}

/* The same as a summary of it, but for what names the document. */
static void assert_summary(const json_t *part, const struct gw_snapshot *snapshot)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *summary;

	assert_int_equal(gw_json_write(snapshot, out), 0);
	fclose(out);
	summary = json_loads(text, 0, NULL);
	json_object_del(summary, "schema");
	json_object_del(summary, "version");
	assert_true(json_equal(part, summary));
	json_decref(summary);
	free(text);
}

/* Written in pieces, it is what jansson writes of the document as a whole. */
static void assert_as_a_whole(const json_t *document, const char *text)
{
	char *whole = json_dumps(document, JSON_COMPACT | JSON_REAL_PRECISION(15));

	assert_non_null(whole);
	assert_memory_equal(whole, text, strlen(whole));
	assert_string_equal(text + strlen(whole), "\n");
	free(whole);
}

static void a_long_summary_is_one_line(void **state)
{
	struct gw_snapshot s, loaded;
	struct gw_error err = {.text = ""};
	struct gw_process_view *p;
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *document;

	(void)state;
	fixture_many(&s);
	p = s.process;
	p->thread = realloc(p->thread, 300 * sizeof(*p->thread));
	assert_non_null(p->thread);
	memset(p->thread + p->thread_count, 0, (300 - p->thread_count) * sizeof(*p->thread));
	while (p->thread_count < 300) {
		p->thread[p->thread_count].tid = 5000000 + (uint32_t)p->thread_count;
		p->thread_count++;
	}
	assert_int_equal(gw_json_write(&s, out), 0);
	fclose(out);
	document = json_loads(text, 0, NULL);
	assert_non_null(document);
	assert_as_a_whole(document, text);
	json_decref(document);
	out = fmemopen(text, size, "r");
	assert_int_equal(gw_json_load(out, &loaded, &err), 0);
	fclose(out);
	assert_int_equal(loaded.process->thread_count, 300);
	assert_int_equal(loaded.process->thread[299].tid, 5000299);
	assert_int_equal(loaded.process->thread[0].hold.count, p->thread[0].hold.count);
	assert_int_equal(gw_histogram_percentile_ns(&loaded.process->thread[0].hold, 500),
			 gw_histogram_percentile_ns(&p->thread[0].hold, 500));
	gw_snapshot_clear(&loaded);
	gw_snapshot_clear(&s);
	free(text);
}

static void json_is_one_line(void **state)
{
	struct gw_snapshot between, since_start;
	struct gw_interval interval = {
		.seq = 7,
		.at = "2026-03-01T12:00:10+01:00",
		.between = &between,
		.since_start = &since_start,
	};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);
	json_t *line;

	(void)state;
	fixture_contended_sched(&between);
	fixture_contended_uprobe(&since_start);
	assert_int_equal(gw_interval_json_write(&interval, out), 0);
	fclose(out);
	assert_ptr_equal(strchr(text, '\n'), text + size - 1);
	line = json_loads(text, 0, NULL);
	assert_non_null(line);
	assert_as_a_whole(line, text);
	assert_string_equal(json_string_value(json_object_get(line, "schema")),
			    "gilwatch.interval.v1");
	assert_int_equal(json_integer_value(json_object_get(line, "seq")), 7);
	assert_int_equal(json_integer_value(json_object_get(line, "monotonic_ns")),
			 between.end_monotonic_ns);
	assert_summary(json_object_get(line, "interval"), &between);
	assert_summary(json_object_get(line, "cumulative"), &since_start);
	json_decref(line);
	free(text);
	gw_snapshot_clear(&between);
	gw_snapshot_clear(&since_start);
}

static void a_full_disk_is_an_error(void **state)
{
	struct gw_text_options options = {.rows = 3};
	struct gw_snapshot snapshot;
	struct gw_interval interval = {.seq = 1, .between = &snapshot, .since_start = &snapshot};
	FILE *out = fopen("/dev/full", "w");

	(void)state;
	assert_non_null(out);
	fixture_idle(&snapshot);
	assert_true(gw_interval_text_write(&interval, &options, out) < 0);
	fclose(out);
	out = fopen("/dev/full", "w");
	assert_true(gw_interval_json_write(&interval, out) < 0);
	fclose(out);
	gw_snapshot_clear(&snapshot);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rows_stand_under_their_names),
		cmocka_unit_test(names_of_threads_are_escaped),
		cmocka_unit_test(a_later_interval_has_no_heading),
		cmocka_unit_test(json_is_one_line),
		cmocka_unit_test(a_long_summary_is_one_line),
		cmocka_unit_test(a_full_disk_is_an_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
