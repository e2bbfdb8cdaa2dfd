// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/budget.h"

#include <stdio.h>
#include <time.h>
#include <unistd.h>

/* How many windows a tick may open: each takes the kernel some milliseconds. */
#define OPENED_MAX 2
/* What may come in before a burst is seen, by its alarm. */
#define SURPRISE_NS 5000000ULL
/*
 * Where there are no probes it is asked more seldom if the question takes long, so that all of them
 * take no more than 0.01 % of a CPU, but not more seldom than that.
 */
#define ASKING_PARTS	10000
#define WAIT_LONGEST_NS 2000000000ULL
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
		.surprise_ns = SURPRISE_NS,
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

	return wait < WAIT_LONGEST_NS ? wait : WAIT_LONGEST_NS;
}

/* When it is to be looked at if there is no alarm. */
static uint64_t due_ns(const struct gw_watched *watched)
{
	const struct gw_pace *pace = &watched->pace;
	uint64_t due = gw_pace_due_ns(pace), rested = pace->last.now_ns + wait_ns(watched);

	return pace->mode == GW_PACE_SCHED && due < rested ? rested : due;
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

/*
 * Too little has happened to it since the last look to change anything: the account can wait, and
 * so the many processes that do little cost little.
 */
static int can_wait(const struct gw_watch *w, const struct gw_watched *watched)
{
	const volatile struct gw_process *process = gw_session_process(w->session, watched->slot);

	return process->hits < process->hits_alarm &&
	       gw_session_now_ns(w->session) < due_ns(watched);
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
	uint64_t due = UINT64_MAX, soon = w->budget_ticked_ns + BREATH_NS;

	for (size_t i = 0; i < gw_session_slots(w->session); i++) {
		const struct gw_watched *watched = w->by_slot[i];
		uint64_t own;

		if (!is_kept(w, watched))
			continue;
		own = due_ns(watched);
		/* Where many are due, some of them wait for the next round. */
		if (own < soon && watched->pace.mode != GW_PACE_WINDOW)
			own = soon;
		if (own < due)
			due = own;
	}
	return due;
}
