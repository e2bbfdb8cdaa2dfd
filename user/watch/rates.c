// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/rates.h"

#include <stdio.h>

static int drop_probes(struct gw_watch *w, struct gw_watched *watched, double rate)
{
	char reason[160];
	uint64_t at_ns = gw_session_now_ns(w->session) - gw_session_start_ns(w->session);

	snprintf(reason, sizeof(reason),
		 "%.0f probe hits a second are more than %d: the probes were taken away", rate,
		 GW_WATCH_HITS_MAX);
	gw_session_drop_probes(w->session, watched->slot);
	return gw_watched_changed(watched, (int64_t)at_ns, "uprobe", "sched", reason);
}

int gw_rates_tick(struct gw_watch *w)
{
	uint64_t now = gw_session_now_ns(w->session);
	size_t at = w->ticks % GW_RATE_TICKS;
	double seconds = (double)(now - w->tick_ns[at]) / 1e9;
	int code = 0;

	for (uint32_t slot = 0; !code && slot < gw_session_slots(w->session); slot++) {
		const volatile struct gw_process *process = gw_session_process(w->session, slot);
		struct gw_watched *watched = w->by_slot[slot];
		uint64_t hits = process->hits;
		double rate;

		if (!watched)
			continue;
		rate = (double)(hits - watched->hits[at]) / seconds;
		watched->hits[at] = hits;
		if (w->ticks >= GW_RATE_TICKS && rate > GW_WATCH_HITS_MAX && !w->force &&
		    process->engine == GW_ENGINE_UPROBE)
			code = drop_probes(w, watched, rate);
	}
	w->tick_ns[at] = now;
	w->ticks++;
	return code;
}
