/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A simulated interpreter, whose threads the accounting is told of. */
#ifndef GW_ACCOUNT_WORLD_H
#define GW_ACCOUNT_WORLD_H

#include "account_bed.h"

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

static inline uint64_t draw(struct world *w, uint64_t below)
{
	w->random ^= w->random << 13;
	w->random ^= w->random >> 7;
	w->random ^= w->random << 17;
	return w->random % below;
}

static inline int chance(struct world *w, unsigned int percent)
{
	return draw(w, 100) < percent;
}

static inline void pass_time(struct world *w)
{
	static const uint64_t most[] = {1, 1, 50, 300, 2000, 2000, 30000, 5000000};

	w->now += draw(w, most[draw(w, sizeof(most) / sizeof(most[0]))]);
}

/* The clock of the CPU on which an event happens. */
static inline uint64_t read_clock(struct world *w)
{
	return w->jitter_ns ? w->now - draw(w, w->jitter_ns) : w->now;
}

static inline void apply(struct world *w, struct actor *a, const struct gw_effects *e,
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

static inline void actor_leaves(struct world *w, struct actor *a, enum gw_where where,
				enum gw_futex futex)
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

static inline void actor_enters(struct world *w, struct actor *a)
{
	struct gw_thread before = a->t;
	struct gw_effects e = {0};

	gw_switch_in(&a->t, &w->gil, w->engine, read_clock(w), &e);
	gw_switch_in_cpu(&a->t, (uint32_t)draw(w, GW_CPUS_KEPT + 3), GW_SAME_LLC, &e);
	apply(w, a, &e, &before);
}

/* The hit that is due, if any, comes; a probe that is gone gives none. */
static inline void actor_hit(struct world *w, struct actor *a)
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

static inline void actor_takes(struct world *w, struct actor *a)
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

static inline void actor_drops(struct world *w, struct actor *a, int forced)
{
	w->holder = NULL;
	w->mutex = a;
	a->role = ROLE_OUT;
	a->forced = forced;
	a->pending = PENDING_RELEASE;
	if (!chance(w, 15))
		actor_hit(w, a);
}

static inline void actor_wants(struct world *w, struct actor *a)
{
	a->role = ROLE_WANTS;
	if (!w->holder && !w->mutex)
		actor_takes(w, a);
	else
		actor_leaves(w, a, GW_BLOCKED_GIL, GW_FUTEX_WAIT);
}

static inline void actor_blocks(struct world *w, struct actor *a)
{
	static const enum gw_where causes[] = {
		GW_STOPPED,	  GW_BLOCKED_LOCK,  GW_BLOCKED_SLEEP, GW_BLOCKED_DISK,
		GW_BLOCKED_NET,	  GW_BLOCKED_PIPE,  GW_BLOCKED_POLL,  GW_BLOCKED_FAULT,
		GW_BLOCKED_CHILD, GW_BLOCKED_OTHER,
	};

	actor_leaves(w, a, causes[draw(w, sizeof(causes) / sizeof(causes[0]))], GW_FUTEX_OTHER);
}

/* As the program does for a new task. */
static inline void actor_is_born(struct world *w, struct actor *a)
{
	memset(a, 0, sizeof(*a));
	a->t.tid = w->next_tid++;
	a->t.start_ns = w->now;
	a->t.span = gw_span_make(w->now, w->engine == GW_ENGINE_NONE ? GW_GIL_UNKNOWN : GW_GIL_NONE,
				 GW_RUNNABLE);
}

static inline void actor_dies(struct world *w, struct actor *a)
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
static inline void actor_is_sampled(struct world *w, struct actor *a)
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

static inline void holder_runs(struct world *w, struct actor *a)
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

static inline void outsider_runs(struct world *w, struct actor *a)
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

static inline void actor_runs(struct world *w, struct actor *a)
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

static inline void actor_steps(struct world *w, struct actor *a)
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

static inline void world_seed(struct world *w, struct actor *a)
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

static inline void world_make(struct world *w, uint32_t engine, uint64_t seed)
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

#endif
