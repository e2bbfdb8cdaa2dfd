// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What people and programs read: text, JSON, and the way back. */
#include <errno.h>
#include <math.h>
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
#include "model/histogram.h"
#include "render/escape.h"
#include "render/json.h"
#include "render/json_load.h"
#include "render/names.h"
#include "render/text.h"
#include "render/total.h"
#include "render/units.h"

static char *text_of(const struct gw_snapshot *s, int rows, int width, bool colour, bool utf8)
{
	struct gw_text_options options = {rows, width, colour, utf8};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_text_write(s, &options, out), 0);
	fclose(out);
	return text;
}

static char *json_of(const struct gw_snapshot *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_json_write(s, out), 0);
	fclose(out);
	return text;
}

static int load(const char *text, size_t length, struct gw_snapshot *s, struct gw_error *err)
{
	/* fmemopen takes no empty buffer; one byte more is never read. */
	FILE *in = length ? fmemopen((void *)text, length, "r") : fopen("/dev/null", "r");
	int status;

	assert_non_null(in);
	*err = (struct gw_error){.text = ""};
	status = gw_json_load(in, s, err);
	fclose(in);
	return status;
}

/* Nothing that a terminal would act on or that is not UTF-8, or not ASCII. */
static void assert_safe(const char *text, int utf8)
{
	size_t left = strlen(text), used;
	uint32_t character;

	for (; left; text += used, left -= used) {
		used = gw_utf8_next(text, left, &character);
		assert_true(character == '\n' || character >= 0x20);
		assert_true(character < (utf8 ? 0x110000u : 0x7fu));
		assert_false(character >= 0x7f && character < 0xa0);
		assert_int_not_equal(character, 0x202e);
		assert_false(character == 0xfffd && used == 1);
	}
}

/* Every line is no wider than the page, and has no spaces at its end. */
static void assert_fits(const char *text, size_t width, int utf8)
{
	char line[1024];
	size_t length;

	assert_safe(text, utf8);
	for (; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		assert_true(length < sizeof(line));
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		if (gw_columns(line) > width)
			fail_msg("wider than %zu columns: %s", width, line);
		if (length && line[length - 1] == ' ')
			fail_msg("spaces at the end: %s", line);
	}
}

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

/* Each edit of a good file, and a word of the sentence that refuses it. */
static const struct {
	const char *path;  /* members, '/' between them, numbers for arrays */
	const char *value; /* JSON; NULL removes it */
	const char *says;
} broken[] = {
	{"schema", NULL, "schema"},
	{"schema", "\"gilwatch.doctor.v1\"", "gilwatch.doctor.v1"},
	{"schema", "\"\\u001b[31m\"", "\\x1b[31m"},
	{"schema", "7", "schema"},
	{"started", NULL, "started is missing"},
	{"started", "1", "started is not a text"},
	{"elapsed_s", "\"1\"", "elapsed_s is not a number"},
	{"elapsed_s", "-1", "elapsed_s is out of range"},
	{"elapsed_s", "1e300", "elapsed_s is out of range"},
	{"elapsed_s", "9223372036854775807", "elapsed_s is out of range"},
	{"elapsed_s", "[]", "elapsed_s is not a number"},
	{"ended", "\"never\"", "ended has a value"},
	{"ended", "null", "ended is null"},
	{"window", "[]", "window is not an object"},
	{"window/start_monotonic_ns", "1.5", "window.start_monotonic_ns is not a whole"},
	{"host/cpus", "-1", "host.cpus is out of range"},
	{"host/cpus", "4294967296", "host.cpus is out of range"},
	{"processes", "{}", "processes is not an array"},
	{"processes/0", "null", "processes[0].pid is missing"},
	{"processes/0/pid", "\"1\"", "processes[0].pid is not a whole"},
	{"processes/0/error", "5", "processes[0].error is not a text"},
	{"processes/0/python", "null", "processes[0].python is not an object"},
	{"processes/0/python/gil_enabled", "1", "gil_enabled is not true or false"},
	{"processes/0/overhead/ratio", "null", "overhead.ratio is null"},
	{"processes/0/overhead/ratio", "-0.5", "overhead.ratio is out of range"},
	{"processes/0/states/python_s", NULL, "processes[0].states.python_s is missing"},
	{"processes/0/states", "3", "processes[0].states is not an object"},
	{"processes/0/where/gil_s", "true", "processes[0].where.gil_s is not a number"},
	{"processes/0/basis/python_s/kind", "\"guess\"", "basis.python_s.kind has a value"},
	{"processes/0/basis/inflicted", NULL, "basis.inflicted is missing"},
	{"processes/0/cpus", "{\"x\": 1}", "not a CPU's number"},
	{"processes/0/cpus", "{\"-1\": 1}", "not a CPU's number"},
	{"processes/0/cpus", "{\"99999999999999999999\": 1}", "not a CPU's number"},
	{"processes/0/migrations", "{}", "migrations.same_cpu is missing"},
	{"processes/0/migrations", "true", "migrations is not an object"},
	{"processes/0/gils/0/address", "\"zz\"", "gils[0].address is not an address"},
	{"processes/0/gils/0/hold", "true", "gils[0].hold is not an object"},
	{"processes/0/gils/0/hold", "null", "gils[0].hold_reason is missing"},
	{"processes/0/gils/0/hold/sum_s", "null", "hold.sum_s is null"},
	{"processes/0/gils/0/hold/buckets", "{}", "hold.buckets is not an array"},
	{"processes/0/gils/0/hold/buckets", "[7]", "hold.buckets[0] is not a pair"},
	{"processes/0/gils/0/hold/buckets", "[[1, 2, 3]]", "hold.buckets[0] is not a pair"},
	{"processes/0/gils/0/hold/buckets", "[[0.005, 2]]", "is not a bucket"},
	{"processes/0/gils/0/hold/buckets", "[[8e-9, -2]]", "buckets[0].count is out of range"},
	{"processes/0/gils/0/hold/buckets", "[[8e-9, null]]", "count is not a whole"},
	{"processes/0/resume/delay_ratio", "\"x\"", "resume.delay_ratio is not a number"},
	{"processes/0/threads/1/tid", NULL, "processes[0].threads[1].tid is missing"},
	{"processes/0/threads/1/name", "{}", "threads[1].name is not a text"},
	{"processes/0/threads/1/gil", "null", "threads[1].gil is not an object"},
	{"processes/0/threads/1/gil/waits", "1e9", "gil.waits is not a whole"},
	{"processes/0/threads/1", "[]", "threads[1].tid is missing"},
	{"processes/0/verdicts/0/severity", "\"fatal\"", "severity has a value"},
	{"processes/0/verdicts/0/evidence", "1", "evidence is not an object"},
	{"processes/0/verdicts", "[1, 2, 3, 4]", "verdicts is longer"},
	{"processes/0/open/0/cause", "\"moon\"", "open[0].cause has a value"},
	{"processes/0/open/0/kind", "0", "open[0].kind is not a text"},
	{"processes/0/inflicted/0/on", "null", "inflicted[0].on is null"},
	{"processes/0/inflicted", "[[]]", "inflicted[0].by is missing"},
	{"processes/0/check", NULL, "processes[0].check is missing"},
};

/* Replaces or removes what stands at a path; returns whether there was something. */
static int edit(json_t *root, const char *path, json_t *value)
{
	const char *slash = strchr(path, '/');
	char name[64];
	json_t *next;

	snprintf(name, sizeof(name), "%.*s", slash ? (int)(slash - path) : 63, path);
	next = json_is_array(root) ? json_array_get(root, (size_t)atoi(name))
				   : json_object_get(root, name);
	if (!next)
		return 0;
	if (slash)
		return edit(next, slash + 1, value);
	if (!value)
		return !json_object_del(root, name);
	return json_is_array(root) ? !json_array_set(root, (size_t)atoi(name), value)
				   : !json_object_set(root, name, value);
}

static void assert_refused(const char *text, size_t length, const char *says)
{
	struct gw_snapshot s, empty;
	struct gw_error err;

	memset(&empty, 0, sizeof(empty));
	if (!load(text, length, &s, &err))
		fail_msg("accepted, but should say: %s", says);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say: %s", err.text, says);
	assert_safe(err.text, 0);
	assert_null(strchr(err.text, '\n'));
	assert_null(strstr(err.text, "  "));
	assert_memory_equal(&s, &empty, sizeof(s));
}

static void test_load_refuses(void **state)
{
	struct gw_snapshot s;
	char *good;

	(void)state;
	fixture_contended_uprobe(&s);
	good = json_of(&s);
	for (size_t i = 0; i < sizeof(broken) / sizeof(broken[0]); i++) {
		json_t *root = json_loads(good, 0, NULL), *value = NULL;
		char *text;

		if (broken[i].value)
			value = json_loads(broken[i].value, JSON_DECODE_ANY, NULL);
		if (!edit(root, broken[i].path, value))
			fail_msg("no %s in the good file", broken[i].path);
		text = json_dumps(root, 0);
		assert_refused(text, strlen(text), broken[i].says);
		json_decref(value);
		json_decref(root);
		free(text);
	}
	free(good);
	gw_snapshot_clear(&s);
}

static void test_load_refuses_what_is_not_json(void **state)
{
	static const struct {
		const char *text, *says;
	} table[] = {
		{"", "cut off"},
		{"{", "cut off"},
		{"hello\x1b[31m", "not JSON"},
		{"[]", "schema"},
		{"{}", "schema"},
		{"{\"schema\": \"gilwatch.summary.v1\"", "cut off"},
		{"{\"schema\": \"gilwatch.summary.v1\"}", "started is missing"},
		{"{\"a\": 1, \"a\": 2}", "not JSON"},
		{"{\"a\": \"\xff\"}", "not JSON"},
		{"{\"a\": 1e999999}", "not JSON"},
		{"{\"a\": 99999999999999999999999}", "not JSON"},
		{"{\"a\": NaN}", "not JSON"},
		{"{} {}", "not JSON"},
	};
	char *deep = malloc(1 << 20);

	(void)state;
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++)
		assert_refused(table[i].text, strlen(table[i].text), table[i].says);
	memset(deep, '[', 1 << 20);
	assert_refused(deep, 1 << 20, "not JSON");
	free(deep);
	assert_refused("{\0}", 3, "not JSON");
}

static ssize_t endless_spaces(void *cookie, char *buffer, size_t size)
{
	(void)cookie;
	memset(buffer, ' ', size);
	return (ssize_t)size;
}

static ssize_t broken_read(void *cookie, char *buffer, size_t size)
{
	(void)cookie;
	(void)buffer;
	(void)size;
	errno = EIO;
	return -1;
}

static void test_load_is_bounded(void **state)
{
	cookie_io_functions_t endless = {.read = endless_spaces}, bad = {.read = broken_read};
	struct gw_error err = {.text = ""};
	struct gw_snapshot s;
	FILE *in = fopencookie(NULL, "r", endless);

	(void)state;
	assert_int_equal(gw_json_load(in, &s, &err), -EFBIG);
	assert_non_null(strstr(err.text, "256 MiB"));
	assert_int_equal(err.status, GW_STATUS_USAGE);
	fclose(in);
	in = fopencookie(NULL, "r", bad);
	err.text[0] = '\0';
	assert_int_equal(gw_json_load(in, &s, &err), -EIO);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	assert_int_equal(gw_json_load(in, &s, NULL), -EIO);
	fclose(in);
}

static void test_load_truncated(void **state)
{
	struct gw_snapshot s, loaded;
	struct gw_error err;
	char *good;
	size_t length, step = getenv("GW_TEST_STEP") ? (size_t)atoi(getenv("GW_TEST_STEP")) : 1;

	(void)state;
	fixture_idle(&s);
	good = json_of(&s);
	length = strlen(good);
	/* Without the newline at its end it is still whole. */
	assert_int_equal(load(good, length - 1, &loaded, &err), 0);
	gw_snapshot_clear(&loaded);
	for (size_t i = 0; i < length - 1; i += step) {
		/* A copy of that very size lets the sanitizer see a byte read too many. */
		char *cut = malloc(i + 1);

		memcpy(cut, good, i);
		assert_refused(cut, i, "file");
		free(cut);
	}
	free(good);
	gw_snapshot_clear(&s);
}

static void test_load_flipped(void **state)
{
	uint64_t random = 0x9e3779b97f4a7c15;
	int rounds = getenv("GW_TEST_STEP") ? 200 : 4000;
	struct gw_snapshot s, loaded;
	struct gw_error err;
	size_t length;
	char *good;

	(void)state;
	fixture_contended_sched(&s);
	good = json_of(&s);
	length = strlen(good);
	for (int i = 0; i < rounds; i++) {
		char *bad = strdup(good);

		for (int flips = 1 + i % 4; flips; flips--) {
			random ^= random << 13;
			random ^= random >> 7;
			random ^= random << 17;
			/* Digits to digits now and then: the file stays JSON and its sums do not.
			 */
			if (i % 2)
				bad[random % length] ^= (char)(1 << (random >> 40) % 8);
			else if (strchr("0123456789", bad[random % length]))
				bad[random % length] = (char)('0' + (random >> 40) % 10);
		}
		if (load(bad, length, &loaded, &err)) {
			assert_int_equal(err.status, GW_STATUS_USAGE);
			assert_safe(err.text, 0);
			assert_null(strchr(err.text, '\n'));
		} else {
			char *text = text_of(&loaded, 10, 80, false, true);

			assert_fits(text, 80, 1);
			free(text);
			gw_snapshot_clear(&loaded);
		}
		free(bad);
	}
	free(good);
	gw_snapshot_clear(&s);
}

/* Every number as large as the loader takes, then as null where it may be: sums must not overflow.
 */
static void set_all(json_t *value, const char *key, int null)
{
	const char *name;
	json_t *inner;
	size_t i;

	(void)key;
	if (json_is_array(value)) {
		json_array_foreach(value, i, inner)
		{
			if (json_is_integer(inner) && i == 1)
				json_integer_set(inner, INT64_MAX);
			else
				set_all(inner, "", null);
		}
		return;
	}
	json_object_foreach(value, name, inner)
	{
		size_t length = strlen(name);

		if (json_is_real(inner) && length > 2 && !strcmp(name + length - 2, "_s") && null)
			json_object_set_new(value, name, json_null());
		else if (json_is_real(inner))
			json_real_set(inner, 9e9);
		else if (json_is_integer(inner) && length > 8)
			json_integer_set(inner, INT64_MAX);
		else
			set_all(inner, name, null);
	}
}

static void test_load_extremes(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count * 2; i++) {
		struct gw_snapshot s, loaded;
		struct gw_error err;
		json_t *root;
		char *json;

		fixture_table[i / 2].make(&s);
		json = json_of(&s);
		root = json_loads(json, 0, NULL);
		free(json);
		set_all(root, "", i % 2);
		json = json_dumps(root, JSON_REAL_PRECISION(15));
		if (!load(json, strlen(json), &loaded, &err)) {
			char *text = text_of(&loaded, 10, 80, false, true);

			assert_fits(text, 80, 1);
			free(text);
			free(json);
			json = json_of(&loaded);
		}
		json_decref(root);
		free(json);
		gw_snapshot_clear(&loaded);
		gw_snapshot_clear(&s);
	}
}

static void test_percentiles(void **state)
{
	struct gw_histogram *h = calloc(1, sizeof(*h));

	(void)state;
	assert_int_equal(gw_histogram_percentile_ns(h, 500), GW_ABSENT_NS);
	gw_hist_add(&h->data, 100);
	assert_int_equal(gw_histogram_percentile_ns(h, 1), 104);
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), 104);
	for (int i = 0; i < 98; i++)
		gw_hist_add(&h->data, 64);
	gw_hist_add(&h->data, 5000000);
	assert_int_equal(gw_histogram_percentile_ns(h, 0), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 500), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 980), 64);
	assert_int_equal(gw_histogram_percentile_ns(h, 990), 104);
	assert_int_equal(gw_histogram_percentile_ns(h, 991),
			 gw_hist_upper_ns(gw_hist_index(5000000)));
	/* The last bucket has no edge: the maximum stands for it. */
	gw_hist_add(&h->data, UINT64_C(100000000000));
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), INT64_C(100000000000));
	h->data.max_ns = UINT64_MAX;
	assert_int_equal(gw_histogram_percentile_ns(h, 1000), INT64_MAX);
	for (int i = 0; i < GW_HIST_BUCKETS; i++)
		h->data.bucket[i] = UINT64_MAX;
	assert_int_equal(gw_histogram_percentile_ns(h, 500), 8);
	h->absent = 1;
	assert_int_equal(gw_histogram_percentile_ns(h, 500), GW_ABSENT_NS);
	free(h);
}

static void test_merge(void **state)
{
	struct gw_histogram *h = calloc(3, sizeof(*h));

	(void)state;
	gw_hist_add(&h[0].data, 10);
	h[0].count = 1;
	gw_hist_add(&h[1].data, 1000);
	gw_hist_add(&h[1].data, 10);
	h[1].count = 2;
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].count, 3);
	assert_int_equal(h[0].data.sum_ns, 1020);
	assert_int_equal(h[0].data.max_ns, 1000);
	assert_int_equal(h[0].data.bucket[gw_hist_index(10)], 2);
	h[1].count = UINT64_MAX;
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].count, UINT64_MAX);
	h[2].absent = 1;
	strcpy(h[2].reason, "because");
	gw_histogram_merge(&h[0], &h[2]);
	assert_int_equal(h[0].absent, 1);
	assert_string_equal(h[0].reason, "because");
	gw_histogram_merge(&h[0], &h[1]);
	assert_int_equal(h[0].absent, 1);
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
		cmocka_unit_test(test_text_goldens),
		cmocka_unit_test(test_text_colour_adds_only_colour),
		cmocka_unit_test(test_text_any_width),
		cmocka_unit_test(test_text_write_error),
		cmocka_unit_test(test_json_goldens),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_json_keeps_nanoseconds),
		cmocka_unit_test(test_load_refuses),
		cmocka_unit_test(test_load_refuses_what_is_not_json),
		cmocka_unit_test(test_load_is_bounded),
		cmocka_unit_test(test_load_truncated),
		cmocka_unit_test(test_load_flipped),
		cmocka_unit_test(test_load_extremes),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(test_escape),
		cmocka_unit_test(test_escape_bounds),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_units),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
