// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/names.h"

#include <stdio.h>
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

static uint64_t youngest_ns(const struct gw_process_view *view)
{
	uint64_t youngest = 0;

	for (size_t i = 0; i < view->thread_count; i++)
		if (view->thread[i].start_ns > youngest)
			youngest = view->thread[i].start_ns;
	return youngest;
}

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static int is_due(const struct gw_names *names, const struct gw_process_view *view, uint64_t now_ns)
{
	int young = youngest_ns(view) + YOUNG_NS > names->read_ns;
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

static void give(const struct gw_names *names, const struct gw_process_view *view,
		 struct gw_thread_view *thread)
{
	const char *name = gw_thread_names_find(&names->names[0], thread->self);

	if (!name)
		name = gw_thread_names_find(&names->names[1], thread->self);
	/* The kernel calls it after the program. */
	if (!name && thread->tid == view->pid)
		name = "MainThread";
	if (name)
		snprintf(thread->name, sizeof(thread->name), "%s", name);
}

void gw_names_give(struct gw_names *names, const struct gw_target *target, int has_ended,
		   uint64_t now_ns, struct gw_process_view *view)
{
	if (!target || !view->thread_count)
		return;
	if (!has_ended && is_due(names, view, now_ns))
		read_names(names, target, now_ns);
	for (size_t i = 0; i < view->thread_count; i++)
		give(names, view, &view->thread[i]);
}

void gw_names_free(struct gw_names *names)
{
	gw_thread_names_free(&names->names[0]);
	gw_thread_names_free(&names->names[1]);
}
