// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Time with any thread in I/O or sleep, and the stretches between two blocks in poll. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "gilwatch/loop.h"
#include "gilwatch/overlap.h"

#define MS 1000000ULL

static void put(struct gw_thread *t, __u64 at_ns, enum gw_where where)
{
	t->span = gw_span_make(at_ns, GW_GIL_NONE, where);
}

static void moves(struct gw_overlap *o, struct gw_thread *t, __u64 at_ns, enum gw_where where)
{
	put(t, at_ns, where);
	if (gw_overlap_differs(t))
		gw_overlap_follow(o, t);
}

static void test_what_counts(void **state)
{
	(void)state;
	for (int where = 0; where < GW_WHERE_COUNT; where++)
		assert_int_equal(gw_overlap_counts((enum gw_where)where),
				 where >= GW_BLOCKED_SLEEP && where <= GW_BLOCKED_POLL);
}

static void test_union(void **state)
{
	struct gw_overlap o = {0};
	struct gw_thread a = {0}, b = {0};
	(void)state;

	moves(&o, &a, 10 * MS, GW_BLOCKED_NET);
	moves(&o, &b, 15 * MS, GW_BLOCKED_SLEEP);
	assert_int_equal(gw_overlap_total_ns(&o, 20 * MS), 10 * MS);
	moves(&o, &a, 20 * MS, GW_RUNNABLE);
	moves(&o, &a, 21 * MS, GW_RUNNING);
	assert_int_equal(gw_overlap_total_ns(&o, 25 * MS), 15 * MS);
	moves(&o, &b, 30 * MS, GW_RUNNABLE);
	assert_int_equal(gw_overlap_total_ns(&o, 40 * MS), 20 * MS);
	moves(&o, &b, 50 * MS, GW_BLOCKED_LOCK);
	assert_int_equal(gw_overlap_total_ns(&o, 60 * MS), 20 * MS);
	moves(&o, &b, 60 * MS, GW_BLOCKED_DISK);
	assert_int_equal(gw_overlap_total_ns(&o, 61 * MS), 21 * MS);
	assert_int_equal(a.flags, 0);
}

/* From one such block to another, with the wake-up between missed: one count. */
static void test_counted_once(void **state)
{
	struct gw_overlap o = {0};
	struct gw_thread a = {0};
	(void)state;

	moves(&o, &a, 10 * MS, GW_BLOCKED_NET);
	moves(&o, &a, 20 * MS, GW_BLOCKED_POLL);
	moves(&o, &a, 30 * MS, GW_RUNNING);
	assert_int_equal(o.word, 0);
	assert_int_equal(o.done_ns, 20 * MS);
}

/* Another CPU's clock may be a little behind; the units wrap after 208 days. */
static void test_clocks(void **state)
{
	struct gw_overlap o = {0};
	__u64 wrap_ns = GW_OVERLAP_ONE << GW_OVERLAP_UNIT_SHIFT;
	(void)state;

	assert_true(gw_overlap_begin(&o, 10 * MS));
	assert_true(gw_overlap_end(&o, 10 * MS - 640));
	assert_int_equal(o.done_ns, 0);
	assert_true(gw_overlap_begin(&o, wrap_ns - 64 * MS));
	assert_int_equal(gw_overlap_total_ns(&o, wrap_ns + 64 * MS), 128 * MS);
	assert_true(gw_overlap_end(&o, wrap_ns + 64 * MS));
	assert_int_equal(o.done_ns, 128 * MS);
}

static void test_limits(void **state)
{
	struct gw_overlap o = {0};
	(void)state;

	assert_false(gw_overlap_end(&o, MS));
	o.word = GW_OVERLAP_COUNT_MAX << GW_OVERLAP_COUNT_SHIFT;
	assert_false(gw_overlap_begin(&o, MS));
}

static void runs(struct gw_thread *t, __u64 ns)
{
	t->tally.cells.ns[GW_GIL_HOLDING][GW_RUNNING] += ns / 2;
	t->tally.cells.ns[GW_GIL_NONE][GW_RUNNING] += ns - ns / 2;
}

static void test_stalls(void **state)
{
	struct gw_thread t = {0};
	(void)state;

	runs(&t, 500 * MS); /* before its loop begins */
	gw_loop_block(&t);
	assert_int_equal(t.tally.stalls, 0);
	runs(&t, 100 * MS - 1);
	gw_loop_block(&t);
	assert_int_equal(t.tally.stalls, 0);
	assert_int_equal(t.loop_longest_ns, 100 * MS - 1);
	runs(&t, 100 * MS);
	t.tally.cells.ns[GW_GIL_WAITING][GW_BLOCKED_GIL] += 900 * MS; /* not its own doing */
	gw_loop_block(&t);
	assert_int_equal(t.tally.stalls, 1);
	assert_int_equal(t.tally.stalled_ns, 100 * MS);
	assert_int_equal(t.loop_longest_ns, 100 * MS);
	assert_int_equal(t.tally.polls, 3);
	runs(&t, 300 * MS);
	assert_int_equal(gw_loop_stretch_ns(&t, &t.tally.cells), 300 * MS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_what_counts),  cmocka_unit_test(test_union),
		cmocka_unit_test(test_counted_once), cmocka_unit_test(test_clocks),
		cmocka_unit_test(test_limits),	     cmocka_unit_test(test_stalls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
