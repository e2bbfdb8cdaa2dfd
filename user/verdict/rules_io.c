// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

int gw_waits_for_workers(const struct gw_facts *facts)
{
	return facts->workers > 0 && facts->cpus_used < GW_FEEDER_CPU;
}

int gw_rule_lock_bound(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	int64_t lock_ns = facts->active.ns[GW_STATE_LOCK];
	double share = gw_ratio(lock_ns, facts->active_wall_ns);
	double gil = gw_ratio(facts->gil_wait.ns, facts->active_wall_ns);
	double per_second;

	if (!facts->gil_known || facts->elapsed_ns <= 0 || gw_waits_for_workers(facts))
		return 0;
	per_second = facts->lock_wakes / gw_seconds(facts->elapsed_ns);
	if (share < gw_least(facts, GW_LOCK_SHARE) ||
	    per_second < gw_least(facts, GW_LOCK_WAKES_PER_S) ||
	    (double)(facts->gil_wait.ns + facts->gil_wait.error_ns) >=
		    gw_most(facts, (double)lock_ns))
		return 0;
	verdict->severity = GW_WARNING;
	gw_say(verdict,
	       "Active threads spend %.0f %% of their time in locks, events or queues, woken from "
	       "them %.0f "
	       "times a second, and %.1f %% waiting for the GIL, which is %s. If they only wait "
	       "for work "
	       "to come, all is well; else hold the lock for less, never across I/O or sleep, or "
	       "split "
	       "it.",
	       100.0 * share, per_second, 100.0 * gil,
	       gil <= GW_IO_WAIT ? "not to blame" : "the lesser part");
	gw_evidence(verdict, "lock_s", gw_seconds(lock_ns));
	gw_evidence(verdict, "lock_ratio", share);
	gw_evidence(verdict, "lock_wakes_count", facts->lock_wakes);
	gw_evidence(verdict, "gil_wait_s", gw_seconds(facts->gil_wait.ns));
	gw_evidence(verdict, "active_wall_s", gw_seconds(facts->active_wall_ns));
	gw_evidence(verdict, "active_threads_count", (double)facts->active_count);
	return 1;
}

static const enum gw_state io_states[] = {
	GW_STATE_DISK, GW_STATE_NET, GW_STATE_PIPE, GW_STATE_POLL, GW_STATE_SLEEP,
};

#define IO_STATES (sizeof(io_states) / sizeof(io_states[0]))

/*
 * I/O and sleep of the active threads. The sleep of one lone thread is a timer and not I/O that
 * threads could overlap, so it counts only where there are several.
 */
static int64_t io_ns(const struct gw_facts *facts, enum gw_state *most)
{
	int64_t sum_ns = 0, most_ns = -1;

	for (size_t i = 0; i < IO_STATES; i++) {
		int64_t ns = facts->active.ns[io_states[i]];

		if (io_states[i] == GW_STATE_SLEEP && facts->active_count < 2)
			continue;
		sum_ns += ns;
		if (ns > most_ns) {
			most_ns = ns;
			*most = io_states[i];
		}
	}
	return sum_ns;
}

int gw_waits_for_io(const struct gw_facts *facts)
{
	/* Also asked by the rule of those that are idle. */
	double ease = gw_ease_of("io_bound", facts->shown).fires;
	enum gw_state most;

	return facts->gil_known &&
	       gw_ratio(io_ns(facts, &most), facts->active_wall_ns) >=
		       gw_ease_least(ease, GW_IO_SHARE) &&
	       gw_at_most(&facts->gil_wait, facts->active_wall_ns) <=
		       gw_ease_most(ease, GW_IO_WAIT);
}

static void say_saved(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	double saved = gw_seconds(facts->io_saved_ns);

	if (facts->io_saved_ns < GW_IO_SAVED * facts->elapsed_ns)
		gw_say(verdict,
		       "The waits come one after the other (overlapping saved %.2f s): to "
		       "go faster, overlap them in threads or asyncio, or wait less.",
		       saved);
	else if (facts->active_count >= GW_IO_MANY)
		gw_say(verdict,
		       "Overlapping the waits saved %.2f s. With so many at once asyncio "
		       "is lighter: a task each instead of a thread.",
		       saved);
	else
		gw_say(verdict,
		       "Overlapping the waits saved %.2f s: threads serve this work, "
		       "processes would gain nothing. To go faster, wait less or overlap "
		       "more; for thousands at once, asyncio is lighter.",
		       saved);
}

int gw_rule_io_bound(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	enum gw_state most = GW_STATE_POLL;
	int64_t waited_ns = io_ns(facts, &most);
	double share = gw_ratio(waited_ns, facts->active_wall_ns);

	if (!gw_waits_for_io(facts) || facts->stalled)
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "%zu active thread%s spend%s %.0f %% of the time in I/O and sleep (mostly %s) and "
	       "%.1f %% waiting for the GIL. ",
	       facts->active_count, gw_plural(facts->active_count),
	       facts->active_count == 1 ? "s" : "", 100.0 * share, gw_state_name(most),
	       100.0 * gw_ratio(facts->gil_wait.ns, facts->active_wall_ns));
	say_saved(facts, verdict);
	gw_evidence(verdict, "io_and_sleep_s", gw_seconds(waited_ns));
	gw_evidence(verdict, "io_and_sleep_ratio", share);
	gw_evidence(verdict, "overlap_saved_s", gw_seconds(facts->io_saved_ns));
	gw_evidence(verdict, "gil_wait_s", gw_seconds(facts->gil_wait.ns));
	gw_evidence(verdict, "active_wall_s", gw_seconds(facts->active_wall_ns));
	gw_evidence(verdict, "active_threads_count", (double)facts->active_count);
	return 1;
}
