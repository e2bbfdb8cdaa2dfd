// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/total.h"

#include <string.h>

int64_t gw_sum(int64_t a, int64_t b)
{
	int64_t sum;

	if (a == GW_ABSENT_NS || b == GW_ABSENT_NS)
		return GW_ABSENT_NS;
	return __builtin_add_overflow(a, b, &sum) ? INT64_MAX : sum;
}

int gw_state_known(const struct gw_states *states, const struct gw_basis *basis,
		   enum gw_state state)
{
	return states->ns[state] != GW_ABSENT_NS && basis[state].kind != GW_BASIS_ABSENT;
}

int64_t gw_blocked_ns(const struct gw_states *states, const struct gw_basis *basis,
		      enum gw_where *most)
{
	static const struct {
		enum gw_state state;
		enum gw_where where;
	} blocked[] = {
		{GW_STATE_DISK, GW_BLOCKED_DISK},   {GW_STATE_NET, GW_BLOCKED_NET},
		{GW_STATE_PIPE, GW_BLOCKED_PIPE},   {GW_STATE_POLL, GW_BLOCKED_POLL},
		{GW_STATE_SLEEP, GW_BLOCKED_SLEEP}, {GW_STATE_LOCK, GW_BLOCKED_LOCK},
		{GW_STATE_FAULT, GW_BLOCKED_FAULT}, {GW_STATE_CHILD, GW_BLOCKED_CHILD},
		{GW_STATE_STOPPED, GW_STOPPED},	    {GW_STATE_OTHER, GW_BLOCKED_OTHER},
	};
	int64_t sum_ns = 0, most_ns = -1;

	for (size_t i = 0; i < sizeof(blocked) / sizeof(blocked[0]); i++) {
		int known = gw_state_known(states, basis, blocked[i].state);
		int64_t ns = known ? states->ns[blocked[i].state] : GW_ABSENT_NS;

		sum_ns = gw_sum(sum_ns, ns);
		if (ns > most_ns) {
			most_ns = ns;
			*most = blocked[i].where;
		}
	}
	return sum_ns;
}

const char *gw_absence(const struct gw_basis *basis, const char *fallback)
{
	/* A sampled figure's reason says how it was sampled, not why anything is missing. */
	return basis->kind == GW_BASIS_ABSENT && basis->reason[0] ? basis->reason : fallback;
}

static void sum_up(int64_t *sum, const int64_t *part, size_t count)
{
	for (size_t i = 0; i < count; i++)
		sum[i] = gw_sum(sum[i], part[i]);
}

/* The weakest of the parts' bases is that of the sum. */
static void weaken(struct gw_basis *sum, const struct gw_basis *part)
{
	if (part->kind <= sum->kind)
		return;
	sum->kind = part->kind;
	memcpy(sum->reason, part->reason, sizeof(sum->reason));
}

static uint64_t sum_u64(uint64_t a, uint64_t b)
{
	uint64_t sum;

	return __builtin_add_overflow(a, b, &sum) ? UINT64_MAX : sum;
}

static void add_process(struct gw_process_view *total, const struct gw_process_view *part)
{
	total->threads_wall_ns = gw_sum(total->threads_wall_ns, part->threads_wall_ns);
	sum_up(total->states.ns, part->states.ns, GW_STATE_COUNT);
	sum_up(total->where_ns, part->where_ns, GW_WHERE_COUNT);
	sum_up(total->held_off_by_ns, part->held_off_by_ns, GW_WHERE_COUNT);
	sum_up(total->gil_wait_by_holder_ns, part->gil_wait_by_holder_ns, GW_HOLDER_COUNT);
	for (size_t i = 0; i < GW_STATE_COUNT; i++)
		weaken(&total->basis[i], &part->basis[i]);
	weaken(&total->by_holder_basis, &part->by_holder_basis);
	total->parallelism_python += part->parallelism_python;
	total->parallelism_native += part->parallelism_native;
	total->lost_events = sum_u64(total->lost_events, part->lost_events);
	total->missed_switches = sum_u64(total->missed_switches, part->missed_switches);
	total->corrected = sum_u64(total->corrected, part->corrected);
}

void gw_total(const struct gw_snapshot *snapshot, struct gw_process_view *total)
{
	memset(total, 0, sizeof(*total));
	for (size_t i = 0; i < snapshot->process_count; i++) {
		if (!snapshot->process[i].error[0])
			add_process(total, &snapshot->process[i]);
	}
}
