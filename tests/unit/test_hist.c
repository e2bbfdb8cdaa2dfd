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
	for (int i = 0; i < times; i++, histogram->count++)
		gw_hist_add(&histogram->data, ns);
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
}

static void test_merge(void **state)
{
	struct gw_histogram sum = {0}, part = {0}, absent = {.absent = 1, .reason = "why"};
	(void)state;

	fill(&part, 1000, 3);
	fill(&sum, 2000, 2);
	gw_histogram_merge(&sum, &part);
	assert_int_equal(sum.count, 5);
	assert_int_equal(sum.data.sum_ns, 7000);
	assert_int_equal(sum.data.max_ns, 2000);
	gw_histogram_merge(&sum, &absent);
	assert_int_equal(sum.absent, 1);
	assert_string_equal(sum.reason, "why");
	gw_histogram_merge(&sum, &part);
	assert_int_equal(sum.absent, 1);
	assert_int_equal(sum.count, 0);
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
