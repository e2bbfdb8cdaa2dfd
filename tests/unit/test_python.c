// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finding CPython in every interpreter of this machine, alive: those of /usr/bin, of pyenv, and
 * those in GILWATCH_PYTHONS (paths, by colons).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target/layout.h"
#include "target/memory.h"
#include "target/python.h"
#include "target/runtime_symbols.h"

#define INTERPRETERS_MAX 64
#define READY_MS	 60000 /* a child that says nothing for so long never will */

struct child {
	pid_t pid;
	char line[64]; /* the first line that it wrote */
};

static int child_start(struct child *child, const char *program, const char *const arguments[])
{
	int ends[2];
	FILE *out;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		execv(program, (char *const *)arguments);
		_exit(127);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	child->line[0] = '\0';
	if (poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, READY_MS) != 1 ||
	    !fgets(child->line, sizeof(child->line), out))
		child->line[0] = '\0';
	fclose(out);
	child->line[strcspn(child->line, "\n")] = '\0';
	return child->line[0] ? 0 : -1;
}

static void child_stop(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static const char idle[] = "import sys, time\n"
			   "sys.stdout.write('%d.%d.%d\\n' % tuple(sys.version_info[:3]))\n"
			   "sys.stdout.flush()\n"
			   "time.sleep(30)\n";

static int python_start(struct child *child, const char *program, const char *code)
{
	const char *arguments[] = {program, "-S", "-c", code, NULL};

	return child_start(child, program, arguments);
}

struct interpreters {
	int count;
	char *path[INTERPRETERS_MAX];
};

static void add(struct interpreters *list, const char *path)
{
	if (list->count < INTERPRETERS_MAX && access(path, X_OK) == 0)
		list->path[list->count++] = strdup(path);
}

/* "python3.11", but not "python3.11-config". */
static int is_python(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return name[strspn(name, "python0123456789.t")] == '\0';
}

static void add_all(struct interpreters *list, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (is_python(found.gl_pathv[i]))
				add(list, found.gl_pathv[i]);
		globfree(&found);
	}
}

static int find_interpreters(void **state)
{
	struct interpreters *list = calloc(1, sizeof(*list));
	const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
	char *more = strdup(getenv("GILWATCH_PYTHONS") ? getenv("GILWATCH_PYTHONS") : "");
	char pattern[512], *at = more, *path;

	add_all(list, "/usr/bin/python3.*");
	add_all(list, "/usr/bin/pypy3.*");
	if (root)
		snprintf(pattern, sizeof(pattern), "%s/versions/*/bin/python", root);
	else
		snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/bin/python",
			 home ? home : "");
	add_all(list, pattern);
	while ((path = strsep(&at, ":")))
		if (*path)
			add(list, path);
	free(more);
	*state = list;
	return 0;
}

static int free_interpreters(void **state)
{
	struct interpreters *list = *state;

	for (int i = 0; i < list->count; i++)
		free(list->path[i]);
	free(list);
	return 0;
}

static double find_timed(pid_t pid, struct gw_python *python, struct gw_error *err, int *ret)
{
	struct timespec a, b;

	memset(err, 0, sizeof(*err));
	clock_gettime(CLOCK_MONOTONIC, &a);
	*ret = gw_python_find(pid, python, err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static int minor_of(const char *version)
{
	return (int)strtol(strchr(version, '.') + 1, NULL, 10);
}

static int is_pypy(const char *path)
{
	return strstr(path, "pypy") != NULL;
}

static int is_supported(const char *path, const struct child *child)
{
	return !is_pypy(path) && child->line[0] == '3' && minor_of(child->line) >= 8 &&
	       minor_of(child->line) <= 15;
}

static void check_found(const struct gw_python *python, const struct child *child)
{
	unsigned int major, minor, micro;
	struct gw_gil_view view;

	assert_string_equal(python->version, child->line);
	assert_int_equal(sscanf(child->line, "%u.%u.%u", &major, &minor, &micro), 3);
	assert_int_equal(python->version_hex >> 8, major << 16 | minor << 8 | micro);
	assert_int_equal(python->gil_count, 1);
	assert_int_equal(python->gils_left_out, 0);
	assert_int_equal(python->gil[0].interpreter, 0);
	assert_true(python->free_threaded || python->gil_enabled);
	assert_int_equal(gw_python_view_gil(child->pid, python, python->gil[0].address, &view), 0);
	assert_int_equal(view.interval_us, 5000);
	assert_true(view.locked == 0 || view.locked == 1);
	assert_true(view.last_holder != 0);
	assert_true(python->runtime_file.start < python->runtime_file.end);
	assert_int_equal(python->shared, strstr(python->runtime_file.path, "libpython") != NULL);
}

static void check_refused(const struct gw_error *err, int ret, const char *said)
{
	assert_int_equal(ret, -ENOTSUP);
	assert_int_equal(err->status, GW_STATUS_TARGET);
	assert_non_null(strstr(err->text, said));
	assert_non_null(strstr(err->text, "3.8 - 3.15"));
}

static void test_each_interpreter(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));

	for (int i = 0; i < list->count; i++) {
		struct child child;
		struct gw_error err;
		double ms;
		int ret;

		if (python_start(&child, list->path[i], idle)) {
			child_stop(&child);
			print_message("%-48s does not run\n", list->path[i]);
			continue;
		}
		ms = find_timed(child.pid, python, &err, &ret);
		print_message(
			"%-48s %s%s gil %#llx %.2f ms %s\n", list->path[i],
			ret ? "refused" : python->version, !ret && python->free_threaded ? "t" : "",
			ret ? 0ull : (unsigned long long)python->gil[0].address, ms, err.text);
		if (is_supported(list->path[i], &child)) {
			assert_int_equal(ret, 0);
			check_found(python, &child);
		} else {
			check_refused(&err, ret, is_pypy(list->path[i]) ? "PyPy 3" : child.line);
		}
		child_stop(&child);
	}
	free(python);
	if (!list->count)
		skip();
}

static const char spinning[] = "import sys, threading\n"
			       "if sys.version_info < (3, 8): raise SystemExit\n"
			       "def spin():\n"
			       "    while True: pass\n"
			       "for i in range(3): threading.Thread(target=spin).start()\n"
			       "sys.setswitchinterval(0.001)\n"
			       "sys.stdout.write('%d.%d\\n' % sys.version_info[:2])\n"
			       "sys.stdout.flush()\n"
			       "spin()\n";

/* A GIL that is fought for: its holder changes while it is looked at. */
static void test_busy(void **state)
{
	const struct timespec pause = {.tv_nsec = 300000};
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));

	for (int i = 0; i < list->count; i++) {
		struct gw_gil_view view;
		struct gw_error err = {0};
		struct child child;
		int held = 0, named = 0, ret;

		if (python_start(&child, list->path[i], spinning) == 0 &&
		    is_supported(list->path[i], &child)) {
			ret = gw_python_find(child.pid, python, &err);
			assert_string_equal(err.text, "");
			assert_int_equal(ret, 0);
			for (int n = 0; n < 100 && python->gil_enabled; n++) {
				assert_int_equal(gw_python_view_gil(child.pid, python,
								    python->gil[0].address, &view),
						 0);
				assert_int_equal(view.interval_us, 1000);
				nanosleep(&pause, NULL);
				held += view.locked == 1;
				named += view.holder_thread_id != 0;
			}
			print_message("%-48s held in %d looks of 100, by a thread in %d\n",
				      list->path[i], held, named);
			/* Nobody holds it in a hand-over, which takes long where CPUs are scarce.
			 */
			if (python->gil_enabled)
				assert_true(held > 0 && named > 0);
		}
		child_stop(&child);
	}
	free(python);
	if (!list->count)
		skip();
}

/* 3.12 and up: interpreters with a GIL of their own; the module's name moved in 3.13. */
static const char subinterpreters[] = "import sys, time\n"
				      "if sys.version_info < (3, 12): raise SystemExit\n"
				      "if sys.version_info >= (3, 13): import _interpreters as i\n"
				      "else: import _xxsubinterpreters as i\n"
				      "kept = [i.create() for n in range(%d)]\n"
				      "sys.stdout.write('%%d.%%d\\n' %% sys.version_info[:2])\n"
				      "sys.stdout.flush()\n"
				      "time.sleep(30)\n";

static void test_subinterpreters(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));
	char code[512];
	int seen = 0;

	for (int i = 0; i < 2 * list->count; i++) {
		int made = i % 2 ? 20 : 2;
		struct gw_error err = {0};
		struct child child;

		snprintf(code, sizeof(code), subinterpreters, made);
		if (python_start(&child, list->path[i / 2], code) == 0 &&
		    is_supported(list->path[i / 2], &child) && minor_of(child.line) >= 12) {
			assert_int_equal(gw_python_find(child.pid, python, &err), 0);
			assert_int_equal(python->gil_count,
					 made < GW_PYTHON_GILS_MAX ? made + 1 : GW_PYTHON_GILS_MAX);
			assert_int_equal(python->gil_count + python->gils_left_out, made + 1);
			assert_int_equal(python->gil[0].interpreter, 0);
			for (int g = 1; g < python->gil_count; g++)
				assert_true(python->gil[g].interpreter >
					    python->gil[g - 1].interpreter);
			seen++;
		}
		child_stop(&child);
	}
	free(python);
	if (!seen)
		skip();
}

/* A copy of the interpreter under a name that tells nothing, gone from the disk once it runs. */
static void test_deleted(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));
	const char *base = getenv("TMPDIR");
	char directory[64], copy[96], command[512];

	snprintf(directory, sizeof(directory), "%.40s/gw-python-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(directory));
	snprintf(copy, sizeof(copy), "%s/some\nthing", directory);
	for (int i = 0; i < list->count; i++) {
		struct gw_error err = {0};
		struct child child;

		snprintf(command, sizeof(command), "cp '%s' '%s'", list->path[i], copy);
		assert_int_equal(system(command), 0);
		if (python_start(&child, copy, idle) == 0 && is_supported(list->path[i], &child)) {
			int ret;

			unlink(copy);
			ret = gw_python_find(child.pid, python, &err);
			/* Without the right to use map_files a deleted file is out of reach. */
			if (ret != -EACCES) {
				assert_string_equal(err.text, "");
				assert_int_equal(ret, 0);
				check_found(python, &child);
				if (strcmp(python->runtime_file.path, copy) == 0)
					assert_true(python->runtime_file.deleted);
			}
		}
		child_stop(&child);
		unlink(copy);
	}
	rmdir(directory);
	free(python);
	if (!list->count)
		skip();
}

static void refused(pid_t pid, int code, enum gw_status status, const char *sentence)
{
	struct gw_python *python = malloc(sizeof(*python));
	struct gw_error err = {0};

	assert_int_equal(gw_python_find(pid, python, &err), code);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(err.status, status);
	assert_int_equal(gw_python_find(pid, python, NULL), code);
	free(python);
}

static void test_no_python(void **state)
{
	const char *arguments[] = {"/bin/sh", "-c", "echo ready; read line", NULL};
	int ends[2], saved = dup(0);
	struct child child;

	(void)state;
	/* It reads from a pipe that nobody writes to. */
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(child_start(&child, "/bin/sh", arguments), 0);
	dup2(saved, 0);
	refused(child.pid, -ENOENT, GW_STATUS_TARGET, "maps no CPython");
	child_stop(&child);
	refused(child.pid, -ESRCH, GW_STATUS_TARGET, "there is no process");
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

static void test_odd_pids(void **state)
{
	(void)state;
	refused(0x3fffffff, -ESRCH, GW_STATUS_TARGET, "there is no process 1073741823");
	refused(-1, -ESRCH, GW_STATUS_TARGET, "there is no process");
	if (access("/proc/2/stat", R_OK) == 0 && access("/proc/2/exe", F_OK))
		refused(2, -ENOTSUP, GW_STATUS_TARGET, "is a kernel thread");
}

static void test_zombie(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	/* It has ended, and is kept. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	refused(pid, -ESRCH, GW_STATUS_TARGET, "has ended");
	waitpid(pid, NULL, 0);
}

/* What somebody without rights is told: run in a child that gives its own up. */
static void test_rights(void **state)
{
	const struct interpreters *list = *state;
	struct child child;
	int status;
	pid_t pid;

	if (!list->count || geteuid() != 0) {
		skip();
		return;
	}
	assert_int_equal(python_start(&child, list->path[0], idle), 0);
	pid = fork();
	if (pid == 0) {
		struct gw_python *python = malloc(sizeof(*python));
		struct gw_error err = {0};
		int ret;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		ret = gw_python_find(child.pid, python, &err);
		_exit(ret == -EACCES && err.status == GW_STATUS_RIGHTS &&
				      strstr(err.text, "CAP_SYS_PTRACE")
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	child_stop(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_each_interpreter, find_interpreters,
						free_interpreters),
		cmocka_unit_test_setup_teardown(test_busy, find_interpreters, free_interpreters),
		cmocka_unit_test_setup_teardown(test_subinterpreters, find_interpreters,
						free_interpreters),
		cmocka_unit_test_setup_teardown(test_deleted, find_interpreters, free_interpreters),
		cmocka_unit_test(test_no_python),
		cmocka_unit_test(test_odd_pids),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test_setup_teardown(test_rights, find_interpreters, free_interpreters),
	};

	return cmocka_run_group_tests_name("python", tests, NULL, NULL);
}
