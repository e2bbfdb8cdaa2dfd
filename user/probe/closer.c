// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/closer.h"

#include <pthread.h>
#include <stdlib.h>

#include "util/thread.h"

/* A hundred links, 30 ms each, in a quarter of a second. */
#define THREADS_MAX 16

struct job {
	void (*close)(void *what);
	void *what;
	struct job *next;
};

struct gw_closer {
	pthread_mutex_t lock;
	pthread_cond_t done; /* nothing is left, nor any thread */
	struct job *job;     /* those that nobody has begun with */
	unsigned int threads;
};

struct gw_closer *gw_closer_new(void)
{
	struct gw_closer *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->done, NULL);
	return c;
}

static struct job *take(struct gw_closer *c)
{
	struct job *job = c->job;

	if (!job)
		return NULL;
	c->job = job->next;
	return job;
}

/*
 * Ends when there is nothing to do: a thread keeps the rights that it began with, whatever the main
 * thread gives up later.
 */
static void *work(void *data)
{
	struct gw_closer *c = data;
	struct job *job;

	pthread_mutex_lock(&c->lock);
	while ((job = take(c))) {
		pthread_mutex_unlock(&c->lock);
		job->close(job->what);
		free(job);
		pthread_mutex_lock(&c->lock);
	}
	if (!--c->threads)
		pthread_cond_broadcast(&c->done);
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

static int enqueue(struct gw_closer *c, struct job *job)
{
	int has_thread;

	pthread_mutex_lock(&c->lock);
	if (c->threads < THREADS_MAX && !gw_thread_start_detached(work, c))
		c->threads++;
	has_thread = c->threads > 0;
	if (has_thread) {
		job->next = c->job;
		c->job = job;
	}
	pthread_mutex_unlock(&c->lock);
	return has_thread;
}

void gw_closer_give(struct gw_closer *c, void (*close)(void *what), void *what)
{
	struct job *job = malloc(sizeof(*job));

	if (job)
		*job = (struct job){.close = close, .what = what};
	if (job && enqueue(c, job))
		return;
	free(job);
	close(what);
}

void gw_closer_drain(struct gw_closer *c)
{
	pthread_mutex_lock(&c->lock);
	while (c->threads)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void gw_closer_free(struct gw_closer *c)
{
	if (!c)
		return;
	gw_closer_drain(c);
	pthread_cond_destroy(&c->done);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
