// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From cells to figures: folding, and splitting by samples. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "gilwatch/account.h"
#include "gilwatch/fold.h"
#include "model/figures.h"
#include "model/split.h"

/* ---- folding ---- */

#define WAITS	GW_STATE_GIL_WAIT
#define OFF	GW_STATE_HELD_OFF
#define UNKNOWN GW_STATE_UNKNOWN

/* By where: unknown, none, waiting, holding, sampled. */
static const enum gw_state states[GW_WHERE_COUNT][GW_GIL_COUNT] = {
	[GW_RUNNING] = {UNKNOWN, GW_STATE_NATIVE, WAITS, GW_STATE_PYTHON, UNKNOWN},
	[GW_RUNNABLE] = {UNKNOWN, GW_STATE_RUNQUEUE, WAITS, OFF, UNKNOWN},
	[GW_STOPPED] = {UNKNOWN, GW_STATE_STOPPED, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_GIL] = {UNKNOWN, WAITS, WAITS, WAITS, UNKNOWN},
	[GW_BLOCKED_LOCK] = {UNKNOWN, GW_STATE_LOCK, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_SLEEP] = {UNKNOWN, GW_STATE_SLEEP, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_DISK] = {UNKNOWN, GW_STATE_DISK, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_NET] = {UNKNOWN, GW_STATE_NET, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_PIPE] = {UNKNOWN, GW_STATE_PIPE, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_POLL] = {UNKNOWN, GW_STATE_POLL, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_FAULT] = {UNKNOWN, GW_STATE_FAULT, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_CHILD] = {UNKNOWN, GW_STATE_CHILD, WAITS, OFF, UNKNOWN},
	[GW_BLOCKED_OTHER] = {UNKNOWN, GW_STATE_OTHER, WAITS, OFF, UNKNOWN},
};

static void test_every_cell_has_its_state(void **state)
{
	(void)state;

	for (int where = 0; where < GW_WHERE_COUNT; where++)
		for (int gil = 0; gil < GW_GIL_COUNT; gil++)
			assert_int_equal(gw_fold((enum gw_gil)gil, (enum gw_where)where),
					 states[where][gil]);
}

static void test_every_state_is_reached(void **state)
{
	int reached[GW_STATE_COUNT] = {0};
	(void)state;

	for (int where = 0; where < GW_WHERE_COUNT; where++)
		for (int gil = 0; gil < GW_GIL_COUNT; gil++)
			reached[states[where][gil]] = 1;
	for (int i = 0; i < GW_STATE_COUNT; i++)
		assert_true(reached[i]);
}

/* ---- splitting by samples ---- */

/* The chance of k hits in n tries. */
static double binomial(int n, int k, double share)
{
	if (share <= 0)
		return k == 0;
	if (share >= 1)
		return k == n;
	return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(share) +
		   (n - k) * log(1 - share));
}

/* Samples that stand for one tick each. */
static struct gw_split split_evenly(int64_t pool_ns, uint64_t held, uint64_t released,
				    double fallback_share)
{
	const struct gw_samples taken = {held, released, held + released};

	return gw_split_pool(pool_ns, &taken, fallback_share);
}

/* How often the interval around what is observed has the true share in it. */
static double coverage(int n, double share)
{
	const int64_t pool = 1000000000000;
	double sum = 0;

	for (int k = 0; k <= n; k++) {
		struct gw_split split = split_evenly(pool, (uint64_t)k, (uint64_t)(n - k), 0.5);

		if (fabs((double)split.held_ns - share * (double)pool) <=
		    (double)split.error_ns + 1)
			sum += binomial(n, k, share);
	}
	return sum;
}

static void test_split_covers_the_true_share(void **state)
{
	static const double shares[] = {0, 0.001, 0.01, 0.1, 0.3, 0.5, 0.7, 0.9, 0.99, 0.999, 1};
	static const int samples[] = {1, 2, 5, 10, 20, 50, 100, 300, 5000};
	(void)state;

	for (size_t i = 0; i < sizeof(shares) / sizeof(shares[0]); i++)
		for (size_t j = 0; j < sizeof(samples) / sizeof(samples[0]); j++)
			if (coverage(samples[j], shares[i]) < 0.94)
				fail_msg("share %g, %d samples: covered in %.4f of all cases",
					 shares[i], samples[j], coverage(samples[j], shares[i]));
}

static void test_split_sums_to_its_pool(void **state)
{
	(void)state;

	for (int64_t pool = 0; pool < 2000; pool += 7) {
		for (uint64_t held = 0; held < 5; held++) {
			struct gw_split split = split_evenly(pool, held, 3, 0.5);

			assert_int_equal(split.held_ns + split.released_ns, pool);
			assert_true(split.held_ns >= 0 && split.released_ns >= 0);
			assert_true(split.error_ns >= 0 && split.error_ns <= pool);
		}
	}
}

static void test_split_gets_better_with_samples(void **state)
{
	int64_t last = INT64_MAX;
	(void)state;

	for (uint64_t n = 1; n < 100000; n *= 2) {
		struct gw_split split = split_evenly(1000000000, n, n, 0.5);

		assert_int_equal(split.held_ns, 500000000);
		assert_true(split.error_ns < last);
		last = split.error_ns;
	}
}

/* One look that stands for 90 ticks tells as little as one look. */
static void test_split_with_late_samples(void **state)
{
	const struct gw_samples even = {90, 10, 100};
	const struct gw_samples late = {90, 10, 90 * 90 + 10};
	struct gw_split split = gw_split_pool(1000000, &late, 0.5);
	(void)state;

	assert_int_equal(split.held_ns, 900000);
	assert_true(split.error_ns > gw_split_pool(1000000, &even, 0.5).error_ns);
	assert_true(split.error_ns >= 500000);
}

static void test_split_without_samples(void **state)
{
	struct gw_split split = split_evenly(1000, 0, 0, 0.25);
	(void)state;

	assert_int_equal(split.held_ns, 250);
	assert_int_equal(split.error_ns, 750);
	split = split_evenly(1000, 0, 0, 1);
	assert_int_equal(split.held_ns, 1000);
	assert_int_equal(split.error_ns, 1000);
	split = split_evenly(0, 0, 0, 0.5);
	assert_int_equal(split.error_ns, 0);
}

/* ---- figures ---- */

static void test_close_adds_what_is_open(void **state)
{
	struct gw_thread t = {.start_ns = 100};
	struct gw_tally tally;
	(void)state;

	t.span = gw_span_make(500, GW_GIL_WAITING, GW_BLOCKED_GIL);
	t.tally.cells.ns[GW_GIL_NONE][GW_RUNNING] = 400;
	t.handover_since_ns = 600;
	t.tally.handover_ns = 7;
	t.tally.samples[GW_SAMPLE_HELD] = 1;
	t.slice_samples[GW_SAMPLE_HELD] = 2;
	tally = gw_figures_close(&t, 900);
	assert_int_equal(tally.cells.ns[GW_GIL_WAITING][GW_BLOCKED_GIL], 400);
	assert_int_equal(tally.handover_ns, 307);
	assert_int_equal(tally.samples[GW_SAMPLE_HELD], 3);
	assert_int_equal(t.tally.cells.ns[GW_GIL_WAITING][GW_BLOCKED_GIL], 0);
}

static void test_close_before_the_last_event(void **state)
{
	struct gw_thread t = {.start_ns = 100};
	struct gw_tally tally;
	(void)state;

	t.span = gw_span_make(500, GW_GIL_NONE, GW_RUNNING);
	t.handover_since_ns = 600;
	tally = gw_figures_close(&t, 400);
	assert_int_equal(tally.cells.ns[GW_GIL_NONE][GW_RUNNING], 0);
	assert_int_equal(tally.handover_ns, 0);
}

/* A different amount in each cell, so that none can be taken for another. */
static void test_fold_keeps_all_time(void **state)
{
	struct gw_tally tally = {.samples = {3, 1}, .sample_squares = 4};
	struct gw_figures f;
	int64_t sum = 0, by_state = 0, by_where = 0;
	(void)state;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++) {
		for (int where = 0; where < GW_WHERE_COUNT; where++) {
			if (gil == GW_GIL_SAMPLED && where != GW_RUNNING)
				continue;
			tally.cells.ns[gil][where] = 1ULL << (gil * 8 + where);
			sum += (int64_t)tally.cells.ns[gil][where];
		}
	}
	gw_figures_fold(&tally, 0.5, &f);
	for (int i = 0; i < GW_STATE_COUNT; i++)
		by_state += f.states.ns[i];
	for (int i = 0; i < GW_WHERE_COUNT; i++)
		by_where += f.where_ns[i];
	assert_int_equal(f.cells_ns, sum);
	assert_int_equal(by_state, sum);
	assert_int_equal(by_where, sum);
}

static void test_fold_splits_the_pool(void **state)
{
	struct gw_tally tally = {.samples = {3, 1}, .sample_squares = 4};
	struct gw_figures f;
	(void)state;

	tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING] = 4000;
	tally.cells.ns[GW_GIL_HOLDING][GW_RUNNING] = 100;
	tally.cells.ns[GW_GIL_HOLDING][GW_BLOCKED_DISK] = 20;
	tally.cells.ns[GW_GIL_HOLDING][GW_RUNNABLE] = 3;
	gw_figures_fold(&tally, 0.5, &f);
	assert_int_equal(f.sampled.ns, 4000);
	assert_int_equal(f.states.ns[GW_STATE_PYTHON], 3100);
	assert_int_equal(f.states.ns[GW_STATE_NATIVE], 1000);
	assert_int_equal(f.states.ns[GW_STATE_UNKNOWN], 0);
	assert_int_equal(f.states.ns[GW_STATE_HELD_OFF], 23);
	assert_int_equal(f.held_off_by_ns[GW_BLOCKED_DISK], 20);
	assert_int_equal(f.held_off_by_ns[GW_RUNNABLE], 3);
	assert_int_equal(f.held_off_by_ns[GW_RUNNING], 0);
	assert_int_equal(f.holding_ns, 3123);
	assert_int_equal(f.where_ns[GW_RUNNING], 4100);
	assert_true(f.python_error_ns > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_cell_has_its_state),
		cmocka_unit_test(test_every_state_is_reached),
		cmocka_unit_test(test_split_covers_the_true_share),
		cmocka_unit_test(test_split_sums_to_its_pool),
		cmocka_unit_test(test_split_gets_better_with_samples),
		cmocka_unit_test(test_split_with_late_samples),
		cmocka_unit_test(test_split_without_samples),
		cmocka_unit_test(test_close_adds_what_is_open),
		cmocka_unit_test(test_close_before_the_last_event),
		cmocka_unit_test(test_fold_keeps_all_time),
		cmocka_unit_test(test_fold_splits_the_pool),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
