// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Histograms: edges of buckets, their error, and what percentiles and sums make of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "gilwatch/hist.h"
#include "model/histogram.h"

#define TOP    (GW_HIST_BUCKETS - 1)
#define TOP_NS (1ULL << GW_HIST_TOP_SHIFT)

static uint64_t next_random(uint64_t *random)
{
	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return *random;
}

static uint64_t lower_ns(uint32_t index)
{
	return index ? gw_hist_upper_ns(index - 1) : 0;
}

static void test_log2(void **state)
{
	(void)state;

	for (uint32_t shift = 0; shift < 64; shift++) {
		assert_int_equal(gw_log2(1ULL << shift), shift);
		assert_int_equal(gw_log2((2ULL << shift) - 1), shift);
	}
}

static void test_linear_part(void **state)
{
	(void)state;

	assert_int_equal(gw_hist_index(0), 0);
	for (uint64_t ns = 1; ns <= 64; ns++) {
		assert_int_equal(gw_hist_index(ns), (ns - 1) / 8);
		assert_int_equal(gw_hist_upper_ns(gw_hist_index(ns)), (ns + 7) / 8 * 8);
	}
	assert_int_equal(gw_hist_index(65), 8);
}

/* (lower, upper]: an edge belongs to the bucket below it. */
static void test_edges_round_trip(void **state)
{
	(void)state;

	for (uint32_t i = 0; i < TOP; i++) {
		uint64_t upper = gw_hist_upper_ns(i);

		assert_true(upper > lower_ns(i));
		assert_int_equal(gw_hist_index(upper), i);
		assert_int_equal(gw_hist_index(upper + 1), i + 1);
		assert_int_equal(gw_hist_index(lower_ns(i) + 1), i);
	}
}

static void test_eight_buckets_an_octave(void **state)
{
	(void)state;

	for (uint32_t shift = 6; shift < GW_HIST_TOP_SHIFT; shift++) {
		uint32_t first = gw_hist_index((1ULL << shift) + 1);

		assert_int_equal(gw_hist_index(2ULL << shift), first + 7);
		assert_int_equal(gw_hist_upper_ns(first + 7), 2ULL << shift);
	}
}

static void test_top_bucket(void **state)
{
	(void)state;

	assert_int_equal(gw_hist_upper_ns(TOP - 1), TOP_NS);
	assert_int_equal(gw_hist_index(TOP_NS), TOP - 1);
	assert_int_equal(gw_hist_index(TOP_NS + 1), TOP);
	assert_int_equal(gw_hist_index(UINT64_MAX), TOP);
	assert_int_equal(gw_hist_upper_ns(TOP), 0);
	assert_int_equal(gw_hist_upper_ns(UINT32_MAX), 0);
}

/* upper ≤ 1.125 · ns, in integers. */
static void assert_error(uint64_t ns)
{
	uint64_t upper = gw_hist_upper_ns(gw_hist_index(ns));

	assert_true(upper >= ns);
	assert_true((upper - ns) * 8 <= ns);
}

static void test_relative_error(void **state)
{
	uint64_t random = 1;
	(void)state;

	for (uint64_t ns = 64; ns < 100000; ns++)
		assert_error(ns);
	for (int i = 0; i < 200000; i++)
		assert_error(64 + next_random(&random) % (TOP_NS - 64));
}

static void test_index_is_monotone(void **state)
{
	uint64_t random = 2;
	(void)state;

	for (int i = 0; i < 200000; i++) {
		uint64_t a = next_random(&random) >> (next_random(&random) % 64);
		uint64_t b = next_random(&random) >> (next_random(&random) % 64);

		assert_true(gw_hist_index(a) < GW_HIST_BUCKETS);
		if (a <= b)
			assert_true(gw_hist_index(a) <= gw_hist_index(b));
		else
			assert_true(gw_hist_index(a) >= gw_hist_index(b));
	}
}

static void test_add(void **state)
{
	struct gw_hist hist = {0};
	(void)state;

	gw_hist_add(&hist, 5000);
	gw_hist_add(&hist, 70);
	gw_hist_add(&hist, 5001);
	gw_hist_add(&hist, 0);
	assert_int_equal(hist.sum_ns, 10071);
	assert_int_equal(hist.max_ns, 5001);
	assert_int_equal(hist.bucket[0], 1);
	assert_int_equal(hist.bucket[gw_hist_index(70)], 1);
	assert_int_equal(hist.bucket[gw_hist_index(5000)], 2);
}

/* ---- percentiles and sums of them ---- */

static void fill(struct gw_histogram *histogram, uint64_t ns, int times)
{
	assert_int_equal(gw_histogram_add(histogram, ns, (uint64_t)times), 0);
}

static void test_percentiles(void **state)
{
	struct gw_histogram h = {0};
	(void)state;

	assert_true(gw_histogram_percentile_ns(&h, 500) == GW_ABSENT_NS);
	fill(&h, 1000, 90);
	fill(&h, 1000000, 9);
	fill(&h, TOP_NS * 2, 1);
	assert_int_equal(gw_histogram_percentile_ns(&h, 0), 1024);
	assert_int_equal(gw_histogram_percentile_ns(&h, 500), 1024);
	assert_int_equal(gw_histogram_percentile_ns(&h, 900), 1024);
	assert_int_equal(gw_histogram_percentile_ns(&h, 901), 1 << 20);
	assert_int_equal(gw_histogram_percentile_ns(&h, 990), 1 << 20);
	assert_int_equal(gw_histogram_percentile_ns(&h, 991), TOP_NS * 2);
	assert_int_equal(gw_histogram_percentile_ns(&h, 2000), TOP_NS * 2);
	h.absent = 1;
	assert_true(gw_histogram_percentile_ns(&h, 500) == GW_ABSENT_NS);
	gw_histogram_clear(&h);
}

static void test_merge(void **state)
{
	struct gw_histogram sum = {0}, part = {0}, absent = {0};
	(void)state;

	assert_int_equal(gw_histogram_set_absent(&absent, "why"), 0);
	fill(&part, 1000, 3);
	fill(&sum, 2000, 2);
	gw_histogram_merge(&sum, &part);
	assert_int_equal(sum.count, 5);
	assert_int_equal(sum.sum_ns, 7000);
	assert_int_equal(sum.max_ns, 2000);
	gw_histogram_merge(&sum, &absent);
	assert_int_equal(sum.absent, 1);
	assert_string_equal(sum.reason, "why");
	gw_histogram_merge(&sum, &part);
	assert_int_equal(sum.absent, 1);
	assert_int_equal(sum.count, 0);
	gw_histogram_clear(&sum);
	gw_histogram_clear(&part);
	gw_histogram_clear(&absent);
}

/* ---- what is kept of the octaves with entries, against all of the buckets ---- */

/* Some durations of any size, in both. */
static void fill_both(struct gw_hist *plain, struct gw_histogram *h, uint64_t *seed, int times)
{
	for (int i = 0; i < times; i++) {
		uint64_t ns = next_random(seed) >> (next_random(seed) % 64);

		ns &= (1ULL << 50) - 1;
		gw_hist_add(plain, ns);
		assert_int_equal(gw_histogram_add(h, ns, 1), 0);
	}
}

static void assert_same(const struct gw_hist *plain, const struct gw_histogram *h)
{
	struct gw_bucket at = {0};
	uint64_t count = 0;

	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++) {
		assert_int_equal(gw_histogram_count(h, i), plain->bucket[i]);
		if (!plain->bucket[i])
			continue;
		assert_true(gw_histogram_next(h, &at));
		assert_int_equal(at.index, i);
		assert_int_equal(at.count, plain->bucket[i]);
		count += at.count;
	}
	assert_false(gw_histogram_next(h, &at));
	assert_int_equal(h->count, count);
	assert_int_equal(h->sum_ns, plain->sum_ns);
	assert_int_equal(h->max_ns, plain->max_ns);
}

static void packed_buckets_are_those_of_all(void **state)
{
	uint64_t seed = 88172645463325252ULL;
	(void)state;

	for (int round = 0; round < 200; round++) {
		struct gw_histogram a = {0}, b = {0}, c = {0}, gained;
		struct gw_hist before = {0}, after, raw = {0};
		int times = round % 40;

		fill_both(&before, &a, &seed, times);
		assert_same(&before, &a);
		assert_int_equal(gw_histogram_merge(&c, &a), 0);
		assert_same(&before, &c);
		after = before;
		assert_int_equal(gw_histogram_copy(&a, &b), 0);
		fill_both(&after, &b, &seed, 40 - times);
		assert_same(&before, &a);
		assert_same(&after, &b);

		assert_int_equal(gw_histogram_minus(&gained, &b, &a), 0);
		for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++)
			raw.bucket[i] = after.bucket[i] - before.bucket[i];
		raw.sum_ns = after.sum_ns - before.sum_ns;
		raw.max_ns = gained.max_ns; /* its rule has a test of its own */
		assert_same(&raw, &gained);
		assert_int_equal(gw_histogram_merge(&c, &gained), 0);
		c.max_ns = after.max_ns;
		assert_same(&after, &c);
		gw_histogram_clear(&a);
		gw_histogram_clear(&b);
		gw_histogram_clear(&c);
		gw_histogram_clear(&gained);
	}
}

static void a_difference_has_only_the_octaves_that_grew(void **state)
{
	struct gw_histogram before = {0}, after = {0}, gained;
	(void)state;

	fill(&before, 1000, 3);
	fill(&before, TOP_NS * 4, 1);
	assert_int_equal(gw_histogram_copy(&before, &after), 0);
	assert_int_equal(gw_histogram_minus(&gained, &after, &before), 0);
	assert_int_equal(gained.count, 0);
	assert_int_equal(gained.max_ns, 0);
	assert_int_equal(gained.octaves, 0);
	assert_null(gained.bucket);

	fill(&after, 70, 2);
	assert_int_equal(gw_histogram_minus(&gained, &after, &before), 0);
	assert_int_equal(gained.count, 2);
	assert_int_equal(gained.sum_ns, 140);
	assert_int_equal(gained.max_ns, 72);
	gw_histogram_clear(&gained);

	/* In the open bucket the greatest of all is as much as is known. */
	fill(&after, TOP_NS * 2, 1);
	assert_int_equal(gw_histogram_minus(&gained, &after, &before), 0);
	assert_int_equal(gained.max_ns, TOP_NS * 4);
	gw_histogram_clear(&gained);
	fill(&after, TOP_NS * 8, 1);
	assert_int_equal(gw_histogram_minus(&gained, &after, &before), 0);
	assert_int_equal(gained.max_ns, TOP_NS * 8);
	assert_int_equal(gw_histogram_count(&gained, TOP), 2);
	gw_histogram_clear(&gained);
	gw_histogram_clear(&before);
	gw_histogram_clear(&after);
}

static void why_it_is_absent_is_its_own_copy(void **state)
{
	struct gw_histogram h = {0}, copy;
	char reason[] = "no probes";
	(void)state;

	assert_string_equal(gw_histogram_reason(&h), "it was not measured");
	fill(&h, 1000, 1);
	assert_int_equal(gw_histogram_set_absent(&h, reason), 0);
	reason[0] = '\0';
	assert_int_equal(h.count, 0);
	assert_null(h.bucket);
	assert_int_equal(gw_histogram_copy(&h, &copy), 0);
	gw_histogram_clear(&h);
	assert_int_equal(copy.absent, 1);
	assert_string_equal(gw_histogram_reason(&copy), "no probes");
	assert_int_equal(gw_histogram_set_absent(&copy, NULL), 0);
	assert_string_equal(gw_histogram_reason(&copy), "it was not measured");
	gw_histogram_clear(&copy);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_log2),
		cmocka_unit_test(test_linear_part),
		cmocka_unit_test(test_edges_round_trip),
		cmocka_unit_test(test_eight_buckets_an_octave),
		cmocka_unit_test(test_top_bucket),
		cmocka_unit_test(test_relative_error),
		cmocka_unit_test(test_index_is_monotone),
		cmocka_unit_test(test_add),
		cmocka_unit_test(test_percentiles),
		cmocka_unit_test(test_merge),
		cmocka_unit_test(packed_buckets_are_those_of_all),
		cmocka_unit_test(a_difference_has_only_the_octaves_that_grew),
		cmocka_unit_test(why_it_is_absent_is_its_own_copy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
