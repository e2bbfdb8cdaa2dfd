// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Cgroups: containers, selection; names of processes; the cache of files. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "target/cgroup.h"
#include "target/scan.h"

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void assert_container(const char *path, const char *runtime, const char *id)
{
	struct gw_container container;
	char text[1024];
	int found;

	snprintf(text, sizeof(text), "0::%s\n", path);
	found = gw_cgroup_container(text, &container);
	if (found != (runtime != NULL) || strcmp(container.runtime, runtime ? runtime : "") ||
	    strcmp(container.id, runtime ? id : ""))
		fail_msg("%s is %s %s", path, container.runtime, container.id);
}

static void test_containers(void **state)
{
	(void)state;
	assert_container("/docker/" ID, "docker", ID);
	assert_container("/system.slice/docker-" ID ".scope", "docker", ID);
	assert_container("/machine.slice/libpod-" ID ".scope", "podman", ID);
	assert_container("/machine.slice/libpod-" ID ".scope/container", "podman", ID);
	assert_container("/libpod_parent/libpod-" ID, "podman", ID);
	assert_container("/kubepods/burstable/pod12-34/" ID, "kubernetes", ID);
	assert_container("/kubepods.slice/kubepods-pod1_2.slice/cri-containerd-" ID ".scope",
			 "kubernetes", ID);
	assert_container("/kubepods.slice/kubepods-pod1_2.slice/crio-" ID ".scope", "kubernetes",
			 ID);
	assert_container("/system.slice/containerd.service/kubepods-pod1.slice:cri-containerd:" ID,
			 "kubernetes", ID);
	assert_container("/garden/" ID, "container", ID);
	assert_container("/lxc/web-1", "lxc", "web-1");
	assert_container("/lxc/100/ns", "lxc", "100");
	assert_container("/lxc.payload.web/init.scope", "lxc", "web");
	assert_container("/lxc.payload/web", "lxc", "web");
	assert_container("/machine.slice/machine-deb.scope", "nspawn", "deb");
	assert_container(
		"/ecs/0123456789abcdef0123456789abcdef/0123456789abcdef0123456789abcdef-12", "ecs",
		"0123456789abcdef0123456789abcdef-12");
	/* The innermost one. */
	assert_container("/docker/f" ID "/x", NULL, NULL);
	assert_container("/docker/ff" ID "/docker/" ID, "docker", ID);
	assert_container("/lxc/outer/docker/" ID, "docker", ID);
}

static void test_no_containers(void **state)
{
	static const char *const paths[] = {
		"/",
		"",
		"/user.slice/user-1000.slice/session-3.scope",
		"/system.slice/docker.service",
		("/system.slice/docker-" ID ".service"),
		("/machine.slice/libpod-conmon-" ID ".scope"),
		"/crio-conmon-" ID ".scope",
		"/docker/0123456789ab",
		("/docker/" ID "0"),
		("/x" ID),
		"/docker/0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
		"/lxc",
		"/lxc.payload.",
		"/lxc.monitor.web",
		"/machine.slice/machine-.scope",
		"/ecs/0123456789abcdef0123456789abcdef-",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++)
		assert_container(paths[i], NULL, NULL);
}

static void test_container_in_any_hierarchy(void **state)
{
	struct gw_container container;
	(void)state;

	assert_int_equal(
		gw_cgroup_container("3:cpu:/\n2:memory:/docker/" ID "\n0::/\n", &container), 1);
	assert_string_equal(container.runtime, "docker");
	assert_int_equal(gw_cgroup_container("", &container), 0);
	assert_int_equal(gw_cgroup_container("no colon\n:\n", &container), 0);
}

/* An id of a name longer than there is room for is cut, not overrun. */
static void test_long_names(void **state)
{
	struct gw_container container;
	char text[6000];
	(void)state;

	memset(text, 'a', sizeof(text));
	memcpy(text, "0::/lxc/", 8);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(gw_cgroup_container(text, &container), 1);
	assert_int_equal(strlen(container.id), sizeof(container.id) - 1);
}

static void assert_path(const char *text, const char *expected)
{
	char path[64];

	gw_cgroup_path(text, path, sizeof(path));
	assert_string_equal(path, expected);
}

static void test_paths(void **state)
{
	(void)state;
	assert_path("0::/system.slice/web.service\n", "/system.slice/web.service");
	assert_path("2:cpu:/a/much/longer/path\n1:name=systemd:/web\n0::/\n", "/web");
	assert_path("2:cpu:/a/much/longer/path\n1:name=systemd:/web\n0::/v2\n", "/v2");
	assert_path("3:memory:/one\n2:cpu:/one/two\n1:name=systemd:/\n0::/\n", "/one/two");
	assert_path("2:cpu:/\n0::/", "/");
	assert_path("0::/with:colon\n", "/with:colon");
	assert_path("", "");
	assert_path("nonsense\n", "");
}

/* ---- selection ---- */

static const char mountinfo[] =
	"30 24 0:26 / /sys/fs/cgroup ro shared:5 - tmpfs tmpfs ro,mode=755\n"
	"31 30 0:27 / /sys/fs/cgroup/unified rw shared:6 - cgroup2 cgroup2 rw\n"
	"32 30 0:28 / /sys/fs/cgroup/cpu,cpuacct rw - cgroup cgroup rw,cpu,cpuacct\n"
	"33 30 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
	"34 24 0:29 /docker/x /mnt/inside rw - cgroup cgroup rw,memory\n";

static const char v2_only[] = "30 24 0:26 / /sys/fs/cgroup rw - cgroup2 cgroup2 rw,nsdelegate\n";

static int matches(const char *selector, const char *mounts, const char *cgroups)
{
	struct gw_cgroup_selector *s = malloc(sizeof(*s));
	struct gw_error err = {0};
	int match;

	assert_non_null(s);
	assert_int_equal(gw_cgroup_selector_parse(selector, mounts, s, &err), 0);
	match = gw_cgroup_matches(s, cgroups);
	free(s);
	return match;
}

static void test_selection_by_path(void **state)
{
	static const char cgroups[] = "3:memory:/docker/x\n2:cpu,cpuacct:/fast\n0::/web.slice/a\n";
	(void)state;

	assert_true(matches("/web.slice", mountinfo, cgroups));
	assert_true(matches("/web.slice/", mountinfo, cgroups));
	assert_true(matches("/web.slice/a", mountinfo, cgroups));
	assert_true(matches("/docker", mountinfo, cgroups));
	assert_true(matches("/", mountinfo, cgroups));
	assert_false(matches("/web.slice/a/b", mountinfo, cgroups));
	assert_false(matches("/web", mountinfo, cgroups));
	assert_false(matches("/web.slice/ab", mountinfo, cgroups));
	assert_false(matches("/slow", mountinfo, cgroups));
	assert_false(matches("/web.slice", mountinfo, ""));
}

static void test_selection_by_directory(void **state)
{
	static const char cgroups[] = "3:memory:/docker/x\n2:cpu,cpuacct:/fast\n0::/web.slice/a\n";
	(void)state;

	assert_true(matches("/sys/fs/cgroup/web.slice", v2_only, cgroups));
	assert_true(matches("/sys/fs/cgroup", v2_only, cgroups));
	assert_true(matches("/sys/fs/cgroup/unified/web.slice/", mountinfo, cgroups));
	assert_true(matches("/sys/fs/cgroup/memory/docker", mountinfo, cgroups));
	assert_true(matches("/sys/fs/cgroup/cpu,cpuacct/fast", mountinfo, cgroups));
	/* The same path in another hierarchy is another cgroup. */
	assert_false(matches("/sys/fs/cgroup/cpu,cpuacct/docker", mountinfo, cgroups));
	assert_false(matches("/sys/fs/cgroup/unified/fast", mountinfo, cgroups));
	assert_false(matches("/sys/fs/cgroup/memory/web.slice", mountinfo, cgroups));
	/* A mount of a part of the hierarchy. */
	assert_true(matches("/mnt/inside", mountinfo, cgroups));
	assert_false(matches("/mnt/inside/y", mountinfo, cgroups));
	assert_false(matches("/mnt/insider", mountinfo, cgroups));
}

static void test_what_is_no_cgroup(void **state)
{
	struct gw_cgroup_selector *s = malloc(sizeof(*s));
	struct gw_error err = {0};
	char *text = malloc(6000);
	(void)state;

	assert_int_equal(gw_cgroup_selector_parse("web.slice", mountinfo, s, &err), -EINVAL);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	assert_non_null(strstr(err.text, "\"web.slice\" is no cgroup"));
	memset(text, 'x', 6000);
	text[0] = '/';
	text[5999] = '\0';
	err.text[0] = '\0';
	assert_int_equal(gw_cgroup_selector_parse(text, mountinfo, s, &err), -ENAMETOOLONG);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	free(text);
	free(s);
}

static int named(const char *wanted, const char *comm)
{
	struct gw_scan_filter filter = {.comm = &wanted, .comm_count = 1};

	return gw_scan_comm_matches(&filter, comm);
}

static void test_names(void **state)
{
	(void)state;
	assert_true(named("python3", "python3"));
	assert_false(named("python3", "python3.11"));
	assert_false(named("python3.11", "python3"));
	assert_true(named("python3*", "python3.11"));
	assert_true(named("gunicorn: [ab]*", "gunicorn: a1"));
	/* Exactly so, even if it is no pattern that would match itself. */
	assert_true(named("[kids]", "[kids]"));
	/* The kernel keeps 15 bytes. */
	assert_true(named("my-long-service-name", "my-long-service"));
	assert_false(named("my-long-service-name", "my-long-serv"));
	assert_false(named("my-long-service", "my-long-service-name"));
}

/* ---- the scan ---- */

/* This program maps no Python; the scan must see it and not take it for one. */
static void test_scan_of_ourselves(void **state)
{
	struct gw_file_cache *cache = gw_file_cache_new();
	const char *comm = "test_scan";
	struct gw_scan_filter filter = {.comm = &comm, .comm_count = 1};
	struct gw_scan_result scan;
	struct gw_error err = {0};
	(void)state;

	assert_int_equal(gw_scan_processes(&filter, 0, cache, &scan, &err), 0);
	assert_true(scan.seen >= 1);
	assert_int_equal(scan.count, 0);
	gw_scan_free(&scan);
	gw_file_cache_free(cache);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_containers),
		cmocka_unit_test(test_no_containers),
		cmocka_unit_test(test_container_in_any_hierarchy),
		cmocka_unit_test(test_long_names),
		cmocka_unit_test(test_paths),
		cmocka_unit_test(test_selection_by_path),
		cmocka_unit_test(test_selection_by_directory),
		cmocka_unit_test(test_what_is_no_cgroup),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_scan_of_ourselves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
