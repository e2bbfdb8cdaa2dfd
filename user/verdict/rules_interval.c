// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The switch interval in force, what it does here, and what its change did. */
#include <stdio.h>

#include "model/probes_basis.h"
#include "verdict/rules.h"
#include "verdict/say.h"
#include "verdict/thresholds.h"

static double milliseconds(int64_t ns)
{
	return (double)ns / (double)GW_MILLISECOND_NS;
}

static double per_second(int64_t count, int64_t ns)
{
	return ns > 0 ? (double)gw_known_ns(count) / gw_seconds(ns) : 0.0;
}

/* How often the GIL was given up because another asked; without probes: passed on at all. */
static double give_ways_per_s(const struct gw_facts *facts, const char **what)
{
	const struct gw_gil_row *gil = facts->process->gil;
	int forced_known = gil->forced_releases != GW_ABSENT_COUNT;

	*what = forced_known ? "forced releases" : "hand-overs";
	return forced_known ? per_second(gil->forced_releases, gw_probed_ns(facts->process))
			    : per_second(gil->holder_changes, facts->elapsed_ns);
}

static void say_effect(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_histogram *hold = &facts->process->gil->hold;
	const char *what;
	double rate = give_ways_per_s(facts, &what);

	gw_say(verdict, "Here: %.0f %s a second", rate, what);
	if (!hold->absent && hold->count) {
		double mean_ns = (double)hold->sum_ns / (double)hold->count;

		gw_say(verdict, ", and a hold lasts %.3g ms on average",
		       mean_ns / (double)GW_MILLISECOND_NS);
		gw_evidence(verdict, "hold_mean_s", mean_ns / (double)GW_SECOND_NS);
	}
	gw_say(verdict, ". ");
	gw_evidence(verdict, "give_ways_per_second", rate);
}

static int judge_fixed(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	int64_t interval_ns = facts->process->gil->interval_ns;
	const char *what;
	double rate = give_ways_per_s(facts, &what);

	if (interval_ns <= 0 || interval_ns == GW_INTERVAL_DEFAULT_NS)
		return 0;
	verdict->severity = GW_INFO;
	gw_say(verdict, "The switch interval is %.3g ms, not 5 ms (sys.setswitchinterval). ",
	       milliseconds(interval_ns));
	say_effect(facts, verdict);
	if (interval_ns > GW_INTERVAL_LONG_NS && facts->late.fires) {
		verdict->severity = GW_WARNING;
		gw_say(verdict, "A thread that wakes up waits that long for the GIL: a shorter "
				"one gives earlier answers. Measure both.");
	} else if (interval_ns < GW_INTERVAL_SHORT_NS &&
		   rate > gw_ease_least(facts->ease.warning, GW_INTERVAL_GIVE_WAYS_PER_S)) {
		verdict->severity = GW_WARNING;
		gw_say(verdict, "Each costs a hand-over between threads: a longer one spends less "
				"on that. Measure both.");
	} else {
		gw_say(verdict, "Longer intervals make waiting threads wait longer, shorter ones "
				"cost more hand-overs; change it only after measuring.");
	}
	gw_evidence(verdict, "interval_s", gw_seconds(interval_ns));
	return 1;
}

static void say_phase(const struct gw_interval_phase *phase, struct gw_verdict *verdict,
		      const char *when)
{
	int64_t elapsed_ns = phase->to_ns - phase->from_ns;
	char name[32];

	gw_say(verdict, "%s (%.1f s, %.3g ms)", when, gw_seconds(elapsed_ns),
	       milliseconds(phase->interval_ns));
	gw_evidence(verdict, when[0] == 'B' ? "interval_before_s" : "interval_s",
		    gw_seconds(phase->interval_ns));
	if (elapsed_ns <= 0)
		return;
	/* Windows of probes know rates, but their holds end at their edges. */
	if (phase->acquisitions == GW_ABSENT_COUNT ||
	    gw_ratio(phase->exact_ns, elapsed_ns) < GW_INTERVAL_EXACT) {
		gw_say(verdict, " %.0f hand-overs a second",
		       per_second(phase->holder_changes, elapsed_ns));
		return;
	}
	gw_say(verdict, " %.0f forced releases a second",
	       per_second(phase->forced_releases, elapsed_ns));
	snprintf(name, sizeof(name), "forced_per_second_%s", when[0] == 'B' ? "before" : "after");
	gw_evidence(verdict, name, per_second(phase->forced_releases, elapsed_ns));
	if (phase->acquisitions <= 0)
		return;
	gw_say(verdict, " and holds of %.3g ms on average",
	       milliseconds(phase->held_ns) / (double)phase->acquisitions);
	snprintf(name, sizeof(name), "hold_mean_%s_s", when[0] == 'B' ? "before" : "after");
	gw_evidence(verdict, name, gw_seconds(phase->held_ns) / (double)phase->acquisitions);
}

static int judge_changed(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	const struct gw_process_view *process = facts->process;
	const struct gw_interval_phase *first = &process->interval_phase[0];
	const struct gw_interval_phase *last =
		&process->interval_phase[process->interval_phase_count - 1];

	verdict->severity = GW_INFO;
	gw_say(verdict,
	       "The switch interval was changed while watched, %s %.1f s after the start. ",
	       process->interval_phase_count > 2 ? "more than once, last" : "about",
	       gw_seconds(last->from_ns));
	say_phase(first, verdict, "Before");
	gw_say(verdict, "; ");
	say_phase(last, verdict, "after");
	gw_say(verdict, ". The other figures are of both together: watch again for one of them.");
	gw_evidence(verdict, "changed_at_s", gw_seconds(last->from_ns));
	return 1;
}

int gw_rule_switch_interval(const struct gw_facts *facts, struct gw_verdict *verdict)
{
	if (!facts->has_gil || !facts->process->gil_count)
		return 0;
	if (facts->process->interval_phase_count >= 2)
		return judge_changed(facts, verdict);
	return judge_fixed(facts, verdict);
}
