// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Facts of the host: CPUs, quotas and cgroups, from texts, from made trees, and from this one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/host.h"
#include "target/host_parse.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cpu_list),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_key),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_cgroup_directory),
		cmocka_unit_test_setup_teardown(test_read_quota, tree_setup, tree_teardown),
		cmocka_unit_test_setup_teardown(test_topology, tree_setup, tree_teardown),
		cmocka_unit_test(test_this_host),
	};

	return cmocka_run_group_tests_name("host", tests, NULL, NULL);
}
