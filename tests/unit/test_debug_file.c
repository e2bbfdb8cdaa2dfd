// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The separate debug file in the root of a process that wants to lead its reader astray. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "target/debug_file.h"

static char root[64];

static int set_up(void **state)
{
	static const char *const directories[] = {"usr", "usr/lib", "usr/lib/debug",
						  "usr/lib/debug/.build-id",
						  "usr/lib/debug/.build-id/ab"};
	const char *parent = getenv("TMPDIR");

	(void)state;
	snprintf(root, sizeof(root), "%.30s/test_debug.XXXXXX",
		 parent && *parent ? parent : "/tmp");
	if (!mkdtemp(root))
		return -1;
	for (size_t i = 0; i < sizeof(directories) / sizeof(directories[0]); i++) {
		char path[256];

		snprintf(path, sizeof(path), "%s/%s", root, directories[i]);
		if (mkdir(path, 0755))
			return -1;
	}
	return 0;
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static int tear_down(void **state)
{
	(void)state;
	return nftw(root, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void path_of(const char *id, char path[256])
{
	snprintf(path, 256, "%s/usr/lib/debug/.build-id/%.2s/%s.debug", root, id, id + 2);
}

/* A process in that root. */
static pid_t start(void)
{
	int ends[2];
	char byte;
	pid_t pid;

	assert_int_equal(pipe(ends), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (chroot(root) || write(ends[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_int_equal(read(ends[0], &byte, 1), 1);
	close(ends[0]);
	close(ends[1]);
	return pid;
}

static void test_open(void **state)
{
	char path[256], text[8] = "";
	pid_t pid;
	int fd;

	(void)state;
	if (geteuid() != 0)
		skip();
	pid = start();
	path_of("ab01", path);
	fd = open(path, O_WRONLY | O_CREAT, 0644);
	assert_int_equal(write(fd, "yes", 3), 3);
	close(fd);
	path_of("ab02", path); /* a link within the root, as distributions have them */
	assert_int_equal(symlink("/usr/lib/debug/.build-id/ab/01.debug", path), 0);
	path_of("ab03", path); /* a file that is there outside of the root alone */
	assert_int_equal(symlink("/proc/self/status", path), 0);
	path_of("ab04", path);
	assert_int_equal(symlink("../../../../../../../../../etc/passwd", path), 0);
	path_of("ab05", path); /* it would wait for a writer for ever */
	assert_int_equal(mkfifo(path, 0644), 0);
	path_of("ab06", path);
	assert_int_equal(mkdir(path, 0755), 0);

	fd = gw_debug_file_open(pid, "ab01");
	assert_int_equal(read(fd, text, 3), 3);
	assert_string_equal(text, "yes");
	close(fd);
	fd = gw_debug_file_open(pid, "ab02");
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(gw_debug_file_open(pid, "ab03"), -ENOENT);
	assert_int_equal(gw_debug_file_open(pid, "ab04"), -ENOENT);
	assert_int_equal(gw_debug_file_open(pid, "ab05"), -EINVAL);
	assert_int_equal(gw_debug_file_open(pid, "ab06"), -EINVAL);
	assert_int_equal(gw_debug_file_open(0, "ab01"), -ENOENT);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	assert_int_equal(gw_debug_file_open(pid, "ab01"), -ESRCH);
}

static void test_odd_ids(void **state)
{
	char longest[512];

	(void)state;
	memset(longest, 'a', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(gw_debug_file_open(0, ""), -ENOENT);
	assert_int_equal(gw_debug_file_open(0, "ab"), -ENOENT);
	assert_int_equal(gw_debug_file_open(0, "../../../etc"), -ENOENT);
	assert_int_equal(gw_debug_file_open(0, "ab/../cd"), -ENOENT);
	assert_int_equal(gw_debug_file_open(0, longest), -ENAMETOOLONG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_open),
		cmocka_unit_test(test_odd_ids),
	};

	return cmocka_run_group_tests_name("debug_file", tests, set_up, tear_down);
}
