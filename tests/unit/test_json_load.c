// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Saved files that are broken, huge or extreme. */
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
#include "render/json_load.h"
#include "rendered.h"

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
	{"processes/0/gils/0/python", "3", "gils[0].python is not a text"},
	{"processes/0/ended_gils", "3", "ended_gils is not an object"},
	{"processes/0/ended_gils", "{\"count\": 1}", "ended_gils.acquisitions is missing"},
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
	/* What few files have. */
	memcpy(s.process->gil->python, "3.13.0", sizeof("3.13.0"));
	s.process->ended_gil_count = 1;
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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_load_refuses),
		cmocka_unit_test(test_load_refuses_what_is_not_json),
		cmocka_unit_test(test_load_is_bounded),
		cmocka_unit_test(test_load_truncated),
		cmocka_unit_test(test_load_flipped),
		cmocka_unit_test(test_load_extremes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
