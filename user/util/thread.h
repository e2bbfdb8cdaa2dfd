/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_THREAD_H
#define GW_THREAD_H

#include <pthread.h>

/* Starts a thread that takes no signals: those are for the main one. 0 or a negative errno. */
int gw_thread_start(pthread_t *thread, void *(*work)(void *data), void *data);

/* The same for one that nobody waits for. */
int gw_thread_start_detached(void *(*work)(void *data), void *data);

#endif
