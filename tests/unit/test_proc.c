// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts of processes and of the host: the parsers on texts, the readers on real processes. */
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

#include "target/host.h"
#include "target/host_parse.h"
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

static void list_is(const char *text, uint32_t lowest, uint32_t highest, uint32_t count)
{
	struct gw_cpu_list list;

	assert_int_equal(gw_host_parse_cpu_list(text, &list), 0);
	assert_int_equal(list.lowest, lowest);
	assert_int_equal(list.highest, highest);
	assert_int_equal(list.count, count);
}

static void test_cpu_list(void **state)
{
	static const char *const bad[] = {"",
					  "\n",
					  "x",
					  "3-1",
					  "1,",
					  "1-",
					  "-1",
					  "1,,2",
					  "1 2",
					  "0-4294967295",
					  "0-3x",
					  "1-2-3",
					  "99999999999999999999"};
	struct gw_cpu_list list;

	(void)state;
	list_is("0\n", 0, 0, 1);
	list_is("0-1\n", 0, 1, 2);
	list_is("2,34", 2, 34, 2);
	list_is("0-3,8,10-11\n", 0, 11, 7);
	list_is("64-127,0-31\n", 0, 127, 96);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(gw_host_parse_cpu_list(bad[i], &list), -EINVAL);
}

static void test_quota(void **state)
{
	double cpus;

	(void)state;
	assert_int_equal(gw_host_parse_cpu_max("max 100000\n", &cpus), 0);
	assert_true(cpus == 0);
	assert_int_equal(gw_host_parse_cpu_max("150000 100000\n", &cpus), 0);
	assert_true(cpus == 1.5);
	assert_int_equal(gw_host_parse_cpu_max("1000 0\n", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cpu_max("0 1000\n", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cpu_max("-5 1000\n", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cpu_max("maximum\n", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cpu_max("", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cfs("-1\n", "100000\n", &cpus), 0);
	assert_true(cpus == 0);
	assert_int_equal(gw_host_parse_cfs("50000\n", "100000\n", &cpus), 0);
	assert_true(cpus == 0.5);
	assert_int_equal(gw_host_parse_cfs("50000\n", "0\n", &cpus), -EINVAL);
	assert_int_equal(gw_host_parse_cfs("", "", &cpus), -EINVAL);
	assert_int_equal(gw_host_usable(8, 0), 8);
	assert_int_equal(gw_host_usable(8, 1.5), 2);
	assert_int_equal(gw_host_usable(8, 2.0), 2);
	assert_int_equal(gw_host_usable(8, 0.1), 1);
	assert_int_equal(gw_host_usable(2, 3.5), 2);
	assert_int_equal(gw_host_usable(0, 0), 1);
}

static void test_key(void **state)
{
	const char *text = "usage_usec 5\nnr_throttled 3\nthrottled_usec 77\n";
	uint64_t value = 0;

	(void)state;
	assert_int_equal(gw_host_parse_key(text, "throttled_usec", &value), 0);
	assert_int_equal(value, 77);
	assert_int_equal(gw_host_parse_key(text, "throttled", &value), -ENOENT);
	assert_int_equal(gw_host_parse_key(text, "throttled_time", &value), -ENOENT);
	assert_int_equal(gw_host_parse_key("", "x", &value), -ENOENT);
}

static void test_cgroup(void **state)
{
	const char *text = "5:cpuset:/sets\n4:cpuacct,cpu:/a:b\n0::/user.slice\n";
	char path[64];

	(void)state;
	assert_int_equal(gw_host_parse_cgroup(text, "cpu", path, sizeof(path)), 0);
	assert_string_equal(path, "/a:b");
	assert_int_equal(gw_host_parse_cgroup(text, NULL, path, sizeof(path)), 0);
	assert_string_equal(path, "/user.slice");
	assert_int_equal(gw_host_parse_cgroup(text, "memory", path, sizeof(path)), -ENOENT);
	assert_int_equal(gw_host_parse_cgroup(text, NULL, path, 5), -ENAMETOOLONG);
	assert_int_equal(gw_host_parse_cgroup("", NULL, path, sizeof(path)), -ENOENT);
}

static const char mounts[] =
	"23 1 0:20 / /sys rw - sysfs sysfs rw\n"
	"32 31 0:29 / /sys/fs/cgroup/cpu\\040set rw,relatime shared:9 - cgroup cgroup rw,cpuset\n"
	"33 31 0:30 /pod /cg\\040v1 rw,relatime - cgroup cgroup rw,cpuacct,cpu\n"
	"41 31 0:31 / /unified rw,relatime shared:3 master:4 - cgroup2 cgroup2 rw,nsdelegate\n";

static void test_cgroup_directory(void **state)
{
	char directory[128];
	size_t top;

	(void)state;
	assert_int_equal(
		gw_host_cgroup_directory(mounts, NULL, "/a/b", directory, sizeof(directory), &top),
		0);
	assert_string_equal(directory, "/unified/a/b");
	assert_int_equal(top, strlen("/unified"));
	assert_int_equal(gw_host_cgroup_directory(mounts, "cpu", "/pod/x", directory,
						  sizeof(directory), &top),
			 0);
	assert_string_equal(directory, "/cg v1/x");
	assert_int_equal(gw_host_cgroup_directory(mounts, "cpu", "/podium", directory,
						  sizeof(directory), &top),
			 -ENOENT);
	assert_int_equal(
		gw_host_cgroup_directory(mounts, NULL, "/../x", directory, sizeof(directory), &top),
		-ENOENT);
	assert_int_equal(
		gw_host_cgroup_directory("", NULL, "/", directory, sizeof(directory), &top),
		-ENOENT);
}

/* A small tree of files below a fresh directory. */
struct tree {
	char root[64];
};

static void tree_write(const struct tree *tree, const char *name, const char *text)
{
	char path[512];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", tree->root, name);
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		assert_true(mkdir(path, 0700) == 0 || errno == EEXIST);
		*slash = '/';
	}
	file = fopen(path, "w");
	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static int tree_setup(void **state)
{
	struct tree *tree = calloc(1, sizeof(*tree));
	const char *base = getenv("TMPDIR");

	snprintf(tree->root, sizeof(tree->root), "%.40s/gw-proc-XXXXXX", base ? base : "/tmp");
	*state = tree;
	return mkdtemp(tree->root) ? 0 : -1;
}

static int tree_teardown(void **state)
{
	struct tree *tree = *state;
	char command[96];

	snprintf(command, sizeof(command), "rm -rf '%s'", tree->root);
	free(tree);
	return system(command);
}

static void test_read_quota(void **state)
{
	const struct tree *tree = *state;
	struct gw_cpu_limits limits = {.usable = 77};

	tree_write(tree, "unified/a/cpu.max", "400000 100000\n");
	tree_write(tree, "unified/a/cpu.stat", "usage_usec 1\nthrottled_usec 11\n");
	tree_write(tree, "unified/a/b/cpu.max", "max 100000\n");
	gw_host_read_quota(tree->root, "0::/a/b\n", mounts, &limits);
	assert_true(limits.quota_cpus == 4.0);
	assert_int_equal(limits.throttled_ns, 11000);

	tree_write(tree, "unified/a/b/cpu.max", "450000 100000\n");
	gw_host_read_quota(tree->root, "0::/a/b\n", mounts, &limits);
	assert_true(limits.quota_cpus == 4.0);

	tree_write(tree, "unified/cpu.max", "30000 20000\n");
	tree_write(tree, "unified/cpu.stat", "throttled_usec 22\n");
	gw_host_read_quota(tree->root, "0::/a/b\n", mounts, &limits);
	assert_true(limits.quota_cpus == 1.5);
	assert_int_equal(limits.throttled_ns, 22000);

	tree_write(tree, "cg v1/x/cpu.cfs_quota_us", "50000\n");
	tree_write(tree, "cg v1/x/cpu.cfs_period_us", "100000\n");
	tree_write(tree, "cg v1/x/cpu.stat", "nr_throttled 1\nthrottled_time 333\n");
	gw_host_read_quota(tree->root, "4:cpu,cpuacct:/pod/x\n0::/a/b\n", mounts, &limits);
	assert_true(limits.quota_cpus == 0.5);
	assert_int_equal(limits.throttled_ns, 333);

	gw_host_read_quota(tree->root, "0::/nowhere\n", "", &limits);
	assert_true(limits.quota_cpus == 0);
	assert_int_equal(limits.usable, 77);
}

static void test_topology(void **state)
{
	const struct tree *tree = *state;
	struct gw_host host = {0};

	/* Two nodes of one core with two threads each; CPU 4 is possible but was never there. */
	tree_write(tree, "devices/system/cpu/possible", "0-4\n");
	for (int cpu = 0; cpu < 4; cpu++) {
		char name[128], cores[32];

		snprintf(cores, sizeof(cores), "%d-%d\n", cpu & ~1, cpu | 1);
		snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/topology/%s", cpu,
			 cpu < 2 ? "core_cpus_list" : "thread_siblings_list");
		tree_write(tree, name, cores);
		snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/cache/index0/level", cpu);
		tree_write(tree, name, "3\n");
		snprintf(name, sizeof(name),
			 "devices/system/cpu/cpu%d/cache/index0/shared_cpu_list", cpu);
		tree_write(tree, name, "0-3\n");
		snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/cache/index1/level", cpu);
		tree_write(tree, name, "1\n");
		snprintf(name, sizeof(name), "devices/system/cpu/cpu%d/node%d/cpulist", cpu,
			 cpu / 2);
		tree_write(tree, name, cores);
	}
	tree_write(tree, "devices/system/node/online", "0-1\n");
	assert_int_equal(gw_host_read_topology(tree->root, &host), 0);
	assert_int_equal(host.cpus, 5);
	for (uint32_t cpu = 0; cpu < 4; cpu++) {
		assert_int_equal(host.place[cpu].core, cpu & ~1u);
		assert_int_equal(host.place[cpu].llc, 0);
		assert_int_equal(host.place[cpu].node, cpu & ~1u);
	}
	assert_int_equal(host.place[4].core, 4);
	assert_int_equal(host.place[4].llc, 4);
	assert_int_equal(host.place[4].node, 4);
	gw_host_free(&host);
}

static void test_this_host(void **state)
{
	struct gw_host host;
	struct gw_cpu_limits limits;
	cpu_set_t set;

	(void)state;
	assert_int_equal(gw_host_read(&host), 0);
	assert_true(host.cpus >= 1);
	assert_true(strlen(host.kernel) > 0);
	for (uint32_t cpu = 0; cpu < host.cpus; cpu++)
		assert_true(host.place[cpu].core < host.cpus && host.place[cpu].llc < host.cpus &&
			    host.place[cpu].node < host.cpus);
	assert_int_equal(gw_host_limits(getpid(), &limits), 0);
	assert_int_equal(sched_getaffinity(0, sizeof(set), &set), 0);
	assert_true(limits.usable >= 1 && limits.usable <= (uint32_t)CPU_COUNT(&set));
	assert_int_equal(gw_host_limits(0x3fffffff, &limits), -ESRCH);
	gw_host_free(&host);
	gw_host_free(&host);
	gw_host_free(NULL);
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
		cmocka_unit_test(test_cpu_list),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_cgroup_directory),
		cmocka_unit_test_setup_teardown(test_read_quota, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_topology, tree_setup, tree_teardown),
		cmocka_unit_test(test_this_host),
		cmocka_unit_test(test_this_process),
		cmocka_unit_test(test_absent),
		cmocka_unit_test(test_code_mappings),
		cmocka_unit_test(test_open_mapping),
		cmocka_unit_test(test_main_thread_gone),
		cmocka_unit_test(test_memory),
	};

	return cmocka_run_group_tests_name("proc", tests, NULL, NULL);
}
