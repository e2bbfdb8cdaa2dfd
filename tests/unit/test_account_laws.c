// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The laws of the accounting over long random runs of a simulated interpreter. */
#include "account_laws.h"

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

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_clocks),
		cmocka_unit_test(test_random_most_waiting),
		cmocka_unit_test(test_random_wall),
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
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
