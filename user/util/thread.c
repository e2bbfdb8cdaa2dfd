// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/thread.h"

#include <signal.h>

int gw_thread_start(pthread_t *thread, void *(*work)(void *data), void *data)
{
	sigset_t all, before;
	int code;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	code = pthread_create(thread, NULL, work, data);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -code;
}

int gw_thread_start_detached(void *(*work)(void *data), void *data)
{
	pthread_t thread;
	int code = gw_thread_start(&thread, work, data);

	if (!code)
		pthread_detach(thread);
	return code;
}
