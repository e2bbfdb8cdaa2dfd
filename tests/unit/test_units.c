// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The small parts of renderers: percentiles, escapes, widths, units, names, sums. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fixtures.h"
#include "model/histogram.h"
#include "render/escape.h"
#include "render/names.h"
#include "render/total.h"
#include "render/units.h"
#include "rendered.h"

static void test_percentiles(void **state)
{
	struct gw_histogram *h = calloc(1, sizeof(*h));

	(void)state;
	assert_int_equal(gw_histogram_percentile_ns(h, 500), GW_ABSENT_NS);
	gw_histogram_add(h, 100, 1);
	assert_int_equal(gw_histogram_percentile_ns(h, 1), 104);
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), 104);
	for (int i = 0; i < 98; i++)
		gw_histogram_add(h, 64, 1);
	gw_histogram_add(h, 5000000, 1);
	assert_int_equal(gw_histogram_percentile_ns(h, 0), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 500), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 980), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 990), 104);
	assert_int_equal(gw_histogram_percentile_ns(h, 991),
			 gw_hist_upper_ns(gw_hist_index(5000000)));
	/* The last bucket has no edge: the maximum stands for it. */
	gw_histogram_add(h, UINT64_C(100000000000), 1);
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), INT64_C(100000000000));
	h->max_ns = UINT64_MAX;
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), INT64_MAX);
	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++)
		assert_int_equal(gw_histogram_set(h, i, UINT64_MAX), 0);
	assert_int_equal(gw_histogram_percentile_ns(h, 500), 8);
	h->absent = 1;
	assert_int_equal(gw_histogram_percentile_ns(h, 500), GW_ABSENT_NS);
	gw_histogram_clear(h);
	free(h);
}

static void test_merge(void **state)
{
	struct gw_histogram *h = calloc(3, sizeof(*h));

	(void)state;
	gw_histogram_add(&h[0], 10, 1);
	gw_histogram_add(&h[1], 1000, 1);
	gw_histogram_add(&h[1], 10, 1);
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].count, 3);
	assert_int_equal(h[0].sum_ns, 1020);
	assert_int_equal(h[0].max_ns, 1000);
	assert_int_equal(gw_histogram_count(&h[0], gw_hist_index(10)), 2);
	h[1].count = UINT64_MAX;
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].count, UINT64_MAX);
	gw_histogram_set_absent(&h[2], "because");
	gw_histogram_merge(&h[0], &h[2]);
	assert_int_equal(h[0].absent, 1);
	assert_string_equal(h[0].reason, "because");
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].absent, 1);
	for (int i = 0; i < 3; i++)
		gw_histogram_clear(&h[i]);
	free(h);
}

static void test_escape(void **state)
{
	static const struct {
		const char *in, *terminal, *ascii, *utf8;
	} table[] = {
		{"plain", "plain", "plain", "plain"},
		{"", "", "", ""},
		{"\x1b[31m", "\\x1b[31m", "\\x1b[31m", "\x1b[31m"},
		{"a\nb\t\x7f", "a\\x0ab\\x09\\x7f", "a\\x0ab\\x09\\x7f", "a\nb\t\x7f"},
		{"caf\xc3\xa9", "caf\xc3\xa9", "caf?", "caf\xc3\xa9"},
		{"\xc2\x9b", "\\x9b", "\\x9b", "\xc2\x9b"},
		{"\x9b", "\xef\xbf\xbd", "?", "\xef\xbf\xbd"},
		{"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd", "??", "\xef\xbf\xbd\xef\xbf\xbd"},
		/* overlong, surrogate, beyond U+10FFFF, cut short */
		{"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd", "??", "\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xe0\x80\xaf", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "???",
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "???",
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd", "????",
		 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
		{"x\xe2\x80", "x\xef\xbf\xbd\xef\xbf\xbd", "x??", "x\xef\xbf\xbd\xef\xbf\xbd"},
		{"\xf0\x9f\x90\x8d", "\xf0\x9f\x90\x8d", "?", "\xf0\x9f\x90\x8d"},
		/* right-to-left override, zero width space, byte order mark */
		{"\xe2\x80\xae", "\xef\xbf\xbd", "?", "\xe2\x80\xae"},
		{"\xe2\x80\x8b", "\xef\xbf\xbd", "?", "\xe2\x80\x8b"},
		{"\xef\xbb\xbf", "\xef\xbf\xbd", "?", "\xef\xbb\xbf"},
		/* our own signs */
		{"\xe2\x89\x88 \xc2\xb1 \xe2\x80\x93 \xc2\xb5s \xe2\x89\xa5",
		 "\xe2\x89\x88 \xc2\xb1 \xe2\x80\x93 \xc2\xb5s \xe2\x89\xa5",
		 "~ +/- - us >=", "\xe2\x89\x88 \xc2\xb1 \xe2\x80\x93 \xc2\xb5s \xe2\x89\xa5"},
	};
	char out[64];

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		gw_escape_terminal(table[i].in, 99, out, sizeof(out), 1);
		assert_string_equal(out, table[i].terminal);
		gw_escape_terminal(table[i].in, 99, out, sizeof(out), 0);
		assert_string_equal(out, table[i].ascii);
		gw_escape_utf8(table[i].in, 99, out, sizeof(out));
		assert_string_equal(out, table[i].utf8);
	}
}

/* Whatever the bytes and the room: no overrun, valid UTF-8, whole escapes, and twice is once. */
static void test_escape_bounds(void **state)
{
	uint64_t random = 42;
	unsigned char in[16];

	(void)state;
	for (int round = 0; round < 20000; round++) {
		size_t size = (size_t)round % 40, put;
		char *out = malloc(size + 1), twice[200];

		for (size_t i = 0; i < sizeof(in); i++) {
			random = random * 6364136223846793005u + 1442695040888963407u;
			in[i] = (unsigned char)(random >> 56);
		}
		out[size] = 'X';
		put = gw_escape_terminal((char *)in, sizeof(in), out, size, round % 2);
		assert_int_equal(out[size], 'X');
		if (size) {
			assert_int_equal(out[put], '\0');
			assert_safe(out, round % 2);
			assert_null(strchr(out, '\n'));
			gw_escape_terminal(out, size, twice, sizeof(twice), round % 2);
			assert_string_equal(out, twice);
		}
		put = gw_escape_utf8((char *)in, sizeof(in), out, size);
		assert_int_equal(out[size], 'X');
		if (size) {
			json_t *valid = json_string(out);

			assert_non_null(valid);
			json_decref(valid);
		}
		free(out);
	}
}

static void test_cut(void **state)
{
	char text[32];

	(void)state;
	for (size_t columns = 0; columns < 12; columns++) {
		strcpy(text, "a\xe6\x97\xa5\xe6\x9c\xac\xc3\xa9xyz");
		gw_cut_columns(text, sizeof(text), columns, 1);
		assert_true(gw_columns(text) <= columns);
	}
	strcpy(text, "abcdef");
	gw_cut_columns(text, sizeof(text), 4, 1);
	assert_string_equal(text, "abc\xe2\x80\xa6");
	strcpy(text, "abcdef");
	gw_cut_columns(text, sizeof(text), 4, 0);
	assert_string_equal(text, "abc~");
	gw_cut_columns(text, sizeof(text), 4, 0);
	assert_string_equal(text, "abc~");
	strcpy(text, "abcdef");
	gw_cut_columns(text, 7, 5, 1);
	assert_true(strlen(text) < 7);
}

static void test_units(void **state)
{
	static const struct {
		int64_t ns;
		const char *text, *short_text;
	} durations[] = {
		{0, "0 s", "0 s"},
		{850, "850 ns", "850 ns"},
		{999, "999 ns", "999 ns"},
		{1000, "1.00 \xc2\xb5s", "1 \xc2\xb5s"},
		{4970000, "4.97 ms", "4.97 ms"},
		{5000000, "5.00 ms", "5 ms"},
		{9996000, "10.0 ms", "10 ms"},
		{99960000, "100 ms", "100 ms"},
		{999400000, "999 ms", "999 ms"},
		{999600000, "1.00 s", "1 s"},
		{12345678901, "12.3 s", "12.3 s"},
		{INT64_C(1000000000000), "1000 s", "1000 s"},
		{INT64_C(10000000000000), "2.78 h", "2.78 h"},
		{INT64_C(100000000000000000), "1157 d", "1157 d"},
		{INT64_MAX, "106752 d", "106752 d"},
		{-1, "\xe2\x80\x93", "\xe2\x80\x93"},
		{GW_ABSENT_NS, "\xe2\x80\x93", "\xe2\x80\x93"},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(durations) / sizeof(durations[0]); i++) {
		assert_string_equal(gw_duration(durations[i].ns).text, durations[i].text);
		assert_string_equal(gw_duration_short(durations[i].ns).text,
				    durations[i].short_text);
	}
	assert_string_equal(gw_percent(487, 1000).text, "48.7");
	assert_string_equal(gw_percent(0, 1000).text, "0");
	assert_string_equal(gw_percent(0, 0).text, "0");
	assert_string_equal(gw_percent(1, 0).text, "\xe2\x80\x93");
	assert_string_equal(gw_percent(1, 100000).text, "<0.1");
	assert_string_equal(gw_percent(9999, 10000).text, "100");
	assert_string_equal(gw_percent(INT64_MAX, 1).text, ">99999");
	assert_string_equal(gw_percent(GW_ABSENT_NS, 5).text, "\xe2\x80\x93");
	assert_string_equal(gw_share(0.487).text, "48.7 %");
	assert_string_equal(gw_share(NAN).text, "\xe2\x80\x93");
	assert_string_equal(gw_count(1991).text, "1,991");
	assert_string_equal(gw_count(12345).text, "12.3 k");
	assert_string_equal(gw_count(1234567).text, "1.23 M");
	assert_string_equal(gw_count(INT64_MAX).text, "9.22 E");
	assert_string_equal(gw_count(GW_ABSENT_COUNT).text, "\xe2\x80\x93");
	assert_string_equal(gw_rate(1990, INT64_C(10000000000)).text, "199/s");
	assert_string_equal(gw_rate(0, 1).text, "0/s");
	assert_string_equal(gw_rate(3, INT64_C(10000000000)).text, "0.3/s");
	assert_string_equal(gw_rate(5000000, INT64_C(1000000000)).text, "5.00 M/s");
	assert_string_equal(gw_rate(1, INT64_C(1000000000000)).text, "<0.1/s");
	assert_string_equal(gw_rate(1, 0).text, "\xe2\x80\x93");
	assert_string_equal(gw_number(0.984).text, "0.98");
	assert_string_equal(gw_number(1e300).text, ">999999");
	assert_string_equal(gw_number(-1).text, "\xe2\x80\x93");
}

static void test_names(void **state)
{
	static const struct gw_names *const all[] = {
		&gw_state_names,    &gw_where_names, &gw_holder_names, &gw_distance_names,
		&gw_severity_names, &gw_basis_names, &gw_open_names,   &gw_ended_names,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++) {
		for (size_t value = 0; value < all[i]->count; value++) {
			assert_string_not_equal(gw_name(all[i], value), "?");
			assert_int_equal(gw_name_find(all[i], gw_name(all[i], value)), value);
		}
		assert_string_equal(gw_name(all[i], all[i]->count), "?");
		assert_int_equal(gw_name_find(all[i], "moon"), -1);
	}
}

static void test_total(void **state)
{
	struct gw_process_view *sum = calloc(1, sizeof(*sum));
	struct gw_snapshot s;

	(void)state;
	fixture_error(&s);
	gw_total(&s, sum);
	assert_int_equal(sum->threads_wall_ns, s.process[1].threads_wall_ns);
	s.process[1].states.ns[GW_STATE_POLL] = GW_ABSENT_NS;
	gw_total(&s, sum);
	assert_int_equal(sum->states.ns[GW_STATE_POLL], GW_ABSENT_NS);
	assert_int_equal(gw_sum(INT64_MAX, 1), INT64_MAX);
	free(sum);
	gw_snapshot_clear(&s);
	gw_snapshot_clear(&s);
	gw_snapshot_clear(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_percentiles), cmocka_unit_test(test_merge),
		cmocka_unit_test(test_escape),	    cmocka_unit_test(test_escape_bounds),
		cmocka_unit_test(test_cut),	    cmocka_unit_test(test_units),
		cmocka_unit_test(test_names),	    cmocka_unit_test(test_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
