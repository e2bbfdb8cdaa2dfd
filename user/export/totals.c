// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/totals.h"

#include <string.h>

#include "model/histogram.h"

/*
 * About four an octave of ten from a microsecond on, closer where the switch interval (5 ms) and
 * its multiples lie. 5.24 ms is the first edge above the interval.
 */
const uint64_t gw_edges_ns[GW_EDGES] = {
	1024,	 4096,	  16384,    65536,    262144,	1048576,   2097152,   4194304,
	5242880, 8388608, 16777216, 33554432, 67108864, 134217728, 536870912, 2147483648,
};

gw_static_assert(sizeof(struct gw_totals) % sizeof(int64_t) == 0, "totals are added by words");

#define WORDS (sizeof(struct gw_totals) / sizeof(int64_t))

size_t gw_interpreter_slot(int64_t interpreter)
{
	return interpreter >= 0 && interpreter < GW_INTERPRETERS - 1 ? (size_t)interpreter
								     : GW_INTERPRETERS - 1;
}

/* ---- of a process ---- */

static int64_t known(int64_t value)
{
	return value == GW_ABSENT_NS ? 0 : value;
}

static void add_histogram(struct gw_edged *to, const struct gw_histogram *from)
{
	struct gw_bucket at = {0};
	size_t edge = 0;

	if (from->absent)
		return;
	while (gw_histogram_next(from, &at)) {
		uint64_t upper_ns = gw_hist_upper_ns(at.index);

		while (edge < GW_EDGES && (!upper_ns || upper_ns > gw_edges_ns[edge]))
			edge++;
		to->bucket[edge] += (int64_t)at.count;
	}
	to->sum_ns += (int64_t)from->sum_ns;
}

static void add_gil(const struct gw_process_view *process, const struct gw_gil_row *gil,
		    struct gw_totals *totals)
{
	size_t slot = gw_interpreter_slot(gil->interpreter);

	totals->gil_held_ns[slot] += gil->holding_ns;
	add_histogram(&totals->wait, &gil->wait);
	add_histogram(&totals->hold, &gil->hold);
	if (gil->acquisitions == GW_ABSENT_COUNT)
		return;
	totals->gil_acquisitions[slot] += gil->acquisitions;
	totals->gil_forced_releases[slot] += known(gil->forced_releases);
	totals->gil_exact_ns[slot] += process->exact_ns;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		totals->handovers[i] += known(gil->handovers[i]);
}

static void fill_oncpu(const struct gw_process_view *process, struct gw_totals *totals)
{
	int64_t held_ns = known(process->states.ns[GW_STATE_PYTHON]);
	int64_t released_ns = known(process->states.ns[GW_STATE_NATIVE]);
	int64_t waiting_ns = process->oncpu_waiting_ns;

	totals->oncpu_ns[GW_ONCPU_HELD] = held_ns;
	totals->oncpu_ns[GW_ONCPU_RELEASED] = released_ns;
	totals->oncpu_ns[GW_ONCPU_WAITING] = waiting_ns;
	totals->oncpu_ns[GW_ONCPU_UNKNOWN] =
		process->where_ns[GW_RUNNING] - held_ns - released_ns - waiting_ns;
}

static void fill_times(const struct gw_process_view *process, struct gw_totals *totals)
{
	totals->wall_ns = process->threads_wall_ns;
	for (int i = 0; i < GW_STATE_COUNT; i++)
		totals->state_ns[i] = known(process->states.ns[i]);
	for (int i = 0; i < GW_WHERE_COUNT; i++)
		totals->held_off_ns[i] = known(process->held_off_by_ns[i]);
	for (int i = 0; i < GW_HOLDER_COUNT; i++)
		totals->by_holder_ns[i] = known(process->gil_wait_by_holder_ns[i]);
	fill_oncpu(process, totals);
}

/*
 * The books of who waits and of whom they wait for are read one after the other: what passes in
 * between, which is much where others take the CPU away just then, is split as the rest is.
 */
static void fit_holders(struct gw_totals *totals)
{
	int64_t left_ns = totals->state_ns[GW_STATE_GIL_WAIT], sum_ns = 0;
	int last = GW_RUNNING;

	for (int i = 0; i < GW_HOLDER_COUNT; i++) {
		sum_ns += totals->by_holder_ns[i];
		if (totals->by_holder_ns[i])
			last = i;
	}
	for (int i = 0; i <= last; i++) {
		int64_t *by_ns = &totals->by_holder_ns[i];
		int64_t part_ns = sum_ns ? (int64_t)((__int128)left_ns * *by_ns / sum_ns) : 0;

		/* Of what is left: so the last one takes what rounding left. */
		sum_ns -= *by_ns;
		*by_ns = i == last ? left_ns : part_ns;
		left_ns -= *by_ns;
	}
}

void gw_totals_of(const struct gw_process_view *process, struct gw_totals *totals)
{
	memset(totals, 0, sizeof(*totals));
	if (process->error[0])
		return;
	fill_times(process, totals);
	fit_holders(totals);
	for (size_t i = 0; i < process->gil_count; i++)
		add_gil(process, &process->gil[i], totals);
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		totals->migrations[i] = process->migrations[i];
	add_histogram(&totals->resume, &process->resume.latency);
	totals->resume_part_ns[GW_RESUME_RUNQUEUE] = process->resume.runqueue_ns;
	totals->resume_part_ns[GW_RESUME_GIL] = process->resume.gil_ns;
	totals->threads_started = (int64_t)(process->thread_count + process->ended_count);
	totals->throttled_ns = known(process->throttled_ns);
	totals->probe_hits = (int64_t)process->overhead_hits;
	totals->probe_cost_ns = process->overhead_ns;
	totals->corrected = (int64_t)process->corrected;
	for (int i = 0; i < GW_LOST_COUNT; i++)
		totals->lost[i] = (int64_t)process->lost[i];
	totals->lost[GW_LOST_SWITCH] = (int64_t)process->missed_switches;
}

/* ---- sums, and what follows on what ---- */

void gw_totals_add(struct gw_totals *sum, const struct gw_totals *part)
{
	int64_t *to = (int64_t *)sum;
	const int64_t *from = (const int64_t *)part;

	for (size_t i = 0; i < WORDS; i++)
		to[i] += from[i];
}

/*
 * Parts that have been kept from falling may sum to more than their whole: those that have risen
 * give way, in proportion. The whole has not fallen, so they have enough to give.
 */
static void fit(const int64_t *last, int64_t *part, size_t count, int64_t whole)
{
	int64_t sum = 0, risen = 0, excess;

	for (size_t i = 0; i < count; i++) {
		sum += part[i];
		risen += part[i] - last[i];
	}
	excess = sum - whole;
	for (size_t i = 0; i < count && excess > 0 && risen > 0; i++) {
		int64_t rise = part[i] - last[i];
		int64_t give = (int64_t)((__int128)excess * rise / risen);

		/* Of what is left: so the last one that has risen takes what rounding left. */
		part[i] -= give;
		excess -= give;
		risen -= rise;
	}
}

void gw_totals_ratchet(const struct gw_totals *last, struct gw_totals *totals)
{
	const int64_t *before = (const int64_t *)last;
	int64_t *now = (int64_t *)totals;

	for (size_t i = 0; i < WORDS; i++)
		if (now[i] < before[i])
			now[i] = before[i];
	fit(last->state_ns, totals->state_ns, GW_STATE_COUNT, totals->wall_ns);
	fit(last->by_holder_ns, totals->by_holder_ns, GW_HOLDER_COUNT,
	    totals->state_ns[GW_STATE_GIL_WAIT]);
	fit(last->held_off_ns, totals->held_off_ns, GW_WHERE_COUNT,
	    totals->state_ns[GW_STATE_HELD_OFF]);
	totals->oncpu_ns[GW_ONCPU_HELD] = totals->state_ns[GW_STATE_PYTHON];
	totals->oncpu_ns[GW_ONCPU_RELEASED] = totals->state_ns[GW_STATE_NATIVE];
}

void gw_states_ratchet(const struct gw_states *last, struct gw_states *states, int64_t whole_ns)
{
	for (int i = 0; i < GW_STATE_COUNT; i++)
		if (states->ns[i] < last->ns[i])
			states->ns[i] = last->ns[i];
	fit(last->ns, states->ns, GW_STATE_COUNT, whole_ns);
}
