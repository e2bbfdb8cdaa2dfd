// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program that embeds Pythons, each in a thread of its own: it loads the libraries named, so that
 * none sees the other's symbols, and runs two spinning threads in each.
 *
 *   two_pythons HOME LIBPYTHON HOME LIBPYTHON…
 *
 * Prints a line "NUMBER TID" for each thread, then "ready", and goes on until its stdin ends.
 *
 * cc -pthread -o two_pythons two_pythons.c
 */
#include <dlfcn.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PYTHONS_MAX 4

struct python {
	int number;
	void *library;
};

/* Not threading: its extension modules would look for Python in what everybody sees. */
static const char script[] = "import _thread, posix\n"
			     "def spin():\n"
			     "    posix.write(1, b'%d %%d\\n' %% _thread.get_native_id())\n"
			     "    lock.release()\n"
			     "    while 1:\n"
			     "        pass\n"
			     "lock = _thread.allocate_lock()\n"
			     "lock.acquire()\n"
			     "for _ in range(2):\n"
			     "    _thread.start_new_thread(spin, ())\n"
			     "    lock.acquire()\n";

static pthread_barrier_t all_run;

static void *function(const struct python *python, const char *name)
{
	void *found = dlsym(python->library, name);

	if (!found) {
		fprintf(stderr, "%s\n", dlerror());
		exit(1);
	}
	return found;
}

static void *run(void *data)
{
	const struct python *python = data;
	void (*initialize)(int) = function(python, "Py_InitializeEx");
	int (*run_string)(const char *, void *) = function(python, "PyRun_SimpleStringFlags");
	void *(*save_thread)(void) = function(python, "PyEval_SaveThread");
	char text[sizeof(script) + 16];

	snprintf(text, sizeof(text), script, python->number);
	initialize(0);
	if (run_string(text, NULL))
		exit(1);
	save_thread();
	pthread_barrier_wait(&all_run);
	pause();
	return NULL;
}

int main(int argc, char **argv)
{
	static struct python python[PYTHONS_MAX];
	int count = 0;
	char byte;

	pthread_barrier_init(&all_run, NULL, 2);
	for (int i = 1; i + 1 < argc && count < PYTHONS_MAX; i += 2, count++) {
		pthread_t thread;

		python[count].number = count;
		setenv("PYTHONHOME", argv[i], 1);
		python[count].library = dlopen(argv[i + 1], RTLD_NOW | RTLD_LOCAL);
		if (!python[count].library) {
			fprintf(stderr, "%s\n", dlerror());
			return 1;
		}
		/* One after the other: each reads PYTHONHOME as it starts. */
		if (pthread_create(&thread, NULL, run, &python[count]))
			return 1;
		pthread_barrier_wait(&all_run);
	}
	puts("ready");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	_exit(0);
}
