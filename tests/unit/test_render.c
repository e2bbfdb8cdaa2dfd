// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What people and programs read: text, JSON, and the way back. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <jansson.h>

#include "fixtures.h"
#include "golden.h"
#include "render/escape.h"
#include "render/json.h"
#include "render/text.h"
#include "rendered.h"

static void test_text_goldens(void **state)
{
	static const int width[] = {80, 120};

	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s;

		fixture_table[i].make(&s);
		for (int wide = 0; wide < 2; wide++) {
			for (int utf8 = 0; utf8 < 2; utf8++) {
				char *text = text_of(&s, fixture_table[i].rows, width[wide], false,
						     utf8);
				char name[128];

				snprintf(name, sizeof(name), "%s.%d.%s.txt", fixture_table[i].name,
					 width[wide], utf8 ? "utf8" : "ascii");
				assert_fits(text, (size_t)width[wide], utf8);
				assert_golden(name, text);
				free(text);
			}
		}
		gw_snapshot_clear(&s);
	}
}

static void test_text_colour_adds_only_colour(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s;
		char *plain, *colour, *to;

		fixture_table[i].make(&s);
		plain = text_of(&s, 10, 80, false, true);
		colour = text_of(&s, 10, 80, true, true);
		assert_string_not_equal(plain, colour);
		to = colour;
		for (const char *from = colour; *from;) {
			if (*from == '\033')
				from = strchr(from, 'm') + 1;
			else
				*to++ = *from++;
		}
		*to = '\0';
		assert_string_equal(plain, colour);
		free(plain);
		free(colour);
		gw_snapshot_clear(&s);
	}
}

static void test_text_any_width(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s;

		fixture_table[i].make(&s);
		for (int width = 80; width <= 200; width++) {
			char *text = text_of(&s, 1 + width % 12, width, false, width % 2);

			assert_fits(text, (size_t)width, width % 2);
			free(text);
		}
		gw_snapshot_clear(&s);
	}
}

static void test_text_write_error(void **state)
{
	struct gw_text_options options = {.width = 80};
	struct gw_snapshot s;
	FILE *full = fopen("/dev/full", "w");

	(void)state;
	fixture_idle(&s);
	assert_int_equal(gw_text_write(&s, &options, full), -EIO);
	fclose(full);
	full = fopen("/dev/full", "w");
	assert_int_equal(gw_json_write(&s, full), -EIO);
	fclose(full);
	gw_snapshot_clear(&s);
}

static void test_json_goldens(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s;
		char name[128];
		char *json;

		fixture_table[i].make(&s);
		json = json_of(&s);
		snprintf(name, sizeof(name), "%s.json", fixture_table[i].name);
		assert_golden(name, json);
		assert_null(strstr(json, "\x1b"));
		free(json);
		gw_snapshot_clear(&s);
	}
}

static void test_round_trip(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s, loaded;
		struct gw_error err;
		char *json, *again;

		fixture_table[i].make(&s);
		json = json_of(&s);
		if (load(json, strlen(json), &loaded, &err))
			fail_msg("%s: %s", fixture_table[i].name, err.text);
		for (int kind = 0; kind < 4; kind++) {
			char *before = text_of(&s, fixture_table[i].rows, kind & 1 ? 200 : 80,
					       false, kind & 2);
			char *after = text_of(&loaded, fixture_table[i].rows, kind & 1 ? 200 : 80,
					      false, kind & 2);

			assert_string_equal(before, after);
			free(before);
			free(after);
		}
		again = json_of(&loaded);
		/* Values that were not finite are written as null and not read back. */
		if (strcmp(fixture_table[i].name, "hostile"))
			assert_string_equal(json, again);
		free(json);
		free(again);
		gw_snapshot_clear(&s);
		gw_snapshot_clear(&loaded);
	}
}

static void assert_time_kept(int64_t ns)
{
	struct gw_snapshot s, loaded;
	struct gw_error err;
	char *json;

	fixture_idle(&s);
	s.process[0].thread[0].states.ns[GW_STATE_DISK] = ns;
	s.process[0].threads_wall_ns = ns;
	json = json_of(&s);
	assert_int_equal(load(json, strlen(json), &loaded, &err), 0);
	assert_int_equal(loaded.process[0].thread[0].states.ns[GW_STATE_DISK], ns);
	assert_int_equal(loaded.process[0].threads_wall_ns, ns);
	if (ns < INT64_C(999999) * 1000000000)
		assert_null(strstr(json, "0.02000"));
	free(json);
	gw_snapshot_clear(&s);
	gw_snapshot_clear(&loaded);
}

static void test_json_keeps_nanoseconds(void **state)
{
	static const int64_t some[] = {
		0,
		1,
		10,
		999999999,
		1000000001,
		123456789,
		9999999999999,
		100000000000001,
		999989999999999,
		999999999999999,
		1000000000001,
		1234567890123456,
		4194303999999999,
		8000000000000001,
	};
	uint64_t random = 88172645463325252;

	(void)state;
	for (size_t i = 0; i < sizeof(some) / sizeof(some[0]); i++)
		assert_time_kept(some[i]);
	for (int i = 0; i < 200; i++) {
		random ^= random << 13;
		random ^= random >> 7;
		random ^= random << 17;
		assert_time_kept((int64_t)(random % (UINT64_C(1) << (10 + i % 42))));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text_goldens),
		cmocka_unit_test(test_text_colour_adds_only_colour),
		cmocka_unit_test(test_text_any_width),
		cmocka_unit_test(test_text_write_error),
		cmocka_unit_test(test_json_goldens),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_json_keeps_nanoseconds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
