// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* When a process has probes: simulated processes, and what probes cost them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "watch/pace.h"

#define MS     1000000ULL
#define SECOND GW_PACE_SECOND_NS
#define TICK   (50 * MS)
#define STEP   (MS / 2) /* of the simulation */
#define STEPS  240000	/* two minutes */
#define FAST   2e6	/* GIL cycles a second, bare */
#define HIT_NS 1000
#define ARM_NS (2 * MS)

/* A process with one thread: how many cycles a second it makes on a CPU, and its share of one. */
struct load {
	double cycles_per_s;
	double cpu;
};

typedef struct load (*load_fn)(uint64_t now_ns);

struct run {
	struct gw_pace pace;
	int often; /* somebody looks every 50 ms, too */
	load_fn load;
	uint64_t now_ns, tick_ns, hits, cpu_ns;
	double cost_ns; /* hits, and windows' coming and going */
	int probes;
	unsigned int drops, resumes, opened, fails;
	uint64_t first_drop_ns, exact_ns;
	/* by step */
	double cost_log[STEPS + 1], cpu_log[STEPS + 1];
	unsigned int steps;
};

static struct run run;

static struct gw_pace_terms terms_of(double budget)
{
	struct gw_pace_terms terms = {
		.budget = budget,
		.hit_ns = HIT_NS,
		.window_ns = ARM_NS,
		.windows = 1,
		.surprise_ns = 5 * MS,
	};

	return terms;
}

static void begin(const struct gw_pace_terms *terms, load_fn load)
{
	struct gw_pace_look look = {0};

	memset(&run, 0, sizeof(run));
	run.load = load;
	run.tick_ns = TICK;
	gw_pace_begin(&run.pace, terms, &look);
	run.probes = run.pace.mode == GW_PACE_EXACT;
}

static void look(void)
{
	struct gw_pace_look look = {run.now_ns, run.hits, run.cpu_ns};

	switch (gw_pace_tick(&run.pace, &look)) {
	case GW_PACE_DROP:
		assert_true(run.probes);
		if (!run.drops++)
			run.first_drop_ns = run.now_ns;
		run.probes = 0;
		break;
	case GW_PACE_OPEN:
		assert_false(run.probes);
		run.opened++;
		run.cost_ns += (double)run.pace.terms.window_ns;
		run.probes = 1;
		gw_pace_opened(&run.pace, &look);
		break;
	case GW_PACE_CLOSE:
		assert_true(run.probes);
		run.probes = 0;
		break;
	case GW_PACE_RESUME:
		assert_true(run.probes);
		run.resumes++;
		break;
	default:
		break;
	}
	assert_int_equal(run.probes, run.pace.mode != GW_PACE_SCHED);
}

/* Half a millisecond of the process's life. */
static void live(void)
{
	struct load load = run.load(run.now_ns);
	double cpu = load.cpu * (double)STEP, hits = 0;

	if (run.probes && load.cycles_per_s > 0)
		hits = 2 * cpu / (1e9 / load.cycles_per_s + 2.0 * HIT_NS);
	run.now_ns += STEP;
	run.hits += (uint64_t)hits;
	run.cpu_ns += (uint64_t)cpu;
	run.cost_ns += (double)(uint64_t)hits * HIT_NS;
	if (run.pace.mode == GW_PACE_EXACT)
		run.exact_ns += STEP;
	run.steps++;
	run.cost_log[run.steps] = run.cost_ns;
	run.cpu_log[run.steps] = (double)run.cpu_ns;
}

static void go_on(uint64_t for_ns)
{
	uint64_t end = run.now_ns + for_ns;

	while (run.now_ns < end) {
		live();
		if ((run.often && run.now_ns >= run.tick_ns) ||
		    run.now_ns >= gw_pace_due_ns(&run.pace) ||
		    (run.probes && run.hits >= gw_pace_alarm_hits(&run.pace)))
			look();
		if (run.now_ns >= run.tick_ns)
			run.tick_ns += TICK;
	}
}

/* The highest cost per on-CPU time over any 10 s, beyond `more` nanoseconds. */
static double worst_ratio(double more)
{
	unsigned int span = (unsigned int)(GW_PACE_SPAN_NS / STEP);
	double worst = 0;

	for (unsigned int i = span; i <= run.steps; i++) {
		double cpu = run.cpu_log[i] - run.cpu_log[i - span];
		double cost = run.cost_log[i] - run.cost_log[i - span] - more;

		if (cpu > 0 && cost / cpu > worst)
			worst = cost / cpu;
	}
	return worst;
}

/* ---- processes ---- */

static struct load idle(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){0};
}

static struct load fast(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){FAST, 1};
}

/* A hit in 100 us of CPU: 1 %. */
static struct load modest(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){5000, 1};
}

/* 10 % under probes. */
static struct load brisk(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){55000, 1};
}

/* A hundred threads that sleep and wake: 4 % of little. */
static struct load sleepy(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){20000, 0.1};
}

static struct load starved(uint64_t now_ns)
{
	(void)now_ns;
	return (struct load){FAST, 0.1};
}

static struct load every_second(uint64_t now_ns)
{
	return now_ns / SECOND % 2 ? (struct load){FAST, 1} : (struct load){1000, 0.05};
}

static struct load short_bursts(uint64_t now_ns)
{
	return now_ns % (3 * SECOND) < 300 * MS ? (struct load){FAST, 1} : (struct load){100, 0.8};
}

static struct load fast_then_modest(uint64_t now_ns)
{
	return now_ns < 20 * SECOND ? (struct load){FAST, 1} : (struct load){3000, 1};
}

static struct load burst_late(uint64_t now_ns)
{
	return now_ns < 12 * SECOND ? (struct load){500, 1} : (struct load){FAST, 1};
}

/* From 1 % to 5 % under probes: far from all that there is room for in 200 ms. */
static struct load brisk_late(uint64_t now_ns)
{
	return now_ns < 12 * SECOND ? (struct load){5000, 1} : (struct load){26000, 1};
}

static struct load stopped_between(uint64_t now_ns)
{
	if (now_ns >= 10 * SECOND && now_ns < 30 * SECOND)
		return (struct load){0};
	return (struct load){FAST, 1};
}

/* ---- what must hold ---- */

static void test_quiet_processes_stay_exact(void **state)
{
	const load_fn quiet[] = {idle, modest};
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	for (size_t i = 0; i < sizeof(quiet) / sizeof(quiet[0]); i++) {
		begin(&terms, quiet[i]);
		go_on(60 * SECOND);
		assert_int_equal(run.drops, 0);
		assert_int_equal(run.exact_ns, 60 * SECOND);
	}
}

static void assert_ceiling_holds(load_fn load, double budget, int often)
{
	struct gw_pace_terms terms = terms_of(budget);

	begin(&terms, load);
	run.often = often;
	go_on(60 * SECOND);
	/* A simulated alarm comes up to a step too late. */
	if (worst_ratio((double)(2 * STEP + MS / 10)) > budget)
		fail_msg("budget %g: %g over 10 s", budget, worst_ratio(0));
}

static void test_the_ceiling_holds_over_any_ten_seconds(void **state)
{
	const load_fn loads[] = {fast, brisk, sleepy, every_second, short_bursts, fast_then_modest};
	const double budgets[] = {0.001, 0.005, 0.02, 0.1, 0.5};

	(void)state;
	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++)
		for (size_t j = 0; j < sizeof(budgets) / sizeof(budgets[0]); j++)
			for (int often = 0; often < 2; often++)
				assert_ceiling_holds(loads[i], budgets[j], often);
}

/* What came in just before the stop is seen by stretches that have no on-CPU time to speak of. */
static void test_a_process_that_is_stopped_for_a_while(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	begin(&terms, stopped_between);
	go_on(20 * SECOND);
	assert_int_equal(run.drops, 1);
	go_on(40 * SECOND);
	assert_true(worst_ratio(0.25 * 0.02 * (double)GW_PACE_SPAN_NS) <= 0.02);
	assert_true(run.opened > 5);
}

static void assert_is_noticed(load_fn load, double budget)
{
	struct gw_pace_terms terms = terms_of(budget);

	begin(&terms, load);
	go_on(20 * SECOND);
	assert_true(run.drops >= 1);
	assert_in_range(run.first_drop_ns, 12 * SECOND, 12 * SECOND + 200 * MS);
}

static void test_a_burst_is_noticed_within_200_ms(void **state)
{
	(void)state;
	assert_is_noticed(burst_late, 0.001);
	assert_is_noticed(burst_late, 0.01);
	assert_is_noticed(burst_late, 0.02);
	assert_is_noticed(brisk_late, 0.02);
}

static void test_a_lesser_burst_too(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	begin(&terms, brisk);
	go_on(SECOND);
	assert_in_range(run.first_drop_ns, 1, 200 * MS);
}

/* What else a watch costs is to be paid as well, about 1.5 % of its CPU time; and the bucket fills.
 */
static void test_windows_get_what_is_left(void **state)
{
	static const struct {
		double budget, least, most;
	} cases[] = {{0.005, 0.2, 0.33}, {0.02, 0.2, 0.33}, {0.04, 0.55, 0.7}, {0.1, 0.65, 0.85}};
	(void)state;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct gw_pace_terms terms = terms_of(cases[i].budget);
		double part;

		begin(&terms, fast);
		go_on(60 * SECOND);
		part = run.cost_ns / (cases[i].budget * 60e9);
		if (part < cases[i].least || part > cases[i].most)
			fail_msg("budget %g: windows took %g of it", cases[i].budget, part);
		assert_int_equal(run.drops, 1);
		assert_true(run.opened >= 10);

		assert_int_equal(run.opened, run.pace.windows);
	}
}

/* People watch for 5 s, too. */
static void test_a_short_watch_keeps_the_budget(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	begin(&terms, fast);
	go_on(5 * SECOND);
	assert_true(run.cost_ns <= 0.02 * (double)run.cpu_ns);
}

/* One that gets a tenth of a CPU, as before: a quarter of what the budget allows it in 10 s. */
static void test_a_starved_process_gets_little_credit(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	terms.likely_cpu_ns = SECOND;
	begin(&terms, starved);
	go_on(200 * MS);
	assert_int_equal(run.drops, 1);
	assert_true(run.cost_ns <= 0.25 * 0.02 * 1e9 + (double)STEP);
}

static void test_a_window_is_tens_of_milliseconds(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);
	uint64_t opened;

	(void)state;
	begin(&terms, fast);
	go_on(SECOND);
	while (run.pace.mode != GW_PACE_WINDOW)
		go_on(STEP);
	opened = run.now_ns;
	assert_int_equal(gw_pace_due_ns(&run.pace), run.pace.window_end_ns);
	while (run.pace.mode == GW_PACE_WINDOW)
		go_on(STEP);
	assert_in_range(run.now_ns - opened, 5 * MS, 51 * MS);
	assert_int_equal(gw_pace_due_ns(&run.pace), run.pace.next_window_ns);
}

static void test_no_windows_where_they_cost_too_much(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	terms.windows = 0; /* perf events */
	begin(&terms, fast_then_modest);
	go_on(100 * SECOND);
	assert_int_equal(run.opened, 0);
	assert_int_equal(run.resumes, 0);
	assert_int_equal(run.drops, 1);

	terms = terms_of(0.0001);
	begin(&terms, fast);
	go_on(60 * SECOND);
	assert_int_equal(run.opened, 0);
	assert_int_equal(run.hits, 0);
}

static void test_exact_again_when_the_rate_falls(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	begin(&terms, fast_then_modest);
	go_on(20 * SECOND);
	assert_int_equal(run.pace.mode == GW_PACE_EXACT, 0);
	go_on(10 * SECOND);
	assert_int_equal(run.pace.mode, GW_PACE_EXACT);
	assert_int_equal(run.resumes, 1);
	go_on(60 * SECOND);
	assert_int_equal(run.resumes, 1);
	assert_int_equal(run.drops, 1);
}

static void test_it_does_not_flap(void **state)
{
	const load_fn loads[] = {every_second, short_bursts};
	struct gw_pace_terms terms = terms_of(0.02);
	unsigned int before;

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		begin(&terms, loads[i]);
		go_on(60 * SECOND);
		before = run.drops;
		assert_in_range(before, 1, 7); /* 1 + 2 + 4 + … s between them */
		go_on(60 * SECOND);
		assert_true(run.drops - before <= 2);
	}
}

static void test_a_long_calm_is_trusted_again(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);

	(void)state;
	begin(&terms, burst_late);
	run.pace.backoff_ns = 64 * SECOND; /* of another day */
	run.pace.exact_since_ns = 0;
	run.load = modest;
	go_on(40 * SECOND);
	run.load = fast;
	go_on(SECOND);
	assert_int_equal(run.drops, 1);
	assert_int_equal(run.pace.backoff_ns, SECOND);
}

static void test_all_or_nothing(void **state)
{
	struct gw_pace_terms terms = terms_of(0);

	(void)state;
	begin(&terms, fast);
	go_on(20 * SECOND);
	assert_int_equal(run.opened + run.hits, 0);
	assert_int_equal(run.pace.mode, GW_PACE_SCHED);
	terms = terms_of(1);
	begin(&terms, fast);
	go_on(60 * SECOND);
	assert_int_equal(run.drops, 0);
}

static void test_a_small_budget_starts_without_where_nobody_warns(void **state)
{
	struct gw_pace_terms terms = terms_of(0.005);

	(void)state;
	terms.surprise_ns = 100 * MS;
	begin(&terms, modest);
	assert_int_equal(run.pace.mode, GW_PACE_SCHED);
	go_on(30 * SECOND);
	assert_int_equal(run.resumes, 0);
	assert_true(run.opened > 0);
}

static void test_a_window_that_fails_is_none(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);
	struct gw_pace_look look = {0};

	(void)state;
	begin(&terms, fast);
	go_on(2 * SECOND);
	while (run.pace.mode != GW_PACE_SCHED)
		go_on(STEP);
	look = run.pace.last;
	while (gw_pace_tick(&run.pace, &look) != GW_PACE_OPEN) {
		look.now_ns += TICK;
		look.cpu_ns += TICK;
	}
	gw_pace_failed(&run.pace);
	assert_int_equal(run.pace.mode, GW_PACE_SCHED);
	assert_int_equal(run.pace.windows, run.opened);
	look.now_ns += 900 * MS;
	look.cpu_ns += 900 * MS;
	assert_int_equal(gw_pace_tick(&run.pace, &look), GW_PACE_STAY);
}

/* Under load attaching takes longer than the window was to last: what ran meanwhile had no probes.
 */
static void test_a_window_begins_when_its_probes_are_there(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);
	struct gw_pace_look look;
	(void)state;

	begin(&terms, fast);
	go_on(2 * SECOND);
	for (int i = 0; i < 20; i++) {
		while (run.pace.mode != GW_PACE_SCHED)
			go_on(STEP);
		look = run.pace.last;
		do {
			look.now_ns += TICK;
			look.cpu_ns += TICK;
		} while (gw_pace_tick(&run.pace, &look) != GW_PACE_OPEN);
		look.now_ns += 100 * MS;
		look.cpu_ns += 100 * MS;
		gw_pace_opened(&run.pace, &look);
		assert_true(gw_pace_due_ns(&run.pace) >= look.now_ns + 5 * MS);
		look.now_ns = gw_pace_due_ns(&run.pace);
		assert_int_equal(gw_pace_tick(&run.pace, &look), GW_PACE_CLOSE);
		run.probes = 0;
	}
}

static void test_clocks_that_stand_or_go_back(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);
	struct gw_pace_look look = {.now_ns = SECOND, .hits = 100, .cpu_ns = SECOND};

	(void)state;
	begin(&terms, idle);
	for (int i = 0; i < 100; i++)
		assert_int_equal(gw_pace_tick(&run.pace, &look), GW_PACE_STAY);
	look.now_ns = 0;
	look.hits = 0;
	look.cpu_ns = 0;
	assert_int_equal(gw_pace_tick(&run.pace, &look), GW_PACE_STAY);
	assert_true(run.pace.level_ns >= 0);
}

/* One that costs little need not be looked at often. */
static void test_a_calm_process_is_left_alone(void **state)
{
	struct gw_pace_terms terms = terms_of(0.02);
	struct gw_pace_look look = {.now_ns = 100 * SECOND};
	struct gw_pace *pace = &run.pace;

	(void)state;
	gw_pace_begin(pace, &terms, &look);
	assert_int_equal(gw_pace_due_ns(pace), look.now_ns + SECOND);
	/* Some hits: half of the room is left. */
	look.now_ns += SECOND;
	look.cpu_ns += 100 * MS;
	look.hits += 1000;
	assert_int_equal(gw_pace_tick(pace, &look), GW_PACE_STAY);
	assert_int_equal(gw_pace_due_ns(pace), look.now_ns + SECOND);
	/* Many. */
	look.now_ns += 50 * MS;
	look.cpu_ns += 50 * MS;
	look.hits += 3000;
	assert_int_equal(gw_pace_tick(pace, &look), GW_PACE_STAY);
	assert_int_equal(gw_pace_due_ns(pace), look.now_ns + TICK);
	/* Too many: then there is nothing to do until a window may be opened. */
	look.now_ns += 50 * MS;
	look.cpu_ns += 50 * MS;
	look.hits += 20000;
	assert_int_equal(gw_pace_tick(pace, &look), GW_PACE_DROP);
	assert_int_equal(gw_pace_due_ns(pace), pace->next_window_ns);
	/* One for which there was no room is not asked for at once again. */
	look.now_ns = pace->next_window_ns;
	assert_int_equal(gw_pace_tick(pace, &look), GW_PACE_STAY);
	assert_true(gw_pace_due_ns(pace) > look.now_ns + TICK);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_calm_process_is_left_alone),
		cmocka_unit_test(test_quiet_processes_stay_exact),
		cmocka_unit_test(test_the_ceiling_holds_over_any_ten_seconds),
		cmocka_unit_test(test_a_process_that_is_stopped_for_a_while),
		cmocka_unit_test(test_a_burst_is_noticed_within_200_ms),
		cmocka_unit_test(test_a_lesser_burst_too),
		cmocka_unit_test(test_windows_get_what_is_left),
		cmocka_unit_test(test_a_short_watch_keeps_the_budget),
		cmocka_unit_test(test_a_starved_process_gets_little_credit),
		cmocka_unit_test(test_a_window_is_tens_of_milliseconds),
		cmocka_unit_test(test_no_windows_where_they_cost_too_much),
		cmocka_unit_test(test_exact_again_when_the_rate_falls),
		cmocka_unit_test(test_it_does_not_flap),
		cmocka_unit_test(test_a_long_calm_is_trusted_again),
		cmocka_unit_test(test_all_or_nothing),
		cmocka_unit_test(test_a_small_budget_starts_without_where_nobody_warns),
		cmocka_unit_test(test_a_window_that_fails_is_none),
		cmocka_unit_test(test_a_window_begins_when_its_probes_are_there),
		cmocka_unit_test(test_clocks_that_stand_or_go_back),
	};

	return cmocka_run_group_tests_name("pace", tests, NULL, NULL);
}
