// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/closer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* A hundred links, 30 ms each, in a quarter of a second. */
#define THREADS_MAX 16

struct job {
	void (*close)(void *what);
	void *what;
	struct job *next;
};

struct gw_closer {
	pthread_mutex_t lock;
	pthread_cond_t given; /* there is a job, or it is over */
	pthread_cond_t done;  /* there is none left */
	struct job *job;      /* those that nobody has begun with */
	unsigned int unbegun, unfinished, idle, threads;
	int over;
	pthread_t thread[THREADS_MAX];
};

struct gw_closer *gw_closer_new(void)
{
	struct gw_closer *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	pthread_mutex_init(&c->lock, NULL);
	pthread_cond_init(&c->given, NULL);
	pthread_cond_init(&c->done, NULL);
	return c;
}

static struct job *take(struct gw_closer *c)
{
	struct job *job;

	c->idle++;
	while (!c->job && !c->over)
		pthread_cond_wait(&c->given, &c->lock);
	c->idle--;
	job = c->job;
	if (job) {
		c->job = job->next;
		c->unbegun--;
	}
	return job;
}

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
		if (!--c->unfinished)
			pthread_cond_broadcast(&c->done);
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* One more, unless there are enough. Signals are for the main thread. */
static void start_thread(struct gw_closer *c)
{
	sigset_t all, before;

	if (c->idle > c->unbegun || c->threads == THREADS_MAX)
		return;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	if (!pthread_create(&c->thread[c->threads], NULL, work, c))
		c->threads++;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static int enqueue(struct gw_closer *c, struct job *job)
{
	int has_thread;

	pthread_mutex_lock(&c->lock);
	start_thread(c);
	has_thread = c->threads > 0;
	if (has_thread) {
		job->next = c->job;
		c->job = job;
		c->unbegun++;
		c->unfinished++;
		pthread_cond_signal(&c->given);
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
	while (c->unfinished)
		pthread_cond_wait(&c->done, &c->lock);
	pthread_mutex_unlock(&c->lock);
}

void gw_closer_free(struct gw_closer *c)
{
	if (!c)
		return;
	pthread_mutex_lock(&c->lock);
	c->over = 1;
	pthread_cond_broadcast(&c->given);
	pthread_mutex_unlock(&c->lock);
	for (unsigned int i = 0; i < c->threads; i++)
		pthread_join(c->thread[i], NULL);
	pthread_cond_destroy(&c->done);
	pthread_cond_destroy(&c->given);
	pthread_mutex_destroy(&c->lock);
	free(c);
}
