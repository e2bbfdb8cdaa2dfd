// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* From a command's name to its file, and the environment of whoever called sudo. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/caller.h"
#include "cmd/resolve.h"

/* ---- a command's name ---- */

/* In the working directory: first/tool and second/tool, and what cannot be executed. */
static int make_programs(void **state)
{
	static char place[] = "/tmp/gilwatch-resolve-XXXXXX";
	static const struct {
		const char *path;
		mode_t mode;
	} file[] = {
		{"first/tool", 0755},	{"first/plain", 0644}, {"second/tool", 0755},
		{"second/plain", 0755}, {"second/last", 0755}, {"third/plain", 0644},
		{"here", 0755},
	};

	*state = mkdtemp(place);
	assert_non_null(*state);
	assert_int_equal(chdir(place), 0);
	assert_int_equal(mkdir("first", 0755) | mkdir("second", 0755) | mkdir("third", 0755), 0);
	assert_int_equal(mkdir("first/folder", 0755), 0);
	for (size_t i = 0; i < sizeof(file) / sizeof(file[0]); i++) {
		FILE *made = fopen(file[i].path, "w");

		assert_non_null(made);
		fclose(made);
		assert_int_equal(chmod(file[i].path, file[i].mode), 0);
	}
	return 0;
}

static int remove_programs(void **state)
{
	char command[128];

	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", (char *)*state);
	return system(command);
}

static void assert_resolved(const char *name, const char *list, int code, const char *expected)
{
	char path[64];
	int got = gw_resolve(name, list, path, sizeof(path));

	if (got != code || strcmp(path, expected))
		fail_msg("%s in %s: %d \"%s\"", name, list ? list : "none", got, path);
}

static void test_search(void **state)
{
	(void)state;
	assert_resolved("tool", "first:second", 0, "first/tool");
	assert_resolved("tool", "none:second:first", 0, "second/tool");
	assert_resolved("last", "first:second", 0, "second/last");
	assert_resolved("last", "first", -ENOENT, "");
	assert_resolved("here", "first:", 0, "./here");
	assert_resolved("here", ":first", 0, "./here");
	assert_resolved("here", "", 0, "./here");
	assert_resolved("", "first", -ENOENT, "");
	/* What cannot be executed gives way to what can. */
	assert_resolved("plain", "first:second", 0, "second/plain");
	assert_resolved("plain", "first:third", -EACCES, "first/plain");
	assert_resolved("folder", "first:second", -ENOENT, "");
	assert_resolved("sh", NULL, 0, access("/bin/sh", X_OK) ? "/usr/bin/sh" : "/bin/sh");
}

static void test_files(void **state)
{
	char path[8], name[5000];
	(void)state;

	assert_resolved("first/tool", "second", 0, "first/tool");
	assert_resolved("./here", NULL, 0, "./here");
	assert_resolved("./none", "first", -ENOENT, "");
	assert_resolved("first/plain", "second", -EACCES, "first/plain");
	assert_resolved("first/folder", NULL, -EISDIR, "first/folder");
	assert_resolved("first/tool/", NULL, -ENOENT, "");
	assert_int_equal(gw_resolve("first/tool", NULL, path, sizeof(path)), -ENAMETOOLONG);
	assert_int_equal(gw_resolve("tool", "first", path, sizeof(path)), -ENAMETOOLONG);
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_resolved(name, "first", -ENOENT, "");
}

/* ---- who called ---- */

static void test_environment(void **state)
{
	static const char block[] =
		"PATHS=no\0PATH=/venv/bin:/bin\0EMPTY=\0\0PATH=second\0LAST=cut";
	(void)state;

	assert_string_equal(gw_environment_find(block, sizeof(block), "PATH"), "/venv/bin:/bin");
	assert_string_equal(gw_environment_find(block, sizeof(block), "EMPTY"), "");
	assert_string_equal(gw_environment_find(block, sizeof(block), "LAST"), "cut");
	assert_null(gw_environment_find(block, sizeof(block), "NONE"));
	assert_null(gw_environment_find(block, 0, "PATH"));
	/* A value without an end is not all of it. */
	assert_null(gw_environment_find(block, sizeof(block) - 1, "LAST"));
}

static void set(const char *uid, const char *gid)
{
	unsetenv("SUDO_UID");
	unsetenv("SUDO_GID");
	if (uid)
		setenv("SUDO_UID", uid, 1);
	if (gid)
		setenv("SUDO_GID", gid, 1);
}

static void test_ids(void **state)
{
	static const char *const bad[][2] = {
		{"1000", NULL}, {NULL, "1000"}, {"", "1000"},		{"0x10", "1000"},
		{"-1", "1000"}, {"12 ", "12"},	{"4294967295", "1000"}, {"1000", "alice"},
	};
	uid_t uid;
	gid_t gid;
	(void)state;

	set(NULL, NULL);
	assert_int_equal(gw_caller_ids(&uid, &gid), 0);
	assert_int_equal(uid, geteuid());
	assert_int_equal(gid, getegid());
	set("1000", "100");
	assert_int_equal(gw_caller_ids(&uid, &gid), 0);
	/* Without root's rights nobody else can be meant. */
	assert_int_equal(uid, geteuid() ? geteuid() : 1000);
	assert_int_equal(gid, geteuid() ? getegid() : 100);
	for (size_t i = 0; !geteuid() && i < sizeof(bad) / sizeof(bad[0]); i++) {
		set(bad[i][0], bad[i][1]);
		assert_int_equal(gw_caller_ids(&uid, &gid), -EINVAL);
		assert_int_equal(uid, 0);
	}
	set(NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_search),
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_environment),
		cmocka_unit_test(test_ids),
	};

	return cmocka_run_group_tests(tests, make_programs, remove_programs);
}
