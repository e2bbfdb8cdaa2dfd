// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "gilwatch/loop.h"

#include "verdict/loop.h"
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

const struct gw_thread_view *gw_loop_find(const struct gw_process_view *process)
{
	const struct gw_thread_view *most = NULL;

	for (size_t i = 0; i < process->thread_count; i++) {
		const struct gw_thread_view *thread = &process->thread[i];

		if (thread->polls < GW_LOOP_POLLS || thread->stalls <= 0)
			continue;
		if (!most || thread->stalled_ns > most->stalled_ns)
			most = thread;
	}
	return most;
}

int gw_rule_event_loop_stalled(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_thread_view *thread = facts->stalled;

	if (!thread)
		return 0;
	verdict->severity = GW_WARNING;
	gw_say_thread(verdict, thread);
	gw_say(verdict,
	       " runs an event loop, and its own work held that up %lld time%s for %.0f ms and "
	       "more, up to %.0f ms (%.2f s of %.1f s): meanwhile nothing else that it serves got "
	       "an answer. ",
	       (long long)thread->stalls, gw_plural((uint64_t)thread->stalls),
	       (double)GW_LOOP_STALL_NS / (double)GW_MILLISECOND_NS,
	       (double)thread->stretch_longest_ns / (double)GW_MILLISECOND_NS,
	       gw_seconds(thread->stalled_ns), gw_seconds(facts->elapsed_ns));
	if (facts->has_gil)
		gw_say(verdict, "Move that handler's computing to a process (run_in_executor with "
				"a ProcessPoolExecutor); in a thread it would still hold the GIL, "
				"unless it is C that releases it.");
	else
		gw_say(verdict, "Move that handler's computing to a thread or a process "
				"(run_in_executor).");
	gw_evidence(verdict, "tid", thread->tid);
	gw_evidence(verdict, "stalls_count", (double)thread->stalls);
	gw_evidence(verdict, "stalled_s", gw_seconds(thread->stalled_ns));
	gw_evidence(verdict, "stretch_longest_s", gw_seconds(thread->stretch_longest_ns));
	gw_evidence(verdict, "polls_count", (double)thread->polls);
	return 1;
}
