// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Names of threads out of made-up memory: sys.modules, threading._active, and what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/thread_names.h"

#define BASE 0x7f0000000000ULL
#define SIZE 65536

/* A memory with nothing in it yet; objects are put one after the other. */
struct memory {
	unsigned char bytes[SIZE];
	size_t used;
	size_t reads;
	const struct gw_object_layout *layout;
};

static int read_memory(void *data, uint64_t address, void *to, size_t size)
{
	struct memory *m = data;

	m->reads++;
	if (address < BASE || address - BASE > SIZE || size > SIZE - (address - BASE))
		return -EFAULT;
	memcpy(to, m->bytes + (address - BASE), size);
	return 0;
}

static uint64_t take(struct memory *m, size_t size)
{
	uint64_t at = BASE + m->used;

	m->used += (size + 15) & ~(size_t)15;
	assert_true(m->used <= SIZE);
	return at;
}

static void put(struct memory *m, uint64_t at, uint64_t value)
{
	memcpy(m->bytes + (at - BASE), &value, sizeof(value));
}

static void put_byte(struct memory *m, uint64_t at, unsigned char value)
{
	m->bytes[at - BASE] = value;
}

/* kind 0: ASCII; else bytes of a character. */
static uint64_t text(struct memory *m, const void *bytes, size_t length, unsigned int kind)
{
	const struct gw_object_layout *l = m->layout;
	size_t size = length * (kind ? kind : 1), header = (size_t)(kind ? l->compact : l->ascii);
	uint64_t at = take(m, header + size);

	put(m, at + (uint64_t)l->head, length);
	put(m, at + (uint64_t)l->head + 16, (kind ? kind << 2 : 1 << 2 | 1 << 6) | 1 << 5);
	memcpy(m->bytes + (at - BASE) + header, bytes, size);
	return at;
}

static uint64_t ascii(struct memory *m, const char *string)
{
	return text(m, string, strlen(string), 0);
}

/* Keys of a table of eight; general ones have a hash. */
static uint64_t keys(struct memory *m, int general, const uint64_t (*entry)[3], size_t count)
{
	int old = m->layout->version <= 0x030a;
	size_t header = old ? 40 : 32, size = old || general ? 24 : 16;
	uint64_t at = take(m, header + 8 + 8 * 24), to = at + header + 8;

	if (old) {
		put(m, at + 8, 8);
		put(m, at + 32, count);
	} else {
		put_byte(m, at + 8, 3);
		put_byte(m, at + 9, 3);
		put_byte(m, at + 10, !general);
		put(m, at + 24, count);
	}
	for (size_t i = 0; i < count; i++, to += size) {
		if (size == 24)
			put(m, to, entry[i][0]);
		put(m, to + size - 16, entry[i][1]);
		put(m, to + size - 8, entry[i][2]);
	}
	return at;
}

static uint64_t dict(struct memory *m, uint64_t of_keys, uint64_t values)
{
	uint64_t at = take(m, 64), head = (uint64_t)m->layout->head;

	put(m, at + head, 1);
	put(m, at + head + 16, of_keys);
	put(m, at + head + 24, values);
	return at;
}

static uint64_t dict_of_one(struct memory *m, const char *key, uint64_t value)
{
	const uint64_t entry[][3] = {{7, ascii(m, "else"), 0}, {9, ascii(m, key), value}};

	return dict(m, keys(m, 0, entry, 2), 0);
}

static uint64_t type(struct memory *m, uint64_t flags, uint64_t dictoffset, uint64_t cached)
{
	uint64_t at = take(m, 1024), head = (uint64_t)m->layout->head;

	put(m, at + head + 16, head);
	put(m, at + head + 152, flags);
	put(m, at + head + 272, dictoffset);
	put(m, at + (uint64_t)m->layout->cached_keys, cached);
	return at;
}

/* A Thread as the version has it: its name in a dict, or in values that stand for one. */
static uint64_t thread(struct memory *m, uint64_t name, int with_dict)
{
	const struct gw_object_layout *l = m->layout;
	uint64_t head = (uint64_t)l->head, at = take(m, 256) + 64;
	const uint64_t entry[][3] = {{1, ascii(m, "_target"), 0}, {2, ascii(m, "_name"), 0}};
	uint64_t cached = keys(m, 0, entry, 2), values, of_dict = 0;

	if (with_dict || l->version <= 0x030a)
		of_dict = dict_of_one(m, "_name", name);
	if (l->version <= 0x030a) {
		put(m, at + head, of_dict);
		put(m, at + head - 8, type(m, 0, head, 0));
		return at;
	}
	put(m, at + head - 8, type(m, 1 << 2 | 1 << 4, 0, cached));
	if (of_dict) {
		put(m, at + (uint64_t)(int64_t)l->managed_dict, of_dict);
		return at;
	}
	values = l->version >= 0x030d ? at + head : take(m, 64);
	put(m, values + (uint64_t)l->values + 8, name);
	if (l->version == 0x030b)
		put(m, at - 32, values);
	else if (l->version == 0x030c)
		put(m, at - 24, values - 1);
	return at;
}

/* sys.modules with threading in it; returns its address. */
static uint64_t modules(struct memory *m, uint64_t active)
{
	uint64_t module = take(m, 64);

	put(m, module + (uint64_t)m->layout->head, dict_of_one(m, "_active", active));
	return dict_of_one(m, "threading", module);
}

static struct memory *make(uint32_t version, int free_threaded)
{
	struct memory *m = calloc(1, sizeof(*m));

	m->layout = gw_object_layout_for(version << 16, free_threaded);
	assert_non_null(m->layout);
	m->used = 64; /* 0 is no address */
	return m;
}

static int read_names(struct memory *m, uint64_t of_modules, struct gw_thread_names *names)
{
	struct gw_object_reader reader = {.read = read_memory,
					  .data = m,
					  .layout = m->layout,
					  .reads_left = 1000,
					  .bytes_left = 1 << 20};

	return gw_thread_names_read_from(&reader, of_modules, names);
}

static void assert_name(const struct gw_thread_names *names, uint64_t self, const char *name)
{
	const char *found = gw_thread_names_find(names, self);

	assert_non_null(found);
	assert_string_equal(found, name);
}

static const struct {
	uint32_t version;
	int free_threaded;
} builds[] = {{0x0308, 0}, {0x0309, 0}, {0x030a, 0}, {0x030b, 0},
	      {0x030c, 0}, {0x030d, 0}, {0x030d, 1}};

static void test_every_version(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		struct memory *m = make(builds[i].version, builds[i].free_threaded);
		static const uint16_t snake[] = {0x540d, 0x524d, 0xdc80};
		static const uint32_t wide[] = {'s', 0x1f40d};
		const uint64_t entry[][3] = {
			{0x7000, BASE, thread(m, ascii(m, "by dict"), 1)},
			{0x6000, BASE, thread(m, ascii(m, "by values"), 0)},
			{0x9000, BASE, thread(m, text(m, "caf\xe9", 4, 1), 0)},
			{0x8000, BASE, thread(m, text(m, snake, 3, 2), 0)},
			{0x5000, BASE, thread(m, text(m, wide, 2, 4), 1)},
			{0x4000, 0, 0},
		};
		struct gw_thread_names names = {0};
		uint64_t of_modules = modules(m, dict(m, keys(m, 1, entry, 6), 0));

		assert_int_equal(read_names(m, of_modules, &names), 0);
		assert_int_equal(names.count, 5);
		assert_name(&names, 0x7000, "by dict");
		assert_name(&names, 0x6000, "by values");
		assert_name(&names, 0x9000, "caf\xc3\xa9");
		assert_name(&names, 0x8000, "\xe5\x90\x8d\xe5\x89\x8d\xef\xbf\xbd");
		assert_name(&names, 0x5000, "s\xf0\x9f\x90\x8d");
		assert_null(gw_thread_names_find(&names, 0x4000));
		assert_null(gw_thread_names_find(&names, 0));
		gw_thread_names_free(&names);
		free(m);
	}
}

static void test_long_names_are_cut_between_characters(void **state)
{
	struct memory *m = make(0x030c, 0);
	struct gw_thread_names names = {0};
	unsigned char many[100];
	uint64_t entry[1][3] = {{0x1000, BASE, 0}};

	(void)state;
	memset(many, 0xe9, sizeof(many));
	entry[0][2] = thread(m, text(m, many, sizeof(many), 1), 0);
	assert_int_equal(
		read_names(m, modules(m, dict(m, keys(m, 1, (const uint64_t(*)[3])entry, 1), 0)),
			   &names),
		0);
	assert_int_equal(strlen(gw_thread_names_find(&names, 0x1000)), 62);
	gw_thread_names_free(&names);
	free(m);
}

/* What is found once is looked at again, and what cannot be read leaves what was. */
static void test_again(void **state)
{
	struct memory *m = make(0x030b, 0);
	const uint64_t entry[][3] = {{0x1000, BASE, thread(m, ascii(m, "one"), 0)}};
	uint64_t active = dict(m, keys(m, 1, entry, 1), 0);
	struct gw_thread_names names = {0};
	uint64_t of_modules = modules(m, active);
	size_t first;

	(void)state;
	assert_int_equal(read_names(m, of_modules, &names), 0);
	first = m->reads;
	assert_int_equal(read_names(m, of_modules, &names), 0);
	assert_true(m->reads - first < first);
	put(m, active + 16 + 16, 3); /* its keys: a wild pointer */
	assert_int_equal(read_names(m, of_modules, &names), -EPROTO);
	assert_name(&names, 0x1000, "one");
	gw_thread_names_free(&names);
	free(m);
}

static void test_not_imported(void **state)
{
	struct memory *m = make(0x030b, 0);
	struct gw_thread_names names = {0};

	(void)state;
	assert_int_equal(read_names(m, dict_of_one(m, "sys", BASE + 64), &names), -ENOENT);
	assert_int_equal(read_names(m, 0, &names), -EPROTO);
	assert_int_equal(read_names(m, 12345, &names), -EPROTO);
	assert_int_equal(read_names(m, BASE + SIZE, &names), -EPROTO);
	assert_int_equal(names.count, 0);
	free(m);
}

/* Any word of a good memory replaced by what hurts: an answer, and no more reads than are allowed.
 */
static void test_damaged(void **state)
{
	static const uint64_t wild[] = {0,    1,	UINT64_MAX,	 1ULL << 63,
					BASE, BASE + 8, BASE + SIZE - 8, 0x00ffffffffffff18};

	(void)state;
	for (size_t i = 0; i < sizeof(builds) / sizeof(builds[0]); i++) {
		struct memory *m = make(builds[i].version, builds[i].free_threaded);
		const uint64_t entry[][3] = {{0x1000, BASE, thread(m, ascii(m, "one"), 0)},
					     {0x2000, BASE, thread(m, ascii(m, "two"), 1)}};
		uint64_t of_modules = modules(m, dict(m, keys(m, 1, entry, 2), 0));

		for (size_t at = 64; at < m->used; at += 8) {
			for (size_t w = 0; w < sizeof(wild) / sizeof(wild[0]); w++) {
				struct gw_thread_names names = {0};
				uint64_t was;
				int ret;

				memcpy(&was, m->bytes + at, sizeof(was));
				put(m, BASE + at, wild[w]);
				m->reads = 0;
				ret = read_names(m, of_modules, &names);
				assert_true(ret <= 0);
				assert_true(m->reads <= 1000);
				assert_true(names.count <= 8);
				gw_thread_names_free(&names);
				put(m, BASE + at, was);
			}
		}
		free(m);
	}
}

static void test_versions_without_a_layout(void **state)
{
	(void)state;
	assert_null(gw_object_layout_for(0x030e00f0, 0));
	assert_null(gw_object_layout_for(0x030c00f0, 1));
	assert_null(gw_object_layout_for(0x030700f0, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_version),
		cmocka_unit_test(test_long_names_are_cut_between_characters),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_not_imported),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_versions_without_a_layout),
	};

	return cmocka_run_group_tests_name("thread names", tests, NULL, NULL);
}
