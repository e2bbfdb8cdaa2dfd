// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target/proc_parse.h"
#include "target/sandbox_child.h"

#define EXIT_NO_SANDBOX 100
#define REAP_MS		1000
/* Some files of a target may be odd; where that many end their reader, it is made to. */
#define DEATHS_MAX 3
/* CPU time is charged by ticks: a child that its limit ended may be told to have a little less. */
#define TICK_US 4000
/* So long a reader without a CPU is waited for before it is looked at again. */
#define PATIENCE_STEP_MS 500

/* What a child writes for each task, followed by the bytes of out. */
struct answer {
	uint32_t index;
	int32_t code;
	struct gw_error err;
};

struct run {
	gw_sandbox_job *job;
	struct gw_sandbox_task *task;
	size_t count, out_size, next; /* next: the first task without an answer */
	uint64_t vm_bytes, end_ms, patience_ms;
	uint64_t cpu_us;	/* that all its children may use; those that ended are in use */
	unsigned char *message; /* answer and out */
	struct gw_sandbox_use use;
};

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* What the process maps so far: the limit of a child counts it too. */
static uint64_t mapped_bytes(void)
{
	FILE *file = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (file) {
		if (fscanf(file, "%lu", &pages) != 1)
			pages = 0;
		fclose(file);
	}
	return (uint64_t)pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static uint64_t cpu_left_us(const struct run *run)
{
	return run->use.cpu_us + TICK_US < run->cpu_us ? run->cpu_us - run->use.cpu_us : 0;
}

static int is_spent(const struct run *run)
{
	return !cpu_left_us(run) || now_ms() >= run->end_ms;
}

/* ---- the child ---- */

static size_t list_descriptors(const struct run *run, int out, int *keep)
{
	size_t count = 0;

	keep[count++] = out;
	for (size_t i = run->next; i < run->count; i++)
		for (int n = 0; n < GW_SANDBOX_FDS_MAX; n++)
			if (run->task[i].fd[n] >= 0)
				keep[count++] = run->task[i].fd[n];
	return count;
}

static int write_all(int fd, const unsigned char *bytes, size_t size)
{
	while (size) {
		ssize_t written = write(fd, bytes, size);

		if (written <= 0)
			return -EIO;
		bytes += written;
		size -= (size_t)written;
	}
	return 0;
}

static void child(struct run *run, int out, pid_t parent)
{
	int keep[1 + GW_SANDBOX_TASKS_MAX * GW_SANDBOX_FDS_MAX];
	size_t count = list_descriptors(run, out, keep);

	if (gw_sandbox_close_in(keep, count, out, run->vm_bytes, cpu_left_us(run), parent))
		_exit(EXIT_NO_SANDBOX);
	for (size_t i = run->next; i < run->count; i++) {
		struct gw_sandbox_task *task = &run->task[i];
		struct answer answer = {.index = (uint32_t)i};

		memset(run->message, 0, sizeof(answer) + run->out_size);
		answer.code =
			run->job(task->fd, task->in, run->message + sizeof(answer), &answer.err);
		memcpy(run->message, &answer, sizeof(answer));
		if (write_all(out, run->message, sizeof(answer) + run->out_size))
			_exit(1);
	}
	_exit(0);
}

/* ---- the parent ---- */

/* A child may have been taken over: its sentence is no more than text. */
static void take_error(const struct gw_error *from, struct gw_error *to)
{
	size_t i;

	*to = (struct gw_error){.status = GW_STATUS_TARGET};
	if (from->status == GW_STATUS_FAILURE)
		to->status = from->status;
	for (i = 0; i < sizeof(to->text) - 1 && from->text[i]; i++)
		to->text[i] = from->text[i] >= ' ' && from->text[i] < 0x7f ? from->text[i] : '?';
	if (!i)
		to->status = GW_OK;
}

static int take_answer(struct run *run)
{
	struct gw_sandbox_task *task = &run->task[run->next];
	struct answer answer;

	memcpy(&answer, run->message, sizeof(answer));
	if (answer.index != run->next || answer.code > 0 || answer.code < -4095)
		return -EBADMSG;
	task->code = answer.code;
	if (answer.code)
		take_error(&answer.err, &task->err);
	else
		memcpy(task->out, run->message + sizeof(answer), run->out_size);
	run->next++;
	return 0;
}

static int wants_cpu(pid_t pid)
{
	char path[64], text[2048];
	struct gw_proc_stat stat;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	return gw_read_text(path, text, sizeof(text)) > 0 && !gw_proc_parse_stat(text, &stat) &&
	       stat.state == 'R';
}

/* Its time is over. 1: it gets some more, which others have kept from it. */
static int extend(struct run *run, pid_t pid)
{
	uint64_t more_ms = PATIENCE_STEP_MS;

	if (more_ms > run->patience_ms)
		more_ms = run->patience_ms;
	if (!more_ms || !wants_cpu(pid))
		return 0;
	run->patience_ms -= more_ms;
	run->end_ms = now_ms() + more_ms;
	return 1;
}

/* Waits for the next answer: 1 it is there, 0 the child has ended, or a negative errno. */
static int read_answer(struct run *run, pid_t pid, int in)
{
	uint64_t now = now_ms();
	size_t size = sizeof(struct answer) + run->out_size, done = 0;
	struct pollfd poll_in = {.fd = in, .events = POLLIN};

	while (done < size) {
		ssize_t got;
		int ready = now < run->end_ms ? poll(&poll_in, 1, (int)(run->end_ms - now)) : 0;

		if (ready < 0 && errno != EINTR)
			return -errno;
		now = now_ms();
		if (ready < 0 || (!ready && (now < run->end_ms || extend(run, pid))))
			continue;
		if (!ready)
			return -ETIMEDOUT;
		got = read(in, run->message + done, size - done);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got)
			return done ? -EBADMSG : 0;
		done += (size_t)got;
	}
	return 1;
}

static void add_use(struct gw_sandbox_use *use, const struct rusage *child)
{
	use->children++;
	use->cpu_us += (uint64_t)(child->ru_utime.tv_sec + child->ru_stime.tv_sec) * 1000000 +
		       (uint64_t)(child->ru_utime.tv_usec + child->ru_stime.tv_usec);
	if ((uint64_t)child->ru_maxrss > use->peak_kib)
		use->peak_kib = (uint64_t)child->ru_maxrss;
}

/* A process that waits for a file system cannot always be killed: then it is left to its end. */
static int reap(struct run *run, pid_t pid, int *status)
{
	struct pollfd ended = {.fd = (int)syscall(SYS_pidfd_open, pid, 0), .events = POLLIN};
	struct rusage used;
	pid_t got;

	if (ended.fd >= 0) {
		while (poll(&ended, 1, REAP_MS) < 0 && errno == EINTR)
			;
		close(ended.fd);
	}
	while ((got = wait4(pid, status, ended.fd >= 0 ? WNOHANG : 0, &used)) < 0 && errno == EINTR)
		;
	if (got != pid)
		return -ETIMEDOUT;
	add_use(&run->use, &used);
	return 0;
}

/* What the end of a child that owed an answer means. */
static int cause_of_end(int status)
{
	if (WIFEXITED(status) && WEXITSTATUS(status) == EXIT_NO_SANDBOX)
		return -ENOSYS;
	/* the limits of CPU time, or the kernel's last resort against want of memory */
	if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGPROF || WTERMSIG(status) == SIGKILL ||
				    WTERMSIG(status) == SIGXCPU))
		return -ETIMEDOUT;
	return -EBADMSG;
}

/* Reads what the child says. 0: all answered, else why the task at run->next was not. */
static int listen_to(struct run *run, pid_t pid, int in)
{
	int code, status = 0, ended;

	do {
		code = run->next < run->count ? read_answer(run, pid, in) : 0;
		if (code == 1 && take_answer(run))
			code = -EBADMSG;
	} while (code == 1);
	/* It may hang after its last answer as well, or wait to be read. */
	if (code || run->next == run->count)
		kill(pid, SIGKILL);
	ended = reap(run, pid, &status);
	if (run->next == run->count)
		return 0;
	if (code)
		return code;
	return ended ? -EBADMSG : cause_of_end(status);
}

static int run_child(struct run *run)
{
	pid_t parent = getpid(), pid;
	int ends[2], code;

	if (pipe2(ends, O_CLOEXEC))
		return -errno;
	pid = fork();
	if (pid == 0)
		child(run, ends[1], parent);
	code = pid < 0 ? -errno : 0;
	close(ends[1]);
	if (!code)
		code = listen_to(run, pid, ends[0]);
	close(ends[0]);
	return code;
}

static int is_verdict(int code)
{
	return code == -ETIMEDOUT || code == -EBADMSG;
}

static int run_all(struct run *run)
{
	int deaths = 0, code = 0;

	while (run->next < run->count && !is_spent(run)) {
		size_t first = run->next;

		code = run_child(run);
		if (code && !is_verdict(code))
			return code;
		/* In the midst of others it may only have got what they left: it is first next. */
		if (run->next != first && deaths < DEATHS_MAX)
			continue;
		if (deaths >= DEATHS_MAX)
			break;
		run->task[run->next++].code = code;
		deaths++;
	}
	for (; run->next < run->count; run->next++)
		run->task[run->next].code = code ? code : -ETIMEDOUT;
	return 0;
}

static void charge(const struct run *run, struct gw_sandbox_budget *budget)
{
	uint64_t now = now_ms();

	budget->cpu_us = cpu_left_us(run);
	budget->wall_ms = now < run->end_ms ? run->end_ms - now : 0;
	budget->patience_ms = run->patience_ms;
}

static void tell_use(const struct run *run, struct gw_sandbox_use *use)
{
	use->cpu_us += run->use.cpu_us;
	use->children += run->use.children;
	if (run->use.peak_kib > use->peak_kib)
		use->peak_kib = run->use.peak_kib;
}

int gw_sandbox_run(gw_sandbox_job *job, struct gw_sandbox_task *task, size_t count, size_t out_size,
		   struct gw_sandbox_budget *budget, struct gw_sandbox_use *use,
		   struct gw_error *err)
{
	struct gw_sandbox_budget full = GW_SANDBOX_BUDGET;
	const struct gw_sandbox_budget *from = budget ? budget : &full;
	struct run run = {
		.job = job,
		.task = task,
		.count = count,
		.out_size = out_size,
		.vm_bytes = mapped_bytes(),
		.end_ms = now_ms() + from->wall_ms,
		.patience_ms = from->patience_ms,
		.cpu_us = from->cpu_us,
		.message = malloc(sizeof(struct answer) + out_size),
	};
	int code = count > GW_SANDBOX_TASKS_MAX ? -E2BIG : run.message ? 0 : -ENOMEM;

	for (size_t i = 0; i < count; i++)
		task[i].err = (struct gw_error){0};
	if (!code)
		code = run_all(&run);
	free(run.message);
	if (budget)
		charge(&run, budget);
	if (use)
		tell_use(&run, use);
	if (code)
		return gw_error_set(err, code, GW_STATUS_FAILURE,
				    "the target's files cannot be read in safety: a process "
				    "without rights, under a filter of system calls, cannot be "
				    "set up (%s)",
				    strerror(-code));
	return 0;
}

static int nothing(const int fds[GW_SANDBOX_FDS_MAX], const void *in, void *out,
		   struct gw_error *err)
{
	(void)fds;
	(void)in;
	(void)out;
	(void)err;
	return 0;
}

int gw_sandbox_check(struct gw_error *err)
{
	struct gw_sandbox_task task = {.fd = {-1, -1, -1}};
	char out;

	task.out = &out;
	return gw_sandbox_run(nothing, &task, 1, sizeof(out), NULL, NULL, err);
}
