// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Two processes on one CPU that pass a byte to and fro: a context switch every 2 or 3 µs, more than
 * any program makes that does something. Speaks as the Python programs do: a line when it has
 * begun, and for each line read the time and the switches so far.
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

static void pass_on(int from, int to, volatile uint64_t *count)
{
	char byte = 0;

	/* Not beyond the parent's end, however that comes. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	while (read(from, &byte, 1) == 1 && write(to, &byte, 1) == 1)
		++*count;
	_exit(1);
}

static int start(volatile uint64_t *count)
{
	int there[2], back[2];
	cpu_set_t one;

	if (pipe(there) || pipe(back))
		return -1;
	CPU_ZERO(&one);
	CPU_SET(0, &one);
	for (int i = 0; i < 2; i++) {
		pid_t child = fork();

		if (child < 0 || (!child && sched_setaffinity(0, sizeof(one), &one)))
			return -1;
		if (!child)
			pass_on(i ? back[0] : there[0], i ? there[1] : back[1], count + 64 * i);
	}
	return write(there[1], "x", 1) == 1 ? 0 : -1;
}

int main(void)
{
	volatile uint64_t *count =
		mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct timespec now;
	char line[64];

	if (count == MAP_FAILED || start(count)) {
		perror("pingpong");
		return 1;
	}
	printf("{\"pid\": %d}\n", getpid());
	fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("{\"t_ns\": %" PRIu64 ", \"count\": %" PRIu64 "}\n",
		       (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec,
		       count[0] + count[64]);
		fflush(stdout);
	}
	return 0;
}
