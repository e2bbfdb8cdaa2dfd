/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an extension does, called through ctypes: with the GIL by PyDLL, without it by CDLL. */
#include <pthread.h>
#include <time.h>
#include <unistd.h>

static long long now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000000000LL + now.tv_nsec;
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

void write_synced(int descriptor, const char *data, int size)
{
	if (pwrite(descriptor, data, size, 0) == size)
		fdatasync(descriptor);
}
