/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an extension does, called through ctypes: with the GIL by PyDLL, without it by CDLL. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static long long time_ns(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static long long now_ns(void)
{
	return time_ns(CLOCK_MONOTONIC);
}

void spin_ms(int milliseconds)
{
	long long end = now_ns() + milliseconds * 1000000LL;

	while (now_ns() < end)
		;
}

static void *call_back(void *callback)
{
	((void (*)(void))callback)();
	return NULL;
}

/* Waits for a thread that wants the GIL for its callback: a deadlock if the caller holds it. */
void join_callback(void (*callback)(void))
{
	pthread_t thread;

	if (!pthread_create(&thread, NULL, call_back, (void *)callback))
		pthread_join(thread, NULL);
}

/* Returns how long it was not on a CPU. */
long long write_synced(int descriptor, const char *data, int size)
{
	long long began_ns = now_ns(), used_ns = time_ns(CLOCK_THREAD_CPUTIME_ID);

	if (pwrite(descriptor, data, size, 0) == size)
		fdatasync(descriptor);
	used_ns = time_ns(CLOCK_THREAD_CPUTIME_ID) - used_ns;
	return now_ns() - began_ns - used_ns;
}
