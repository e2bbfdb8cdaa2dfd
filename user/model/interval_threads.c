// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"
#include "model/interval_parts.h"

static const struct gw_thread_view nothing = {.tid = 0};

/* A thread with what tells it from others, so that they can be compared without being touched. */
struct known {
	uint64_t start_ns;
	const struct gw_thread_view *thread;
	uint32_t tid;
};

static int by_identity(const void *a, const void *b)
{
	const struct known *left = a, *right = b;

	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

/* The threads by identity; the caller frees it. NULL: out of memory. */
static struct known *sorted(const struct gw_process_view *process)
{
	struct known *known = malloc((process->thread_count + 1) * sizeof(*known));
	int are_sorted = 1;

	if (!known)
		return NULL;
	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];

		known[i] = (struct known){thread->start_ns, thread, thread->tid};
		are_sorted &= !i || by_identity(&known[i - 1], &known[i]) <= 0;
	}
	/* The kernel lists them by their numbers. */
	if (!are_sorted)
		qsort(known, process->thread_count, sizeof(*known), by_identity);
	return known;
}

/* How sampled time is split where a thread has no sample of its own. */
static double pooled_share(const struct gw_process_view *after)
{
	double held = (double)after->ended_sampled.held_ns, all = (double)after->ended_sampled.ns;

	for (size_t i = 0; i < after->thread_count; i++) {
		held += (double)after->thread[i].sampled.held_ns;
		all += (double)after->thread[i].sampled.ns;
	}
	return all > 0 ? held / all : 0.5;
}

/* The longest of these stretches is known if it is the longest of all, else how long it can be. */
static void minus_loop(struct gw_thread_view *between, const struct gw_thread_view *after,
		       const struct gw_thread_view *before)
{
	between->polls = gw_minus(after->polls, before->polls);
	between->stalls = gw_minus(after->stalls, before->stalls);
	between->stalled_ns = gw_minus(after->stalled_ns, before->stalled_ns);
	if (after->stretch_longest_ns <= before->stretch_longest_ns &&
	    between->stalled_ns < after->stretch_longest_ns)
		between->stretch_longest_ns = between->stalled_ns;
}

static int minus_thread(struct gw_thread_view *between, const struct gw_thread_view *after,
			const struct gw_thread_view *before, double share)
{
	int code, failed;

	*between = *after;
	between->wall_ns = gw_minus(after->wall_ns, before->wall_ns);
	between->cells_ns = gw_minus(after->cells_ns, before->cells_ns);
	between->oncpu_waiting_ns = gw_minus(after->oncpu_waiting_ns, before->oncpu_waiting_ns);
	between->python_error_ns = gw_minus_states(&between->states, &between->sampled,
						   &before->states, &before->sampled, share);
	gw_minus_all(between->where_ns, after->where_ns, before->where_ns, GW_WHERE_COUNT);
	gw_minus_all(between->held_off_by_ns, after->held_off_by_ns, before->held_off_by_ns,
		     GW_WHERE_COUNT);
	gw_minus_all(between->migrations, after->migrations, before->migrations, GW_DISTANCE_COUNT);
	between->acquisitions = gw_minus(after->acquisitions, before->acquisitions);
	between->releases = gw_minus(after->releases, before->releases);
	between->forced_releases = gw_minus(after->forced_releases, before->forced_releases);
	between->waits = gw_minus(after->waits, before->waits);
	between->wakes = gw_minus(after->wakes, before->wakes);
	between->inflicted_ns = gw_minus(after->inflicted_ns, before->inflicted_ns);
	minus_loop(between, after, before);
	/* All of them, whatever fails: what is still after's must not stay in it. */
	failed = gw_histogram_minus(&between->hold, &after->hold, &before->hold);
	code = gw_histogram_minus(&between->wait, &after->wait, &before->wait);
	failed = failed ? failed : code;
	code = gw_minus_resume(&between->resume, &after->resume, &before->resume);
	failed = failed ? failed : code;
	code = gw_minus_cpus(&between->cpu, &between->cpu_count, after->cpu, after->cpu_count,
			     before->cpu, before->cpu_count);
	return failed ? failed : code;
}

/* The share of those that ended which was counted before, as threads that were alive. */
struct gone {
	int64_t wall_ns;
	struct gw_states states;
	struct gw_sampled sampled;
};

static void add_gone(struct gone *gone, const struct gw_thread_view *thread)
{
	gone->wall_ns += thread->wall_ns;
	for (int i = 0; i < GW_STATE_COUNT; i++)
		gone->states.ns[i] += thread->states.ns[i];
	gone->sampled.ns += thread->sampled.ns;
	gone->sampled.held_ns += thread->sampled.held_ns;
	gone->sampled.taken.held += thread->sampled.taken.held;
	gone->sampled.taken.released += thread->sampled.taken.released;
	gone->sampled.taken.squares += thread->sampled.taken.squares;
}

static void begin_gone(struct gone *gone, const struct gw_process_view *before)
{
	gone->wall_ns = before->ended_wall_ns;
	gone->states = before->ended_states;
	gone->sampled = before->ended_sampled;
}

/* Those of before that come ahead of next (NULL: all that are left) are there no more. */
static size_t pass_over(const struct known *before, size_t at, size_t count,
			const struct known *next, struct gone *gone)
{
	while (at < count && (!next || by_identity(&before[at], next) < 0))
		add_gone(gone, before[at++].thread);
	return at;
}

static void end_threads(struct gw_process_view *between, const struct gw_process_view *before,
			const struct gone *gone, double share, double squares)
{
	double error = (double)gw_minus_states(&between->ended_states, &between->ended_sampled,
					       &gone->states, &gone->sampled, share);
	int64_t error_ns = (int64_t)sqrt(squares + error * error);

	between->ended_wall_ns = gw_minus(between->ended_wall_ns, gone->wall_ns);
	between->ended_count = gw_minus_u64(between->ended_count, before->ended_count);
	for (enum gw_state state = GW_STATE_PYTHON; state <= GW_STATE_NATIVE; state++) {
		between->basis[state].error_ns = error_ns;
		between->states.ns[state] = between->ended_states.ns[state];
		for (size_t i = 0; i < between->thread_count; i++)
			between->states.ns[state] += between->thread[i].states.ns[state];
	}
}

static int walk(const struct known *was, const struct known *is,
		const struct gw_process_view *before, const struct gw_process_view *after,
		struct gw_process_view *between)
{
	double share = pooled_share(after), squares = 0;
	struct gone gone;
	size_t at = 0;
	int code = 0;

	begin_gone(&gone, before);
	between->thread_count = 0;
	for (size_t i = 0; !code && i < after->thread_count; i++) {
		struct gw_thread_view *thread = &between->thread[between->thread_count++];
		int same;

		at = pass_over(was, at, before->thread_count, &is[i], &gone);
		same = at < before->thread_count && !by_identity(&was[at], &is[i]);
		code = minus_thread(thread, is[i].thread, same ? was[at].thread : &nothing, share);
		squares += (double)thread->python_error_ns * (double)thread->python_error_ns;
		at += (size_t)same;
	}
	pass_over(was, at, before->thread_count, NULL, &gone);
	end_threads(between, before, &gone, share, squares);
	return code;
}

int gw_minus_threads(const struct gw_process_view *before, const struct gw_process_view *after,
		     struct gw_process_view *between)
{
	struct known *was = sorted(before), *is = sorted(after);
	int code = -ENOMEM;

	between->thread = calloc(after->thread_count + 1, sizeof(*between->thread));
	if (was && is && between->thread)
		code = walk(was, is, before, after, between);
	else
		between->thread_count = 0;
	free(was);
	free(is);
	gw_threads_sort(between);
	return code;
}
