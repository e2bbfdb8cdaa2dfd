/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Resume latency and the delay of sleeps. */
#ifndef GW_RESUME_H
#define GW_RESUME_H

#include "gilwatch/event.h"

gw_once int gw_resume_finish_once(struct gw_thread *t, __u64 at, struct gw_effects *e)
{
	if (!t || !e)
		return 0;
	if (t->wake_ns) {
		e->resume_ns = at > t->wake_ns ? at - t->wake_ns : 1;
		t->tally.resume_runqueue_ns += t->resume_runqueue_ns;
		t->tally.resume_gil_ns += t->resume_gil_ns;
		t->wake_ns = 0;
		t->resume_candidate_ns = 0;
	}
	if (t->flags & GW_THREAD_SLEEPS) {
		t->flags &= ~GW_THREAD_SLEEPS;
		t->tally.delay_asked_ns += t->sleep_asked_ns;
		t->tally.delay_actual_ns += at - t->sleep_from_ns;
		t->tally.delays++;
	}
	return 0;
}

/* The thread is back at work as of `at`: with the GIL, or as near to it as the engine can tell. */
gw_inline void gw_resume_finish(struct gw_thread *t, __u64 at, struct gw_effects *e)
{
	if (t->wake_ns || t->flags & GW_THREAD_SLEEPS)
		gw_resume_finish_once(t, at, e);
}

gw_inline void gw_sleep_begin(struct gw_thread *t, __u64 now, const struct gw_out *out)
{
	t->flags &= ~GW_THREAD_SLEEPS;
	if (!out->sleeps || !out->asked_ns)
		return;
	t->sleep_asked_ns = out->asked_ns;
	/* The sleep's delay runs from the release before it, which only a probe sees. */
	t->sleep_from_ns = out->engine == GW_ENGINE_UPROBE && t->release_ns ? t->release_ns : now;
	t->flags |= GW_THREAD_SLEEPS;
}

#endif
