// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/site_searches.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/target.h"
#include "util/thread.h"

#define AT_A_TIME 8

struct search {
	struct search *next;
	struct gw_target target;
	pthread_t thread;
	int running;
	int code;
	struct gw_error error;
};

struct gw_site_searches {
	struct search *first;
	size_t running;
};

struct gw_site_searches *gw_site_searches_new(void)
{
	return calloc(1, sizeof(struct gw_site_searches));
}

static void end(struct gw_site_searches *searches, struct search *search)
{
	if (!search->running)
		return;
	pthread_join(search->thread, NULL);
	search->running = 0;
	searches->running--;
}

void gw_site_searches_free(struct gw_site_searches *searches)
{
	struct search *search, *next;

	for (search = searches ? searches->first : NULL; search; search = next) {
		next = search->next;
		end(searches, search);
		free(search);
	}
	free(searches);
}

static int is_same_file(const struct gw_mapping *a, const struct gw_mapping *b)
{
	return a->inode == b->inode && a->device == b->device && !strcmp(a->path, b->path);
}

static struct search *find(const struct gw_site_searches *searches, const struct gw_python *python)
{
	struct search *search = searches->first;

	while (search && !is_same_file(&search->target.python.runtime_file, &python->runtime_file))
		search = search->next;
	return search;
}

static void *look(void *data)
{
	struct search *search = data;

	search->code = gw_target_find_sites(&search->target, 0, NULL, &search->error);
	return NULL;
}

void gw_site_searches_begin(struct gw_site_searches *searches, pid_t pid,
			    const struct gw_python *python, const struct gw_sandbox_budget *budget)
{
	struct search *search = find(searches, python) ? NULL : calloc(1, sizeof(*search));

	if (!search)
		return;
	search->target.proc.pid = pid;
	search->target.python = *python;
	search->target.reading = *budget;
	search->next = searches->first;
	searches->first = search;
	if (searches->running < AT_A_TIME)
		search->running = !gw_thread_start(&search->thread, look, search);
	if (search->running)
		searches->running++;
	else
		look(search);
}

int gw_site_searches_wait(struct gw_site_searches *searches, const struct gw_python *python,
			  struct gw_error *err)
{
	struct search *search = find(searches, python);

	if (!search)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	end(searches, search);
	*err = search->error;
	return search->code;
}
