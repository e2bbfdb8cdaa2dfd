// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * A program that pretends to be a Python 3.11, in the memory of which things are not as they should
 * be. By its first argument; it prints "ready" and goes on until it is killed.
 *
 *   true        a thread waits in what is the GIL
 *   beside      threads wait a little behind it
 *   scribble    the runtime changes all the time: the interpreters in a circle, wild pointers
 *   vanish      the pages of the runtime are mapped and unmapped all the time
 *   remap FILE  a file's executable mappings come and go all the time
 *   many DIR    thousands of small files are mapped to be executed
 *   map FILE…   files are mapped to be executed, whatever they hold
 *
 * cc -rdynamic -pthread -o mimic mimic.c
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <linux/futex.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PAGE	      4096
#define FILES	      3000
#define INTERVAL_US   5000
#define GIL	      360 /* in _PyRuntimeState of 3.11; inside it: */
#define GIL_HOLDER    8
#define GIL_LOCKED    16
#define GIL_COND      32
#define GIL_SIZE      208
#define HEAD	      40
#define MAIN	      48
#define INTERP_TSTATE 16
#define TSTATE_INTERP 16
#define TSTATE_THREAD 152

/* CPython puts it into ".PyRuntime". */
#ifndef SECTION
#define SECTION ".data"
#endif

extern const unsigned long Py_Version;
extern unsigned char _PyRuntime[8 * PAGE];

const unsigned long Py_Version = 0x030b02f0;
unsigned char _PyRuntime[8 * PAGE] __attribute__((aligned(PAGE), section(SECTION))) = {1};

static unsigned char interp[PAGE], tstate[PAGE];

static void put(unsigned char *to, size_t at, uint64_t value)
{
	memcpy(to + at, &value, sizeof(value));
}

static void lay_out(void)
{
	put(_PyRuntime, HEAD, (uintptr_t)interp);
	put(_PyRuntime, MAIN, (uintptr_t)interp);
	put(_PyRuntime, GIL, INTERVAL_US);
	put(_PyRuntime, GIL + GIL_HOLDER, (uintptr_t)tstate);
	put(_PyRuntime, GIL + GIL_LOCKED, 1);
	put(interp, 0, 0);
	put(interp, INTERP_TSTATE, (uintptr_t)tstate);
	put(tstate, TSTATE_INTERP, (uintptr_t)interp);
	put(tstate, TSTATE_THREAD, (uint64_t)pthread_self());
}

static void *wait_on(void *word)
{
	for (;;)
		syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
}

static void wait_at(size_t offset)
{
	for (int i = 0; i < 2; i++) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, wait_on, _PyRuntime + offset))
			exit(1);
	}
}

static void *scribble(void *unused)
{
	for (uint64_t n = 0;; n++) {
		put(interp, 0, n % 3 ? (uintptr_t)interp : n * 0x9e3779b97f4a7c15);
		put(_PyRuntime, HEAD, (uintptr_t)interp + (n % 5 ? 0 : n * 8));
		put(_PyRuntime, MAIN, n % 7 ? (uintptr_t)interp : UINT64_MAX - n);
		put(_PyRuntime, GIL + GIL_LOCKED, n);
		put(_PyRuntime, GIL + GIL_HOLDER, n % 2 ? (uintptr_t)tstate : n << 40);
		put(tstate, TSTATE_INTERP, n % 11 ? (uintptr_t)interp : n);
	}
	return unused;
}

static void *vanish(void *unused)
{
	unsigned char copy[sizeof(_PyRuntime)];

	memcpy(copy, _PyRuntime, sizeof(copy));
	for (;;) {
		munmap(_PyRuntime, sizeof(_PyRuntime));
		if (mmap(_PyRuntime, sizeof(_PyRuntime), PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
			abort();
		memcpy(_PyRuntime, copy, sizeof(copy));
	}
	return unused;
}

static void *map(const char *path)
{
	int fd = open(path, O_RDONLY);
	void *at =
		fd < 0 ? MAP_FAILED : mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 0);

	if (at == MAP_FAILED) {
		perror(path);
		exit(1);
	}
	close(fd);
	return at;
}

static void *remap(void *path)
{
	for (;;) {
		void *one = map(path), *other = map(path);

		munmap(one, PAGE);
		munmap(other, PAGE);
	}
}

/* The beginning of an ELF file, and no more. */
static void map_many(const char *directory)
{
	for (int i = 0; i < FILES; i++) {
		char path[4096];
		FILE *file;

		snprintf(path, sizeof(path), "%s/libpython3.%d.so", directory, i);
		file = fopen(path, "w");
		if (!file || fprintf(file, "\177ELF\002\001\001%0*d", 1000 + i, i) < 0 ||
		    fclose(file)) {
			perror(path);
			exit(1);
		}
		map(path);
	}
}

static void start(void *(*what)(void *), void *argument)
{
	pthread_t thread;

	if (pthread_create(&thread, NULL, what, argument))
		exit(1);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	char *path = argc > 2 ? argv[2] : "";

	prctl(PR_SET_NAME, "evil\n\033[2J\\");
	lay_out();
	if (!strcmp(what, "true"))
		wait_at(GIL + GIL_COND);
	else if (!strcmp(what, "beside"))
		wait_at(GIL + GIL_SIZE + 64);
	else if (!strcmp(what, "scribble"))
		start(scribble, NULL);
	else if (!strcmp(what, "vanish"))
		start(vanish, NULL);
	else if (!strcmp(what, "remap"))
		start(remap, path);
	else if (!strcmp(what, "many"))
		map_many(path);
	else if (!strcmp(what, "map"))
		for (int i = 2; i < argc; i++)
			map(argv[i]);
	else
		return 2;
	usleep(20000); /* the threads wait by then */
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
