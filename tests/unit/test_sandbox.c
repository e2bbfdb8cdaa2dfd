// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The sandbox against jobs that do what a file which has taken over its reader would do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "target/sandbox.h"

enum deed {
	ANSWER,
	FAIL,
	TALK,
	SPIN,
	WAIT,
	WORK,
	ALLOCATE,
	CRASH,
	OVERFLOW,
	LEAVE,
	OPEN_FILE,
	MAKE_SOCKET,
	FORK,
	EXECUTE,
	KILL_PARENT,
	TRACE_PARENT,
	EXECUTABLE_MEMORY,
	WRITE_ELSEWHERE,
	READ_OTHERS,
	LIE,
};

struct in {
	enum deed deed;
	int fd;
	pid_t parent;
};

struct out {
	uint64_t read, pid, uid, end;
};

static int recurse(volatile char *from, int depth)
{
	volatile char here[4096];

	here[0] = from[0];
	return depth > 1 << 30 ? here[0] : recurse(here, depth + 1) + here[0];
}

/* Longer than the wall budget of those that are waited for with patience. */
static int work(void)
{
	struct timespec used;

	do
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	while (used.tv_sec == 0 && used.tv_nsec < 700000000);
	return 0;
}

static int allocate(void)
{
	void *volatile block; /* else clang leaves the calls out */
	size_t got = 0;

	/* Memory that is never touched counts as well. */
	while ((block = malloc(1 << 20)))
		got++;
	return got > 200 && got < 300 ? -ENOMEM : -EIO;
}

/* With the header of an answer made up: another task's, and a code that is none. */
static int lie(const struct in *in)
{
	uint32_t words[1024] = {99, 1};

	for (int fd = 0; fd < 64; fd++)
		if (syscall(SYS_write, fd, words, sizeof(words)) > 0)
			break;
	return (int)in->deed;
}

static int misbehave(const struct in *in, int fd)
{
	char byte;

	switch (in->deed) {
	case OPEN_FILE:
		return open("/etc/passwd", O_RDONLY);
	case MAKE_SOCKET:
		return socket(AF_UNIX, SOCK_STREAM, 0);
	case FORK:
		return (int)syscall(SYS_fork);
	case EXECUTE:
		return execl("/bin/true", "true", NULL);
	case KILL_PARENT:
		return kill(in->parent, SIGTERM);
	case TRACE_PARENT:
		return prctl(PR_SET_DUMPABLE, 1);
	case EXECUTABLE_MEMORY:
		return mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0) == MAP_FAILED;
	case WRITE_ELSEWHERE:
		return write(fd, "x", 1) == 1;
	case READ_OTHERS: /* closed: the one deed here that is not punished, for it is in vain */
		return read(in->fd, &byte, 1) < 0 ? -errno : 0;
	default:
		return lie(in);
	}
}

static int job(const int fds[GW_SANDBOX_FDS_MAX], const void *data, void *out, struct gw_error *err)
{
	const struct in *in = data;
	struct out *result = out;
	uint64_t word = 0;

	switch (in->deed) {
	case ANSWER:
		if (pread(fds[0], &word, sizeof(word), 0) != (ssize_t)sizeof(word))
			return -EIO;
		*result = (struct out){.read = word, .end = ~word};
		return 0;
	case FAIL:
		return gw_error_set(err, -ENOEXEC, GW_STATUS_TARGET, "A sentence.");
	case TALK:
		return gw_error_set(err, -EINVAL, (enum gw_status)77, "\033[2Jred\n\377");
	case SPIN:
		for (;;)
			result->pid++;
	case WAIT:
		for (;;)
			syscall(SYS_futex, &word, 0 /* FUTEX_WAIT */, 0, NULL, NULL, 0);
	case WORK:
		return work();
	case ALLOCATE:
		return allocate();
	case CRASH:
		return *(volatile int *)(uintptr_t)(in->parent & 0xff);
	case OVERFLOW:
		return recurse("", 0);
	case LEAVE:
		_exit(0);
	default:
		return misbehave(in, fds[0]);
	}
}

struct fixture {
	int fd, other;
	struct in in[GW_SANDBOX_TASKS_MAX];
	struct out out[GW_SANDBOX_TASKS_MAX];
	struct gw_sandbox_task task[GW_SANDBOX_TASKS_MAX];
};

static int set_up(void **state)
{
	static const uint64_t word = 0x67696c7761746368;
	struct fixture *f = calloc(1, sizeof(*f));

	f->fd = memfd_create("test_sandbox", MFD_CLOEXEC);
	f->other = memfd_create("other", MFD_CLOEXEC);
	*state = f;
	return pwrite(f->fd, &word, sizeof(word), 0) == (ssize_t)sizeof(word) &&
			       pwrite(f->other, &word, sizeof(word), 0) == (ssize_t)sizeof(word)
		       ? 0
		       : -1;
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	close(f->other);
	free(f);
	return 0;
}

static void prepare(struct fixture *f, size_t i, enum deed deed)
{
	f->in[i] = (struct in){.deed = deed, .fd = f->other, .parent = getpid()};
	memset(&f->out[i], 0x5a, sizeof(f->out[i]));
	f->task[i] = (struct gw_sandbox_task){
		.fd = {f->fd, -1, -1},
		.in = &f->in[i],
		.out = &f->out[i],
	};
}

static void run(struct fixture *f, size_t count, struct gw_sandbox_use *use)
{
	struct gw_error err = {0};

	assert_int_equal(gw_sandbox_run(job, f->task, count, sizeof(struct out), NULL, use, &err),
			 0);
	assert_string_equal(err.text, "");
}

static int run_one(struct fixture *f, enum deed deed)
{
	prepare(f, 0, deed);
	run(f, 1, NULL);
	/* Where there is no answer, nothing is in its place. */
	if (f->task[0].code)
		assert_int_equal(f->out[0].read, 0x5a5a5a5a5a5a5a5a);
	return f->task[0].code;
}

static void test_answers(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(gw_sandbox_check(NULL), 0);
	assert_int_equal(run_one(f, ANSWER), 0);
	assert_true(f->out[0].read == 0x67696c7761746368 && f->out[0].end == ~f->out[0].read);
	assert_int_equal(run_one(f, FAIL), -ENOEXEC);
	assert_string_equal(f->task[0].err.text, "A sentence.");
	assert_int_equal(f->task[0].err.status, GW_STATUS_TARGET);
	assert_int_equal(run_one(f, TALK), -EINVAL);
	assert_string_equal(f->task[0].err.text, "?[2Jred??");
	assert_int_equal(f->task[0].err.status, GW_STATUS_TARGET);
}

static void test_limits(void **state)
{
	struct fixture *f = *state;
	struct timespec start, end;

	clock_gettime(CLOCK_MONOTONIC, &start);
	assert_int_equal(run_one(f, SPIN), -ETIMEDOUT);
	clock_gettime(CLOCK_MONOTONIC, &end);
	print_message("a job without an end: %.1f s\n",
		      (double)(end.tv_sec - start.tv_sec) +
			      (double)(end.tv_nsec - start.tv_nsec) / 1e9);
	assert_int_equal(run_one(f, ALLOCATE), -ENOMEM);
	assert_int_equal(run_one(f, CRASH), -EBADMSG);
	assert_int_equal(run_one(f, OVERFLOW), -EBADMSG);
	assert_int_equal(run_one(f, LEAVE), -EBADMSG);
}

static void test_rules(void **state)
{
	struct fixture *f = *state;

	for (int deed = OPEN_FILE; deed <= WRITE_ELSEWHERE; deed++)
		assert_int_equal(run_one(f, (enum deed)deed), -EBADMSG);
	assert_int_equal(run_one(f, READ_OTHERS), -EBADF);
	assert_int_equal(run_one(f, LIE), -EBADMSG);
}

/* What one run uses the next has no more, and one that is spent begins nothing. */
static void test_budget(void **state)
{
	struct fixture *f = *state;
	struct gw_sandbox_budget budget = {.cpu_us = 200000, .wall_ms = 60000};
	struct gw_sandbox_use use = {0};
	struct gw_error err = {0};

	prepare(f, 0, ANSWER);
	prepare(f, 1, SPIN);
	prepare(f, 2, ANSWER);
	assert_int_equal(gw_sandbox_run(job, f->task, 3, sizeof(struct out), &budget, &use, &err),
			 0);
	print_message("%.0f of 200 ms of CPU\n", (double)use.cpu_us / 1e3);
	assert_int_equal(f->task[0].code, 0);
	assert_int_equal(f->task[1].code, -ETIMEDOUT);
	assert_int_equal(f->task[2].code, -ETIMEDOUT);
	/* It is charged by ticks. */
	assert_true(use.cpu_us > 100000 && use.cpu_us < 500000);
	assert_true(!budget.cpu_us && gw_sandbox_is_spent(&budget));
	use = (struct gw_sandbox_use){0};
	prepare(f, 0, ANSWER);
	assert_int_equal(gw_sandbox_run(job, f->task, 1, sizeof(struct out), &budget, &use, &err),
			 0);
	assert_int_equal(f->task[0].code, -ETIMEDOUT);
	assert_int_equal(use.children, 0);
}

/* Who waits uses no CPU time, and is not waited for. */
static void test_wall_budget(void **state)
{
	struct fixture *f = *state;
	struct gw_sandbox_budget budget = {.cpu_us = GW_SANDBOX_CPU_US, .wall_ms = 200};
	struct gw_error err = {0};

	prepare(f, 0, WAIT);
	assert_int_equal(gw_sandbox_run(job, f->task, 1, sizeof(struct out), &budget, NULL, &err),
			 0);
	assert_int_equal(f->task[0].code, -ETIMEDOUT);
	assert_true(budget.cpu_us > 0 && !budget.wall_ms && gw_sandbox_is_spent(&budget));
}

/* Who wants a CPU is waited for beyond that, where there is patience; who waits is not. */
static void test_patience(void **state)
{
	struct fixture *f = *state;
	const struct gw_sandbox_budget patient = {
		.cpu_us = 10000000, .wall_ms = 500, .patience_ms = 120000};
	struct gw_sandbox_budget budget = patient;
	struct gw_error err = {0};

	prepare(f, 0, WORK);
	assert_int_equal(gw_sandbox_run(job, f->task, 1, sizeof(struct out), &budget, NULL, &err),
			 0);
	assert_int_equal(f->task[0].code, 0);
	assert_true(budget.patience_ms < patient.patience_ms);
	budget = patient;
	prepare(f, 0, WAIT);
	assert_int_equal(gw_sandbox_run(job, f->task, 1, sizeof(struct out), &budget, NULL, &err),
			 0);
	assert_int_equal(f->task[0].code, -ETIMEDOUT);
	assert_true(budget.patience_ms > 0 && gw_sandbox_is_spent(&budget));
	budget = (struct gw_sandbox_budget){.cpu_us = 10000000, .wall_ms = 500};
	prepare(f, 0, WORK);
	assert_int_equal(gw_sandbox_run(job, f->task, 1, sizeof(struct out), &budget, NULL, &err),
			 0);
	assert_int_equal(f->task[0].code, -ETIMEDOUT);
}

/* One that dies takes none of the others along, wherever it stands. */
static void test_several(void **state)
{
	struct fixture *f = *state;
	struct gw_sandbox_use use = {0};

	for (size_t i = 0; i < GW_SANDBOX_TASKS_MAX; i++)
		prepare(f, i, ANSWER);
	run(f, GW_SANDBOX_TASKS_MAX, &use);
	assert_int_equal(use.children, 1);
	prepare(f, 0, CRASH);
	prepare(f, 7, LEAVE);
	prepare(f, GW_SANDBOX_TASKS_MAX - 1, LIE);
	run(f, GW_SANDBOX_TASKS_MAX, &use);
	for (size_t i = 0; i < GW_SANDBOX_TASKS_MAX; i++) {
		int bad = i == 0 || i == 7 || i == GW_SANDBOX_TASKS_MAX - 1;

		assert_int_equal(f->task[i].code, bad ? -EBADMSG : 0);
	}
	assert_true(use.children > 3 && use.children < 8);
}

/* Where many die, the rest is not tried for ever. */
static void test_many_deaths(void **state)
{
	struct fixture *f = *state;
	struct gw_sandbox_use use = {0};

	for (size_t i = 0; i < GW_SANDBOX_TASKS_MAX; i++)
		prepare(f, i, CRASH);
	run(f, GW_SANDBOX_TASKS_MAX, &use);
	for (size_t i = 0; i < GW_SANDBOX_TASKS_MAX; i++)
		assert_int_equal(f->task[i].code, -EBADMSG);
	assert_true(use.children < 8);
}

static void test_too_many(void **state)
{
	struct gw_sandbox_task task[GW_SANDBOX_TASKS_MAX + 1] = {0};
	struct gw_error err = {0};

	(void)state;
	assert_int_equal(gw_sandbox_run(job, task, GW_SANDBOX_TASKS_MAX + 1, sizeof(struct out),
					NULL, NULL, &err),
			 -E2BIG);
	assert_int_equal(err.status, GW_STATUS_FAILURE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),	    cmocka_unit_test(test_limits),
		cmocka_unit_test(test_rules),	    cmocka_unit_test(test_several),
		cmocka_unit_test(test_many_deaths), cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_budget),	    cmocka_unit_test(test_wall_budget),
		cmocka_unit_test(test_patience),
	};

	return cmocka_run_group_tests_name("sandbox", tests, set_up, tear_down);
}
