// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The laws of the accounting over long random runs of a simulated interpreter, and over probe hits
 * that a switch interrupts at any point.
 */
#include "account_bed.h"

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
	struct gw_regime regime;
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
	uint64_t cut_ns, held_ns; /* holds that nobody saw begin; all that were booked so far */
	uint64_t entries;	  /* into W(t): each is off by 64 ns at most */
	uint64_t events;	  /* each may have rounded one length up to 1 ns */
	uint64_t resume_excess_ns;
	uint32_t most_waiting; /* after an event */
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
	if (before->hold_since_ns && !a->t.hold_since_ns && !e->hold_ns)
		w->cut_ns += w->gil.held_ns - w->held_ns;
	w->held_ns = w->gil.held_ns;
	w->wait_ns += e->wait_ns;
	w->pair_ns += e->pair_ns;
	if (parts > e->resume_ns)
		w->resume_excess_ns += parts - e->resume_ns;
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
		.engine_since_ns = w->regime.since_ns,
		.pooled = (uint8_t)w->regime.pooled,
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
	gw_switch_in_cpu(&a->t, (uint32_t)draw(w, GW_CPUS_KEPT + 3), GW_SAME_LLC, &e);
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
		gw_acquire(&a->t, &w->gil, read_clock(w), GW_SAME_CORE, &w->regime, &e);
	else
		gw_release(&a->t, &w->gil, read_clock(w), 0, a->forced, &w->regime, &e);
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
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	if (w->engine == GW_ENGINE_UPROBE && !a->pending)
		gw_first_evidence(&a->t, &w->gil, w->now, w->holder == a, &w->regime, &e);
	if (w->engine == GW_ENGINE_SCHED) {
		gw_leave_probes(&a->t, &w->gil, &w->regime, &e);
		a->t.slice_samples[w->holder == a ? GW_SAMPLE_HELD : GW_SAMPLE_RELEASED]++;
	}
	apply(w, a, &e, &before);
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

static void law_most_waiting(const struct world *w)
{
	assert_law(w, "most at once and waiters", w->gil.waiters.most, w->most_waiting, 0);
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
	assert_law(w, "holding and lengths of holds", s.holding_ns,
		   w->hold_ns + w->cut_ns + s.open_hold_ns, w->events);
}

/* What a resume was made of cannot be more than the whole. */
static void law_resume(const struct world *w)
{
	assert_law(w, "parts of resumes", w->resume_excess_ns, 0, 0);
}

/* The holder of an instant is one thread, also where the sched engine sees it off the CPU only. */
static void law_holding_at_all(const struct world *w)
{
	struct sums s;

	sum_up(w, &s);
	if (s.holding_ns > w->now - w->start_ns)
		assert_law(w, "holding across windows", s.holding_ns, w->now - w->start_ns, 0);
	if (w->hold_ns > w->now - w->start_ns)
		assert_law(w, "holds across windows", w->hold_ns, w->now - w->start_ns, 0);
}

#define STEPS 30000
#define SEEDS 5

static void step(struct world *w)
{
	pass_time(w);
	actor_steps(w, &w->actor[draw(w, ACTORS)]);
	if (gw_wait_count(&w->gil.waiters) > w->most_waiting)
		w->most_waiting = gw_wait_count(&w->gil.waiters);
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
				w.regime.since_ns = w.now;
				w.engine = GW_ENGINE_SCHED;
			}
			step(&w);
			law(&w);
		}
	}
}

/* Probes for a moment, again and again; now and then they stay. */
static void run_law_across_windows(void (*law)(const struct world *))
{
	for (uint64_t seed = 1; seed <= SEEDS; seed++) {
		struct world w;

		world_make(&w, GW_ENGINE_SCHED, seed);
		for (int i = 0; i < STEPS; i++) {
			if (i % 40 == 0) {
				w.engine = i % 80 ? GW_ENGINE_SCHED : GW_ENGINE_UPROBE;
				w.regime.since_ns = w.now;
				if (w.engine == GW_ENGINE_UPROBE)
					w.regime.pooled = !chance(&w, 20);
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

static void test_random_most_waiting(void **state)
{
	(void)state;
	run_law(GW_ENGINE_SCHED, law_most_waiting);
	run_law(GW_ENGINE_UPROBE, law_most_waiting);
	run_law_without_probes(law_most_waiting);
	run_law_across_windows(law_most_waiting);
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

static void test_random_windows(void **state)
{
	(void)state;
	run_law_across_windows(law_wall);
	run_law_across_windows(law_by_holder);
	run_law_across_windows(law_waits);
	run_law_across_windows(law_holding_at_all);
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
		gw_acquire(&a->t, &nested.gil, nested.now, GW_SAME_CORE, &nested.regime, &e);
	else
		gw_release(&a->t, &nested.gil, nested.now, 0, 0, &nested.regime, &e);
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
		cmocka_unit_test(test_random_clocks),
		cmocka_unit_test(test_random_wall),
		cmocka_unit_test(test_random_most_waiting),
		cmocka_unit_test(test_random_one_holder),
		cmocka_unit_test(test_random_inflicted),
		cmocka_unit_test(test_random_by_holder),
		cmocka_unit_test(test_random_by_holder_without_probes),
		cmocka_unit_test(test_random_waits),
		cmocka_unit_test(test_random_waits_without_probes),
		cmocka_unit_test(test_random_windows),
		cmocka_unit_test(test_random_holds),
		cmocka_unit_test(test_random_resume),
		cmocka_unit_test(test_random_runs_get_everywhere),
		cmocka_unit_test(test_switch_inside_an_acquire),
		cmocka_unit_test(test_switch_inside_a_release),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
