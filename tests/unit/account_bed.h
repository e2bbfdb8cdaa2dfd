/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* One thread and its GIL, for the tests of the accounting; a test may let a switch come in between.
 */
#ifndef GW_ACCOUNT_BED_H
#define GW_ACCOUNT_BED_H

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
static inline unsigned long long swap_interrupted(unsigned long long *word, unsigned long long old,
						  unsigned long long new);
static inline unsigned long long add_interrupted(unsigned long long *word,
						 unsigned long long amount);

#define __sync_val_compare_and_swap(word, old, new) swap_interrupted(word, old, new)
#define __sync_fetch_and_add(word, amount)	    add_interrupted(word, amount)

#include "gilwatch/account.h"
#include "gilwatch/fold.h"
#include "gilwatch/seed.h"

static void (*interrupt)(void);
static int interrupt_countdown = -1;

static inline void maybe_interrupt(void)
{
	if (interrupt && interrupt_countdown-- == 0)
		interrupt();
}

static inline unsigned long long swap_interrupted(unsigned long long *word, unsigned long long old,
						  unsigned long long new)
{
	unsigned long long found;

	maybe_interrupt();
	found = *word;
	if (found == old)
		*word = new;
	return found;
}

static inline unsigned long long add_interrupted(unsigned long long *word,
						 unsigned long long amount)
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
	struct gw_regime regime;
};

static inline void bed_make(struct bed *b, enum gw_gil belief, enum gw_where where)
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
static inline struct gw_out leaves_for(uint32_t engine, enum gw_where where)
{
	struct gw_out out = {.engine = engine, .where = where, .gil_read = 1};

	if (where == GW_BLOCKED_GIL)
		out.futex = GW_FUTEX_WAIT;
	return out;
}

static inline void switch_out(struct bed *b, uint64_t now, struct gw_out out)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_switch_out(&b->t, &b->gil, now, &out, &b->e);
}

static inline void switch_in(struct bed *b, uint32_t engine, uint64_t now)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_switch_in(&b->t, &b->gil, engine, now, &b->e);
}

static inline void acquire(struct bed *b, uint64_t now)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_acquire(&b->t, &b->gil, now, GW_SAME_CORE, &b->regime, &b->e);
}

static inline void release(struct bed *b, uint64_t now, int forced)
{
	memset(&b->e, 0, sizeof(b->e));
	gw_release(&b->t, &b->gil, now, 3, forced, &b->regime, &b->e);
}

static inline uint64_t cells_sum(const struct gw_cells *cells)
{
	uint64_t sum = 0;

	for (int gil = 0; gil < GW_GIL_COUNT; gil++)
		for (int where = 0; where < GW_WHERE_COUNT; where++)
			sum += cells->ns[gil][where];
	return sum;
}

static inline uint64_t wall(const struct gw_thread *t, uint64_t now)
{
	return cells_sum(&t->tally.cells) + now - gw_span_since_ns(t->span);
}

static inline void assert_span(const struct gw_thread *t, uint64_t since, enum gw_gil gil,
			       enum gw_where where)
{
	assert_int_equal(gw_span_since_ns(t->span), since);
	assert_int_equal(gw_span_gil(t->span), gil);
	assert_int_equal(gw_span_where(t->span), where);
}

static inline void assert_cell(const struct gw_thread *t, enum gw_gil gil, enum gw_where where,
			       uint64_t ns)
{
	assert_int_equal(t->tally.cells.ns[gil][where], ns);
}

static inline void sched_wait(struct bed *b, uint64_t switch_number)
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

#endif
