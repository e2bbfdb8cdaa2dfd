// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* W(t): many waiters, the wrap of its sum, its limits, and threads that begin and end waits at
 * once. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * What other CPUs do between the reading of the word and its exchange: a test can let the first few
 * exchanges fail. Without that they are the real ones.
 */
static unsigned long long swap(unsigned long long *word, unsigned long long old,
			       unsigned long long new);

#define __sync_val_compare_and_swap(word, old, new) swap(word, old, new)

#include "gilwatch/wait.h"

#undef __sync_val_compare_and_swap

static int failures;

static unsigned long long swap(unsigned long long *word, unsigned long long old,
			       unsigned long long new)
{
	if (failures > 0) {
		failures--;
		return ~old;
	}
	return __sync_val_compare_and_swap(word, old, new);
}

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static void begin(struct gw_waiters *w, uint64_t now)
{
	assert_int_equal(gw_wait_begin(w, now), 1);
}

static void end(struct gw_waiters *w, uint64_t start, uint64_t now)
{
	assert_int_equal(gw_wait_end(w, start, now), 1);
}

static void test_one_waiter(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	assert_int_equal(gw_wait_total_ns(&w, 1000), 0);
	begin(&w, 640);
	assert_int_equal(gw_wait_count(&w), 1);
	assert_int_equal(gw_wait_total_ns(&w, 640), 0);
	assert_int_equal(gw_wait_total_ns(&w, 6400), 5760);
	end(&w, 640, 1280);
	assert_int_equal(gw_wait_count(&w), 0);
	assert_int_equal(gw_wait_total_ns(&w, 999999), 640);
}

/* What a hold from a to b made others wait is W(b) − W(a). */
static void test_differences_are_what_a_hold_inflicts(void **state)
{
	struct gw_waiters w = {0};
	uint64_t a, b;
	(void)state;

	begin(&w, 0);
	begin(&w, 6400);
	a = gw_wait_total_ns(&w, 64000);
	begin(&w, 96000);
	end(&w, 0, 128000);
	b = gw_wait_total_ns(&w, 160000);
	assert_int_equal(b - a, 64000 + 96000 + 64000);
}

static void test_time_is_cut_to_units(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	begin(&w, 100);
	assert_int_equal(gw_wait_total_ns(&w, 127), 0);
	assert_int_equal(gw_wait_total_ns(&w, 128), 64);
	end(&w, 100, 255);
	assert_int_equal(gw_wait_total_ns(&w, 0), 128);
}

/* A wait that began on another CPU after this one read its clock. */
static void test_a_wait_from_the_future_is_negative(void **state)
{
	struct gw_waiters w = {.done = 1000};
	(void)state;

	begin(&w, 6400);
	assert_int_equal(gw_wait_total_ns(&w, 5760), 64000 - 640);
	assert_int_equal(gw_wait_total_ns(&w, 6400), 64000);
}

/* The sum of the starts wraps again and again; what is open does not. */
static void test_sum_wraps(void **state)
{
	uint64_t years = (1ULL << 55) + 12345 * 64;
	struct gw_waiters w = {0};
	(void)state;

	for (int i = 0; i < 1000; i++)
		begin(&w, years + (uint64_t)i * 64);
	assert_int_equal(gw_wait_count(&w), 1000);
	assert_int_equal(gw_wait_total_ns(&w, years + 64000), 64ULL * 1000 * 1001 / 2);
	for (int i = 0; i < 1000; i++)
		end(&w, years + (uint64_t)i * 64, years + 64000);
	assert_int_equal(gw_wait_count(&w), 0);
	assert_int_equal(w.word, 0);
	assert_int_equal(gw_wait_total_ns(&w, 0), 64ULL * 1000 * 1001 / 2);
}

static void test_ten_thousand_waiters_for_half_an_hour(void **state)
{
	uint64_t start = 1ULL << 54, hour_half = 1800ULL * 1000000000;
	struct gw_waiters w = {0};
	(void)state;

	for (int i = 0; i < 10000; i++)
		begin(&w, start);
	assert_int_equal(gw_wait_count(&w), 10000);
	assert_int_equal(gw_wait_total_ns(&w, start + hour_half), 10000 * hour_half);
}

/* The header promises 10,000 waiters for two hours. */
static void test_ten_thousand_waiters_for_two_hours(void **state)
{
	uint64_t hours = 2 * 3600ULL * 1000000000;
	struct gw_waiters w = {0};
	(void)state;

	for (int i = 0; i < 10000; i++)
		begin(&w, 64);
	assert_int_equal(gw_wait_total_ns(&w, 64 + hours), 10000 * hours);
}

static void test_count_has_fourteen_bits(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	for (int i = 0; i < (1 << 14) - 1; i++)
		begin(&w, 64000);
	assert_int_equal(gw_wait_count(&w), (1 << 14) - 1);
	for (int i = 0; i < (1 << 14) - 1; i++)
		end(&w, 64000, 64064);
	assert_int_equal(gw_wait_count(&w), 0);
	assert_int_equal(gw_wait_total_ns(&w, 0), 64 * ((1 << 14) - 1));
}

/* One waiter too many must be refused: the count would wrap to 0, and with it W(t). */
static void test_a_waiter_too_many_is_refused(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	for (int i = 0; i < (1 << 14) - 1; i++)
		begin(&w, 64000);
	assert_int_equal(gw_wait_begin(&w, 64000), 0);
	assert_int_equal(gw_wait_count(&w), (1 << 14) - 1);
}

static void test_end_without_waiters_is_refused(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	assert_int_equal(gw_wait_end(&w, 640, 6400), 0);
	assert_int_equal(w.word, 0);
	assert_int_equal(w.done, 0);
}

static void test_other_cpus_get_in_the_way(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	failures = GW_WAIT_TRIES - 1;
	begin(&w, 640);
	failures = GW_WAIT_TRIES;
	assert_int_equal(gw_wait_begin(&w, 640), 0);
	assert_int_equal(gw_wait_count(&w), 1);
	failures = GW_WAIT_TRIES - 1;
	end(&w, 640, 1280);
	begin(&w, 6400);
	failures = 1000;
	assert_int_equal(gw_wait_end(&w, 6400, 7040), 0);
	failures = 0;
	assert_int_equal(gw_wait_count(&w), 1);
	end(&w, 6400, 7040);
	assert_int_equal(gw_wait_total_ns(&w, 9999), 1280);
}

static void test_most_at_once(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	assert_int_equal(gw_wait_take_most(&w), 0);
	for (int i = 0; i < 3; i++)
		begin(&w, 640);
	end(&w, 640, 1280);
	begin(&w, 1280);
	assert_int_equal(gw_wait_take_most(&w), 3);
	/* Who waits at that moment waits in what follows as well, even if nobody comes. */
	for (int i = 0; i < 2; i++)
		end(&w, 640, 6400);
	end(&w, 1280, 6400);
	assert_int_equal(gw_wait_take_most(&w), 3);
	assert_int_equal(gw_wait_take_most(&w), 0);
	begin(&w, 6400);
	end(&w, 6400, 6464);
	assert_int_equal(gw_wait_take_most(&w), 1);
}

static void test_most_at_once_is_noted_in_spite_of_others(void **state)
{
	struct gw_waiters w = {0};
	(void)state;

	begin(&w, 640);
	failures = GW_WAIT_NOTE_TRIES - 1;
	gw_wait_note(&w, 5);
	assert_int_equal(w.most, 5);
	failures = GW_WAIT_NOTE_TRIES;
	gw_wait_note(&w, 7);
	assert_int_equal(failures, 0);
	assert_int_equal(gw_wait_take_most(&w), 5);
}

/* Random waits against a plain sum of them. */
static void test_random_waits(void **state)
{
	enum { WAITERS = 50 };
	uint64_t start[WAITERS] = {0}, now = 1ULL << 50, random = 3, done = 0;
	struct gw_waiters w = {0};
	(void)state;

	for (int step = 0; step < 50000; step++) {
		uint64_t *at = &start[next_random(&random) % WAITERS];
		uint64_t open = 0;

		now += next_random(&random) % 10000;
		if (*at) {
			end(&w, *at, now);
			done += now / 64 - *at / 64;
			*at = 0;
		} else {
			begin(&w, now);
			*at = now;
		}
		for (int i = 0; i < WAITERS; i++)
			open += start[i] ? now / 64 - start[i] / 64 : 0;
		assert_int_equal(gw_wait_total_ns(&w, now), (done + open) * 64);
	}
}

/* ---- several threads at once ---- */

#define THREADS 4
#define ROUNDS	100000

struct hammer {
	struct gw_waiters *w;
	uint64_t random, done, lost;
};

static void *hammer(void *argument)
{
	struct hammer *h = argument;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t start = next_random(&h->random) % (1ULL << 55);
		uint64_t now = start + next_random(&h->random) % 100000;

		if (!gw_wait_begin(h->w, start)) {
			h->lost++;
			continue;
		}
		/* A wait that began must end, or it would count for ever. */
		while (!gw_wait_end(h->w, start, now))
			h->lost++;
		h->done += now / 64 - start / 64;
	}
	return NULL;
}

static void test_threads_conserve_the_total(void **state)
{
	struct hammer hammers[THREADS];
	pthread_t threads[THREADS];
	struct gw_waiters w = {0};
	uint64_t done = 0;
	(void)state;

	for (int i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){.w = &w, .random = (uint64_t)i + 1};
		assert_int_equal(pthread_create(&threads[i], NULL, hammer, &hammers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		done += hammers[i].done;
	}
	assert_int_equal(w.word, 0);
	assert_int_equal(gw_wait_total_ns(&w, 12345), done * 64);
}

/* One takes the maximum again and again; the largest that it got is that of all. */
static void *hold_one(void *argument)
{
	struct hammer *h = argument;

	for (int i = 0; i < ROUNDS; i++) {
		uint32_t most = gw_wait_take_most(h->w);

		if (most > h->done)
			h->done = most;
		/* Where others got in the way, once more: one that did not begin would end
		 * another's. */
		if (i % 2)
			while (!gw_wait_end(h->w, 640, 1280))
				h->lost++;
		else
			while (!gw_wait_begin(h->w, 640))
				h->lost++;
	}
	return NULL;
}

static void test_threads_take_the_most(void **state)
{
	struct hammer hammers[THREADS];
	pthread_t threads[THREADS];
	struct gw_waiters w = {0};
	uint64_t most = 0;
	(void)state;

	/* All of them wait at once; who takes that is seen to. */
	for (int i = 0; i < 100; i++)
		begin(&w, 640);
	for (int i = 0; i < 99; i++)
		end(&w, 640, 1280);
	for (int i = 0; i < THREADS; i++) {
		hammers[i] = (struct hammer){.w = &w};
		assert_int_equal(pthread_create(&threads[i], NULL, hold_one, &hammers[i]), 0);
	}
	for (int i = 0; i < THREADS; i++) {
		pthread_join(threads[i], NULL);
		if (hammers[i].done > most)
			most = hammers[i].done;
	}
	assert_int_equal(most, 100);
	assert_in_range(gw_wait_take_most(&w), 1, 1 + THREADS);
	assert_int_equal(gw_wait_take_most(&w), 1);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_one_waiter),
		cmocka_unit_test(test_differences_are_what_a_hold_inflicts),
		cmocka_unit_test(test_time_is_cut_to_units),
		cmocka_unit_test(test_a_wait_from_the_future_is_negative),
		cmocka_unit_test(test_sum_wraps),
		cmocka_unit_test(test_ten_thousand_waiters_for_half_an_hour),
		cmocka_unit_test(test_ten_thousand_waiters_for_two_hours),
		cmocka_unit_test(test_count_has_fourteen_bits),
		cmocka_unit_test(test_a_waiter_too_many_is_refused),
		cmocka_unit_test(test_end_without_waiters_is_refused),
		cmocka_unit_test(test_other_cpus_get_in_the_way),
		cmocka_unit_test(test_most_at_once),
		cmocka_unit_test(test_most_at_once_is_noted_in_spite_of_others),
		cmocka_unit_test(test_threads_take_the_most),
		cmocka_unit_test(test_random_waits),
		cmocka_unit_test(test_threads_conserve_the_total),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
