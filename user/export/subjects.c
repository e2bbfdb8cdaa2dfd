// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/subjects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

/* FNV-1a, 64 bits. */
static uint64_t hash_of(const char *text)
{
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; *text; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3ULL;
	return hash;
}

struct gw_subject *gw_subjects_find(const struct gw_subjects *subjects,
				    const struct gw_process_view *view)
{
	for (size_t i = 0; i < subjects->count; i++)
		if (subjects->subject[i].pid == view->pid &&
		    subjects->subject[i].began_ns == view->began_ns)
			return &subjects->subject[i];
	return NULL;
}

struct gw_subject *gw_subjects_add(struct gw_subjects *subjects, const struct gw_process_view *view,
				   struct gw_group *group)
{
	struct gw_subject *subject;

	if (subjects->count == subjects->room) {
		size_t room = subjects->room ? 2 * subjects->room : 32;
		struct gw_subject *more = realloc(subjects->subject, room * sizeof(*more));

		if (!more)
			return NULL;
		subjects->subject = more;
		subjects->room = room;
	}
	subject = &subjects->subject[subjects->count++];
	memset(subject, 0, sizeof(*subject));
	subject->pid = view->pid;
	subject->began_ns = view->began_ns;
	subject->group = group;
	subject->cgroup_hash = hash_of(view->cgroup);
	group->live++;
	return subject;
}

/* ---- its own series ---- */

static void describe(struct gw_own *own, const struct gw_process_view *view)
{
	/* Labels do not change over a series' life: what was known first stays. */
	if (own->python[0])
		return;
	gw_text_copy(own->python, sizeof(own->python),
		     view->python_version[0] ? view->python_version : "unknown");
	gw_text_copy(own->build, sizeof(own->build), view->free_threaded ? "free-threaded" : "gil");
	gw_text_copy(own->cgroup, sizeof(own->cgroup), view->cgroup);
	gw_text_copy(own->container_id, sizeof(own->container_id), view->container_id);
	own->levels.start_time_ns = view->start_time_ns;
}

static struct gw_own_thread *find_thread(struct gw_own *own, uint32_t tid)
{
	for (size_t i = 0; i < own->thread_count; i++)
		if (own->thread[i].tid == tid)
			return &own->thread[i];
	return NULL;
}

static struct gw_own_thread *add_thread(struct gw_own *own, const struct gw_thread_view *view)
{
	size_t size = (own->thread_count + 1) * sizeof(*own->thread);
	struct gw_own_thread *more = realloc(own->thread, size), *thread;

	if (!more)
		return NULL;
	own->thread = more;
	thread = &more[own->thread_count++];
	memset(thread, 0, sizeof(*thread));
	thread->tid = view->tid;
	gw_text_copy(thread->name, sizeof(thread->name), view->name);
	return thread;
}

static void forget_ended_threads(struct gw_own *own)
{
	size_t kept = 0;

	for (size_t i = 0; i < own->thread_count; i++)
		if (own->thread[i].seen)
			own->thread[kept++] = own->thread[i];
	own->thread_count = kept;
}

static int update_threads(struct gw_own *own, const struct gw_process_view *view)
{
	for (size_t i = 0; i < own->thread_count; i++)
		own->thread[i].seen = 0;
	for (size_t i = 0; i < view->thread_count; i++) {
		const struct gw_thread_view *from = &view->thread[i];
		struct gw_own_thread *thread = find_thread(own, from->tid);
		struct gw_states states = from->states;

		if (!thread)
			thread = add_thread(own, from);
		if (!thread)
			return -ENOMEM;
		thread->seen = 1;
		gw_states_ratchet(&thread->states, &states, from->wall_ns);
		thread->states = states;
	}
	forget_ended_threads(own);
	return 0;
}

int gw_subject_update(struct gw_subject *subject, const struct gw_process_view *view,
		      const struct gw_totals *totals, int per_thread)
{
	struct gw_totals next = *totals;
	struct gw_own *own = subject->own;

	if (!own)
		return 0;
	describe(own, view);
	gw_totals_ratchet(&own->totals, &next);
	own->totals = next;
	own->levels.threads = view->ended == GW_ENDED_TARGET_EXIT ? 0 : (int64_t)view->thread_count;
	return per_thread ? update_threads(own, view) : 0;
}

/* ---- their end ---- */

static void subject_free(struct gw_subject *subject)
{
	if (subject->own)
		free(subject->own->thread);
	free(subject->own);
}

static int is_reused(const struct gw_subjects *subjects, const struct gw_subject *ended)
{
	for (size_t i = 0; i < subjects->count; i++)
		if (subjects->subject[i].pid == ended->pid &&
		    subjects->subject[i].began_ns > ended->began_ns)
			return 1;
	return 0;
}

static int is_over(const struct gw_subjects *subjects, const struct gw_subject *subject,
		   int64_t now_ns)
{
	if (!subject->ended_ns)
		return 0;
	return !subject->own || now_ns - subject->ended_ns > GW_SUBJECT_KEPT_NS ||
	       is_reused(subjects, subject);
}

void gw_subjects_expire(struct gw_subjects *subjects, int64_t now_ns)
{
	size_t i = 0;

	while (i < subjects->count) {
		struct gw_subject *subject = &subjects->subject[i];

		if (!is_over(subjects, subject, now_ns)) {
			i++;
			continue;
		}
		subject_free(subject);
		*subject = subjects->subject[--subjects->count];
	}
}

void gw_subjects_free(struct gw_subjects *subjects)
{
	for (size_t i = 0; i < subjects->count; i++)
		subject_free(&subjects->subject[i]);
	free(subjects->subject);
	memset(subjects, 0, sizeof(*subjects));
}
