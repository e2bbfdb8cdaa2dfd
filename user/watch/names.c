// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/names.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define EVERY_NS 1000000000ULL

/*
 * Reading takes at most this part of the time: a percent while there are threads that began lately
 * and may not have their names yet, else a five-thousandth, for threads are hardly ever renamed.
 */
#define PART_YOUNG 100
#define PART_OLD   5000
#define YOUNG_NS   (2 * EVERY_NS)
#define MOST_NS	   (60 * EVERY_NS)

/* A thread of the process, and how its Python knows it. */
struct self {
	uint32_t tid;
	uint64_t start_ns, self;
};

static int by_thread(const void *a, const void *b)
{
	const struct self *one = a, *other = b;

	if (one->tid != other->tid)
		return one->tid < other->tid ? -1 : 1;
	return one->start_ns < other->start_ns ? -1 : one->start_ns > other->start_ns;
}

static struct self *list_selves(const struct gw_raw *raw, uint32_t slot, size_t *count,
				uint64_t *youngest_ns)
{
	struct self *selves = malloc((raw->thread_count + 1) * sizeof(*selves));
	int sorted = 1;

	*count = 0;
	*youngest_ns = 0;
	for (size_t i = 0; selves && i < raw->thread_count; i++) {
		const struct gw_thread *thread = &raw->thread[i].thread;

		if (thread->process != slot)
			continue;
		selves[*count] = (struct self){thread->tid, thread->start_ns, thread->fs_base};
		sorted &= !*count || by_thread(&selves[*count - 1], &selves[*count]) <= 0;
		++*count;
		if (thread->start_ns > *youngest_ns)
			*youngest_ns = thread->start_ns;
	}
	/* The kernel walks them by their numbers; those that have ended come after them. */
	if (selves && !sorted)
		qsort(selves, *count, sizeof(*selves), by_thread);
	return selves;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int is_due(const struct gw_names *names, uint64_t youngest_ns, uint64_t now_ns)
{
	int young = youngest_ns + YOUNG_NS > names->read_ns;
	uint64_t pause_ns = names->cost_ns * (young ? PART_YOUNG : PART_OLD);

	if (pause_ns < EVERY_NS)
		pause_ns = EVERY_NS;
	if (pause_ns > MOST_NS)
		pause_ns = MOST_NS;
	return !names->read_ns || now_ns >= names->read_ns + pause_ns;
}

static void read_names(struct gw_names *names, const struct gw_target *target, uint64_t now_ns)
{
	uint64_t before_ns = cpu_ns();

	names->read_ns = now_ns;
	/* What cannot be read has the kernel's names. */
	gw_thread_names_read(target->proc.pid, &target->python, &names->names[0]);
	if (target->second.python.gil_count)
		gw_thread_names_read(target->proc.pid, &target->second.python, &names->names[1]);
	names->cost_ns = cpu_ns() - before_ns;
}

static void give(const struct gw_names *names, uint64_t self, struct gw_process_view *view,
		 struct gw_thread_view *thread)
{
	const char *name = gw_thread_names_find(&names->names[0], self);

	if (!name)
		name = gw_thread_names_find(&names->names[1], self);
	/* The kernel calls it after the program. */
	if (!name && thread->tid == view->pid)
		name = "MainThread";
	if (name)
		snprintf(thread->name, sizeof(thread->name), "%s", name);
}

int gw_names_give(struct gw_names *names, const struct gw_target *target, const struct gw_raw *raw,
		  uint32_t slot, uint64_t now_ns, struct gw_process_view *view)
{
	uint64_t youngest_ns;
	struct self *selves;
	size_t count;

	if (!target || !view->thread_count)
		return 0;
	selves = list_selves(raw, slot, &count, &youngest_ns);
	if (!selves)
		return -ENOMEM;
	if (!raw->process[slot].flags && is_due(names, youngest_ns, now_ns))
		read_names(names, target, now_ns);
	for (size_t i = 0; i < view->thread_count; i++) {
		struct gw_thread_view *thread = &view->thread[i];
		const struct self key = {.tid = thread->tid, .start_ns = thread->start_ns};
		const struct self *found = bsearch(&key, selves, count, sizeof(key), by_thread);

		give(names, found ? found->self : 0, view, thread);
	}
	free(selves);
	return 0;
}

void gw_names_free(struct gw_names *names)
{
	gw_thread_names_free(&names->names[0]);
	gw_thread_names_free(&names->names[1]);
}
