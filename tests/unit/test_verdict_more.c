// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Verdicts on event loops, switch intervals, builds without a GIL, and several processes. */
#include "verdict_bed.h"

/* -- event loops ------------------------------------------------------------------------------- */

static struct fixture *loop(int64_t polls, int64_t stalls)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_thread(f, "server", 100);

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNING, 2);
	spend(f, thread, GW_GIL_NONE, GW_BLOCKED_POLL, 8);
	thread->polls = polls;
	thread->stalls = stalls;
	thread->stalled_ns = stalls * seconds(0.3);
	thread->stretch_longest_ns = seconds(0.312);
	f->process.io_any_ns = seconds(8);
	return f;
}

static void test_event_loop(void **state)
{
	struct fixture *f = loop(GW_LOOP_POLLS, 3);
	(void)state;

	assert_severity(f, "event_loop_stalled", GW_WARNING);
	assert_says(f, "event_loop_stalled", "server (tid 101)");
	assert_says(f, "event_loop_stalled", "3 times");
	assert_says(f, "event_loop_stalled", "312 ms");
	assert_codes(f, "event_loop_stalled");
	assert_codes(loop(GW_LOOP_POLLS - 1, 3), "io_bound"); /* it waits for a thing or two */
	assert_codes(loop(1000, 0), "io_bound");
}

/* -- overlap ----------------------------------------------------------------------------------- */

static struct fixture *waiters(int threads, double any_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < threads; i++)
		spend(f, add_thread(f, "client", 100), GW_GIL_NONE, GW_BLOCKED_NET, 10);
	f->process.io_any_ns = seconds(any_s);
	return f;
}

static void test_overlap_saved(void **state)
{
	struct fixture *f = waiters(4, 10);
	(void)state;

	judge(f);
	assert_says(f, "io_bound", "saved 30.00 s");
	assert_true(evidence(f, "io_bound", "overlap_saved_s") == 30);
	free(f);
	f = waiters(1, 10);
	judge(f);
	assert_says(f, "io_bound", "one after the other");
	free(f);
	f = waiters(2, 19.8); /* 0.2 s saved */
	judge(f);
	assert_says(f, "io_bound", "threads serve this work");
	free(f);
	f = waiters(2, 19.81);
	judge(f);
	assert_says(f, "io_bound", "one after the other");
	free(f);
}

/* -- the switch interval ----------------------------------------------------------------------- */

static struct fixture *interval(double interval_s, int64_t forced)
{
	struct fixture *f = contended(2);

	f->gil.interval_ns = seconds(interval_s);
	f->gil.forced_releases = forced;
	fill(&f->gil.hold, 100, 0.003);
	return f;
}

static void test_switch_interval(void **state)
{
	struct fixture *f = interval(0.005, 2000);
	(void)state;

	assert_severity(f, "switch_interval", -1);
	free(f);
	f = interval(0.001, 50000);
	assert_severity(f, "switch_interval", GW_INFO); /* not below 1 ms */
	assert_says(f, "switch_interval", "1 ms, not 5 ms");
	assert_says(f, "switch_interval", "5000 forced releases a second");
	assert_says(f, "switch_interval", "3 ms on average");
	free(f);
	f = interval(0.00099, 10001);
	assert_severity(f, "switch_interval", GW_WARNING);
	free(f);
	f = interval(0.00099, 10000);
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
	f = interval(0.00099, GW_ABSENT_COUNT); /* without probes: by changes of the holder */
	f->gil.holder_changes = 10001;
	assert_severity(f, "switch_interval", GW_WARNING);
	assert_says(f, "switch_interval", "hand-overs a second");
	free(f);
}

static struct fixture *late(double interval_s)
{
	struct fixture *f = interval(interval_s, 100);
	struct gw_thread_view *thread = add_thread(f, "heartbeat", 100);

	fill(&thread->resume.latency, 100, 0.04);
	thread->resume.gil_ns = (int64_t)thread->resume.latency.sum_ns;
	spend(f, thread, GW_GIL_WAITING, GW_BLOCKED_GIL, 4);
	return f;
}

static void test_long_interval_beside_io(void **state)
{
	struct fixture *f = late(0.0201);
	(void)state;

	assert_severity(f, "switch_interval", GW_WARNING);
	assert_codes(f, "gil_bound gil_latency switch_interval");
	f = late(0.02);
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
	f = interval(0.05, 100); /* nobody is late */
	assert_severity(f, "switch_interval", GW_INFO);
	free(f);
}

static void test_changed_interval(void **state)
{
	struct gw_interval_phase phase[] = {
		{.interval_ns = seconds(0.005),
		 .to_ns = seconds(4),
		 .exact_ns = seconds(4),
		 .acquisitions = 800,
		 .forced_releases = 800,
		 .held_ns = seconds(4)},
		{.interval_ns = seconds(0.05),
		 .from_ns = seconds(4.2),
		 .to_ns = seconds(10),
		 .exact_ns = seconds(5.8),
		 .acquisitions = 116,
		 .forced_releases = 116,
		 .held_ns = seconds(5.8)},
	};
	struct fixture *f = interval(0.05, 916);
	(void)state;

	f->process.interval_phase = phase;
	f->process.interval_phase_count = 2;
	assert_severity(f, "switch_interval", GW_INFO);
	assert_says(f, "switch_interval",
		    "Before (4.0 s, 5 ms) 200 forced releases a second and "
		    "holds of 5 ms");
	assert_says(f, "switch_interval",
		    "after (5.8 s, 50 ms) 20 forced releases a second and "
		    "holds of 50 ms");
	assert_true(fabs(evidence(f, "switch_interval", "hold_mean_after_s") - 0.05) < 1e-9);
	phase[1].exact_ns = seconds(5.22) + 1; /* 0.9 of it */
	judge(f);
	assert_says(f, "switch_interval", "20 forced");
	phase[1].exact_ns = seconds(5.21); /* a window of probes less is not told of */
	judge(f);
	assert_says_not(f, "switch_interval", "20 forced");
	phase[0].acquisitions = phase[1].acquisitions = GW_ABSENT_COUNT;
	judge(f);
	phase[0].holder_changes = 800;
	phase[1].holder_changes = 58;
	judge(f);
	assert_says(f, "switch_interval",
		    "Before (4.0 s, 5 ms) 200 hand-overs a second; after (5.8 "
		    "s, 50 ms) 10 hand-overs a second.");
	free(f);
}

/* From 500 threads on, tasks would be lighter. */
static void test_very_many_waiters(void **state)
{
	struct fixture *f = waiters(1, 10);
	struct gw_thread_view *many = calloc(500, sizeof(*many));
	(void)state;

	assert_non_null(many);
	for (int i = 0; i < 500; i++)
		many[i] = f->thread[0];
	f->process.thread = many;
	f->process.thread_count = 499;
	judge(f);
	assert_says_not(f, "io_bound", "With so many at once");
	f->process.thread_count = 500;
	judge(f);
	assert_says(f, "io_bound", "With so many at once");
	free(many);
	free(f);
}

/* -- hops -------------------------------------------------------------------------------------- */

static struct fixture *hops(int64_t near, int64_t far)
{
	struct fixture *f = contended(2);

	f->gil.handovers[GW_SAME_LLC] = near;
	f->gil.handovers[GW_CROSS_NODE] = far;
	return f;
}

static void test_gil_hops(void **state)
{
	struct fixture *f = hops(9000, 1000);
	(void)state;

	assert_severity(f, "gil_hops", GW_WARNING);
	assert_says(f, "gil_hops", "1000 times a second");
	free(f);
	f = hops(9001, 999);
	assert_severity(f, "gil_hops", -1);
	free(f);
	f = hops(0, 9999);
	assert_severity(f, "gil_hops", -1);
	free(f);
}

/* -- free-threaded builds ---------------------------------------------------------------------- */

static struct fixture *free_threaded(double lock_s)
{
	struct fixture *f = start(10);

	f->process.free_threaded = 1;
	f->process.gil_enabled = 0;
	f->process.gil_count = 0;
	f->process.basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	for (int i = 0; i < 2; i++) {
		struct gw_thread_view *thread = add_thread(f, "spin", 5);

		spend(f, thread, GW_GIL_NONE, GW_RUNNING, 10 - lock_s);
		spend(f, thread, GW_GIL_NONE, GW_BLOCKED_LOCK, lock_s);
	}
	return f;
}

static void test_free_threaded_contention(void **state)
{
	struct fixture *f = free_threaded(1);
	(void)state;

	judge(f);
	assert_says(f, "free_threaded", "What contends instead: locks, with 10 %");
	free(f);
	f = free_threaded(0.99);
	judge(f);
	assert_says(f, "free_threaded", "Nothing contends instead");
	assert_says(f, "free_threaded", "slower");
	free(f);
	f = free_threaded(0);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 9);
	judge(f);
	assert_says(f, "free_threaded", "wait for is a CPU");
	free(f);
}

/* Waiting for a lock that spins looks like waiting for a CPU, and like work. */
static void test_free_threaded_spinning(void **state)
{
	struct fixture *f = free_threaded(0);
	(void)state;

	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 9);
	f->process.yielded_runqueue_ns = seconds(8);
	judge(f);
	assert_says(f, "free_threaded",
		    "locks, with 40 % of the active threads' time (mostly "
		    "spinning on them: sched_yield). ");
	assert_codes(f, "free_threaded");
	f = free_threaded(0);
	f->process.yielding_ns = seconds(2);
	judge(f);
	assert_says(f, "free_threaded", "locks, with 10 % of the active threads' time (mostly");
	free(f);
	f = free_threaded(1);
	f->process.yielding_ns = seconds(1);
	judge(f);
	assert_says(f, "free_threaded", "locks, with 15 % of the active threads' time. ");
	free(f);
}

/* Others keep the CPUs busy as well: then it is what takes longer. */
static void test_free_threaded_waits_for_both(void **state)
{
	struct fixture *f = free_threaded(0);
	(void)state;

	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 15);
	f->process.yielded_runqueue_ns = seconds(8);
	judge(f);
	assert_says(f, "free_threaded", "What contends instead: locks, with 40 %");
	assert_codes(f, "cpu_starved free_threaded");
	f = free_threaded(0);
	spend(f, &f->thread[0], GW_GIL_NONE, GW_RUNNABLE, 15);
	f->process.yielded_runqueue_ns = seconds(7);
	judge(f);
	assert_says(f, "free_threaded", "What they wait for is a CPU (8.00 s)");
	assert_codes(f, "cpu_starved free_threaded");
}

static void test_gil_reenabled(void **state)
{
	struct fixture *f = contended(2);
	(void)state;

	f->process.free_threaded = 1;
	f->process.gil_enabled_at_ns = seconds(2.1);
	assert_severity(f, "gil_reenabled", GW_WARNING);
	assert_says(f, "gil_reenabled", "2.1 s after the start");
	assert_codes(f, "gil_bound gil_reenabled");
	f = contended(2);
	f->process.free_threaded = 1; /* on by option */
	assert_codes(f, "gil_bound");
}

/* -- several processes ------------------------------------------------------------------------- */

#define FAMILY_MAX 4

struct family {
	struct fixture *member[FAMILY_MAX];
	struct gw_process_view process[FAMILY_MAX];
	struct gw_snapshot snapshot;
	size_t count;
};

static void join(struct family *family, struct fixture *f)
{
	family->snapshot = f->snapshot;
	family->member[family->count] = f;
	family->process[family->count++] = f->process;
	family->snapshot.process = family->process;
	family->snapshot.process_count = family->count;
}

static struct fixture *worker(double running_s, double runnable_s, double pipe_s)
{
	struct fixture *f = start(10);
	struct gw_thread_view *thread = add_busy(f, "worker", running_s, 0);

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNABLE, runnable_s);
	spend(f, thread, GW_GIL_NONE, GW_BLOCKED_PIPE, pipe_s);
	return f;
}

/* What the family as a whole is told ("": nothing); NULL is asked for no part of the text. */
static void assert_family(struct family *family, const char *code, const char *part)
{
	const struct gw_verdict *verdict = family->snapshot.verdict;

	gw_verdicts_judge(&family->snapshot);
	assert_int_equal(family->snapshot.verdict_count, code[0] != '\0');
	if (code[0])
		assert_string_equal(verdict->code, code);
	assert_true(strlen(verdict->text) < sizeof(verdict->text) - 1);
	if (part && !strstr(verdict->text, part))
		fail_msg("\"%s\" is not in: %s", part, verdict->text);
	for (size_t i = 0; i < family->count; i++)
		free(family->member[i]);
}

static void test_process_parallel(void **state)
{
	struct family pool = {0}, one = {0}, half = {0}, sum = {0}, less = {0}, short_of = {0};
	(void)state;

	join(&pool, start(10)); /* the parent */
	join(&pool, worker(9.5, 0, 0.3));
	join(&pool, worker(9.5, 0, 0.3));
	pool.process[1].first_python_ns = seconds(0.003);
	pool.process[2].first_python_ns = seconds(0.005);
	assert_family(
		&pool, "process_parallel",
		"0.60 s in pipes and 0.00 s in locks (3 % of their threads' time), and from "
		"the fork to the first Python it took 4.0 ms on average (2 processes, at most "
		"5.0 ms)");
	join(&one, worker(9.5, 0, 0));
	join(&one, worker(4.99, 0, 0)); /* half a CPU is little */
	assert_family(&one, "", NULL);
	join(&half, worker(12, 0, 0));
	join(&half, worker(4.99, 0, 0));
	assert_family(&half, "", NULL);
	half = (struct family){0};
	join(&half, worker(12, 0, 0));
	join(&half, worker(5, 0, 0));
	assert_family(&half, "process_parallel", NULL);
	join(&sum, worker(8, 0, 2));
	join(&sum, worker(8, 0, 3));
	assert_family(&sum, "process_parallel", "chunksize");
	join(&less, worker(8, 0, 0));
	join(&less, worker(7.99, 0, 0));
	assert_family(&less, "", NULL);
	join(&short_of, worker(6, 2, 0)); /* they want more than they get */
	join(&short_of, worker(6, 2, 0));
	assert_family(&short_of, "process_parallel", NULL);
	short_of = (struct family){0};
	join(&short_of, worker(6, 2, 0));
	join(&short_of, worker(5.99, 2.1, 0));
	assert_family(&short_of, "", NULL);
}

static void assert_advised(double pipe_s, int advised)
{
	struct family family = {0};

	join(&family, worker(8, 0, pipe_s));
	join(&family, worker(8, 0, pipe_s));
	gw_verdicts_judge(&family.snapshot);
	assert_int_equal(!!strstr(family.snapshot.verdict[0].text, "chunksize"), advised);
	for (size_t i = 0; i < family.count; i++)
		free(family.member[i]);
}

static void test_work_that_is_handed_over(void **state)
{
	(void)state;
	assert_advised(1.99, 0);
	assert_advised(2, 1);
}

static void assert_parent(double running_s, const char *code)
{
	struct family family = {0};
	struct fixture *parent = worker(running_s, 0, 0), *child = worker(9.5, 0, 0);

	spend(parent, &parent->thread[0], GW_GIL_NONE, GW_BLOCKED_LOCK, 10 - running_s);
	parent->thread[0].wakes = 1000;
	child->process.pid = 101;
	child->process.ppid = parent->process.pid;
	join(&family, parent);
	join(&family, child);
	gw_verdicts_judge(&family.snapshot);
	assert_string_equal(family.process[0].verdict[0].code, code);
	free(parent);
	free(child);
}

/* A parent that leaves the work to its children waits for them, not for a lock. */
static void test_parent_of_workers(void **state)
{
	(void)state;
	assert_parent(0.99, "idle");
	assert_parent(1, "lock_bound");
}

static void test_processes_that_wait(void **state)
{
	struct family wait = {0}, one = {0}, mixed = {0};
	(void)state;

	join(&wait, waiters(2, 10));
	join(&wait, waiters(2, 10));
	assert_family(&wait, "io_bound", "threads of one process");
	join(&one, waiters(2, 10));
	join(&one, start(10));
	assert_family(&one, "", NULL);
	join(&mixed, waiters(2, 10));
	join(&mixed, waiters(2, 10));
	join(&mixed, worker(9, 0, 0));
	assert_family(&mixed, "", NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_event_loop),
		cmocka_unit_test(test_overlap_saved),
		cmocka_unit_test(test_switch_interval),
		cmocka_unit_test(test_long_interval_beside_io),
		cmocka_unit_test(test_changed_interval),
		cmocka_unit_test(test_very_many_waiters),
		cmocka_unit_test(test_work_that_is_handed_over),
		cmocka_unit_test(test_parent_of_workers),
		cmocka_unit_test(test_gil_hops),
		cmocka_unit_test(test_free_threaded_contention),
		cmocka_unit_test(test_free_threaded_spinning),
		cmocka_unit_test(test_free_threaded_waits_for_both),
		cmocka_unit_test(test_gil_reenabled),
		cmocka_unit_test(test_process_parallel),
		cmocka_unit_test(test_processes_that_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
