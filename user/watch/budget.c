// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/budget.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* How many windows a tick may open: each takes the kernel some milliseconds. */
#define OPENED_MAX 2
/* What may come in before a burst is seen: by an alarm, or by two ticks where there is none. */
#define SURPRISE_ALARM_NS 5000000ULL
#define SURPRISE_TICKS_NS 100000000ULL
/*
 * At least that often the account of a process is brought up to date where nothing happens to it;
 * where many are watched for long, it is by gw_pace_calm_due_ns().
 */
#define WAIT_NS 250000000ULL
/*
 * More seldom where the question takes long, so that all of them take no more than 0.025 % of a
 * CPU, but not more seldom than that.
 */
#define ASKING_PARTS	4000
#define WAIT_LONGEST_NS 1000000000ULL
/* Hits that come to less than this part of the room until the alarm can wait as long. */
#define FEW_PARTS 8
/* Between two rounds, unless a window ends or there is an alarm. */
#define BREATH_NS 50000000ULL
/* Detaching works as long as attaching does. */
#define WAYS 2

enum gw_sites_need gw_budget_needs_sites(const struct gw_watch *w)
{
	if (w->engine == GW_CHOICE_UPROBE)
		return GW_SITES_NEEDED;
	if (w->engine == GW_CHOICE_SCHED || w->budget <= 0)
		return GW_SITES_UNWANTED;
	return GW_SITES_WANTED;
}

static struct gw_pace_terms terms_of(const struct gw_watch *w)
{
	const struct gw_probe_cost *cost = gw_session_cost(w->session);
	struct gw_pace_terms terms = {
		.budget = w->budget,
		.hit_ns = cost->hit_ns,
		.window_ns = WAYS * cost->attach_ns,
		.surprise_ns =
			gw_session_alarm(w->session) < 0 ? SURPRISE_TICKS_NS : SURPRISE_ALARM_NS,
		.windows = gw_session_windows(w->session),
	};

	return terms;
}

/*
 * The on-CPU time of all threads that a process has or had; where it is gone, what it was. The
 * kernel walks through all of them for that, 0.2 us a thread.
 */
static uint64_t cpu_ns(const struct gw_watched *watched)
{
	struct timespec time;
	clockid_t clock;

	if (clock_getcpuclockid(watched->pid, &clock) || clock_gettime(clock, &time))
		return watched->pace.last.cpu_ns;
	return (uint64_t)time.tv_sec * 1000000000ULL + (uint64_t)time.tv_nsec;
}

static struct gw_pace_look look_at(const struct gw_watch *w, struct gw_watched *watched)
{
	struct gw_pace_look look = {
		.now_ns = gw_session_now_ns(w->session),
		.hits = gw_session_process(w->session, watched->slot)->hits,
		.cpu_ns = cpu_ns(watched),
	};

	watched->asking_ns = gw_session_now_ns(w->session) - look.now_ns;
	return look;
}

static uint64_t wait_ns(const struct gw_watched *watched)
{
	uint64_t wait = watched->asking_ns * ASKING_PARTS;

	if (wait < WAIT_NS)
		return WAIT_NS;
	return wait < WAIT_LONGEST_NS ? wait : WAIT_LONGEST_NS;
}

static void set_alarm(const struct gw_watch *w, const struct gw_watched *watched)
{
	gw_session_set_alarm(w->session, watched->slot, gw_pace_alarm_hits(&watched->pace));
}

/* What it ran on CPUs in 10 s of its life so far; 0: it is younger. */
static uint64_t likely_cpu_ns(const struct gw_watched *watched, uint64_t cpu_ns)
{
	double ticks = (double)sysconf(_SC_CLK_TCK), age_ns;
	struct timespec boot;

	if (clock_gettime(CLOCK_BOOTTIME, &boot))
		return 0;
	age_ns = (double)boot.tv_sec * 1e9 + (double)boot.tv_nsec -
		 (double)watched->target->proc.start_ticks * 1e9 / ticks;
	if (age_ns < (double)GW_PACE_SPAN_NS)
		return 0;
	return 1 + (uint64_t)((double)cpu_ns * (double)GW_PACE_SPAN_NS / age_ns);
}

int gw_budget_begin(const struct gw_watch *w, struct gw_watched *watched)
{
	struct gw_pace_terms terms;
	struct gw_pace_look look;

	if (gw_budget_needs_sites(w) != GW_SITES_WANTED)
		return w->engine == GW_CHOICE_UPROBE;
	terms = terms_of(w);
	look = look_at(w, watched);
	terms.likely_cpu_ns = likely_cpu_ns(watched, look.cpu_ns);
	gw_pace_begin(&watched->pace, &terms, &look);
	watched->paced = 1;
	set_alarm(w, watched);
	return watched->pace.mode == GW_PACE_EXACT;
}

/* ---- moves ---- */

static int note(const struct gw_watch *w, struct gw_watched *watched, const char *from,
		const char *to, const char *what)
{
	const struct gw_pace *pace = &watched->pace;
	uint64_t at_ns = gw_session_now_ns(w->session) - gw_session_start_ns(w->session);
	char reason[160];

	snprintf(reason, sizeof(reason),
		 "%.0f probe hits a second cost it %.2g %% of its CPU time, of a budget of %.3g "
		 "%%: %s",
		 pace->hits_per_s, pace->ratio * 100, pace->terms.budget * 100, what);
	return gw_watched_changed(watched, (int64_t)at_ns, from, to, reason);
}

static int drop(const struct gw_watch *w, struct gw_watched *watched)
{
	gw_session_drop_probes(w->session, watched->slot);
	return note(w, watched, "uprobe", "sched",
		    watched->pace.terms.windows ? "from now on in short windows only"
						: "they were taken away");
}

static int resume(const struct gw_watch *w, struct gw_watched *watched)
{
	gw_session_keep_probes(w->session, watched->slot);
	return note(w, watched, "sched", "uprobe", "they stay again");
}

static void open_window(const struct gw_watch *w, struct gw_watched *watched)
{
	struct gw_error ignored = {0};
	struct gw_pace_look look;

	if (gw_watched_probe(w->session, watched, GW_PROBING_WINDOW, &ignored)) {
		gw_pace_failed(&watched->pace);
		return;
	}
	look = look_at(w, watched);
	gw_pace_opened(&watched->pace, &look);
}

/* A burst is none of them, and for what comes faster there is the alarm. */
static int has_few_hits(const struct gw_watch *w, const struct gw_watched *watched)
{
	const struct gw_pace *pace = &watched->pace;
	uint64_t hits = gw_session_process(w->session, watched->slot)->hits;
	uint64_t room = gw_pace_alarm_hits(pace) - pace->last.hits;

	if (hits == pace->last.hits)
		return 1;
	return pace->mode == GW_PACE_EXACT && !pace->hot && gw_session_alarm(w->session) >= 0 &&
	       hits - pace->last.hits < room / FEW_PARTS;
}

/*
 * Too little has happened to it since the last look to change anything: the account can wait, and
 * so the many processes that do little cost little.
 */
static int can_wait(const struct gw_watch *w, const struct gw_watched *watched)
{
	const struct gw_pace *pace = &watched->pace;
	const volatile struct gw_process *process = gw_session_process(w->session, watched->slot);
	uint64_t now = gw_session_now_ns(w->session);

	if (w->slots && gw_session_alarm(w->session) >= 0)
		return process->hits < process->hits_alarm && now < gw_pace_calm_due_ns(pace);
	if (pace->mode == GW_PACE_WINDOW || now - pace->last.now_ns >= wait_ns(watched) ||
	    !has_few_hits(w, watched))
		return 0;
	if (pace->mode == GW_PACE_EXACT || !pace->terms.windows || now < pace->next_window_ns)
		return 1;
	/* A window is due, for which there was no room: it has to run a while for that. */
	return pace->last.now_ns >= pace->next_window_ns;
}

/* It has a GIL, and is in a state in which probes may come or go. */
static int is_kept(const struct gw_watch *w, const struct gw_watched *watched)
{
	const volatile struct gw_process *process;

	if (!watched || !watched->paced || watched->kind != GW_WATCHED_PYTHON)
		return 0;
	process = gw_session_process(w->session, watched->slot);
	return !process->flags && watched->execs_seen == process->execs &&
	       (process->engine == GW_ENGINE_UPROBE || process->engine == GW_ENGINE_SCHED);
}

static int is_due(const struct gw_watch *w, const struct gw_watched *watched, int may_open)
{
	return is_kept(w, watched) && (watched->pace.mode != GW_PACE_SCHED || may_open) &&
	       !can_wait(w, watched);
}

/* Returns 1 if a window was opened, 0 or -ENOMEM. */
static int look_after(const struct gw_watch *w, struct gw_watched *watched)
{
	struct gw_pace_look look = look_at(w, watched);
	int code = 0;

	switch (gw_pace_tick(&watched->pace, &look)) {
	case GW_PACE_STAY:
		break;
	case GW_PACE_DROP:
		code = drop(w, watched);
		break;
	case GW_PACE_OPEN:
		open_window(w, watched);
		code = 1;
		break;
	case GW_PACE_CLOSE:
		gw_session_drop_probes(w->session, watched->slot);
		break;
	case GW_PACE_RESUME:
		code = resume(w, watched);
		break;
	}
	set_alarm(w, watched);
	return code;
}

int gw_budget_tick(struct gw_watch *w)
{
	size_t slots = gw_session_slots(w->session);
	int opened = 0, code = 0;

	w->budget_ticked_ns = gw_session_now_ns(w->session);
	gw_session_silence(w->session);
	/* Each time another one is the first, so that all get their windows. */
	for (size_t i = 0; code >= 0 && i < slots; i++) {
		struct gw_watched *watched = w->by_slot[(i + w->ticks) % slots];

		if (!is_due(w, watched, opened < OPENED_MAX))
			continue;
		code = look_after(w, watched);
		opened += code > 0;
	}
	return code < 0 ? code : 0;
}

uint64_t gw_budget_due_ns(const struct gw_watch *w)
{
	uint64_t due = UINT64_MAX;

	for (size_t i = 0; i < gw_session_slots(w->session); i++) {
		const struct gw_watched *watched = w->by_slot[i];

		if (watched && watched->paced && gw_pace_due_ns(&watched->pace) < due)
			due = gw_pace_due_ns(&watched->pace);
	}
	return due;
}

uint64_t gw_budget_calm_due_ns(const struct gw_watch *w)
{
	uint64_t due = UINT64_MAX, soon = w->budget_ticked_ns + BREATH_NS;

	for (size_t i = 0; i < gw_session_slots(w->session); i++) {
		const struct gw_watched *watched = w->by_slot[i];
		uint64_t own;

		if (!is_kept(w, watched))
			continue;
		own = gw_pace_calm_due_ns(&watched->pace);
		/* Where many are due, some of them wait for the next round. */
		if (own < soon && watched->pace.mode != GW_PACE_WINDOW)
			own = soon;
		if (own < due)
			due = own;
	}
	return due;
}
