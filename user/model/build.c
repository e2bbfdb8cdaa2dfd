// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/build.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gilwatch/loop.h"
#include "gilwatch/overlap.h"
#include "model/build_parts.h"
#include "model/figures.h"
#include "model/histogram.h"
#include "model/probes_basis.h"

/* ---- who a thread's figures are for ---- */

/* The share of held among all samples of the process: for threads without a sample of their own. */
static double pooled_share(const struct gw_build *b)
{
	uint64_t held = b->process->ended.samples[GW_SAMPLE_HELD];
	uint64_t released = b->process->ended.samples[GW_SAMPLE_RELEASED];

	for (size_t i = 0; i < b->thread_count; i++) {
		const struct gw_thread *thread = &b->thread[i]->thread;

		held += gw_figures_samples(thread, GW_SAMPLE_HELD);
		released += gw_figures_samples(thread, GW_SAMPLE_RELEASED);
	}
	return held + released ? (double)held / (double)(held + released) : 0.5;
}

/* ---- one thread ---- */

static int fill_histogram(const struct gw_build *b, struct gw_histogram *to,
			  const struct gw_raw_hist *from, const char *absent)
{
	return absent ? gw_histogram_set_absent(to, absent) : gw_build_add_hist(b->raw, from, to);
}

static int fill_histograms(const struct gw_build *b, struct gw_thread_view *view,
			   const struct gw_raw_thread *from)
{
	int code = fill_histogram(b, &view->hold, &from->hold, b->probed ? NULL : GW_NO_PROBES);

	if (!code)
		code = fill_histogram(b, &view->wait, &from->wait, b->no_gil);
	return code ? code : fill_histogram(b, &view->resume.latency, &from->resume, b->no_gil);
}

static void fill_resume(struct gw_resume *to, const struct gw_tally *tally)
{
	to->runqueue_ns = (int64_t)tally->resume_runqueue_ns;
	to->gil_ns = (int64_t)tally->resume_gil_ns;
	to->delays = tally->delays;
	to->delay_asked_ns = (int64_t)tally->delay_asked_ns;
	to->delay_actual_ns = (int64_t)tally->delay_actual_ns;
	to->delay_ratio = tally->delay_asked_ns
				  ? (double)tally->delay_actual_ns / (double)tally->delay_asked_ns
				  : -1;
}

static void fill_thread_counts(const struct gw_build *b, struct gw_thread_view *view,
			       const struct gw_tally *tally)
{
	int probed = b->probed;

	view->acquisitions = probed ? (int64_t)tally->acquisitions : GW_ABSENT_COUNT;
	view->releases = probed ? (int64_t)tally->releases : GW_ABSENT_COUNT;
	view->forced_releases = probed ? (int64_t)tally->forced_releases : GW_ABSENT_COUNT;
	view->waits = (int64_t)tally->waits;
	view->wakes = (int64_t)tally->wakes;
	view->inflicted_ns =
		b->exact ? (int64_t)tally->inflicted_ns : gw_build_inflicted_by(b, view->tid);
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		view->migrations[i] = (int64_t)tally->migrations[i];
}

/*
 * A thread that changed its cell after the time of reading, while others were still read, is told
 * of up to then: its closed cells are not taken apart again.
 */
static uint64_t told_until_ns(const struct gw_build *b, const struct gw_thread *thread)
{
	uint64_t since_ns = gw_span_since_ns(thread->span);

	/* At its own end, its last cell was closed. */
	if (thread->flags & GW_THREAD_DEAD)
		return since_ns;
	return since_ns > b->end_ns ? since_ns : b->end_ns;
}

/* The stretch that goes on counts as well. */
static void fill_loop(struct gw_thread_view *view, const struct gw_thread *thread,
		      const struct gw_tally *tally)
{
	uint64_t open_ns = gw_loop_stretch_ns(thread, &tally->cells);
	int stalls = open_ns >= GW_LOOP_STALL_NS;

	view->polls = (int64_t)tally->polls;
	view->stalls = (int64_t)tally->stalls + stalls;
	view->stalled_ns = (int64_t)(tally->stalled_ns + (stalls ? open_ns : 0));
	view->stretch_longest_ns =
		(int64_t)(open_ns > thread->loop_longest_ns ? open_ns : thread->loop_longest_ns);
}

static int fill_thread(struct gw_build *b, const struct gw_raw_thread *from,
		       struct gw_thread_view *view)
{
	struct gw_tally tally = gw_figures_close(&from->thread, b->end_ns);
	struct gw_figures figures;
	int code;

	gw_figures_fold(&tally, b->share, &figures);
	b->holding_ns += figures.holding_ns;
	b->handover_ns += (int64_t)tally.handover_ns;
	view->tid = from->thread.tid;
	view->self = from->thread.fs_base;
	snprintf(view->name, sizeof(view->name), "%.*s", (int)sizeof(from->comm), from->comm);
	view->alive = !(from->thread.flags & GW_THREAD_DEAD);
	view->start_ns = from->thread.start_ns;
	view->last_cpu = from->thread.cpu;
	view->wall_ns = (int64_t)(told_until_ns(b, &from->thread) - from->thread.start_ns);
	view->cells_ns = figures.cells_ns;
	view->states = figures.states;
	memcpy(view->where_ns, figures.where_ns, sizeof(view->where_ns));
	memcpy(view->held_off_by_ns, figures.held_off_by_ns, sizeof(view->held_off_by_ns));
	view->oncpu_waiting_ns = figures.oncpu_waiting_ns;
	view->python_error_ns = figures.python_error_ns;
	view->sampled = figures.sampled;
	fill_thread_counts(b, view, &tally);
	fill_loop(view, &from->thread, &tally);
	code = fill_histograms(b, view, from);
	fill_resume(&view->resume, &tally);
	if (b->exact && gw_build_is_holder(b, &from->thread))
		view->inflicted_ns += gw_build_unbooked(b, from->thread.gil);
	return code ? code : gw_build_thread_cpus(b, &from->thread, view);
}

/* ---- sums ---- */

static void add_figures(struct gw_process_view *view, const struct gw_states *states,
			const int64_t *where_ns, const int64_t *held_off_by_ns)
{
	for (int i = 0; i < GW_STATE_COUNT; i++)
		view->states.ns[i] += states->ns[i];
	for (int i = 0; i < GW_WHERE_COUNT; i++) {
		view->where_ns[i] += where_ns[i];
		view->held_off_by_ns[i] += held_off_by_ns[i];
	}
}

static void add_yields(struct gw_process_view *view, const struct gw_tally *tally)
{
	view->yielded_runqueue_ns += (int64_t)tally->yielded_ns;
	view->yielding_ns += (int64_t)(tally->yield_ticks * GW_SAMPLE_PERIOD_NS);
}

static void add_resume(struct gw_process_view *view, const struct gw_tally *tally)
{
	view->resume.runqueue_ns += (int64_t)tally->resume_runqueue_ns;
	view->resume.gil_ns += (int64_t)tally->resume_gil_ns;
}

/* Of those that ended; nothing is in the process's own yet. */
static int fill_ended_resume(const struct gw_build *b, struct gw_histogram *to)
{
	return b->no_gil ? gw_histogram_set_absent(to, b->no_gil)
			 : gw_build_add_sum(b->raw, GW_SUM_ENDED_RESUME, b->slot, to);
}

static void sum_delays(const struct gw_build *b, struct gw_process_view *view)
{
	uint64_t asked = b->process->ended.delay_asked_ns;
	uint64_t actual = b->process->ended.delay_actual_ns;

	view->resume.delays = b->process->ended.delays;
	for (size_t i = 0; i < b->thread_count; i++) {
		const struct gw_tally *tally = &b->thread[i]->thread.tally;

		asked += tally->delay_asked_ns;
		actual += tally->delay_actual_ns;
		view->resume.delays += tally->delays;
	}
	view->resume.delay_asked_ns = (int64_t)asked;
	view->resume.delay_actual_ns = (int64_t)actual;
	view->resume.delay_ratio = asked ? (double)actual / (double)asked : -1;
}

/* Threads that ended while they were watched, all together. Returns their python error, squared. */
static double add_ended(struct gw_build *b, struct gw_process_view *view)
{
	const struct gw_tally *tally = &b->process->ended;
	struct gw_figures f;

	gw_figures_fold(tally, b->share, &f);
	b->holding_ns += f.holding_ns;
	b->handover_ns += (int64_t)tally->handover_ns;
	view->ended_count = b->process->threads_ended - b->process->threads_kept;
	view->ended_wall_ns = (int64_t)b->process->ended_wall_ns;
	view->ended_states = f.states;
	view->ended_sampled = f.sampled;
	view->threads_wall_ns += view->ended_wall_ns;
	view->cells_ns += f.cells_ns;
	view->corrected += tally->corrected;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		view->migrations[i] += (int64_t)tally->migrations[i];
	view->oncpu_waiting_ns += f.oncpu_waiting_ns;
	add_figures(view, &f.states, f.where_ns, f.held_off_by_ns);
	add_resume(view, tally);
	add_yields(view, tally);
	return (double)f.python_error_ns * (double)f.python_error_ns;
}

static double add_thread(struct gw_process_view *view, const struct gw_thread_view *thread,
			 const struct gw_raw_thread *from)
{
	view->threads_wall_ns += thread->wall_ns;
	view->cells_ns += thread->cells_ns;
	view->corrected += from->thread.tally.corrected;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		view->migrations[i] += thread->migrations[i];
	view->oncpu_waiting_ns += thread->oncpu_waiting_ns;
	add_figures(view, &thread->states, thread->where_ns, thread->held_off_by_ns);
	add_resume(view, &from->thread.tally);
	add_yields(view, &from->thread.tally);
	return (double)thread->python_error_ns * (double)thread->python_error_ns;
}

static int fill_threads(struct gw_build *b, struct gw_process_view *view)
{
	double squares = add_ended(b, view);
	int code = fill_ended_resume(b, &view->resume.latency);

	view->thread = calloc(b->thread_count + 1, sizeof(*view->thread));
	if (!view->thread)
		return -ENOMEM;
	for (size_t i = 0; !code && i < b->thread_count; i++) {
		const struct gw_raw_thread *from = b->thread[i];
		struct gw_thread_view *thread = &view->thread[view->thread_count];

		code = fill_thread(b, from, thread);
		if (!code)
			code = gw_build_add_hist(b->raw, &from->resume, &view->resume.latency);
		view->thread_count++;
		squares += add_thread(view, thread, from);
	}
	view->basis[GW_STATE_PYTHON].error_ns = (int64_t)sqrt(squares);
	view->basis[GW_STATE_NATIVE].error_ns = (int64_t)sqrt(squares);
	return code;
}

/* ---- what the figures rest on ---- */

static void fill_basis(const struct gw_build *b, struct gw_process_view *view)
{
	int sampled = !b->no_gil && !b->exact;
	/* Where the GIL is off all code runs without it. */
	int off = b->process->engine == GW_ENGINE_OFF;

	for (int i = 0; i < GW_STATE_COUNT; i++) {
		struct gw_basis *basis = &view->basis[i];
		int split = i == GW_STATE_PYTHON || i == GW_STATE_NATIVE;
		int needs_gil = (split && !(off && i == GW_STATE_NATIVE)) ||
				i == GW_STATE_GIL_WAIT || i == GW_STATE_HELD_OFF;

		basis->coverage_ns = view->elapsed_ns;
		basis->kind = GW_BASIS_EXACT;
		if (needs_gil && b->no_gil) {
			basis->kind = GW_BASIS_ABSENT;
			snprintf(basis->reason, sizeof(basis->reason), "%s", b->no_gil);
		} else if (split && sampled) {
			basis->kind = GW_BASIS_SAMPLED;
			snprintf(basis->reason, sizeof(basis->reason),
				 "time on a CPU is split by samples every 2 ms");
		}
	}
	view->by_holder_basis.coverage_ns = view->elapsed_ns;
	view->inflicted_basis = view->by_holder_basis;
	if (b->exact)
		return;
	view->by_holder_basis.kind = b->no_gil ? GW_BASIS_ABSENT : GW_BASIS_SAMPLED;
	view->inflicted_basis.kind = view->by_holder_basis.kind;
	snprintf(view->by_holder_basis.reason, sizeof(view->by_holder_basis.reason), "%s",
		 b->no_gil ? b->no_gil
			   : "without probes, time with no holder counts as holder running");
	snprintf(view->inflicted_basis.reason, sizeof(view->inflicted_basis.reason), "%s",
		 b->no_gil ? b->no_gil : "goes to the holder that a waiter saw as it blocked");
}

/* What only probes see, and how much of the time they saw. */
static void fill_probes_basis(const struct gw_build *b, struct gw_process_view *view)
{
	struct gw_basis *basis = &view->probes_basis;

	view->exact_ns = (int64_t)b->exact_ns;
	view->windows = b->process->windows;
	view->wait_basis.coverage_ns = view->elapsed_ns;
	if (b->no_gil) {
		view->wait_basis.kind = GW_BASIS_ABSENT;
		snprintf(view->wait_basis.reason, sizeof(view->wait_basis.reason), "%s", b->no_gil);
	}
	basis->kind = b->exact ? GW_BASIS_EXACT : b->probed ? GW_BASIS_SAMPLED : GW_BASIS_ABSENT;
	if (basis->kind == GW_BASIS_ABSENT)
		snprintf(basis->reason, sizeof(basis->reason), "%s",
			 b->no_gil ? b->no_gil : GW_NO_PROBES);
	gw_probes_basis_fill(view);
}

uint64_t gw_build_exact_ns(const volatile struct gw_process *process, uint64_t end_ns)
{
	uint64_t since_ns = process->engine_since_ns;

	if (since_ns < process->start_ns)
		since_ns = process->start_ns;
	if (process->engine != GW_ENGINE_UPROBE || end_ns <= since_ns)
		return process->exact_ns;
	return process->exact_ns + end_ns - since_ns;
}

static void fill_rates(const struct gw_build *b, struct gw_process_view *view)
{
	double elapsed = (double)view->elapsed_ns;

	view->overhead_hits = b->process->hits;
	view->overhead_ns = (int64_t)b->process->hits * view->overhead_hit_ns;
	if (view->where_ns[GW_RUNNING] > 0)
		view->overhead_ratio =
			(double)view->overhead_ns / (double)view->where_ns[GW_RUNNING];
	if (elapsed > 0) {
		view->parallelism_python = (double)view->states.ns[GW_STATE_PYTHON] / elapsed;
		view->parallelism_native = (double)view->states.ns[GW_STATE_NATIVE] / elapsed;
	}
	view->missed_switches = b->process->missed_switches;
	for (int i = 0; i < GW_LOST_COUNT; i++) {
		view->lost[i] = b->process->lost[i];
		view->lost_events += b->process->lost[i];
	}
}

static void fill_io(const struct gw_build *b, struct gw_process_view *view)
{
	view->io_any_ns = (int64_t)gw_overlap_total_ns(&b->process->overlap, b->end_ns);
	for (int i = 0; i < GW_WHERE_COUNT; i++)
		if (gw_overlap_counts((enum gw_where)i))
			view->io_blocked_ns += view->where_ns[i];
}

int gw_build_is_exact(const struct gw_process *process)
{
	return process->engine == GW_ENGINE_UPROBE &&
	       process->engine_since_ns <= process->start_ns && !process->pooled;
}

int gw_build_process(const struct gw_raw *raw, size_t slot, const char *no_gil,
		     struct gw_process_view *view)
{
	const struct gw_process *process = &raw->process[slot];
	struct gw_build b = {
		.raw = raw,
		.process = process,
		.slot = slot,
		.end_ns = process->flags ? process->ended_at_ns : raw->end_ns,
		.no_gil = no_gil,
		.exact = gw_build_is_exact(process),
		.probed = process->probed != 0,
	};
	int code;

	b.exact_ns = gw_build_exact_ns(process, b.end_ns);
	code = gw_build_index(&b);
	b.share = pooled_share(&b);
	view->elapsed_ns = (int64_t)(b.end_ns - process->start_ns);
	fill_basis(&b, view);
	fill_probes_basis(&b, view);
	if (!code)
		code = fill_threads(&b, view);
	sum_delays(&b, view);
	fill_rates(&b, view);
	fill_io(&b, view);
	if (!code)
		code = gw_build_process_cpus(&b, view);
	if (!code)
		code = gw_build_open(&b, view);
	if (!code)
		code = gw_build_gils(&b, view);
	if (!code)
		code = gw_build_inflicted(&b, view);
	gw_build_index_free(&b);
	return code;
}
