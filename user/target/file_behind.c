// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/file_behind.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "util/thread.h"

/* Each has a descriptor of its own. */
#define WAITING_MAX 512

struct waiting {
	struct gw_behind_file file;
	struct waiting *next;
};

struct gw_behind {
	gw_behind_read *read;
	void *data;
	pthread_mutex_t lock;
	pthread_cond_t done;   /* the thread has ended */
	struct waiting *first; /* those that are being read are the first ones */
	size_t count;
	int has_thread, ending;
};

static int is_same(const struct gw_behind_file *a, const struct gw_behind_file *b)
{
	return a->kind == b->kind && a->file.st_dev == b->file.st_dev &&
	       a->file.st_ino == b->file.st_ino && a->file.st_size == b->file.st_size &&
	       a->file.st_ctim.tv_sec == b->file.st_ctim.tv_sec &&
	       a->file.st_ctim.tv_nsec == b->file.st_ctim.tv_nsec;
}

static void waiting_free(struct waiting *waiting)
{
	for (int i = 0; i < GW_SANDBOX_FDS_MAX; i++)
		if (waiting->file.fd[i] >= 0)
			close(waiting->file.fd[i]);
	free(waiting);
}

static struct waiting *waiting_new(const struct gw_behind_file *file)
{
	struct waiting *waiting = malloc(sizeof(*waiting));
	int failed = 0;

	if (!waiting)
		return NULL;
	*waiting = (struct waiting){.file = *file};
	for (int i = 0; i < GW_SANDBOX_FDS_MAX; i++) {
		waiting->file.fd[i] = file->fd[i] < 0 ? -1 : fcntl(file->fd[i], F_DUPFD_CLOEXEC, 0);
		failed |= file->fd[i] >= 0 && waiting->file.fd[i] < 0;
	}
	if (!failed)
		return waiting;
	waiting_free(waiting);
	return NULL;
}

/* ---- the thread ---- */

/* The next ones of one kind: they stay where they are. */
static size_t choose(struct gw_behind *b, struct gw_behind_file *file[GW_BEHIND_TOGETHER_MAX])
{
	size_t count = 0;

	if (b->ending)
		return 0;
	for (struct waiting *w = b->first; w && count < GW_BEHIND_TOGETHER_MAX; w = w->next) {
		if (w->file.kind != b->first->file.kind)
			break;
		file[count++] = &w->file;
	}
	return count;
}

static void remove_first(struct gw_behind *b, size_t count)
{
	for (; count; count--) {
		struct waiting *first = b->first;

		b->first = first->next;
		b->count--;
		waiting_free(first);
	}
}

/* Ends when there is nothing to do, so that it never has more rights than who asked. */
static void *work(void *data)
{
	struct gw_behind_file *file[GW_BEHIND_TOGETHER_MAX];
	struct gw_behind *b = data;
	size_t count;

	pthread_mutex_lock(&b->lock);
	while ((count = choose(b, file))) {
		pthread_mutex_unlock(&b->lock);
		b->read(file, count, b->data);
		pthread_mutex_lock(&b->lock);
		remove_first(b, count);
	}
	b->has_thread = 0;
	pthread_cond_broadcast(&b->done);
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* ---- the interface ---- */

struct gw_behind *gw_behind_new(gw_behind_read *read, void *data)
{
	struct gw_behind *b = calloc(1, sizeof(*b));

	if (!b)
		return NULL;
	b->read = read;
	b->data = data;
	pthread_mutex_init(&b->lock, NULL);
	pthread_cond_init(&b->done, NULL);
	return b;
}

static void append(struct gw_behind *b, const struct gw_behind_file *file)
{
	struct waiting **end = &b->first, *waiting;

	for (; *end; end = &(*end)->next)
		if (is_same(&(*end)->file, file))
			return;
	if (b->count == WAITING_MAX)
		return;
	waiting = waiting_new(file);
	if (!waiting)
		return;
	*end = waiting;
	b->count++;
}

int gw_behind_ask(struct gw_behind *b, const struct gw_behind_file *file)
{
	pthread_mutex_lock(&b->lock);
	append(b, file);
	if (b->first && !b->has_thread)
		b->has_thread = !gw_thread_start_detached(work, b);
	pthread_mutex_unlock(&b->lock);
	return -EAGAIN;
}

void gw_behind_free(struct gw_behind *b)
{
	if (!b)
		return;
	pthread_mutex_lock(&b->lock);
	b->ending = 1;
	while (b->has_thread)
		pthread_cond_wait(&b->done, &b->lock);
	remove_first(b, b->count);
	pthread_mutex_unlock(&b->lock);
	pthread_cond_destroy(&b->done);
	pthread_mutex_destroy(&b->lock);
	free(b);
}
