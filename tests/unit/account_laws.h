/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The laws of the accounting, to be looked at after any event of a simulated interpreter. */
#ifndef GW_ACCOUNT_LAWS_H
#define GW_ACCOUNT_LAWS_H

#include "account_world.h"

/* Sums over all threads as of now, open intervals included. */
struct sums {
	struct gw_cells cells;
	uint64_t gil_wait_ns, holding_ns, handover_ns, inflicted_ns;
	uint64_t open_wait_ns, open_part_ns, open_hold_ns;
};

static inline void add_actor(const struct world *w, const struct actor *a, struct sums *s)
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

static inline void sum_up(const struct world *w, struct sums *s)
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

static inline uint64_t by_holder_sum(const struct gw_gil_state *gil)
{
	uint64_t sum = 0;

	for (int i = 0; i < GW_BY_COUNT; i++)
		sum += gil->by_holder_ns[i];
	return sum;
}

/* Two sums that must not be further apart than this; they may both have wrapped on the way. */
static inline void assert_law(const struct world *w, const char *law, uint64_t a, uint64_t b,
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
static inline void law_wall(const struct world *w)
{
	for (int i = 0; i < ACTORS; i++) {
		const struct gw_thread *t = &w->actor[i].t;
		uint64_t running = 0, cpu = w->actor[i].flushed_ns;

		assert_law(w, "cells and wall", wall(t, w->now), w->now - t->start_ns, 0);
		for (int place = 0; place < GW_CPUS_KEPT; place++)
			cpu += t->cpu_ns[place];
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

static inline void law_one_holder(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	if (s.holding_ns > w->now - w->start_ns)
		assert_law(w, "holding and wall", s.holding_ns, w->now - w->start_ns, 0);
}

/* Inflicted wait and waiting while nobody holds are all waiting. */
static inline void law_inflicted(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "inflicted and W(t)", s.inflicted_ns + w->gil.by_holder_ns[GW_BY_NOBODY],
		   w->gil.booked_ns, 0);
	assert_law(w, "gil_wait and W(t)", s.gil_wait_ns - s.handover_ns,
		   gw_wait_total_ns(&w->gil.waiters, w->now), 64 * w->entries);
}

static inline void law_most_waiting(const struct world *w)
{
	assert_law(w, "most at once and waiters", w->gil.waiters.most, w->most_waiting, 0);
}

static inline void law_by_holder(const struct world *w)
{
	uint64_t unbooked = gw_wait_total_ns(&w->gil.waiters, w->now) - w->gil.booked_ns;
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "gil_wait and by_holder", s.gil_wait_ns - s.handover_ns,
		   by_holder_sum(&w->gil) + unbooked, 64 * w->entries);
}

static inline void law_waits(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "gil_wait and lengths of waits", s.gil_wait_ns - s.handover_ns,
		   w->wait_ns + s.open_wait_ns, w->events);
	assert_law(w, "gil_wait and pairs", s.gil_wait_ns - s.handover_ns,
		   w->pair_ns + s.open_part_ns, 0);
}

static inline void law_holds(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	assert_law(w, "holding and lengths of holds", s.holding_ns,
		   w->hold_ns + w->cut_ns + s.open_hold_ns, w->events);
}

/* What a resume was made of cannot be more than the whole. */
static inline void law_resume(const struct world *w)
{
	assert_law(w, "parts of resumes", w->resume_excess_ns, 0, 0);
}

/* The holder of an instant is one thread, also where the sched engine sees it off the CPU only. */
static inline void law_holding_at_all(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	if (s.holding_ns > w->now - w->start_ns)
		assert_law(w, "holding across windows", s.holding_ns, w->now - w->start_ns, 0);
	if (w->hold_ns > w->now - w->start_ns)
		assert_law(w, "holds across windows", w->hold_ns, w->now - w->start_ns, 0);
}

#endif
