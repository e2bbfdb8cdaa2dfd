// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where what is read from the maps is kept, from one reading to the next. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "model/raw.h"

/* A histogram with an entry in the last octave of so many. */
static void add_hist(struct gw_raw *raw, __u32 octaves, struct gw_raw_hist *hist)
{
	size_t count;
	__u64 *bucket;

	*hist = (struct gw_raw_hist){.octaves = octaves};
	bucket = gw_raw_buckets(raw, hist, &count);
	assert_non_null(bucket);
	for (size_t i = 0; i < count; i++)
		bucket[i] = i + 1;
}

static void add_threads(struct gw_raw *raw, size_t count, __u32 octaves)
{
	for (size_t i = 0; i < count; i++) {
		struct gw_raw_thread *thread;

		assert_int_equal(gw_raw_reserve((void **)&raw->thread, raw->thread_count,
						&raw->thread_room, sizeof(*raw->thread)),
				 0);
		thread = &raw->thread[raw->thread_count++];
		memset(thread, 0, sizeof(*thread));
		thread->thread.tid = (__u32)i;
		add_hist(raw, octaves, &thread->hold);
	}
}

static void assert_threads(const struct gw_raw *raw, size_t count, __u32 octaves)
{
	assert_int_equal(raw->thread_count, count);
	for (size_t i = 0; i < count; i++) {
		assert_int_equal(raw->thread[i].thread.tid, i);
		if (octaves)
			assert_int_equal(raw->bucket[raw->thread[i].hold.at], 1);
	}
}

/* Whatever there was the last time: nothing, as much, or much less than there is now. */
static void test_it_is_filled_again_after_a_reset(void **state)
{
	const size_t threads[] = {0, 1, 3, 700, 0, 2, 700, 700, 5000};
	const __u32 octaves[] = {0, 0, 1, 0x70, 0, 0, 0, 0xffffffff, 0x3};
	struct gw_raw raw = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		gw_raw_reset(&raw);
		/* Once more is none. */
		gw_raw_reset(&raw);
		assert_int_equal(raw.thread_count, 0);
		add_threads(&raw, threads[i], octaves[i]);
		assert_threads(&raw, threads[i], octaves[i]);
	}
	gw_raw_clear(&raw);
}

static void test_as_many_as_before_need_one_piece_of_memory(void **state)
{
	struct gw_raw raw = {0};
	const void *first;

	(void)state;
	add_threads(&raw, 1000, 0x70);
	gw_raw_reset(&raw);
	assert_null(raw.thread);
	add_threads(&raw, 1, 0x70);
	first = raw.thread;
	assert_true(raw.thread_room >= 1000);
	add_threads(&raw, 999, 0x70);
	assert_ptr_equal(raw.thread, first);
	gw_raw_clear(&raw);
	assert_int_equal(raw.thread_room, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_it_is_filled_again_after_a_reset),
		cmocka_unit_test(test_as_many_as_before_need_one_piece_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
