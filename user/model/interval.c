// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/interval.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"
#include "model/interval_parts.h"
#include "model/probes_basis.h"

static const struct gw_process_view nothing = {.pid = 0};

#define ENGINE_CHANGED "the engine changed in this interval"

static const struct gw_process_view *find(const struct gw_snapshot *before,
					  const struct gw_process_view *process)
{
	for (size_t i = 0; i < before->process_count; i++) {
		const struct gw_process_view *was = &before->process[i];

		if (was->pid == process->pid && was->began_ns == process->began_ns &&
		    !was->error[0])
			return was;
	}
	return &nothing;
}

/* ---- what one process did ---- */

static void minus_sums(const struct gw_process_view *before, const struct gw_process_view *after,
		       struct gw_process_view *between)
{
	between->elapsed_ns = gw_minus(after->elapsed_ns, before->elapsed_ns);
	between->throttled_ns = gw_minus(after->throttled_ns, before->throttled_ns);
	between->threads_wall_ns = gw_minus(after->threads_wall_ns, before->threads_wall_ns);
	between->cells_ns = gw_minus(after->cells_ns, before->cells_ns);
	between->oncpu_waiting_ns = gw_minus(after->oncpu_waiting_ns, before->oncpu_waiting_ns);
	between->io_any_ns = gw_minus(after->io_any_ns, before->io_any_ns);
	between->io_blocked_ns = gw_minus(after->io_blocked_ns, before->io_blocked_ns);
	between->yielded_runqueue_ns =
		gw_minus(after->yielded_runqueue_ns, before->yielded_runqueue_ns);
	between->yielding_ns = gw_minus(after->yielding_ns, before->yielding_ns);
	gw_minus_all(between->states.ns, after->states.ns, before->states.ns, GW_STATE_COUNT);
	gw_minus_all(between->where_ns, after->where_ns, before->where_ns, GW_WHERE_COUNT);
	gw_minus_all(between->held_off_by_ns, after->held_off_by_ns, before->held_off_by_ns,
		     GW_WHERE_COUNT);
	gw_minus_all(between->migrations, after->migrations, before->migrations, GW_DISTANCE_COUNT);
	between->lost_events = gw_minus_u64(after->lost_events, before->lost_events);
	between->missed_switches = gw_minus_u64(after->missed_switches, before->missed_switches);
	between->corrected = gw_minus_u64(after->corrected, before->corrected);
	between->exact_ns = gw_minus(after->exact_ns, before->exact_ns);
	between->windows = gw_minus_u64(after->windows, before->windows);
	between->engine_change_rest =
		gw_minus_u64(after->engine_change_rest, before->engine_change_rest);
}

/* Without probes, waiting while nobody holds the GIL is counted with that for a running holder. */
static void minus_holders(const struct gw_process_view *before, const struct gw_process_view *after,
			  struct gw_process_view *between)
{
	int64_t was[GW_HOLDER_COUNT];

	memcpy(was, before->gil_wait_by_holder_ns, sizeof(was));
	if (after->gil_wait_by_holder_ns[GW_HOLDER_NONE] == GW_ABSENT_NS &&
	    was[GW_HOLDER_NONE] != GW_ABSENT_NS)
		was[GW_RUNNING] += was[GW_HOLDER_NONE];
	gw_minus_all(between->gil_wait_by_holder_ns, after->gil_wait_by_holder_ns, was,
		     GW_HOLDER_COUNT);
}

static void minus_bases(const struct gw_process_view *before, const struct gw_process_view *after,
			struct gw_process_view *between)
{
	for (int i = 0; i < GW_STATE_COUNT; i++)
		between->basis[i].coverage_ns =
			gw_minus(after->basis[i].coverage_ns, before->basis[i].coverage_ns);
	between->by_holder_basis.coverage_ns =
		gw_minus(after->by_holder_basis.coverage_ns, before->by_holder_basis.coverage_ns);
	between->inflicted_basis.coverage_ns =
		gw_minus(after->inflicted_basis.coverage_ns, before->inflicted_basis.coverage_ns);
	between->wait_basis.coverage_ns =
		gw_minus(after->wait_basis.coverage_ns, before->wait_basis.coverage_ns);
	/* Probes that have come to stay see all of it. */
	if (between->probes_basis.kind == GW_BASIS_SAMPLED && !between->windows &&
	    between->elapsed_ns > 0 && between->exact_ns >= between->elapsed_ns) {
		between->probes_basis.kind = GW_BASIS_EXACT;
		between->probes_basis.reason[0] = '\0';
	}
	gw_probes_basis_fill(between);
}

static void fill_rates(const struct gw_process_view *before, struct gw_process_view *between)
{
	double elapsed = (double)between->elapsed_ns;

	between->overhead_hits = gw_minus_u64(between->overhead_hits, before->overhead_hits);
	between->overhead_ns = gw_minus(between->overhead_ns, before->overhead_ns);
	between->overhead_ratio =
		between->where_ns[GW_RUNNING] > 0
			? (double)between->overhead_ns / (double)between->where_ns[GW_RUNNING]
			: 0;
	between->parallelism_python =
		elapsed > 0 ? (double)between->states.ns[GW_STATE_PYTHON] / elapsed : 0;
	between->parallelism_native =
		elapsed > 0 ? (double)between->states.ns[GW_STATE_NATIVE] / elapsed : 0;
}

/* ---- GILs ---- */

static const struct gw_gil_row *find_gil(const struct gw_process_view *before,
					 const struct gw_gil_row *row)
{
	static const struct gw_gil_row none = {.interpreter = 0};

	for (size_t i = 0; i < before->gil_count; i++)
		if (before->gil[i].interpreter == row->interpreter &&
		    before->gil[i].address == row->address)
			return &before->gil[i];
	return &none;
}

static int minus_gil(struct gw_gil_row *between, const struct gw_gil_row *after,
		     const struct gw_gil_row *before)
{
	int hold, wait;

	*between = *after;
	between->acquisitions = gw_minus(after->acquisitions, before->acquisitions);
	between->releases = gw_minus(after->releases, before->releases);
	between->forced_releases = gw_minus(after->forced_releases, before->forced_releases);
	between->holder_changes = gw_minus(after->holder_changes, before->holder_changes);
	between->holding_ns = gw_minus(after->holding_ns, before->holding_ns);
	between->exact_ns = gw_minus(after->exact_ns, before->exact_ns);
	gw_minus_all(between->handovers, after->handovers, before->handovers, GW_DISTANCE_COUNT);
	/* A maximum has no difference; of a GIL that came meanwhile it is all there is. */
	if (before->address)
		between->most_waiting = before->most_since;
	hold = gw_histogram_minus(&between->hold, &after->hold, &before->hold);
	wait = gw_histogram_minus(&between->wait, &after->wait, &before->wait);
	return hold ? hold : wait;
}

static void take_from_ended(struct gw_gil_row *sums, const struct gw_gil_row *before)
{
	sums->acquisitions = gw_minus(sums->acquisitions, before->acquisitions);
	sums->releases = gw_minus(sums->releases, before->releases);
	sums->forced_releases = gw_minus(sums->forced_releases, before->forced_releases);
	sums->holding_ns = gw_minus(sums->holding_ns, before->holding_ns);
}

/* Those that had rows before take with them what stood there. */
static void minus_ended_gils(const struct gw_process_view *before,
			     const struct gw_process_view *after, struct gw_process_view *between)
{
	between->ended_gil_count = after->ended_gil_count - before->ended_gil_count;
	if (!after->ended_gil_count)
		return;
	if (before->ended_gil_count)
		take_from_ended(&between->ended_gils, &before->ended_gils);
	for (size_t i = 0; i < before->gil_count; i++)
		if (find_gil(after, &before->gil[i])->address != before->gil[i].address)
			take_from_ended(&between->ended_gils, &before->gil[i]);
}

static int minus_gils(const struct gw_process_view *before, const struct gw_process_view *after,
		      struct gw_process_view *between)
{
	int code = 0;

	between->gil = malloc((after->gil_count + 1) * sizeof(*between->gil));
	between->gil_count = 0;
	if (!between->gil)
		return -ENOMEM;
	for (size_t i = 0; !code && i < after->gil_count; i++)
		code = minus_gil(&between->gil[between->gil_count++], &after->gil[i],
				 find_gil(before, &after->gil[i]));
	minus_ended_gils(before, after, between);
	/* What samples say of holding, they say of the interval alone. */
	if (!code && after->gil_count == 1 && between->states.ns[GW_STATE_PYTHON] >= 0 &&
	    between->states.ns[GW_STATE_HELD_OFF] >= 0)
		between->gil[0].holding_ns =
			between->states.ns[GW_STATE_PYTHON] + between->states.ns[GW_STATE_HELD_OFF];
	return code;
}

/* ---- lists ---- */

static int by_pair(const void *a, const void *b)
{
	const struct gw_inflicted *left = a, *right = b;

	if (left->by != right->by)
		return left->by < right->by ? -1 : 1;
	return left->on < right->on ? -1 : left->on > right->on;
}

/* All pairs are there, also those that are shown only as the rest. */
static int minus_pairs(const struct gw_process_view *before, const struct gw_process_view *after,
		       struct gw_process_view *between)
{
	size_t was_count = before->inflicted_count + before->inflicted_beyond;
	size_t count = after->inflicted_count + after->inflicted_beyond;
	struct gw_inflicted *was = malloc((was_count + 1) * sizeof(*was));
	int64_t was_rest_ns = before->inflicted_rest_ns;

	between->inflicted = malloc((count + 1) * sizeof(*between->inflicted));
	between->inflicted_count = between->inflicted_beyond = 0;
	if (!was || !between->inflicted) {
		free(was);
		return -ENOMEM;
	}
	if (was_count)
		memcpy(was, before->inflicted, was_count * sizeof(*was));
	for (size_t i = before->inflicted_count; i < was_count; i++)
		was_rest_ns -= was[i].wait_ns;
	for (size_t i = after->inflicted_count; i < count; i++)
		between->inflicted_rest_ns -= after->inflicted[i].wait_ns;
	between->inflicted_rest_ns = gw_minus(between->inflicted_rest_ns, was_rest_ns);
	qsort(was, was_count, sizeof(*was), by_pair);
	for (size_t i = 0; i < count; i++) {
		struct gw_inflicted pair = after->inflicted[i];
		const struct gw_inflicted *same =
			bsearch(&pair, was, was_count, sizeof(*was), by_pair);

		pair.wait_ns = gw_minus(pair.wait_ns, same ? same->wait_ns : 0);
		if (pair.wait_ns)
			between->inflicted[between->inflicted_count++] = pair;
	}
	free(was);
	gw_inflicted_limit(between);
	return 0;
}

static int copy_open(const struct gw_process_view *after, struct gw_process_view *between)
{
	between->open = malloc((after->open_count + 1) * sizeof(*between->open));
	if (!between->open)
		return -ENOMEM;
	if (after->open_count)
		memcpy(between->open, after->open, after->open_count * sizeof(*between->open));
	return 0;
}

/* The changes of engine since then. */
static int copy_changes(const struct gw_process_view *after, int64_t since_ns,
			struct gw_process_view *between)
{
	between->engine_change =
		malloc((after->engine_change_count + 1) * sizeof(*between->engine_change));
	between->engine_change_count = 0;
	if (!between->engine_change)
		return -ENOMEM;
	for (size_t i = 0; i < after->engine_change_count; i++)
		if (after->engine_change[i].at_ns > since_ns)
			between->engine_change[between->engine_change_count++] =
				after->engine_change[i];
	return 0;
}

/* Of what happens once: whether it did since then. */
static int copy_events(const struct gw_process_view *after, int64_t since_ns,
		       struct gw_process_view *between)
{
	size_t count = after->interval_phase_count;

	if (after->gil_enabled_at_ns <= since_ns)
		between->gil_enabled_at_ns = GW_ABSENT_NS;
	if (!count || after->interval_phase[count - 1].from_ns <= since_ns)
		return 0;
	between->interval_phase = malloc(count * sizeof(*between->interval_phase));
	if (!between->interval_phase)
		return -ENOMEM;
	memcpy(between->interval_phase, after->interval_phase,
	       count * sizeof(*between->interval_phase));
	between->interval_phase_count = count;
	return 0;
}

/* Exact and estimated blame are two figures: their difference is none. */
static void drop_blame(struct gw_process_view *between)
{
	between->inflicted_basis.kind = GW_BASIS_ABSENT;
	snprintf(between->inflicted_basis.reason, sizeof(between->inflicted_basis.reason), "%s",
		 ENGINE_CHANGED);
	between->inflicted_rest_ns = GW_ABSENT_NS;
	between->inflicted_count = between->inflicted_beyond = 0;
	for (size_t i = 0; i < between->thread_count; i++)
		between->thread[i].inflicted_ns = GW_ABSENT_NS;
}

static void disown(struct gw_process_view *view)
{
	view->thread = NULL;
	view->engine_change = NULL;
	view->cpu = NULL;
	view->gil = NULL;
	view->interval_phase = NULL;
	view->interval_phase_count = 0;
	view->open = NULL;
	view->inflicted = NULL;
	view->verdict_count = 0;
}

/* Of GILs that have no row any more there is only why there is nothing. */
static int minus_histograms(const struct gw_process_view *before,
			    const struct gw_process_view *after, struct gw_process_view *between)
{
	int code[] = {
		gw_minus_resume(&between->resume, &after->resume, &before->resume),
		gw_histogram_copy(&after->ended_gils.hold, &between->ended_gils.hold),
		gw_histogram_copy(&after->ended_gils.wait, &between->ended_gils.wait),
	};

	return code[0] ? code[0] : code[1] ? code[1] : code[2];
}

static int minus_process(const struct gw_process_view *before, const struct gw_process_view *after,
			 int64_t since_ns, struct gw_process_view *between)
{
	int code;

	*between = *after;
	disown(between);
	/* Before all else: what is still after's must not stay in it. */
	code = minus_histograms(before, after, between);
	minus_sums(before, after, between);
	minus_holders(before, after, between);
	minus_bases(before, after, between);
	if (!code)
		code = gw_minus_threads(before, after, between);
	fill_rates(before, between);
	if (!code)
		code = gw_minus_cpus(&between->cpu, &between->cpu_count, after->cpu,
				     after->cpu_count, before->cpu, before->cpu_count);
	if (!code)
		code = minus_gils(before, after, between);
	if (!code)
		code = minus_pairs(before, after, between);
	if (!code)
		code = copy_open(after, between);
	if (!code)
		code = copy_changes(after, since_ns, between);
	if (!code)
		code = copy_events(after, since_ns, between);
	if (!code && before != &nothing &&
	    before->inflicted_basis.kind != after->inflicted_basis.kind)
		drop_blame(between);
	return code;
}

static void note_most(struct gw_gil_row *kept, const struct gw_gil_row *now)
{
	if (now->most_lately > kept->most_since)
		kept->most_since = now->most_lately;
}

void gw_interval_note(struct gw_snapshot *kept, const struct gw_snapshot *next)
{
	for (size_t i = 0; i < kept->process_count; i++) {
		struct gw_process_view *process = &kept->process[i];
		const struct gw_process_view *now = find(next, process);

		for (size_t j = 0; j < process->gil_count; j++)
			note_most(&process->gil[j], find_gil(now, &process->gil[j]));
	}
}

int gw_interval_make(const struct gw_snapshot *before, const struct gw_snapshot *after,
		     struct gw_snapshot *between)
{
	int code = 0;

	*between = *after;
	between->process_count = 0;
	between->requested_ns = GW_ABSENT_NS;
	between->elapsed_ns = gw_minus(after->elapsed_ns, before->elapsed_ns);
	between->start_monotonic_ns = before->end_monotonic_ns;
	between->process = calloc(after->process_count + 1, sizeof(*between->process));
	if (!between->process)
		return -ENOMEM;
	for (size_t i = 0; !code && i < after->process_count; i++) {
		const struct gw_process_view *process = &after->process[i];

		code = minus_process(find(before, process), process, before->elapsed_ns,
				     &between->process[between->process_count++]);
	}
	return code;
}
