// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The rules about several processes together. */
#include "verdict_bed.h"

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
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_work_that_is_handed_over),
		cmocka_unit_test(test_parent_of_workers),
		cmocka_unit_test(test_process_parallel),
		cmocka_unit_test(test_processes_that_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
