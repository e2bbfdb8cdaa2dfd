// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "util/pack.h"

static void assert_comes_back(const uint64_t *word, size_t count, size_t most)
{
	struct gw_packed packed;
	uint64_t *back;

	assert_int_equal(gw_pack(word, count * sizeof(*word), &packed), 0);
	assert_true(packed.count <= most);
	back = gw_unpack(&packed);
	assert_non_null(back);
	assert_memory_equal(back, word, count * sizeof(*word));
	free(back);
	gw_packed_free(&packed);
	gw_packed_free(&packed);
}

static void what_is_packed_comes_back(void **state)
{
	uint64_t word[500] = {0};

	(void)state;
	assert_comes_back(word, 0, 0);
	assert_comes_back(word, 500, 1);
	word[0] = 7;
	assert_comes_back(word, 1, 2);
	assert_comes_back(word, 500, 4);
	word[250] = UINT64_MAX;
	word[251] = 1;
	word[499] = 2;
	assert_comes_back(word, 500, 9);
	for (size_t i = 0; i < 500; i++)
		word[i] = i + 1;
	assert_comes_back(word, 500, 501);
}

static void so_do_random_words(void **state)
{
	uint64_t word[257];

	(void)state;
	srand(3);
	for (int round = 0; round < 500; round++) {
		size_t count = (size_t)rand() % 257;

		for (size_t i = 0; i < count; i++)
			word[i] = rand() % 3 ? 0 : (uint64_t)rand();
		assert_comes_back(word, count, 2 * count + 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_packed_comes_back),
		cmocka_unit_test(so_do_random_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
