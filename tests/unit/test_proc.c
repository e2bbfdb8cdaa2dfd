// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts of processes: the parsers on texts, the readers on real processes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/memory.h"
#include "target/proc.h"
#include "target/proc_parse.h"

#define TAIL                                                                                       \
	" S 41 1 1 0 -1 4194560 9 8 7 6 5 4 3 2 20 0 17 0 123456 1000 20 18446744073709551615\n"

static void stat_with(const char *comm)
{
	struct gw_proc_stat stat;
	char text[512];

	snprintf(text, sizeof(text), "42 (%s)" TAIL, comm);
	assert_int_equal(gw_proc_parse_stat(text, &stat), 0);
	assert_string_equal(stat.comm, comm);
	assert_int_equal(stat.state, 'S');
	assert_int_equal(stat.ppid, 41);
	assert_int_equal(stat.flags, 4194560);
	assert_int_equal(stat.threads, 17);
	assert_int_equal(stat.start_ticks, 123456);
}

static void test_stat(void **state)
{
	struct gw_proc_stat stat;

	(void)state;
	stat_with("python3");
	stat_with("");
	stat_with("a) R 1 (b");
	stat_with("tail) ");
	stat_with("two\nlines");
	stat_with(")))(((");
	stat_with("\x1b[31mred");
	stat_with("kworker/u64:2-events_unbound_of_a_long_name");
	assert_int_equal(gw_proc_parse_stat("", &stat), -EINVAL);
	assert_int_equal(gw_proc_parse_stat("42 (cut", &stat), -EINVAL);
	assert_int_equal(gw_proc_parse_stat(")42(", &stat), -EINVAL);
	assert_int_equal(gw_proc_parse_stat("42 (x) S 1 2", &stat), -EINVAL);
}

static void test_mapping(void **state)
{
	struct gw_mapping *m = malloc(sizeof(*m));
	char *line = malloc(8192);

	(void)state;
	assert_int_equal(gw_proc_parse_mapping("7f00a000-7f00b000 r-xp 00002000 fe:01 247278     "
					       "                /usr/bin/my python\n",
					       m),
			 0);
	assert_int_equal(m->start, 0x7f00a000);
	assert_int_equal(m->end, 0x7f00b000);
	assert_int_equal(m->file_offset, 0x2000);
	assert_true(m->device == makedev(0xfe, 1));
	assert_int_equal(m->inode, 247278);
	assert_string_equal(m->permissions, "r-xp");
	assert_string_equal(m->path, "/usr/bin/my python");
	assert_false(m->deleted);

	assert_int_equal(
		gw_proc_parse_mapping("1000-2000 r-xp 0 fe:01 5 /tmp/a\\012b\\040 (deleted)", m),
		0);
	assert_string_equal(m->path, "/tmp/a\nb\\040");
	assert_true(m->deleted);

	assert_int_equal(gw_proc_parse_mapping("1000-2000 rw-p 00000000 00:00 0 \n", m), 0);
	assert_string_equal(m->path, "");
	assert_int_equal(gw_proc_parse_mapping("1000-2000 rw-p 00000000 00:00 0  [heap]\n", m), 0);
	assert_string_equal(m->path, "[heap]");
	assert_int_equal(gw_proc_parse_mapping("ffffffffff600000-ffffffffff601000 --xp 00000000 "
					       "00:00 0                  [vsyscall]\n",
					       m),
			 0);
	assert_true(m->start == 0xffffffffff600000);

	assert_int_equal(gw_proc_parse_mapping("", m), -EINVAL);
	assert_int_equal(gw_proc_parse_mapping("2000-1000 r-xp 0 0:0 0", m), -EINVAL);
	assert_int_equal(gw_proc_parse_mapping("1000-2000 r-x 0 0:0 0", m), -EINVAL);
	assert_int_equal(gw_proc_parse_mapping("1000-2000 r-xp", m), -EINVAL);
	strcpy(line, "1000-2000 r-xp 0 fe:01 5 /");
	memset(line + strlen(line), 'x', 5000);
	line[5020] = '\0';
	assert_int_equal(gw_proc_parse_mapping(line, m), -EINVAL);
	free(line);
	free(m);
}

static void test_status(void **state)
{
	(void)state;
	assert_int_equal(gw_proc_parse_tgid("Name:\tTgid: 9\nUmask:\t0022\nTgid:\t4426\n"), 4426);
	assert_int_equal(gw_proc_parse_tgid("Name:\tx\n"), -1);
	assert_false(gw_proc_parse_foreign("Name:\tx\nNSpid:\t4426\nNSpgid:\t1\t2\n"));
	assert_true(gw_proc_parse_foreign("Name:\tx\nNSpid:\t4426\t1\nNSpgid:\t1\n"));
	assert_false(gw_proc_parse_foreign("Name:\tx\n"));
}

static void test_arguments(void **state)
{
	char text[] = "python\0app.py\0\0--x\0\0";

	(void)state;
	gw_proc_join_arguments(text, sizeof(text) - 1);
	assert_string_equal(text, "python app.py  --x");
	gw_proc_join_arguments(text, 0);
	assert_string_equal(text, "");
}

static void test_this_process(void **state)
{
	struct gw_proc_info *info = malloc(sizeof(*info));
	uint64_t run, wait;
	char comm[32];

	(void)state;
	assert_int_equal(prctl(PR_SET_NAME, "odd) R 1\n("), 0);
	assert_int_equal(gw_proc_read(getpid(), info, NULL), 0);
	assert_int_equal(info->pid, getpid());
	assert_int_equal(info->ppid, getppid());
	assert_string_equal(info->comm, "odd) R 1\n(");
	assert_int_equal(info->threads, 1);
	assert_true(info->start_ticks > 0);
	assert_false(info->kernel_thread);
	assert_int_equal(info->exe[0], '/');
	assert_non_null(strstr(info->command, "test_proc"));
	assert_int_equal(gw_proc_thread_comm(getpid(), getpid(), comm, sizeof(comm)), 0);
	assert_string_equal(comm, "odd) R 1\n(");
	assert_int_equal(gw_proc_schedstat(getpid(), getpid(), &run, &wait), 0);
	assert_true(run > 0);
	assert_int_equal(gw_proc_thread_comm(getpid(), 0x3fffffff, comm, sizeof(comm)), -ENOENT);
	free(info);
}

static void test_absent(void **state)
{
	struct gw_proc_info *info = malloc(sizeof(*info));
	struct gw_error err = {0};

	(void)state;
	assert_int_equal(gw_proc_read(0x3fffffff, info, &err), -ESRCH);
	assert_int_equal(err.status, GW_STATUS_TARGET);
	assert_non_null(strstr(err.text, "no process 1073741823"));
	assert_int_equal(gw_proc_read(-1, info, NULL), -ESRCH);
	assert_int_equal(gw_proc_read(0, info, NULL), -ESRCH);
	free(info);
}

static int find_code(const struct gw_mapping *m, void *data)
{
	struct gw_mapping *found = data;
	uint64_t here = (uint64_t)(uintptr_t)find_code;

	if (here < m->start || here >= m->end)
		return 0;
	*found = *m;
	return 7;
}

#define CODE_MAX 64

struct code_list {
	size_t count;
	struct gw_mapping mapping[CODE_MAX];
};

static int note_code(const struct gw_mapping *m, void *data)
{
	struct code_list *list = data;

	if (m->inode && m->permissions[2] == 'x' && list->count < CODE_MAX)
		list->mapping[list->count++] = *m;
	return 0;
}

static int stop_at_once(const struct gw_mapping *m, void *data)
{
	(void)m;
	++*(int *)data;
	return 42;
}

/* However the kernel is asked, the answer is the same: also of odd names, and of files that went.
 */
static void test_code_mappings(void **state)
{
	struct code_list *all = calloc(1, sizeof(*all)), *code = calloc(1, sizeof(*code));
	char path[] = "/tmp/gw code\n (deleted)XXXXXX";
	int fd = mkstemp(path), visits = 0, deleted = 0;
	size_t size = 3 * (size_t)sysconf(_SC_PAGESIZE);
	void *mapped;

	(void)state;
	assert_true(fd >= 0 && !ftruncate(fd, (off_t)size));
	mapped = mmap(NULL, size, PROT_READ | PROT_EXEC, MAP_SHARED, fd, 0);
	assert_true(mapped != MAP_FAILED);
	unlink(path);
	assert_int_equal(gw_proc_each_mapping(getpid(), note_code, all), 0);
	assert_int_equal(gw_proc_each_code_mapping(getpid(), note_code, code), 0);
	assert_true(code->count >= 3); /* this program, libc, and that file */
	assert_int_equal(code->count, all->count);
	for (size_t i = 0; i < code->count; i++) {
		struct gw_mapping *a = &all->mapping[i], *b = &code->mapping[i];

		assert_true(a->start == b->start && a->end == b->end);
		assert_true(a->file_offset == b->file_offset && a->inode == b->inode);
		assert_true(a->device == b->device && a->deleted == b->deleted);
		assert_string_equal(a->permissions, b->permissions);
		assert_string_equal(a->path, b->path);
		deleted += b->deleted && !strcmp(b->path, path);
	}
	assert_int_equal(deleted, 1);
	assert_int_equal(gw_proc_each_code_mapping(getpid(), stop_at_once, &visits), 42);
	assert_int_equal(visits, 1);
	assert_int_equal(gw_proc_each_code_mapping(0x3fffffff, note_code, code), -ESRCH);
	munmap(mapped, size);
	close(fd);
	free(code);
	free(all);
}

static void test_open_mapping(void **state)
{
	struct gw_mapping *m = malloc(sizeof(*m));
	char path[4200];
	struct stat a, b;
	int fd;

	(void)state;
	assert_int_equal(gw_proc_each_mapping(getpid(), find_code, m), 7);
	assert_int_equal(stat(m->path, &b),
			 0); /* not /proc/self/exe: that is another under valgrind */
	fd = gw_proc_open_mapping(getpid(), m);
	assert_true(fd >= 0);
	assert_int_equal(fstat(fd, &a), 0);
	assert_true(a.st_ino == b.st_ino && a.st_dev == b.st_dev);
	close(fd);
	assert_int_equal(gw_proc_mapping_path(getpid(), m, path, sizeof(path)), 0);
	assert_int_equal(stat(path, &a), 0);
	assert_true(a.st_ino == b.st_ino);
	assert_int_equal(gw_proc_mapping_path(getpid(), m, path, 10), -ENAMETOOLONG);

	/* An address at which no file is: by name, and only where it is the same file. */
	m->start += 1 << 12;
	m->end += 1 << 12;
	fd = gw_proc_open_mapping(getpid(), m);
	if (fd >= 0) { /* -ESTALE on file systems whose numbers differ */
		assert_int_equal(fstat(fd, &a), 0);
		assert_true(a.st_ino == b.st_ino);
		close(fd);
	}
	m->inode++;
	assert_int_equal(gw_proc_open_mapping(getpid(), m), -ESTALE);
	strcpy(m->path, "/dev/null");
	assert_int_equal(gw_proc_open_mapping(getpid(), m), -EINVAL);
	assert_int_equal(gw_proc_each_mapping(0x3fffffff, find_code, m), -ESRCH);
	free(m);
}

/* A child that writes a byte once it stands as it shall, and stays. */
struct child {
	pid_t pid;
};

static struct child child_start(void (*body)(int ready))
{
	struct child child;
	int ends[2];
	char byte;

	assert_int_equal(pipe(ends), 0);
	child.pid = fork();
	if (child.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(ends[0]);
		body(ends[1]);
		_exit(1);
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	return child;
}

static void child_stop(struct child child)
{
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
}

static uint64_t word = 0x1122334455667788;

static void *outlive(void *data)
{
	char text[256];

	/* The main thread is a zombie once its state says so: tell only then. */
	for (;;) {
		struct gw_proc_stat stat;

		snprintf(text, sizeof(text), "/proc/%d/stat", getpid());
		if (gw_read_text(text, text, sizeof(text)) < 0 || gw_proc_parse_stat(text, &stat) ||
		    stat.state == 'Z')
			break;
		sched_yield();
	}
	if (write(*(int *)data, "r", 1) != 1)
		_exit(2);
	for (;;)
		pause();
}

static void leave_main(int ready)
{
	static int end;
	pthread_t thread;

	end = ready;
	if (pthread_create(&thread, NULL, outlive, &end) == 0)
		pthread_exit(NULL);
}

static void test_main_thread_gone(void **state)
{
	struct gw_proc_info *info = malloc(sizeof(*info));
	struct gw_mapping *m = malloc(sizeof(*m));
	struct child child = child_start(leave_main);
	struct gw_error err = {0};
	uint64_t value = 0;
	pid_t live = gw_proc_live_thread(child.pid);
	int fd;

	(void)state;
	assert_true(live > 0 && live != child.pid);
	assert_int_equal(gw_proc_read(child.pid, info, &err), 0);
	assert_int_equal(info->exe[0], '/');
	assert_int_equal(gw_proc_each_mapping(child.pid, find_code, m), 7);
	fd = gw_proc_open_mapping(child.pid, m);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)&word, &value, sizeof(value)), 0);
	assert_true(value == word);
	assert_int_equal(gw_proc_read(live, info, &err), -ESRCH);
	assert_non_null(strstr(err.text, "is a thread of process"));
	child_stop(child);
	free(m);
	free(info);
}

static void two_pages(int ready)
{
	if (write(ready, "r", 1) == 1)
		for (;;)
			pause();
}

static void test_memory(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *pages =
		mmap(NULL, 3 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *copy = malloc(3 * page);
	struct child child;

	(void)state;
	assert_true(pages != MAP_FAILED);
	memset(pages, 'a', 2 * page);
	munmap(pages + 2 * page, page);
	child = child_start(two_pages);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)pages, copy, 2 * page), 0);
	assert_memory_equal(pages, copy, 2 * page);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)pages, copy, 2 * page + 1), -EFAULT);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)pages + 2 * page - 4, copy, 8),
			 -EFAULT);
	assert_int_equal(gw_memory_read(child.pid, 0, copy, 8), -EFAULT);
	assert_int_equal(gw_memory_read(child.pid, UINT64_MAX - 3, copy, 8), -EFAULT);
	assert_int_equal(gw_memory_read(child.pid, 0xffff800000000000, copy, 8), -EFAULT);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)pages, copy, 0), 0);
	child_stop(child);
	assert_int_equal(gw_memory_read(child.pid, (uintptr_t)pages, copy, 8), -ESRCH);
	munmap(pages, 2 * page);
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_mapping),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_arguments),
		cmocka_unit_test(test_this_process),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_code_mappings),
		cmocka_unit_test(test_open_mapping),
		cmocka_unit_test(test_main_thread_gone),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
