// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/build_parts.h"
#include "model/histogram.h"

int gw_build_is_holder(const struct gw_build *b, const struct gw_thread *thread)
{
	return thread->gil < b->raw->gil_count && gw_span_gil(thread->span) == GW_GIL_HOLDING &&
	       b->raw->gil[thread->gil].holder_tid == thread->tid;
}

int64_t gw_build_unbooked(const struct gw_build *b, uint32_t gil)
{
	const struct gw_gil_state *state = &b->raw->gil[gil];
	int64_t unbooked_ns =
		(int64_t)(gw_wait_total_ns(&state->waiters, b->end_ns) - state->booked_ns);

	/* A GIL that moved between the time of reading and its copying is booked beyond it. */
	return unbooked_ns > 0 ? unbooked_ns : 0;
}

static void split_by_holder(const struct gw_build *b, const struct gw_gil_state *gil, uint32_t slot,
			    struct gw_process_view *view)
{
	int64_t *by = view->gil_wait_by_holder_ns;

	for (int i = 0; i < GW_BY_COUNT; i++)
		by[i] += (int64_t)gil->by_holder_ns[i];
	if (gil->holder < GW_BY_COUNT)
		by[gil->holder] += gw_build_unbooked(b, slot);
}

/* A hold that goes on at the end, as far as nobody has counted it yet. */
static int64_t open_hold_ns(const struct gw_build *b, uint32_t slot)
{
	uint64_t ns = 0;

	for (size_t i = 0; i < b->thread_count; i++) {
		const struct gw_thread *thread = &b->thread[i]->thread;
		uint64_t since_ns = thread->hold_since_ns ? thread->hold_since_ns
							  : gw_span_since_ns(thread->span);

		if (thread->gil == slot && gw_span_gil(thread->span) == GW_GIL_HOLDING &&
		    b->end_ns > since_ns)
			ns += b->end_ns - since_ns;
	}
	return (int64_t)ns;
}

/*
 * With several GILs a thread's holding is spread over those that it used: each GIL has its own
 * books, kept by holds where there are probes, else by the sampler. What samples add up to may be a
 * little more than there was time, for which a GIL can be held at most.
 */
static int64_t held_ns(const struct gw_build *b, const struct gw_gil_state *gil, uint32_t slot)
{
	uint64_t ns = gil->held_ns + gil->held_ticks * GW_SAMPLE_PERIOD_NS +
		      (uint64_t)open_hold_ns(b, slot);
	uint64_t most_ns = b->end_ns - b->process->start_ns;

	return (int64_t)(gil->held_ticks && ns > most_ns ? most_ns : ns);
}

static int fill_row(const struct gw_build *b, const struct gw_gil_state *gil,
		    struct gw_gil_row *row)
{
	row->address = gil->address;
	row->most_waiting = gil->most_waiting;
	row->most_lately = gil->most_lately;
	row->most_since = GW_ABSENT_COUNT;
	row->exact_ns = b->exact_ns > gil->exact_before_ns
				? (int64_t)(b->exact_ns - gil->exact_before_ns)
				: 0;
	row->acquisitions = b->probed ? (int64_t)gil->acquisitions : GW_ABSENT_COUNT;
	row->releases = b->probed ? (int64_t)gil->releases : GW_ABSENT_COUNT;
	row->forced_releases = b->probed ? (int64_t)gil->forced_releases : GW_ABSENT_COUNT;
	/* Else the GIL's own count, which does not leave anything out. */
	if (b->exact)
		row->holder_changes = (int64_t)gil->holder_changes;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		row->handovers[i] = b->probed ? (int64_t)gil->handovers[i] : GW_ABSENT_COUNT;
	return b->probed ? 0 : gw_histogram_set_absent(&row->hold, GW_NO_PROBES);
}

/* GILs that have gone, and whose places others have: nobody waits for one, or holds it. */
static int fill_ended(const struct gw_build *b, struct gw_process_view *view)
{
	const struct gw_gil_state *ended = &b->process->ended_gils;
	struct gw_gil_row *row = &view->ended_gils;

	view->ended_gil_count = b->process->gils_ended;
	if (!view->ended_gil_count)
		return 0;
	for (int i = 0; i < GW_BY_COUNT; i++)
		view->gil_wait_by_holder_ns[i] += (int64_t)ended->by_holder_ns[i];
	row->holder_changes = GW_ABSENT_COUNT;
	row->holding_ns = (int64_t)(ended->held_ns + ended->held_ticks * GW_SAMPLE_PERIOD_NS);
	return fill_row(b, ended, row);
}

/*
 * A wait that turns out to have ended a little earlier is taken back from what the holder does by
 * then. Where that comes to less than nothing, it was booked under another: the largest.
 */
static void settle_debts(int64_t *by_ns)
{
	int most = 0;

	for (int i = 1; i < GW_BY_COUNT; i++)
		if (by_ns[i] > by_ns[most])
			most = i;
	for (int i = 0; i < GW_BY_COUNT; i++) {
		if (by_ns[i] >= 0)
			continue;
		by_ns[most] += by_ns[i];
		by_ns[i] = 0;
	}
}

int gw_build_gils(const struct gw_build *b, struct gw_process_view *view)
{
	int code = 0;

	for (size_t i = 0; !code && i < view->gil_count && i < b->process->gil_count; i++) {
		uint32_t slot = GW_GIL_SLOT((uint32_t)b->slot, (uint32_t)i);
		const struct gw_gil_state *gil = &b->raw->gil[slot];

		split_by_holder(b, gil, slot, view);
		code = gw_build_gil_hists(b, slot, &view->gil[i]);
		view->gil[i].holding_ns =
			b->process->gil_count > 1 ? held_ns(b, gil, slot) : b->holding_ns;
		if (!code)
			code = fill_row(b, gil, &view->gil[i]);
	}
	if (!code)
		code = fill_ended(b, view);
	settle_debts(view->gil_wait_by_holder_ns);
	view->gil_wait_by_holder_ns[GW_HOLDER_HANDOVER] = b->handover_ns;
	/* Without probes nobody is seen to release: the running part holds this one too. */
	if (!b->exact) {
		view->gil_wait_by_holder_ns[GW_RUNNING] +=
			view->gil_wait_by_holder_ns[GW_HOLDER_NONE];
		view->gil_wait_by_holder_ns[GW_HOLDER_NONE] = GW_ABSENT_NS;
	}
	return code;
}
