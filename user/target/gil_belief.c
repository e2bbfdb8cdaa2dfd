// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/gil_belief.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>

#include "target/proc_parse.h"

#define LOOKS	    3
#define PAUSE_NS    2000000 /* less than the 5 ms for which a waiter sleeps at a time */
#define THREADS_MAX 256

/*
 * The GIL's are the only condition variables and mutexes in _PyRuntime (3.8 - 3.15): CPython's own
 * locks are semaphores in memory of their own, and its parking lot waits on the threads' stacks. A
 * build with members of its own shifts what lies behind them by bytes, not by pages.
 */
#define AROUND 4096

uint64_t gw_gil_belief_parse(const char *line)
{
	uint64_t word;
	long number;

	/* "running", or -1 for one that is stopped outside of a system call */
	if (sscanf(line, "%ld 0x%" SCNx64, &number, &word) != 2 || number != SYS_futex)
		return 0;
	return word;
}

static int lies_in(uint64_t word, uint64_t start, uint64_t size)
{
	return word - start < size;
}

/* Up to 3.11 the GIL is in _PyRuntime itself, which is small in old ones; others follow it. */
static int is_beside(const struct gw_python *python, uint64_t word)
{
	uint64_t start = python->gil[0].address - AROUND;
	uint64_t end = python->gil[0].address + AROUND;
	uint64_t size = (uint64_t)python->layout.runtime_size;

	if (start < python->runtime_address)
		start = python->runtime_address;
	if (size && end > python->runtime_address + size)
		end = python->runtime_address + size;
	return word >= start && word < end;
}

enum gw_belief gw_gil_belief_judge(const struct gw_python *python, uint64_t word)
{
	uint64_t size = (uint64_t)python->layout.gil_size;

	for (int i = 0; i < python->gil_count; i++)
		if (lies_in(word, python->gil[i].address, size))
			return GW_BELIEF_SEEN;
	return is_beside(python, word) ? GW_BELIEF_BESIDE : GW_BELIEF_ELSEWHERE;
}

/* One look at all threads; one in the GIL outweighs any number beside it. */
static enum gw_belief look(pid_t pid, const struct gw_python *python)
{
	enum gw_belief seen = GW_BELIEF_ELSEWHERE, one;
	char path[80], text[256];
	struct dirent *entry;
	DIR *tasks;
	int threads = 0;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	if (!tasks)
		return seen;
	while (seen != GW_BELIEF_SEEN && threads < THREADS_MAX && (entry = readdir(tasks))) {
		long tid = strtol(entry->d_name, NULL, 10);

		if (tid <= 0)
			continue;
		threads++;
		snprintf(path, sizeof(path), "/proc/%d/task/%ld/syscall", pid, tid);
		/* Without the right to read it, or in a kernel that has none, it says nothing. */
		if (gw_read_text(path, text, sizeof(text)) <= 0)
			continue;
		one = gw_gil_belief_judge(python, gw_gil_belief_parse(text));
		if (one != GW_BELIEF_ELSEWHERE)
			seen = one;
	}
	closedir(tasks);
	return seen;
}

int gw_gil_belief_check(pid_t pid, const struct gw_python *python)
{
	const struct timespec pause = {.tv_nsec = PAUSE_NS};

	for (int i = 0; i < LOOKS; i++) {
		if (i)
			nanosleep(&pause, NULL);
		if (look(pid, python) != GW_BELIEF_BESIDE)
			return 0;
	}
	return -ENOLCK;
}
