// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The accounting model: each transition by itself, probe hits that a switch interrupts, and the
 * laws over long random runs of a simulated interpreter.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/*
 * A switch can come at any point of a probe hit. The hit's atomic operations are the points that
 * count: each of them goes through here, so that a test can let a switch happen before it.
 */
static unsigned long long swap_interrupted(unsigned long long *word, unsigned long long old,
					   unsigned long long new);
static unsigned long long add_interrupted(unsigned long long *word, unsigned long long amount);

#define __sync_val_compare_and_swap(word, old, new) swap_interrupted(word, old, new)
#define __sync_fetch_and_add(word, amount)	    add_interrupted(word, amount)

#include "gilwatch/account.h"
#include "gilwatch/fold.h"
#include "gilwatch/seed.h"

static void (*interrupt)(void);
static int interrupt_countdown = -1;

static void maybe_interrupt(void)
{
	if (interrupt && interrupt_countdown-- == 0)
		interrupt();
}

static unsigned long long swap_interrupted(unsigned long long *word, unsigned long long old,
					   unsigned long long new)
{
	unsigned long long found;

	maybe_interrupt();
	found = *word;
	if (found == old)
		*word = new;
	return found;
}

static unsigned long long add_interrupted(unsigned long long *word, unsigned long long amount)
{
	unsigned long long old;

	maybe_interrupt();
	old = *word;
	*word += amount;
	return old;
}

/* ---- one thread and its GIL ---- */

#define TID   7
#define OTHER 8

struct bed {
	struct gw_thread t, other;
	struct gw_gil_state gil;
	struct gw_effects e;
};

static void bed_make(struct bed *b, enum gw_gil belief, enum gw_where where)
{
	memset(b, 0, sizeof(*b));
	b->t.tid = TID;
	b->t.start_ns = 1000;
	b->t.span = gw_span_make(1000, belief, where);
	b->t.run_since_ns = where == GW_RUNNING ? 1000 : 0;
	b->other.tid = OTHER;
	b->other.start_ns = 1000;
	b->other.span = gw_span_make(1000, GW_GIL_NONE, GW_RUNNING);
	b->gil.holder = GW_BY_NOBODY;
	if (belief == GW_GIL_HOLDING) {
		b->t.hold_since_ns = 1000;
		b->gil.holder = where;
		b->gil.holder_tid = TID;
	}
}

/* Evidence: the GIL's memory was read, and the thread does not hold it. */
static struct gw_out leaves_for(uint32_t engine, enum gw_where where)
{
	struct gw_out out = {.engine = engine, .where = where, .gil_read = 1};

	if (where == GW_BLOCKED_GIL)
		out.futex = GW_FUTEX_WAIT;
	return out;
}

static void switch_out(struct bed *b, uint64_t now, struct gw_out out)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_switch_out(&b->t, &b->gil, now, &out, &b->e);
}

static void switch_in(struct bed *b, uint32_t engine, uint64_t now)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_switch_in(&b->t, &b->gil, engine, now, &b->e);
}

static void acquire(struct bed *b, uint64_t now)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_acquire(&b->t, &b->gil, now, GW_SAME_CORE, &b->e);
}

static void release(struct bed *b, uint64_t now, int forced)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_release(&b->t, &b->gil, now, 3, forced, &b->e);
}

static uint64_t cells_sum(const struct gw_cells *cells)
{
	uint64_t sum = 0;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++)
		for (int where = 0; where < GW_WHERE_COUNT; where++)
			sum += cells->ns[gil][where];
	return sum;
}

static uint64_t wall(const struct gw_thread *t, uint64_t now)
{
	return cells_sum(&t->tally.cells) + now - gw_span_since_ns(t->span);
}

static void assert_span(const struct gw_thread *t, uint64_t since, enum gw_gil gil,
			enum gw_where where)
{
	assert_int_equal(gw_span_since_ns(t->span), since);
	assert_int_equal(gw_span_gil(t->span), gil);
	assert_int_equal(gw_span_where(t->span), where);
}

static void assert_cell(const struct gw_thread *t, enum gw_gil gil, enum gw_where where,
			uint64_t ns)
{
	assert_int_equal(t->tally.cells.ns[gil][where], ns);
}

/* ---- spans ---- */

static void test_span_packs_time_and_cell(void **state)
{
	uint64_t since = (1ULL << 56) - 1;
	(void)state;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++) {
		for (int where = 0; where < GW_WHERE_COUNT; where++) {
			gw_span span = gw_span_make(since, (enum gw_gil)gil, (enum gw_where)where);

			assert_int_equal(gw_span_since_ns(span), since);
			assert_int_equal(gw_span_gil(span), gil);
			assert_int_equal(gw_span_where(span), where);
			assert_true(gw_is_seeded(span));
		}
	}
}

static void test_span_set_keeps_where(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	gw_span_set_gil(&b.t, 1500, GW_GIL_HOLDING);
	assert_span(&b.t, 1500, GW_GIL_HOLDING, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNING, 500);
	gw_span_set_gil(&b.t, 1400, GW_GIL_NONE);
	assert_span(&b.t, 1500, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(wall(&b.t, 1600), 600);
}

/* ---- switches and wake-ups ---- */

static void test_block_wake_run(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK));
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_DISK);
	assert_int_equal(b.t.cpu_ns, 1000);
	assert_int_equal(b.t.run_since_ns, 0);
	gw_wakeup(&b.t, &b.gil, 5000);
	assert_span(&b.t, 5000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 1);
	switch_in(&b, GW_ENGINE_UPROBE, 5300);
	assert_span(&b.t, 5300, GW_GIL_NONE, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_BLOCKED_DISK, 3000);
	assert_cell(&b.t, GW_GIL_NONE, GW_RUNNABLE, 300);
	assert_int_equal(b.t.run_since_ns, 5300);
}

static void test_wakeup_of_running_is_ignored(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	gw_wakeup(&b.t, &b.gil, 2000);
	assert_span(&b.t, 1000, GW_GIL_HOLDING, GW_RUNNING);
	switch_out(&b, 3000, (struct gw_out){.engine = GW_ENGINE_UPROBE, .where = GW_RUNNABLE});
	gw_wakeup(&b.t, &b.gil, 4000);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 0);
	assert_int_equal(b.t.wake_ns, 0);
}

static void test_second_wakeup_is_ignored(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	gw_wakeup(&b.t, &b.gil, 2500);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.wakes, 1);
	assert_int_equal(b.t.wake_ns, 2000);
}

static void test_missed_wakeup(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_PIPE);
	switch_in(&b, GW_ENGINE_UPROBE, 4000);
	assert_span(&b.t, 4000, GW_GIL_NONE, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_NONE, GW_BLOCKED_PIPE, 3000);
	acquire(&b, 4100);
	assert_int_equal(b.e.resume_ns, 0);
}

static void test_two_switches_in(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNABLE);
	switch_in(&b, GW_ENGINE_SCHED, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2500);
	assert_span(&b.t, 2500, GW_GIL_SAMPLED, GW_RUNNING);
	assert_int_equal(wall(&b.t, 3000), 2000);
}

static void test_two_switches_out(void **state)
{
	struct bed b;
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 2000, leaves_for(engine, GW_BLOCKED_LOCK));
		switch_out(&b, 2600, leaves_for(engine, GW_RUNNABLE));
		assert_int_equal(wall(&b.t, 3000), 2000);
		assert_int_equal(b.t.cpu_ns, 1000);
	}
}

/* Clocks of two CPUs may disagree by a little: a record's time stands still, it never runs back. */
static void test_time_never_runs_backwards(void **state)
{
	struct bed b;
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 5000, leaves_for(engine, GW_BLOCKED_SLEEP));
		gw_wakeup(&b.t, &b.gil, 4990);
		switch_in(&b, engine, 4980);
		switch_out(&b, 4970, leaves_for(engine, GW_RUNNABLE));
		assert_int_equal(gw_span_since_ns(b.t.span), 5000);
		assert_int_equal(wall(&b.t, 6000), 5000);
		assert_int_equal(b.t.cpu_ns, 4000);
	}
}

static void test_backward_time_in_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 5000, out);
	switch_in(&b, GW_ENGINE_UPROBE, 4990);
	assert_int_equal(b.t.tally.handover_ns, 0);
}

static void test_backward_time_in_sleep(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.sleeps = 1;
	out.asked_ns = 100;
	switch_out(&b, 5000, out);
	gw_wakeup(&b.t, &b.gil, 4995);
	switch_in(&b, GW_ENGINE_UPROBE, 4995);
	acquire(&b, 4995);
	assert_int_equal(b.t.tally.delays, 1);
	assert_int_equal(b.t.tally.delay_actual_ns, 0);
}

static void test_without_engine_gil_is_unknown(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_NONE, GW_BLOCKED_POLL));
	assert_span(&b.t, 2000, GW_GIL_UNKNOWN, GW_BLOCKED_POLL);
	gw_wakeup(&b.t, NULL, 3000);
	switch_in(&b, GW_ENGINE_NONE, 3500);
	assert_span(&b.t, 3500, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_BLOCKED_POLL, 1000);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNABLE, 500);
}

/* Without a GIL there is nothing to sample: the time would be split by chance. */
static void test_no_gil_is_never_sampled(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNABLE);
	gw_switch_in(&b.t, NULL, GW_ENGINE_SCHED, 2000, &b.e);
	gw_switch_out(&b.t, NULL, 3000, &out, &b.e);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 0);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
}

static void test_cpu_change_flushes(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	b.t.cpu = 2;
	switch_out(&b, 1700, leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE));
	gw_switch_in_cpu(&b.t, 2, GW_SAME_CPU, &b.e);
	assert_int_equal(b.e.flush, 0);
	gw_switch_in_cpu(&b.t, 5, GW_CROSS_NODE, &b.e);
	assert_int_equal(b.e.flush, 1);
	assert_int_equal(b.e.flush_ns, 700);
	assert_int_equal(b.e.flush_cpu, 2);
	assert_int_equal(b.t.cpu, 5);
	assert_int_equal(b.t.cpu_ns, 0);
	assert_int_equal(b.t.tally.migrations[GW_CROSS_NODE], 1);
	gw_switch_in_cpu(&b.t, 6, GW_DISTANCE_COUNT, &b.e);
	assert_int_equal(b.t.tally.migrations[GW_CROSS_NODE], 1);
}

/* ---- probe hits ---- */

static void test_acquire_and_release(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_RUNNING);
	assert_int_equal(b.gil.holder, GW_RUNNING);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.gil.holder_changes, 1);
	assert_int_equal(b.gil.handovers[GW_SAME_CORE], 1);
	release(&b, 2600, 0);
	assert_span(&b.t, 2600, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.e.hold_ns, 600);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.gil.holder_cpu, 3);
	assert_int_equal(b.t.release_ns, 2600);
	acquire(&b, 2700);
	assert_int_equal(b.gil.holder_changes, 1);
	release(&b, 2800, 1);
	assert_int_equal(b.t.tally.acquisitions, 2);
	assert_int_equal(b.t.tally.releases, 2);
	assert_int_equal(b.t.tally.forced_releases, 1);
	assert_int_equal(b.gil.forced_releases, 1);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 700);
}

static void test_second_acquire_keeps_hold(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	acquire(&b, 2500);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_int_equal(b.t.tally.acquisitions, 2);
	release(&b, 3000, 0);
	assert_int_equal(b.e.hold_ns, 1000);
}

static void test_second_release_ends_nothing(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 0);
	release(&b, 2500, 0);
	assert_int_equal(b.e.hold_ns, 0);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.tally.releases, 2);
}

static void test_hold_without_length_is_counted(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	release(&b, 2000, 0);
	assert_int_equal(b.e.hold_ns, 1);
}

static void test_wait_until_acquired(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holder = OTHER;
	switch_out(&b, 2048, out);
	assert_span(&b.t, 2048, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(b.t.tally.waits, 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
	gw_wakeup(&b.t, &b.gil, 4096);
	assert_int_equal(b.t.wake_ns, 0);
	switch_in(&b, GW_ENGINE_UPROBE, 4160);
	assert_span(&b.t, 4160, GW_GIL_WAITING, GW_RUNNING);
	acquire(&b, 4224);
	assert_int_equal(b.e.wait_ns, 4224 - 2048);
	assert_int_equal(b.e.pair_ns, 4224 - 2048);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(gw_wait_total_ns(&b.gil.waiters, 9999), 4224 - 2048);
}

/* A switch interval passes: the waiter blocks again, perhaps because of another holder. */
static void test_wait_in_parts(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holder = OTHER;
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3100);
	out.holder = OTHER + 1;
	switch_out(&b, 3200, out);
	assert_int_equal(b.e.pair_ns, 1200);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_int_equal(b.e.wait_ns, 0);
	gw_wakeup(&b.t, &b.gil, 4000);
	switch_in(&b, GW_ENGINE_UPROBE, 4100);
	acquire(&b, 4200);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, OTHER + 1);
	assert_int_equal(b.e.wait_ns, 2200);
	assert_int_equal(b.t.tally.waits, 1);
}

static void test_handover_after_forced_release(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 1);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2100, out);
	assert_span(&b.t, 2100, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	assert_span(&b.t, 3200, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.tally.handover_ns, 1100);
	assert_int_equal(b.t.handover_since_ns, 0);
	assert_int_equal(b.t.tally.waits, 0);
}

/* drop_gil locks the GIL's mutex while it still holds the GIL, and may have to wait for that. */
static void test_holder_that_waits_for_the_mutex(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_UPROBE, 2600);
	assert_span(&b.t, 2600, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 3000, 0);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
}

/* take_gil writes last_holder after locked: in between, memory names the last holder. */
static void test_last_holder_that_blocks_does_not_hold(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	out.holds = 1;
	for (int futex = GW_FUTEX_WAIT; futex <= GW_FUTEX_HANDOVER; futex++) {
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		out.futex = (enum gw_futex)futex;
		switch_out(&b, 2000, out);
		assert_span(&b.t, 2000, GW_GIL_WAITING, GW_BLOCKED_GIL);
		assert_int_equal(b.t.tally.corrected, 0);
		assert_int_equal(gw_wait_count(&b.gil.waiters), futex == GW_FUTEX_WAIT);
	}
}

/* take_gil locks switch_mutex as well: a waiter that blocks there goes on waiting, in W(t). */
static void test_taker_blocks_on_the_switch_mutex(void **state)
{
	struct bed b;
	struct gw_out out;
	(void)state;

	for (uint32_t engine = GW_ENGINE_SCHED; engine <= GW_ENGINE_UPROBE; engine++) {
		out = leaves_for(engine, GW_BLOCKED_GIL);
		bed_make(&b, GW_GIL_NONE, GW_RUNNING);
		switch_out(&b, 2000, out);
		gw_wakeup(&b.t, &b.gil, 2500);
		switch_in(&b, engine, 2600);
		out.futex = GW_FUTEX_HANDOVER;
		switch_out(&b, 2700, out);
		assert_span(&b.t, 2700, GW_GIL_WAITING, GW_BLOCKED_GIL);
		assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
		assert_int_equal(b.t.handover_since_ns, 0);
		gw_wakeup(&b.t, &b.gil, 2800);
		switch_in(&b, engine, 3000);
		if (engine == GW_ENGINE_UPROBE)
			acquire(&b, 3000);
		else
			switch_out(&b, 3500, leaves_for(engine, GW_BLOCKED_SLEEP));
		assert_int_equal(b.e.wait_ns, 1000);
		assert_int_equal(b.t.tally.handover_ns, 0);
	}
}

/* Nobody held it as the waiter blocked, but somebody did before it was its turn. */
static void test_blames_the_holder_that_came_since(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, out);
	gw_sample(&b.other, &b.gil, 2400, 1);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	gw_sample(&b.t, &b.gil, 3200, 1); /* it has it now itself */
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_SLEEP);
	out.switch_number = 1;
	switch_out(&b, 4000, out);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, OTHER);
}

/* Who held it before the waiter blocked is not to blame. */
static void test_blames_no_earlier_holder(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	gw_hold_begin(&b.other, &b.gil, 1500);
	gw_hold_end(&b.other, &b.gil, 1800, &b.e);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3000);
	acquire(&b, 3000);
	assert_int_equal(b.e.pair_ns, 1000);
	assert_int_equal(b.e.pair_by, 0);
}

/* The host takes the CPU away: one look, late, stands for all the ticks that did not come. */
static void test_late_sample_stands_for_its_ticks(void **state)
{
	struct bed b;
	const uint64_t period = GW_SAMPLE_PERIOD_NS;
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	gw_sample(&b.t, &b.gil, 1000 + period / 3, 0);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_RELEASED], 1);
	gw_sample(&b.t, &b.gil, 1000 + period * 4 / 3, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 1);
	gw_sample(&b.t, &b.gil, 1000 + period * 64 / 3 + 50, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 21);
	assert_int_equal(b.t.slice_squares, 1 + 1 + 400);
	/* Off the CPU no tick is missed. */
	switch_out(&b, 30 * period, leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_SLEEP));
	switch_in(&b, GW_ENGINE_SCHED, 90 * period);
	gw_sample(&b.t, &b.gil, 90 * period + period / 2, 1);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 1);
	assert_int_equal(b.t.tally.sample_squares, 402);
}

/* The hit of the acquisition was missed: the release shows that the wait is over. */
static void test_release_ends_a_wait(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_UPROBE, 2600);
	release(&b, 3000, 0);
	assert_int_equal(b.t.wait_since_ns, 0);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(b.e.wait_ns, 1000);
}

/* A thread that held before the watch began: its release ends what the GIL's holder does. */
static void test_release_of_an_unknown_hold(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.gil.holder = GW_RUNNING; /* as a watch begins */
	assert_true(gw_wait_begin(&b.gil.waiters, 1024));
	release(&b, 2048, 0);
	assert_span(&b.t, 2048, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.e.hold_ns, 0);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 1024);
	assert_int_equal(b.t.tally.inflicted_ns, 1024);
}

static void test_inflicted_wait_of_a_hold(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 1024);
	assert_true(gw_wait_begin(&b.gil.waiters, 2048));
	assert_true(gw_wait_begin(&b.gil.waiters, 2048));
	out.holds = 1;
	switch_out(&b, 4096, out);
	gw_wakeup(&b.t, &b.gil, 8192);
	switch_in(&b, GW_ENGINE_UPROBE, 8192 + 1024);
	release(&b, 16384, 0);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 2 * (2048 + 7168));
	assert_int_equal(b.gil.by_holder_ns[GW_BLOCKED_DISK], 2 * 4096);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNABLE], 2 * 1024);
	assert_int_equal(b.t.tally.inflicted_ns, 2 * (16384 - 2048));
	assert_int_equal(b.t.wake_ns, 0);
}

/* ---- belief against memory ---- */

static void test_pending_hit_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holds = 1;
	out.at_site = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 0);
}

static void test_unreadable_memory_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.gil_read = 0;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.tally.corrected, 0);
}

static void test_correction_to_holding_survives_its_hit(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_RUNNABLE);
	assert_int_equal(b.t.tally.corrected, 1);
	assert_int_equal(b.gil.holder, GW_RUNNABLE);
	switch_in(&b, GW_ENGINE_UPROBE, 2500);
	acquire(&b, 2600);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_span(&b.t, 2500, GW_GIL_HOLDING, GW_RUNNING);
}

static void test_correction_ends_a_wait(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_UPROBE, 3100);
	out.holds = 1;
	switch_out(&b, 4000, out);
	assert_int_equal(b.e.wait_ns, 2000);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_span(&b.t, 4000, GW_GIL_HOLDING, GW_RUNNABLE);
}

static void test_correction_to_released(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP));
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_SLEEP);
	assert_int_equal(b.e.hold_ns, 1000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_int_equal(b.t.tally.corrected, 1);
}

static void test_first_evidence_is_no_correction(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_NET);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 1000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.hold_since_ns, 2000);
	assert_int_equal(b.t.tally.corrected, 0);
}

/* The sampled pool is time on a CPU; what nobody knows about the rest is unknown. */
static void test_nothing_off_cpu_is_sampled(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_DISK);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	out.gil_read = 0;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
}

static void test_sample_of_an_unknown_thread(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_first_evidence(&b.t, &b.gil, 3000, 1, &b.e);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNING);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.t.hold_since_ns, 3000);
	gw_first_evidence(&b.t, &b.gil, 4000, 0, &b.e);
	assert_span(&b.t, 3000, GW_GIL_HOLDING, GW_RUNNING);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_first_evidence(&b.t, &b.gil, 3000, 0, &b.e);
	assert_span(&b.t, 3000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(b.t.hold_since_ns, 0);
}

/* ---- the sched engine ---- */

static void sched_wait(struct bed *b, uint64_t switch_number)
{
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);

	bed_make(b, GW_GIL_SAMPLED, GW_RUNNING);
	b->gil.holder = GW_RUNNING;
	out.switch_number = switch_number;
	out.holder = OTHER;
	switch_out(b, 2048, out);
	gw_wakeup(&b->t, &b->gil, 4096);
	switch_in(b, GW_ENGINE_SCHED, 4160);
}

static void test_sched_tells_by_memory(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_NONE, GW_BLOCKED_NET);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	assert_span(&b.t, 3000, GW_GIL_SAMPLED, GW_RUNNING);
	out.holds = 1;
	switch_out(&b, 4000, out);
	assert_span(&b.t, 4000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.gil.holder, GW_BLOCKED_NET);
	switch_in(&b, GW_ENGINE_SCHED, 5000);
	assert_int_equal(b.gil.holder, GW_RUNNING);
	out.holds = out.gil_read = 0;
	switch_out(&b, 6000, out);
	assert_span(&b.t, 6000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 3000);
}

static void test_sched_wait_ended_by_a_run(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_DISK);
	(void)state;

	sched_wait(&b, 10);
	assert_span(&b.t, 4160, GW_GIL_SAMPLED, GW_RUNNING);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	out.switch_number = 11;
	switch_out(&b, 9000, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.e.pair_ns, 4160 - 2048);
	assert_int_equal(b.e.pair_by, OTHER);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 1048 + 9000 - 4160);
}

static void test_sched_waiter_blocks_again(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	sched_wait(&b, 10);
	b.t.slice_samples[GW_SAMPLE_HELD] = 5;
	out.switch_number = 10;
	out.holder = OTHER + 1;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 0);
	assert_int_equal(b.e.pair_ns, 4224 - 2048);
	assert_int_equal(b.t.tally.waits, 1);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 64);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 64);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 0);
	assert_int_equal(b.t.slice_samples[GW_SAMPLE_HELD], 0);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
}

static void test_sched_waiter_had_it_in_between(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	sched_wait(&b, 10);
	b.t.slice_samples[GW_SAMPLE_HELD] = 5;
	out.switch_number = 11;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.tally.waits, 2);
	assert_int_equal(b.t.wait_since_ns, 4224);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 0);
	assert_int_equal(b.gil.by_holder_ns[GW_RUNNING], 0);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 5);
}

/* A thread that takes the GIL again after itself leaves no trace in switch_number. */
static void test_sched_last_holder_may_have_had_it(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	out.switch_number = 10;
	out.was_last = 1;
	switch_out(&b, 2048, out);
	gw_wakeup(&b.t, &b.gil, 4096);
	switch_in(&b, GW_ENGINE_SCHED, 4160);
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.tally.waits, 2);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 0);
}

static void test_sched_waiter_is_preempted(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	sched_wait(&b, 10);
	out.switch_number = 10;
	switch_out(&b, 4224, out);
	assert_span(&b.t, 4224, GW_GIL_WAITING, GW_RUNNABLE);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
	switch_in(&b, GW_ENGINE_SCHED, 5120);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	out.switch_number = 11;
	out.holds = 1;
	switch_out(&b, 6144, out);
	assert_int_equal(b.e.wait_ns, 5120 - 2048);
	assert_span(&b.t, 6144, GW_GIL_HOLDING, GW_RUNNABLE);
}

static void test_sched_unreadable_memory_ends_a_wait(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	sched_wait(&b, 10);
	out.gil_read = 0;
	switch_out(&b, 4224, out);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_span(&b.t, 4224, GW_GIL_UNKNOWN, GW_RUNNABLE);
}

static void test_sched_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2000, out);
	assert_span(&b.t, 2000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	gw_wakeup(&b.t, &b.gil, 2500);
	switch_in(&b, GW_ENGINE_SCHED, 2700);
	assert_int_equal(b.t.tally.handover_ns, 700);
	assert_int_equal(b.t.tally.waits, 0);
	assert_span(&b.t, 2700, GW_GIL_SAMPLED, GW_RUNNING);
}

/* Since when a thread holds is not seen without probes: an old time would be a lie. */
static void test_sched_hold_has_no_beginning(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
	gw_settle(&b.t, &b.gil, 1100, 1, 1100, 0);
	assert_int_equal(b.t.hold_since_ns, 1000);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2100);
	out.holds = 1;
	switch_out(&b, 900000, out);
	assert_span(&b.t, 900000, GW_GIL_HOLDING, GW_BLOCKED_NET);
	assert_int_equal(b.t.hold_since_ns, 0);
}

/* ---- probes that are taken away ---- */

static void test_slice_begun_under_probes(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	out.engine_since_ns = 1800;
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_HOLDING, GW_RUNNING, 800);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 1200);
	assert_int_equal(b.t.hold_since_ns, 0);
	assert_span(&b.t, 3000, GW_GIL_NONE, GW_RUNNABLE);
}

static void test_slice_begun_after_probes(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.engine_since_ns = 500;
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 2000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	switch_out(&b, 3000, out);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 2000);
}

/* Woken under probes, so that it is in W(t) while it runs; without them it blocks again. */
static void test_waiter_of_probes_blocks_again(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	uint64_t booked;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	b.gil.holder = GW_RUNNING;
	switch_out(&b, 1024, out);
	gw_wakeup(&b.t, &b.gil, 2048);
	switch_in(&b, GW_ENGINE_UPROBE, 2048);
	out.engine = GW_ENGINE_SCHED;
	out.engine_since_ns = 2560;
	switch_out(&b, 4096, out);
	gw_gil_advance(&b.gil, 4096, GW_RUNNING);
	booked = b.gil.by_holder_ns[GW_RUNNING];
	assert_int_equal(booked, 4096 - 1024);
	assert_cell(&b.t, GW_GIL_WAITING, GW_RUNNING, 4096 - 2048);
}

static void test_waiter_of_probes_runs_on(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 1024, out);
	gw_wakeup(&b.t, &b.gil, 2048);
	switch_in(&b, GW_ENGINE_UPROBE, 2048);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_DISK);
	out.engine_since_ns = 2560;
	switch_out(&b, 4096, out);
	assert_int_equal(b.e.wait_ns, 2560 - 1024);
	assert_int_equal(gw_wait_total_ns(&b.gil.waiters, 8192), 2560 - 1024);
	assert_cell(&b.t, GW_GIL_SAMPLED, GW_RUNNING, 4096 - 2560);
}

/* ---- resume latency and sleeps ---- */

static void test_resume_until_acquired(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_UPROBE, 2300);
	switch_out(&b, 2400, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_UPROBE, 3450);
	acquire(&b, 3500);
	assert_int_equal(b.e.resume_ns, 1500);
	assert_int_equal(b.t.tally.resume_runqueue_ns, 300);
	assert_int_equal(b.t.tally.resume_gil_ns, 1100);
	release(&b, 3600, 0);
	acquire(&b, 3700);
	assert_int_equal(b.e.resume_ns, 0);
}

static void test_sched_resume_until_last_switch_in(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2300);
	switch_out(&b, 2400, out);
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_SCHED, 3450);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	out.switch_number = 1;
	switch_out(&b, 5000, out);
	assert_int_equal(b.e.resume_ns, 1450);
	assert_int_equal(b.t.tally.resume_runqueue_ns, 300);
	assert_int_equal(b.t.tally.resume_gil_ns, 1050);
}

/* The waiter is preempted before it has the GIL: it resumes at a later switch-in. */
static void test_sched_resume_of_preempted_waiter(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_BLOCKED_NET);
	gw_wakeup(&b.t, &b.gil, 2000);
	switch_in(&b, GW_ENGINE_SCHED, 2300);
	switch_out(&b, 2400, out);
	gw_wakeup(&b.t, &b.gil, 3400);
	switch_in(&b, GW_ENGINE_SCHED, 3450);
	switch_out(&b, 3500, leaves_for(GW_ENGINE_SCHED, GW_RUNNABLE));
	switch_in(&b, GW_ENGINE_SCHED, 4500);
	out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	out.switch_number = 1;
	switch_out(&b, 5000, out);
	assert_int_equal(b.e.resume_ns, 2500);
}

static void test_delay_runs_from_the_release(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	release(&b, 2000, 0);
	out.sleeps = 1;
	out.asked_ns = 1000;
	switch_out(&b, 2100, out);
	gw_wakeup(&b.t, &b.gil, 3100);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	acquire(&b, 3500);
	assert_int_equal(b.t.tally.delays, 1);
	assert_int_equal(b.t.tally.delay_asked_ns, 1000);
	assert_int_equal(b.t.tally.delay_actual_ns, 1500);
}

static void test_sleep_of_unknown_length_has_no_delay(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2100, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP));
	gw_wakeup(&b.t, &b.gil, 3100);
	switch_in(&b, GW_ENGINE_UPROBE, 3200);
	acquire(&b, 3500);
	assert_int_equal(b.t.tally.delays, 0);
}

/* ---- the end of a thread ---- */

static void test_exit_while_holding(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	b.t.cpu = 4;
	b.t.slice_samples[GW_SAMPLE_HELD] = 2;
	gw_exit(&b.t, &b.gil, 3000, &b.e);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.e.flush_ns, 2000);
	assert_int_equal(b.e.flush_cpu, 4);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 2);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_true(b.t.flags & GW_THREAD_DEAD);
	assert_int_equal(cells_sum(&b.t.tally.cells), 2000);
}

static void test_exit_after_a_wait(void **state)
{
	struct bed b;
	(void)state;

	sched_wait(&b, 10);
	memset(&b.e, 0, sizeof(b.e));
	gw_exit(&b.t, &b.gil, 9000, &b.e);
	assert_int_equal(b.e.wait_ns, 4160 - 2048);
	assert_int_equal(b.t.wait_since_ns, 0);
}

static void test_exit_in_a_wait(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2048, leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL));
	gw_exit(&b.t, &b.gil, 4096, &b.e);
	assert_int_equal(b.e.wait_ns, 2048);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 2048);
}

/* After counting has stopped a thread can go on to its end: as of the stop it was blocked. */
static void test_exit_in_a_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	out.futex = GW_FUTEX_HANDOVER;
	switch_out(&b, 2000, out);
	gw_exit(&b.t, &b.gil, 3000, &b.e);
	assert_cell(&b.t, GW_GIL_WAITING, GW_BLOCKED_GIL, 1000);
	assert_int_equal(b.t.tally.handover_ns, 1000);
}

static void test_exit_without_a_gil(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_exit(&b.t, NULL, 3000, &b.e);
	assert_cell(&b.t, GW_GIL_UNKNOWN, GW_RUNNING, 2000);
}

/* ---- the beginning ---- */

static void test_seed_running(void **state)
{
	static const enum gw_gil belief[] = {GW_GIL_UNKNOWN, GW_GIL_SAMPLED, GW_GIL_UNKNOWN};
	(void)state;

	for (uint32_t engine = GW_ENGINE_NONE; engine <= GW_ENGINE_UPROBE; engine++) {
		struct bed b;
		struct gw_out out = leaves_for(engine, GW_RUNNING);

		bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
		b.t.span = 0;
		assert_int_equal(gw_seed(&b.t, engine ? &b.gil : NULL, 0, 5000, &out, &b.e), 1);
		assert_span(&b.t, 5000, belief[engine], GW_RUNNING);
		assert_int_equal(b.t.start_ns, 5000);
		assert_int_equal(b.t.run_since_ns, 5000);
	}
}

static void test_seed_blocked(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_span(&b.t, 5000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	assert_int_equal(b.t.run_since_ns, 0);
	assert_int_equal(b.t.handover_since_ns, 0);
}

static void test_seed_waiting(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_span(&b.t, 5000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	assert_int_equal(b.t.wait_since_ns, 5000);
	assert_int_equal(b.t.tally.waits, 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 1);
}

static void test_seed_in_a_handover(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	out.futex = GW_FUTEX_HANDOVER;
	assert_int_equal(gw_seed(&b.t, &b.gil, 0, 5000, &out, &b.e), 1);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	switch_in(&b, GW_ENGINE_UPROBE, 6000);
	assert_int_equal(b.t.tally.handover_ns, 1000);
	assert_span(&b.t, 6000, GW_GIL_NONE, GW_RUNNING);
}

static void test_seed_overtaken_by_an_event(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_GIL);
	gw_span seen;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	seen = b.t.span;
	gw_unseeded_event(&b.t);
	assert_int_equal(gw_seed(&b.t, &b.gil, seen, 5000, &out, &b.e), 0);
	assert_false(gw_is_seeded(b.t.span));
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
	assert_int_equal(b.t.tally.waits, 0);
	out = leaves_for(GW_ENGINE_UPROBE, GW_RUNNING);
	seen = b.t.span;
	assert_int_equal(gw_seed(&b.t, &b.gil, seen, 6000, &out, &b.e), 1);
	assert_span(&b.t, 6000, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_int_equal(b.t.wait_since_ns, 0);
	assert_int_equal(b.t.wait_block_ns, 0);
	assert_int_equal(wall(&b.t, 7000), 1000);
}

static void test_unseeded_events_never_look_seeded(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	b.t.span = 0;
	for (int i = 0; i < 1000; i++) {
		gw_span before = b.t.span;

		gw_unseeded_event(&b.t);
		assert_false(gw_is_seeded(b.t.span));
		assert_true(b.t.span != before);
		assert_true(b.t.span != 0);
	}
}

static void test_settle(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_DISK);
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_HOLDING, GW_BLOCKED_DISK);
	assert_int_equal(b.gil.holder, GW_BLOCKED_DISK);
	assert_int_equal(b.gil.holder_tid, TID);
	assert_int_equal(b.t.hold_since_ns, 1000);
	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNABLE);
	gw_settle(&b.t, &b.gil, 2000, 0, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_NONE, GW_RUNNABLE);
	assert_int_equal(b.gil.holder_tid, 0);
}

/* A GIL that is switched on: what was before it stays unknown. */
static void test_settle_when_the_facts_come_late(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	gw_settle(&b.t, &b.gil, 2000, 0, 1900, 1700);
	assert_span(&b.t, 1700, GW_GIL_NONE, GW_BLOCKED_NET);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_UNKNOWN][GW_BLOCKED_NET], 700);
	assert_int_equal(wall(&b.t, 2500), 1500);
}

/* Without a GIL nothing is sampled; the slice that goes on as it comes is from then on. */
static void test_sampling_begins_with_the_facts(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_NET);
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	out.engine_since_ns = 1400;
	switch_out(&b, 2000, out);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_UNKNOWN][GW_RUNNING], 400);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 600);
}

/* Probes come while a woken waiter runs: its wait ended as it began to, and its samples count. */
static void test_probes_come_while_a_waiter_runs(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL));
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3100);
	gw_sample(&b.t, &b.gil, 3200, 1);
	release(&b, 4000, 0);
	assert_int_equal(b.e.wait_ns, 1100);
	assert_int_equal(b.t.tally.samples[GW_SAMPLE_HELD], 1);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 1000 + 900);
	assert_span(&b.t, 4000, GW_GIL_NONE, GW_RUNNING);
	assert_int_equal(gw_wait_count(&b.gil.waiters), 0);
}

/* What a thread was is over; it runs on as a new one of which nothing is known. */
static void test_exec_closes_the_books(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_HOLDING, GW_RUNNING);
	b.t.fs_base = 1;
	memset(&b.e, 0, sizeof(b.e));
	gw_exec(&b.t, &b.gil, 3000, &b.e);
	assert_int_equal(b.e.hold_ns, 2000);
	assert_int_equal(b.gil.holder, GW_BY_NOBODY);
	assert_span(&b.t, 3000, GW_GIL_UNKNOWN, GW_RUNNING);
	assert_int_equal(b.t.fs_base, 0);
	assert_int_equal(b.t.flags, 0);
	assert_int_equal(b.t.run_since_ns, 3000);
	assert_int_equal(wall(&b.t, 3500), 2500);
}

/* A thread of several GILs: another GIL's number says nothing of the wait for the first. */
static void test_no_wait_goes_on_at_another_gil(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_SCHED, GW_BLOCKED_GIL);
	(void)state;

	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 3000);
	switch_in(&b, GW_ENGINE_SCHED, 3000);
	b.t.gil = 1;
	switch_out(&b, 3500, out);
	assert_int_equal(b.e.wait_ns, 1000);
	assert_int_equal(b.t.tally.waits, 2);
	assert_int_equal(b.t.tally.cells.ns[GW_GIL_SAMPLED][GW_RUNNING], 1000 + 500);
}

/* Of a GIL: holds that probes saw, and without probes the holder's time off the CPU. */
static void test_held_time_of_a_gil(void **state)
{
	struct bed b;
	struct gw_out out = leaves_for(GW_ENGINE_UPROBE, GW_BLOCKED_SLEEP);
	(void)state;

	out.holds = 1;
	bed_make(&b, GW_GIL_NONE, GW_RUNNING);
	acquire(&b, 2000);
	switch_out(&b, 2500, out);
	gw_wakeup(&b.t, &b.gil, 2600);
	switch_in(&b, GW_ENGINE_UPROBE, 2700);
	release(&b, 3000, 0);
	assert_int_equal(b.gil.held_ns, 1000);
	bed_make(&b, GW_GIL_SAMPLED, GW_RUNNING);
	gw_sample(&b.t, &b.gil, 1500, 1);
	out.engine = GW_ENGINE_SCHED;
	switch_out(&b, 2000, out);
	gw_wakeup(&b.t, &b.gil, 2600);
	switch_in(&b, GW_ENGINE_SCHED, 2700);
	assert_int_equal(b.gil.held_ns, 700);
	assert_int_equal(b.gil.held_ticks, 1);
}

static void test_settle_leaves_what_is_known_or_has_run(void **state)
{
	struct bed b;
	(void)state;

	bed_make(&b, GW_GIL_UNKNOWN, GW_RUNNING);
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_UNKNOWN, GW_RUNNING);
	bed_make(&b, GW_GIL_WAITING, GW_BLOCKED_GIL);
	gw_settle(&b.t, &b.gil, 2000, 0, 2000, 0);
	assert_span(&b.t, 1000, GW_GIL_WAITING, GW_BLOCKED_GIL);
	bed_make(&b, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	gw_settle(&b.t, &b.gil, 2000, 1, 1000, 0);
	assert_span(&b.t, 1000, GW_GIL_UNKNOWN, GW_BLOCKED_NET);
	b.t.span = 3;
	gw_settle(&b.t, &b.gil, 2000, 1, 2000, 0);
	assert_int_equal(b.t.span, 3);
}

/* ---- a simulated interpreter ---- */

#define ACTORS 6

enum role {
	ROLE_OUT,   /* neither has nor wants the GIL */
	ROLE_WANTS, /* is in take_gil */
	ROLE_HOLDS,
};

enum pending {
	PENDING_NOTHING,
	PENDING_ACQUIRE, /* it has the GIL, its hit comes yet */
	PENDING_RELEASE, /* it has released, its hit comes yet; nobody can take the GIL before */
};

struct actor {
	struct gw_thread t;
	enum role role;
	enum pending pending;
	int forced; /* has been made to release: waits for the next holder */
	uint64_t flushed_ns;
};

struct world {
	uint32_t engine;
	uint64_t engine_since_ns;
	uint64_t start_ns, now;
	uint64_t jitter_ns; /* as far may a CPU's clock be behind */
	uint64_t random;
	struct gw_gil_state gil;
	struct actor actor[ACTORS];
	struct actor *holder, *mutex;
	uint32_t last_holder;
	uint64_t switch_number;
	uint32_t next_tid;
	struct gw_tally ended;
	uint64_t ended_wall_ns;
	/* what the events left to be done in maps */
	uint64_t hold_ns, wait_ns, pair_ns;
	uint64_t entries; /* into W(t): each is off by 64 ns at most */
	uint64_t events;  /* each may have rounded one length up to 1 ns */
	uint64_t resume_excess_ns;
};

static uint64_t draw(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static int chance(struct world *w, unsigned int percent)
{
	return draw(w, 100) < percent;
}

static void pass_time(struct world *w)
{
	static const uint64_t most[] = {1, 1, 50, 300, 2000, 2000, 30000, 5000000};

	w->now += draw(w, most[draw(w, sizeof(most) / sizeof(most[0]))]);
}

/* The clock of the CPU on which an event happens. */
static uint64_t read_clock(struct world *w)
{
	return w->jitter_ns ? w->now - draw(w, w->jitter_ns) : w->now;
}

static void apply(struct world *w, struct actor *a, const struct gw_effects *e,
		  const struct gw_thread *before)
{
	uint64_t parts = a->t.tally.resume_runqueue_ns + a->t.tally.resume_gil_ns -
			 before->tally.resume_runqueue_ns - before->tally.resume_gil_ns;

	w->hold_ns += e->hold_ns;
	w->wait_ns += e->wait_ns;
	w->pair_ns += e->pair_ns;
	if (parts > e->resume_ns)
		w->resume_excess_ns += parts - e->resume_ns;
	if (e->flush)
		a->flushed_ns += e->flush_ns;
	if (a->t.flags & GW_THREAD_IN_W)
		w->entries +=
			!(before->flags & GW_THREAD_IN_W) || before->wait_w_ns != a->t.wait_w_ns;
	w->events++;
	assert_int_equal(e->lost_waiter, 0);
}

static void actor_leaves(struct world *w, struct actor *a, enum gw_where where, enum gw_futex futex)
{
	struct gw_thread before = a->t;
	struct gw_effects e = {0};
	struct gw_out out = {
		.engine = w->engine,
		.engine_since_ns = w->engine_since_ns,
		.where = where,
		.futex = futex,
		.gil_read = !chance(w, 3),
	};

	if (out.gil_read) {
		out.holds = w->holder == a;
		out.was_last = w->last_holder == a->t.tid;
		out.switch_number = w->switch_number;
	}
	out.at_site = a->pending && !chance(w, 20);
	if (w->engine == GW_ENGINE_UPROBE)
		out.holder = w->gil.holder == GW_BY_NOBODY ? 0 : w->gil.holder_tid;
	else
		out.holder = w->holder ? w->holder->t.tid : 0;
	if (where == GW_BLOCKED_SLEEP) {
		out.sleeps = 1;
		out.asked_ns = 1000;
	}
	gw_switch_out(&a->t, &w->gil, read_clock(w), &out, &e);
	apply(w, a, &e, &before);
}

static void actor_enters(struct world *w, struct actor *a)
{
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	gw_switch_in(&a->t, &w->gil, w->engine, read_clock(w), &e);
	gw_switch_in_cpu(&a->t, (uint32_t)draw(w, 3), GW_SAME_LLC, &e);
	apply(w, a, &e, &before);
}

/* The hit that is due, if any, comes; a probe that is gone gives none. */
static void actor_hit(struct world *w, struct actor *a)
{
	enum pending pending = a->pending;
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	a->pending = PENDING_NOTHING;
	if (w->mutex == a)
		w->mutex = NULL;
	if (w->engine != GW_ENGINE_UPROBE || !pending)
		return;
	if (pending == PENDING_ACQUIRE)
		gw_acquire(&a->t, &w->gil, read_clock(w), GW_SAME_CORE, &e);
	else
		gw_release(&a->t, &w->gil, read_clock(w), 0, a->forced, &e);
	apply(w, a, &e, &before);
}

static void actor_takes(struct world *w, struct actor *a)
{
	w->holder = w->mutex = a;
	a->role = ROLE_HOLDS;
	if (w->last_holder != a->t.tid)
		w->switch_number++;
	w->last_holder = a->t.tid;
	a->pending = PENDING_ACQUIRE;
	if (!chance(w, 15))
		actor_hit(w, a);
}

static void actor_drops(struct world *w, struct actor *a, int forced)
{
	w->holder = NULL;
	w->mutex = a;
	a->role = ROLE_OUT;
	a->forced = forced;
	a->pending = PENDING_RELEASE;
	if (!chance(w, 15))
		actor_hit(w, a);
}

static void actor_wants(struct world *w, struct actor *a)
{
	a->role = ROLE_WANTS;
	if (!w->holder && !w->mutex)
		actor_takes(w, a);
	else
		actor_leaves(w, a, GW_BLOCKED_GIL, GW_FUTEX_WAIT);
}

static void actor_blocks(struct world *w, struct actor *a)
{
	static const enum gw_where causes[] = {
		GW_STOPPED,	  GW_BLOCKED_LOCK,  GW_BLOCKED_SLEEP, GW_BLOCKED_DISK,
		GW_BLOCKED_NET,	  GW_BLOCKED_PIPE,  GW_BLOCKED_POLL,  GW_BLOCKED_FAULT,
		GW_BLOCKED_CHILD, GW_BLOCKED_OTHER,
	};

	actor_leaves(w, a, causes[draw(w, sizeof(causes) / sizeof(causes[0]))], GW_FUTEX_OTHER);
}

/* As the program does for a new task. */
static void actor_is_born(struct world *w, struct actor *a)
{
	memset(a, 0, sizeof(*a));
	a->t.tid = w->next_tid++;
	a->t.start_ns = w->now;
	a->t.span = gw_span_make(w->now, w->engine == GW_ENGINE_NONE ? GW_GIL_UNKNOWN : GW_GIL_NONE,
				 GW_RUNNABLE);
}

static void actor_dies(struct world *w, struct actor *a)
{
	const uint64_t *from = (const uint64_t *)&a->t.tally;
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	if (w->holder == a)
		w->holder = NULL;
	gw_exit(&a->t, &w->gil, w->now, &e);
	apply(w, a, &e, &before);
	for (size_t i = 0; i < GW_TALLY_WORDS; i++)
		((uint64_t *)&w->ended)[i] += from[i];
	w->ended_wall_ns += w->now - a->t.start_ns;
	actor_is_born(w, a);
}

/* What the sampler does on a tick. */
static void actor_is_sampled(struct world *w, struct actor *a)
{
	struct gw_effects e = {0};

	if (w->engine != GW_ENGINE_SCHED)
		return;
	gw_leave_probes(&a->t, &w->gil, w->engine_since_ns, &e);
	a->t.slice_samples[w->holder == a ? GW_SAMPLE_HELD : GW_SAMPLE_RELEASED]++;
}

static void holder_runs(struct world *w, struct actor *a)
{
	uint64_t what = draw(w, 100);

	if (what < 35)
		actor_drops(w, a, 0);
	else if (what < 55)
		actor_drops(w, a, 1);
	else if (what < 70)
		actor_leaves(w, a, GW_RUNNABLE, GW_FUTEX_OTHER);
	else if (what < 85)
		actor_blocks(w, a);
	else if (what < 87)
		actor_dies(w, a);
	else if (what < 92)
		actor_leaves(w, a, GW_BLOCKED_GIL, GW_FUTEX_WAIT); /* for the mutex, to release */
}

static void outsider_runs(struct world *w, struct actor *a)
{
	uint64_t what = draw(w, 100);

	if (a->forced && what < 60)
		actor_leaves(w, a, GW_BLOCKED_GIL, GW_FUTEX_HANDOVER);
	else if (what < 55)
		actor_wants(w, a);
	else if (what < 70)
		actor_leaves(w, a, GW_RUNNABLE, GW_FUTEX_OTHER);
	else if (what < 90)
		actor_blocks(w, a);
	else if (what < 93)
		actor_dies(w, a);
	a->forced = 0;
}

static void actor_runs(struct world *w, struct actor *a)
{
	if (chance(w, 10)) {
		actor_is_sampled(w, a);
		return;
	}
	if (a->pending && chance(w, 50)) {
		actor_leaves(w, a, GW_RUNNABLE, GW_FUTEX_OTHER);
		return;
	}
	if (a->pending)
		actor_hit(w, a);
	else if (a->role == ROLE_HOLDS)
		holder_runs(w, a);
	else if (a->role == ROLE_OUT)
		outsider_runs(w, a);
	else if (chance(w, 20))
		actor_leaves(w, a, GW_RUNNABLE, GW_FUTEX_OTHER);
	else
		actor_wants(w, a);
}

static void actor_steps(struct world *w, struct actor *a)
{
	enum gw_where where = gw_span_where(a->t.span);

	if (where == GW_RUNNING && !chance(w, 5))
		actor_runs(w, a);
	else if (where == GW_RUNNABLE && !chance(w, 5))
		actor_enters(w, a);
	else if (where > GW_RUNNABLE && chance(w, 5))
		actor_enters(w, a); /* its wake-up was missed */
	else
		gw_wakeup(&a->t, &w->gil, read_clock(w)); /* also for those that are awake */
}

static void world_seed(struct world *w, struct actor *a)
{
	static const enum gw_where places[] = {GW_RUNNING, GW_BLOCKED_NET, GW_BLOCKED_GIL};
	struct gw_out out = leaves_for(w->engine, places[draw(w, 3)]);
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	a->t.tid = w->next_tid++;
	if (out.where == GW_BLOCKED_GIL)
		a->role = ROLE_WANTS;
	assert_true(gw_seed(&a->t, w->engine ? &w->gil : NULL, 0, w->now, &out, &e));
	apply(w, a, &e, &before);
	gw_settle(&a->t, &w->gil, w->now, 0, w->now + 1, 0);
}

static void world_make(struct world *w, uint32_t engine, uint64_t seed)
{
	memset(w, 0, sizeof(*w));
	w->engine = engine;
	w->random = seed * 0x9e3779b97f4a7c15ULL + 1;
	w->start_ns = w->now = 4242;
	w->next_tid = 100;
	w->gil.holder = GW_RUNNING; /* as a watch begins */
	for (int i = 0; i < ACTORS; i++) {
		pass_time(w);
		world_seed(w, &w->actor[i]);
	}
}

/* ---- the laws ---- */

/* Sums over all threads as of now, open intervals included. */
struct sums {
	struct gw_cells cells;
	uint64_t gil_wait_ns, holding_ns, handover_ns, inflicted_ns;
	uint64_t open_wait_ns, open_part_ns, open_hold_ns;
};

static void add_actor(const struct world *w, const struct actor *a, struct sums *s)
{
	const struct gw_thread *t = &a->t;
	enum gw_gil gil = gw_span_gil(t->span);
	uint64_t until = w->now;

	for (int i = 0; i < GW_GIL_COUNT; i++)
		for (int j = 0; j < GW_WHERE_COUNT; j++)
			s->cells.ns[i][j] += t->tally.cells.ns[i][j];
	s->cells.ns[gil][gw_span_where(t->span)] += w->now - gw_span_since_ns(t->span);
	/* Sched engine: whether it waits on shows later. Until then the wait ended as it began to
	 * run. */
	if (gil != GW_GIL_WAITING && t->wait_end_ns)
		until = t->wait_end_ns;
	else if (gil == GW_GIL_SAMPLED)
		until = gw_span_since_ns(t->span);
	s->handover_ns += t->tally.handover_ns;
	if (t->handover_since_ns)
		s->handover_ns += w->now - t->handover_since_ns;
	s->inflicted_ns += t->tally.inflicted_ns;
	if (t->wait_since_ns)
		s->open_wait_ns += until - t->wait_since_ns;
	if (t->wait_block_ns)
		s->open_part_ns += until - t->wait_block_ns;
	if (gil == GW_GIL_HOLDING && t->hold_since_ns)
		s->open_hold_ns += w->now - t->hold_since_ns;
}

static void sum_up(const struct world *w, struct sums *s)
{
	memset(s, 0, sizeof(*s));
	s->cells = w->ended.cells;
	s->handover_ns = w->ended.handover_ns;
	s->inflicted_ns = w->ended.inflicted_ns;
	for (int i = 0; i < ACTORS; i++)
		add_actor(w, &w->actor[i], s);
	for (int i = 0; i < GW_GIL_COUNT; i++)
		for (int j = 0; j < GW_WHERE_COUNT; j++)
			if (gw_fold((enum gw_gil)i, (enum gw_where)j) == GW_STATE_GIL_WAIT)
				s->gil_wait_ns += s->cells.ns[i][j];
	for (int j = 0; j < GW_WHERE_COUNT; j++)
		s->holding_ns += s->cells.ns[GW_GIL_HOLDING][j];
}

static uint64_t by_holder_sum(const struct gw_gil_state *gil)
{
	uint64_t sum = 0;

	for (int i = 0; i < GW_BY_COUNT; i++)
		sum += gil->by_holder_ns[i];
	return sum;
}

/* Two sums that must not be further apart than this; they may both have wrapped on the way. */
static void assert_law(const struct world *w, const char *law, uint64_t a, uint64_t b,
		       uint64_t slack)
{
	int64_t apart = (int64_t)(a - b);

	if ((uint64_t)(apart < 0 ? -apart : apart) <= slack)
		return;
	fail_msg("%s: %lld and %lld are %lld apart (%lld allowed) after %llu events, engine %u",
		 law, (long long)a, (long long)b, (long long)apart, (long long)slack,
		 (unsigned long long)w->events, w->engine);
}

/* The cells of each thread sum to its wall time, its running cells to its times by CPU. */
static void law_wall(const struct world *w)
{
	for (int i = 0; i < ACTORS; i++) {
		const struct gw_thread *t = &w->actor[i].t;
		uint64_t running = 0, cpu = w->actor[i].flushed_ns + t->cpu_ns;

		assert_law(w, "cells and wall", wall(t, w->now), w->now - t->start_ns, 0);
		for (int gil = 0; gil < GW_GIL_COUNT; gil++)
			running += t->tally.cells.ns[gil][GW_RUNNING];
		if (gw_span_where(t->span) == GW_RUNNING) {
			running += w->now - gw_span_since_ns(t->span);
			cpu += w->now - t->run_since_ns;
		}
		assert_law(w, "running and CPUs", running, cpu, 0);
	}
	assert_law(w, "cells and wall of the dead", cells_sum(&w->ended.cells), w->ended_wall_ns,
		   0);
}

static void law_one_holder(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	if (s.holding_ns > w->now - w->start_ns)
		assert_law(w, "holding and wall", s.holding_ns, w->now - w->start_ns, 0);
}

/* Inflicted wait and waiting while nobody holds are all waiting. */
static void law_inflicted(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "inflicted and W(t)", s.inflicted_ns + w->gil.by_holder_ns[GW_BY_NOBODY],
		   w->gil.booked_ns, 0);
	assert_law(w, "gil_wait and W(t)", s.gil_wait_ns - s.handover_ns,
		   gw_wait_total_ns(&w->gil.waiters, w->now), 64 * w->entries);
}

static void law_by_holder(const struct world *w)
{
	uint64_t unbooked = gw_wait_total_ns(&w->gil.waiters, w->now) - w->gil.booked_ns;
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "gil_wait and by_holder", s.gil_wait_ns - s.handover_ns,
		   by_holder_sum(&w->gil) + unbooked, 64 * w->entries);
}

static void law_waits(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "gil_wait and lengths of waits", s.gil_wait_ns - s.handover_ns,
		   w->wait_ns + s.open_wait_ns, w->events);
	assert_law(w, "gil_wait and pairs", s.gil_wait_ns - s.handover_ns,
		   w->pair_ns + s.open_part_ns, 0);
}

static void law_holds(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "holding and lengths of holds", s.holding_ns, w->hold_ns + s.open_hold_ns,
		   w->events);
}

/* What a resume was made of cannot be more than the whole. */
static void law_resume(const struct world *w)
{
	assert_law(w, "parts of resumes", w->resume_excess_ns, 0, 0);
}

#define STEPS 30000
#define SEEDS 5

static void step(struct world *w)
{
	pass_time(w);
	actor_steps(w, &w->actor[draw(w, ACTORS)]);
}

static void run_law(uint32_t engine, void (*law)(const struct world *))
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;

		world_make(&w, engine, seed);
		for (int i = 0; i < STEPS; i++) {
			step(&w);
			law(&w);
		}
	}
}

/* The probes are taken away in the middle of a run, again and again. */
static void run_law_without_probes(void (*law)(const struct world *))
{
	for (uint64_t seed = 1; seed <= 100 * SEEDS; seed++) {
		struct world w;

		world_make(&w, GW_ENGINE_UPROBE, seed);
		for (int i = 0; i < STEPS / 100; i++) {
			if (i == STEPS / 200) {
				w.engine_since_ns = w.now;
				w.engine = GW_ENGINE_SCHED;
			}
			step(&w);
			law(&w);
		}
	}
}

static void run_law_with_jitter(uint32_t engine, void (*law)(const struct world *))
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;

		world_make(&w, engine, seed);
		w.jitter_ns = 500;
		for (int i = 0; i < STEPS; i++) {
			step(&w);
			law(&w);
		}
	}
}

static void test_random_clocks(void **state)
{
	(void)state;
	run_law_with_jitter(GW_ENGINE_SCHED, law_wall);
	run_law_with_jitter(GW_ENGINE_UPROBE, law_wall);
	run_law_with_jitter(GW_ENGINE_SCHED, law_by_holder);
	run_law_with_jitter(GW_ENGINE_UPROBE, law_inflicted);
	run_law_with_jitter(GW_ENGINE_UPROBE, law_waits);
}

static void test_random_wall(void **state)
{
	(void)state;
	run_law(GW_ENGINE_NONE, law_wall);
	run_law(GW_ENGINE_SCHED, law_wall);
	run_law(GW_ENGINE_UPROBE, law_wall);
	run_law_without_probes(law_wall);
}

static void test_random_one_holder(void **state)
{
	(void)state;
	run_law(GW_ENGINE_UPROBE, law_one_holder);
}

static void test_random_inflicted(void **state)
{
	(void)state;
	run_law(GW_ENGINE_UPROBE, law_inflicted);
}

static void test_random_by_holder(void **state)
{
	(void)state;
	run_law(GW_ENGINE_SCHED, law_by_holder);
	run_law(GW_ENGINE_UPROBE, law_by_holder);
}

static void test_random_by_holder_without_probes(void **state)
{
	(void)state;
	run_law_without_probes(law_by_holder);
}

static void test_random_waits(void **state)
{
	(void)state;
	run_law(GW_ENGINE_SCHED, law_waits);
	run_law(GW_ENGINE_UPROBE, law_waits);
}

static void test_random_waits_without_probes(void **state)
{
	(void)state;
	run_law_without_probes(law_waits);
}

static void test_random_holds(void **state)
{
	(void)state;
	run_law(GW_ENGINE_UPROBE, law_holds);
}

static void test_random_resume(void **state)
{
	(void)state;
	run_law(GW_ENGINE_UPROBE, law_resume);
	run_law(GW_ENGINE_SCHED, law_resume);
}

/* The simulation is worth something only if it gets everywhere. */
static void test_random_runs_get_everywhere(void **state)
{
	struct world w;
	struct sums s;
	(void)state;

	world_make(&w, GW_ENGINE_UPROBE, 1);
	for (int i = 0; i < STEPS; i++)
		step(&w);
	sum_up(&w, &s);
	for (int where = 0; where < GW_WHERE_COUNT; where++) {
		if (where != GW_BLOCKED_GIL) {
			assert_true(s.cells.ns[GW_GIL_HOLDING][where] > 0);
			assert_true(s.cells.ns[GW_GIL_NONE][where] > 0);
			assert_true(w.gil.by_holder_ns[where] > 0);
		}
	}
	assert_true(s.cells.ns[GW_GIL_WAITING][GW_BLOCKED_GIL] > 0);
	assert_true(s.cells.ns[GW_GIL_WAITING][GW_RUNNING] > 0);
	assert_true(s.handover_ns > 0);
	assert_true(w.ended.corrected > 0);
	assert_true(w.ended.delays > 0);
	assert_true(w.gil.forced_releases > 0);
}

/* ---- hits that a switch interrupts ---- */

static struct world nested;

/* Preempted inside of the hit, and back again. The hit goes on with the time that it has read. */
static void preempt(void)
{
	struct actor *a = &nested.actor[0];
	struct gw_thread before = a->t;
	struct gw_effects e = {0};
	struct gw_out out = {
		.engine = GW_ENGINE_UPROBE,
		.where = GW_RUNNABLE,
		.gil_read = 1,
		.holds = nested.holder == a,
		.at_site = 1,
	};

	interrupt = NULL;
	nested.now += 3200;
	gw_switch_out(&a->t, &nested.gil, nested.now, &out, &e);
	apply(&nested, a, &e, &before);
	nested.now += 6400;
	memset(&e, 0, sizeof(e));
	before = a->t;
	gw_switch_in(&a->t, &nested.gil, GW_ENGINE_UPROBE, nested.now, &e);
	apply(&nested, a, &e, &before);
}

static void nested_hit(int acquires)
{
	struct actor *a = &nested.actor[0];
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	if (acquires)
		gw_acquire(&a->t, &nested.gil, nested.now, GW_SAME_CORE, &e);
	else
		gw_release(&a->t, &nested.gil, nested.now, 0, 0, &e);
	apply(&nested, a, &e, &before);
}

static void nested_laws(void)
{
	law_wall(&nested);
	law_one_holder(&nested);
	law_inflicted(&nested);
	law_by_holder(&nested);
	law_waits(&nested);
	law_holds(&nested);
}

/* One thread waits, acquires and releases while another waits; a switch comes at the given point.
 */
static int interrupted_hold(int in_acquire, int point)
{
	struct actor *a = &nested.actor[0];
	int reached;

	memset(&nested, 0, sizeof(nested));
	nested.engine = GW_ENGINE_UPROBE;
	nested.start_ns = nested.now = 6400;
	nested.gil.holder = GW_BY_NOBODY;
	for (int i = 0; i < ACTORS; i++) {
		actor_is_born(&nested, &nested.actor[i]);
		nested.actor[i].t.tid = (uint32_t)i + 1;
	}
	nested.random = 1;
	for (int i = 0; i < 2; i++) {
		nested.now += 640;
		actor_enters(&nested, &nested.actor[i]);
		actor_leaves(&nested, &nested.actor[i], GW_BLOCKED_GIL, GW_FUTEX_WAIT);
	}
	nested.now += 64000;
	gw_wakeup(&a->t, &nested.gil, nested.now);
	actor_enters(&nested, a);
	nested.now += 640;
	nested.holder = a;
	interrupt = in_acquire ? preempt : NULL;
	interrupt_countdown = point;
	nested_hit(1);
	reached = !interrupt;
	nested.now += 64000;
	nested.holder = NULL;
	interrupt = in_acquire ? NULL : preempt;
	interrupt_countdown = point;
	nested_hit(0);
	reached = in_acquire ? reached : !interrupt;
	interrupt = NULL;
	nested.now += 640;
	return reached;
}

static void test_switch_inside_an_acquire(void **state)
{
	int point = 0;
	(void)state;

	while (interrupted_hold(1, point++))
		nested_laws();
	assert_true(point > 5);
}

static void test_switch_inside_a_release(void **state)
{
	int point = 0;
	(void)state;

	while (interrupted_hold(0, point++))
		nested_laws();
	assert_true(point > 4);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_span_packs_time_and_cell),
		cmocka_unit_test(test_span_set_keeps_where),
		cmocka_unit_test(test_block_wake_run),
		cmocka_unit_test(test_wakeup_of_running_is_ignored),
		cmocka_unit_test(test_second_wakeup_is_ignored),
		cmocka_unit_test(test_missed_wakeup),
		cmocka_unit_test(test_two_switches_in),
		cmocka_unit_test(test_two_switches_out),
		cmocka_unit_test(test_time_never_runs_backwards),
		cmocka_unit_test(test_backward_time_in_handover),
		cmocka_unit_test(test_backward_time_in_sleep),
		cmocka_unit_test(test_without_engine_gil_is_unknown),
		cmocka_unit_test(test_no_gil_is_never_sampled),
		cmocka_unit_test(test_cpu_change_flushes),
		cmocka_unit_test(test_acquire_and_release),
		cmocka_unit_test(test_second_acquire_keeps_hold),
		cmocka_unit_test(test_second_release_ends_nothing),
		cmocka_unit_test(test_hold_without_length_is_counted),
		cmocka_unit_test(test_wait_until_acquired),
		cmocka_unit_test(test_wait_in_parts),
		cmocka_unit_test(test_handover_after_forced_release),
		cmocka_unit_test(test_holder_that_waits_for_the_mutex),
		cmocka_unit_test(test_last_holder_that_blocks_does_not_hold),
		cmocka_unit_test(test_taker_blocks_on_the_switch_mutex),
		cmocka_unit_test(test_blames_the_holder_that_came_since),
		cmocka_unit_test(test_blames_no_earlier_holder),
		cmocka_unit_test(test_late_sample_stands_for_its_ticks),
		cmocka_unit_test(test_release_ends_a_wait),
		cmocka_unit_test(test_release_of_an_unknown_hold),
		cmocka_unit_test(test_inflicted_wait_of_a_hold),
		cmocka_unit_test(test_pending_hit_is_no_correction),
		cmocka_unit_test(test_unreadable_memory_is_no_correction),
		cmocka_unit_test(test_correction_to_holding_survives_its_hit),
		cmocka_unit_test(test_correction_ends_a_wait),
		cmocka_unit_test(test_correction_to_released),
		cmocka_unit_test(test_first_evidence_is_no_correction),
		cmocka_unit_test(test_nothing_off_cpu_is_sampled),
		cmocka_unit_test(test_sample_of_an_unknown_thread),
		cmocka_unit_test(test_sched_tells_by_memory),
		cmocka_unit_test(test_sched_wait_ended_by_a_run),
		cmocka_unit_test(test_sched_waiter_blocks_again),
		cmocka_unit_test(test_sched_waiter_had_it_in_between),
		cmocka_unit_test(test_sched_last_holder_may_have_had_it),
		cmocka_unit_test(test_sched_waiter_is_preempted),
		cmocka_unit_test(test_sched_unreadable_memory_ends_a_wait),
		cmocka_unit_test(test_sched_handover),
		cmocka_unit_test(test_sched_hold_has_no_beginning),
		cmocka_unit_test(test_slice_begun_under_probes),
		cmocka_unit_test(test_slice_begun_after_probes),
		cmocka_unit_test(test_waiter_of_probes_blocks_again),
		cmocka_unit_test(test_waiter_of_probes_runs_on),
		cmocka_unit_test(test_resume_until_acquired),
		cmocka_unit_test(test_sched_resume_until_last_switch_in),
		cmocka_unit_test(test_sched_resume_of_preempted_waiter),
		cmocka_unit_test(test_delay_runs_from_the_release),
		cmocka_unit_test(test_sleep_of_unknown_length_has_no_delay),
		cmocka_unit_test(test_exit_while_holding),
		cmocka_unit_test(test_exit_after_a_wait),
		cmocka_unit_test(test_exit_in_a_wait),
		cmocka_unit_test(test_exit_in_a_handover),
		cmocka_unit_test(test_exit_without_a_gil),
		cmocka_unit_test(test_seed_running),
		cmocka_unit_test(test_seed_blocked),
		cmocka_unit_test(test_seed_waiting),
		cmocka_unit_test(test_seed_in_a_handover),
		cmocka_unit_test(test_seed_overtaken_by_an_event),
		cmocka_unit_test(test_unseeded_events_never_look_seeded),
		cmocka_unit_test(test_settle),
		cmocka_unit_test(test_settle_when_the_facts_come_late),
		cmocka_unit_test(test_sampling_begins_with_the_facts),
		cmocka_unit_test(test_probes_come_while_a_waiter_runs),
		cmocka_unit_test(test_exec_closes_the_books),
		cmocka_unit_test(test_no_wait_goes_on_at_another_gil),
		cmocka_unit_test(test_held_time_of_a_gil),
		cmocka_unit_test(test_settle_leaves_what_is_known_or_has_run),
		cmocka_unit_test(test_random_clocks),
		cmocka_unit_test(test_random_wall),
		cmocka_unit_test(test_random_one_holder),
		cmocka_unit_test(test_random_inflicted),
		cmocka_unit_test(test_random_by_holder),
		cmocka_unit_test(test_random_by_holder_without_probes),
		cmocka_unit_test(test_random_waits),
		cmocka_unit_test(test_random_waits_without_probes),
		cmocka_unit_test(test_random_holds),
		cmocka_unit_test(test_random_resume),
		cmocka_unit_test(test_random_runs_get_everywhere),
		cmocka_unit_test(test_switch_inside_an_acquire),
		cmocka_unit_test(test_switch_inside_a_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
