// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What is said of programs as people write them stays the same when every figure of theirs is off
 * by as much as two runs of one program differ: thresholds keep away from what programs take by
 * nature.
 */
#include "verdict_bed.h"

#define ROUNDS 300
#define NOISE  0.10 /* of each figure */

/* ---- noise ---- */

/* A pseudorandom factor from 1 - NOISE to 1 + NOISE. */
static double factor(uint32_t *seed)
{
	*seed = *seed * 1664525 + 1013904223;
	return 1 - NOISE + 2 * NOISE * (double)(*seed >> 8) / (1 << 24);
}

static void shake(int64_t *ns, uint32_t *seed)
{
	if (*ns > 0)
		*ns = (int64_t)((double)*ns * factor(seed));
}

static void shake_all(int64_t *ns, size_t count, uint32_t *seed)
{
	for (size_t i = 0; i < count; i++)
		shake(&ns[i], seed);
}

static void shake_thread(struct gw_thread_view *thread, uint32_t *seed)
{
	shake_all(thread->states.ns, GW_STATE_COUNT, seed);
	shake_all(thread->where_ns, GW_WHERE_COUNT, seed);
	shake_all(thread->held_off_by_ns, GW_WHERE_COUNT, seed);
	shake(&thread->wakes, seed);
	shake(&thread->resume.gil_ns, seed);
	shake(&thread->resume.runqueue_ns, seed);
	if (thread->resume.delay_ratio > 0)
		thread->resume.delay_ratio *= factor(seed);
}

static void shake_process(struct fixture *f, uint32_t seed)
{
	struct gw_process_view *p = &f->process;

	shake_all(p->states.ns, GW_STATE_COUNT, &seed);
	shake_all(p->where_ns, GW_WHERE_COUNT, &seed);
	shake_all(p->held_off_by_ns, GW_WHERE_COUNT, &seed);
	shake_all(p->gil_wait_by_holder_ns, GW_HOLDER_COUNT, &seed);
	shake(&p->io_any_ns, &seed);
	shake(&p->throttled_ns, &seed);
	shake(&f->gil.holding_ns, &seed);
	if (f->gil.holding_ns > p->elapsed_ns)
		f->gil.holding_ns = p->elapsed_ns;
	for (size_t i = 0; i < p->thread_count; i++)
		shake_thread(&f->thread[i], &seed);
}

/* ---- programs ---- */

static struct fixture *two_spinners(void)
{
	return contended(2);
}

static struct fixture *fifty_spinners(void)
{
	return contended(50);
}

static struct fixture *one_spinner(void)
{
	struct fixture *f = start(10);

	add_busy(f, "spin", 9.9, 0);
	return f;
}

static struct fixture *beat(int hogs, double gil_s, double ratio, int count)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_thread(f, "heartbeat", count);

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNING, 0.1);
	wait_gil(f, thread, GW_RUNNING, gil_s * count);
	spend(f, thread, GW_GIL_NONE, GW_BLOCKED_SLEEP, 9.9 - gil_s * count);
	fill(&thread->resume.latency, count, gil_s + 0.00002);
	thread->resume.gil_ns = seconds(gil_s * count);
	thread->resume.runqueue_ns = seconds(0.00002 * count);
	thread->resume.delay_ratio = ratio;
	thread->resume.delays = (uint64_t)count;
	for (int i = 0; i < hogs; i++)
		add_busy(f, "hog", 9.85 / hogs, 10 - 9.85 / hogs);
	return f;
}

static struct fixture *heartbeat_alone(void)
{
	return beat(0, 0.000001, 1.06, 9000);
}

static struct fixture *heartbeat_beside_one(void)
{
	return beat(1, 0.0052, 6.3, 1600);
}

static struct fixture *heartbeat_beside_three(void)
{
	return beat(3, 0.0155, 16.6, 600);
}

static struct fixture *four_of(enum gw_where where, double blocked_s, int64_t wakes)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 4; i++) {
		struct gw_thread_view *thread = add_busy(f, "worker", 0.1, 0.02);

		thread->wakes = wakes;
		spend(f, thread, GW_GIL_NONE, where, blocked_s);
		spend(f, thread, GW_GIL_NONE, GW_RUNNING, 9.88 - blocked_s);
	}
	return f;
}

static struct fixture *four_that_wait(void)
{
	return four_of(GW_BLOCKED_NET, 9.8, 500);
}

static struct fixture *four_on_a_lock(void)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 4; i++) {
		struct gw_thread_view *thread = add_busy(f, "worker", 0.05, 0.02);

		thread->wakes = 1000;
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_LOCK, 7.4);
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_SLEEP, 2.5);
	}
	return f;
}

static struct fixture *idle_workers(void)
{
	struct fixture *f = start(10);

	add_parked(f, 20);
	return f;
}

static struct fixture *two_in_c(void)
{
	struct fixture *f = start(10);

	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *thread = add_busy(f, "hash", 0.05, 0.02);

		spend(f, thread, GW_GIL_NONE, GW_RUNNING, 9.9);
	}
	return f;
}

static struct fixture *one_of_two_on_a_cpu(void)
{
	struct fixture *f = start(10);

	spend(f, add_busy(f, "spin", 5, 0), GW_GIL_HOLDING, GW_RUNNABLE, 5);
	return f;
}

static struct fixture *half_a_cpu_of_quota(void)
{
	struct fixture *f = one_of_two_on_a_cpu();

	f->process.cpu_quota = 0.5;
	f->process.throttled_ns = seconds(4.9);
	return f;
}

static struct fixture *blocked_with_the_gil(void)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_busy(f, "caller", 0.1, 2);

	spend(f, thread, GW_GIL_HOLDING, GW_BLOCKED_SLEEP, 7.8);
	for (int i = 0; i < 2; i++)
		wait_gil(f, add_busy(f, "spin", 1, 1), GW_BLOCKED_SLEEP, 7.8);
	return f;
}

/* ---- the test ---- */

static const struct program {
	const char *name;
	struct fixture *(*make)(void);
	const char *says; /* the worst of its verdicts */
	enum gw_severity severity;
} programs[] = {
	{"two spinners", two_spinners, "gil_bound", GW_CRITICAL},
	{"fifty spinners", fifty_spinners, "gil_bound", GW_CRITICAL},
	{"one spinner", one_spinner, "cpu_single", GW_INFO},
	{"heartbeat alone", heartbeat_alone, "healthy", GW_INFO},
	{"heartbeat beside one", heartbeat_beside_one, "gil_latency", GW_CRITICAL},
	{"heartbeat beside three", heartbeat_beside_three, "gil_bound", GW_CRITICAL},
	{"four that wait", four_that_wait, "io_bound", GW_INFO},
	{"four on a lock", four_on_a_lock, "lock_bound", GW_WARNING},
	{"idle workers", idle_workers, "idle", GW_INFO},
	{"two in C", two_in_c, "native_parallel", GW_INFO},
	{"one of two on a CPU", one_of_two_on_a_cpu, "cpu_starved", GW_CRITICAL},
	{"half a CPU of quota", half_a_cpu_of_quota, "cpu_starved", GW_CRITICAL},
	{"blocked with the GIL", blocked_with_the_gil, "gil_held_blocked", GW_CRITICAL},
};

/* All codes of a program, in their order. */
static void told(struct fixture *f, char *codes, size_t size)
{
	judge(f);
	codes[0] = 0;
	for (size_t i = 0; i < f->process.verdict_count; i++)
		snprintf(codes + strlen(codes), size - strlen(codes), "%s ",
			 f->process.verdict[i].code);
}

static void check(const struct program *program)
{
	struct fixture *f = program->make();
	char codes[128], shaken[128];

	told(f, codes, sizeof(codes));
	if (strcmp(f->process.verdict[0].code, program->says) ||
	    f->process.verdict[0].severity != program->severity)
		fail_msg("%s: %s", program->name, codes);
	free(f);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		f = program->make();
		shake_process(f, round * 7919);
		told(f, shaken, sizeof(shaken));
		if (strcmp(codes, shaken) || f->process.verdict[0].severity != program->severity)
			fail_msg("%s, round %u: %s became %s (%d)", program->name, round, codes,
				 shaken, f->process.verdict[0].severity);
		free(f);
	}
}

static void test_noise_flips_no_verdict(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(programs) / sizeof(programs[0]); i++)
		check(&programs[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_noise_flips_no_verdict),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
