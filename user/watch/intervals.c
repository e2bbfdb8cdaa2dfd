// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/intervals.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/build.h"

struct gw_interval_counts gw_interval_counts(const volatile struct gw_process *process,
					     const volatile struct gw_gil_state *gil,
					     uint64_t now_ns, uint64_t switch_number)
{
	return (struct gw_interval_counts){
		.acquisitions = gil->acquisitions,
		.forced_releases = gil->forced_releases,
		.held_ns = gil->held_ns,
		.switch_number = switch_number,
		.exact_ns = gw_build_exact_ns(process, now_ns),
	};
}

static void begin(struct gw_intervals *in, int64_t at_ns, int64_t interval_ns,
		  const struct gw_interval_counts *counts)
{
	if (in->count == GW_INTERVAL_PHASES_MAX) {
		in->count--;
		memmove(&in->phase[0], &in->phase[1], in->count * sizeof(in->phase[0]));
	}
	in->phase[in->count++] = (struct gw_interval_phase){
		.interval_ns = interval_ns, .from_ns = at_ns, .to_ns = at_ns};
	in->base = *counts;
}

void gw_intervals_look(struct gw_intervals *in, int64_t at_ns, int64_t interval_ns,
		       const struct gw_interval_counts *counts)
{
	struct gw_interval_phase *last;

	if (interval_ns <= 0)
		return; /* it could not be read */
	if (!in->count || in->phase[in->count - 1].interval_ns != interval_ns) {
		begin(in, at_ns, interval_ns, counts);
		return;
	}
	last = &in->phase[in->count - 1];
	last->to_ns = at_ns;
	last->acquisitions = (int64_t)(counts->acquisitions - in->base.acquisitions);
	last->forced_releases = (int64_t)(counts->forced_releases - in->base.forced_releases);
	last->holder_changes = (int64_t)(counts->switch_number - in->base.switch_number);
	last->exact_ns = (int64_t)(counts->exact_ns - in->base.exact_ns);
	last->held_ns = (int64_t)(counts->held_ns - in->base.held_ns);
}

int gw_intervals_copy(const struct gw_intervals *in, int probed, struct gw_interval_phase **phases,
		      size_t *count)
{
	*count = 0;
	if (in->count < 2)
		return 0;
	*phases = calloc(in->count, sizeof(**phases));
	if (!*phases)
		return -ENOMEM;
	memcpy(*phases, in->phase, in->count * sizeof(**phases));
	*count = in->count;
	for (size_t i = 0; !probed && i < *count; i++) {
		(*phases)[i].acquisitions = GW_ABSENT_COUNT;
		(*phases)[i].forced_releases = GW_ABSENT_COUNT;
		(*phases)[i].held_ns = GW_ABSENT_NS;
	}
	return 0;
}
