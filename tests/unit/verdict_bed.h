/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Synthetic snapshots for the verdicts' tests, and what is asserted of their verdicts. */
#ifndef GW_VERDICT_BED_H
#define GW_VERDICT_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "model/histogram.h"
#include "verdict/thresholds.h"
#include "verdict/verdict.h"

#define THREADS_MAX 64
#define OPENS_MAX   4

/* A snapshot of one process with one GIL, and the room for what it points to. */
struct fixture {
	struct gw_snapshot snapshot;
	struct gw_process_view process;
	struct gw_gil_row gil;
	struct gw_thread_view thread[THREADS_MAX];
	struct gw_open open[OPENS_MAX];
	struct gw_inflicted inflicted;
};

static inline int64_t seconds(double s)
{
	return (int64_t)llround(s * 1e9);
}

/* Nothing measured by probes: what the sched engine leaves absent. */
static inline void no_histogram(struct gw_histogram *histogram)
{
	assert_int_equal(gw_histogram_set_absent(histogram, "no probes"), 0);
}

static inline struct fixture *start(double elapsed_s)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	f->snapshot.cpus = 2;
	f->snapshot.elapsed_ns = seconds(elapsed_s);
	f->snapshot.process = &f->process;
	f->snapshot.process_count = 1;
	f->process.pid = 100;
	f->process.gil_enabled = 1;
	f->process.elapsed_ns = seconds(elapsed_s);
	f->process.cpus_usable = 2;
	f->process.overhead_budget = 0.02;
	f->process.thread = f->thread;
	f->process.gil = &f->gil;
	f->process.gil_count = 1;
	f->process.open = f->open;
	f->process.inflicted = &f->inflicted;
	f->gil.interval_ns = 5 * GW_MILLISECOND_NS;
	no_histogram(&f->gil.hold);
	no_histogram(&f->gil.wait);
	no_histogram(&f->process.resume.latency);
	f->process.resume.delay_ratio = -1;
	f->process.gil_enabled_at_ns = GW_ABSENT_NS;
	f->process.first_python_ns = GW_ABSENT_NS;
	return f;
}

static inline struct gw_thread_view *add_thread(struct fixture *f, const char *name, int64_t wakes)
{
	struct gw_thread_view *thread;

	assert_true(f->process.thread_count < THREADS_MAX);
	thread = &f->thread[f->process.thread_count++];
	thread->tid = 100 + (uint32_t)f->process.thread_count;
	snprintf(thread->name, sizeof(thread->name), "%s", name);
	thread->alive = 1;
	thread->wall_ns = f->process.elapsed_ns;
	thread->wakes = wakes;
	f->process.threads_wall_ns += thread->wall_ns;
	no_histogram(&thread->hold);
	no_histogram(&thread->wait);
	no_histogram(&thread->resume.latency);
	thread->resume.delay_ratio = -1;
	return thread;
}

/* Puts time into a cell of the model: into the thread's and the process's states and wheres. */
static inline void spend(struct fixture *f, struct gw_thread_view *thread, enum gw_gil gil,
			 enum gw_where where, double s)
{
	enum gw_state state = gw_fold(gil, where);

	thread->states.ns[state] += seconds(s);
	thread->where_ns[where] += seconds(s);
	f->process.states.ns[state] += seconds(s);
	f->process.where_ns[where] += seconds(s);
	if (gil == GW_GIL_HOLDING)
		f->gil.holding_ns += seconds(s);
	if (state == GW_STATE_HELD_OFF) {
		thread->held_off_by_ns[where] += seconds(s);
		f->process.held_off_by_ns[where] += seconds(s);
	}
}

/* Waiting for the GIL while its holder was at something. */
static inline void wait_gil(struct fixture *f, struct gw_thread_view *thread, int holder, double s)
{
	spend(f, thread, GW_GIL_WAITING, GW_BLOCKED_GIL, s);
	f->process.gil_wait_by_holder_ns[holder] += seconds(s);
}

static inline struct gw_thread_view *add_busy(struct fixture *f, const char *name, double python_s,
					      double wait_s)
{
	struct gw_thread_view *thread = add_thread(f, name, (int64_t)(wait_s * 200));

	spend(f, thread, GW_GIL_HOLDING, GW_RUNNING, python_s);
	wait_gil(f, thread, GW_RUNNING, wait_s);
	return thread;
}

static inline void add_parked(struct fixture *f, int count)
{
	for (int i = 0; i < count; i++)
		spend(f, add_thread(f, "worker", 3), GW_GIL_NONE, GW_BLOCKED_LOCK,
		      (double)f->process.elapsed_ns / 1e9);
}

static inline void add_open(struct fixture *f, uint32_t tid, enum gw_open_kind kind, double age_s,
			    enum gw_where where)
{
	assert_true(f->process.open_count < OPENS_MAX);
	f->open[f->process.open_count++] = (struct gw_open){
		.tid = tid, .kind = kind, .age_ns = seconds(age_s), .where = where};
}

static inline void fill(struct gw_histogram *histogram, int count, double each_s)
{
	if (histogram->absent)
		gw_histogram_clear(histogram);
	assert_int_equal(gw_histogram_add(histogram, (uint64_t)seconds(each_s), (uint64_t)count),
			 0);
}

static inline void judge(struct fixture *f)
{
	gw_verdicts_judge(&f->snapshot);
	assert_in_range(f->process.verdict_count, 0, GW_VERDICTS_MAX);
	for (size_t i = 0; i < f->process.verdict_count; i++) {
		const struct gw_verdict *verdict = &f->process.verdict[i];

		assert_true(strlen(verdict->text) > 20);
		assert_true(strlen(verdict->text) < sizeof(verdict->text) - 1);
		assert_null(strstr(verdict->text, "nan"));
		assert_null(strstr(verdict->text, "Python code"));
		for (size_t j = 0; j < verdict->evidence_count; j++)
			assert_true(isfinite(verdict->evidence[j].value));
		if (getenv("GW_SHOW_VERDICTS"))
			printf("    %-17s %d %s\n", verdict->code, verdict->severity,
			       verdict->text);
	}
}

static inline const struct gw_verdict *find(const struct fixture *f, const char *code)
{
	for (size_t i = 0; i < f->process.verdict_count; i++)
		if (strcmp(f->process.verdict[i].code, code) == 0)
			return &f->process.verdict[i];
	return NULL;
}

static inline void assert_codes(struct fixture *f, const char *codes)
{
	char found[128] = "";

	judge(f);
	for (size_t i = 0; i < f->process.verdict_count; i++) {
		if (i)
			strcat(found, " ");
		strcat(found, f->process.verdict[i].code);
	}
	assert_string_equal(found, codes);
	free(f);
}

/* One verdict of this code and severity (-1: none); leaves f to the caller. */
static inline void assert_severity(struct fixture *f, const char *code, int severity)
{
	const struct gw_verdict *verdict;

	judge(f);
	verdict = find(f, code);
	if (severity < 0) {
		if (verdict)
			fail_msg("%s: %s", code, verdict->text);
		return;
	}
	assert_non_null(verdict);
	assert_int_equal(verdict->severity, severity);
}

static inline void assert_says(const struct fixture *f, const char *code, const char *part)
{
	const struct gw_verdict *verdict = find(f, code);

	assert_non_null(verdict);
	if (!strstr(verdict->text, part))
		fail_msg("\"%s\" is not in: %s", part, verdict->text);
}

static inline void assert_says_not(const struct fixture *f, const char *code, const char *part)
{
	const struct gw_verdict *verdict = find(f, code);

	assert_non_null(verdict);
	if (strstr(verdict->text, part))
		fail_msg("\"%s\" is in: %s", part, verdict->text);
}

static inline double evidence(const struct fixture *f, const char *code, const char *name)
{
	const struct gw_verdict *verdict = find(f, code);

	assert_non_null(verdict);
	for (size_t i = 0; i < verdict->evidence_count; i++)
		if (strcmp(verdict->evidence[i].name, name) == 0)
			return verdict->evidence[i].value;
	fail_msg("no evidence %s", name);
	return 0;
}

/* n threads that share the GIL evenly for 10 s. */
static inline struct fixture *contended(int threads)
{
	struct fixture *f = start(10);

	for (int i = 0; i < threads; i++)
		add_busy(f, "spin", 9.95 / threads, 10 - 9.95 / threads);
	return f;
}

static inline struct fixture *waiters(int threads, double any_s)
{
	struct fixture *f = start(10);

	for (int i = 0; i < threads; i++)
		spend(f, add_thread(f, "client", 100), GW_GIL_NONE, GW_BLOCKED_NET, 10);
	f->process.io_any_ns = seconds(any_s);
	return f;
}

#endif
