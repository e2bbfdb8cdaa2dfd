// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/pace.h"

#include <string.h>

#define MS_NS 1000000ULL

/* Of the budget: what leaks out of the bucket steadily, and what fits into it at once. */
#define LEAK	 0.75
#define CAPACITY 0.25
/*
 * Windows leave room for what else a watch costs, of CPU time: where an interrupt takes 13 us, the
 * sampler some 0.7 %, and the scheduler's events as much. But they get a quarter at least.
 */
#define LEAK_WINDOWS 0.25
#define OTHERS	     0.015
/*
 * What a process is trusted to use before it has, at most: a credit of 5 ms at 2 %. Many threads
 * that pass the GIL on all the time lose more by a probe than the time of its hit, for it lies
 * within the GIL's mutex: a web service of 16 threads three to five times as much.
 */
#define FIRST_CPU_NS GW_PACE_SECOND_NS
/* Less than that is not judged: a hundred hits tell nothing of a rate. */
#define GRAIN_NS (MS_NS / 10)
/* A burst: so many times the budget over two looks, which noise may make a little shorter. */
#define HOT_TIMES 2
#define HOT_NS	  (90 * MS_NS)

#define WINDOW_NS	(20 * MS_NS)
#define WINDOW_LEAST_NS (5 * MS_NS)
#define GAP_NS		(200 * MS_NS)
/* Added to the gap by the clock's digits, so that windows do not march in step with the process. */
#define GAP_JITTER_MS 64
/* What a window is taken to cost before there was one, per wall time. */
#define FIRST_COST_RATE 0.2
/* From look to look: of bursts the alarm tells. */
#define SOON_LOOK_NS (50 * MS_NS)
#define CALM_LOOK_NS GW_PACE_SECOND_NS
/* Windows in which it does not run, or is kept from it, say nothing. */
#define CALM_WINDOWS 3
#define CALM_CPU_NS  (10 * MS_NS)
/* Exact for so long: what was before is forgotten. */
#define PROVEN_NS      (30 * GW_PACE_SECOND_NS)
#define BACKOFF_NS     GW_PACE_SECOND_NS
#define BACKOFF_MAX_NS (64 * GW_PACE_SECOND_NS)

static uint64_t since(uint64_t now, uint64_t then)
{
	return now > then ? now - then : 0;
}

static uint64_t cost_ns(const struct gw_pace *p, const struct gw_pace_look *from,
			const struct gw_pace_look *to)
{
	return since(to->hits, from->hits) * p->terms.hit_ns;
}

/* ---- the account ---- */

static void mark(struct gw_pace *p, const struct gw_pace_look *look)
{
	unsigned int at = p->marks % GW_PACE_MARKS;
	unsigned int newest = (p->marks + GW_PACE_MARKS - 1) % GW_PACE_MARKS;

	if (p->marks && since(look->now_ns, p->mark_ns[newest]) < GW_PACE_SPAN_NS / GW_PACE_MARKS)
		return;
	p->mark_cpu_ns[at] = look->cpu_ns;
	p->mark_ns[at] = look->now_ns;
	p->marks++;
	if (p->marks == 2 * GW_PACE_MARKS)
		p->marks = GW_PACE_MARKS;
}

/* Of one that is kept from CPUs, or mostly sleeps, as little as before can be expected. */
static double first_cpu_ns(const struct gw_pace *p)
{
	uint64_t likely = p->terms.likely_cpu_ns;

	return (double)(likely && likely < FIRST_CPU_NS ? likely : FIRST_CPU_NS);
}

/*
 * Its on-CPU time in 10 s, as far as it has run so long: a watch may end sooner. At first what it
 * will come to is a guess.
 */
static double cpu_of_span_ns(const struct gw_pace *p)
{
	unsigned int oldest = p->marks < GW_PACE_MARKS ? 0 : p->marks % GW_PACE_MARKS;
	uint64_t age = since(p->last.now_ns, p->mark_ns[oldest]);
	double seen = (double)since(p->last.cpu_ns, p->mark_cpu_ns[oldest]);
	double first = first_cpu_ns(p), most = seen > first ? seen : first, projected;

	if (age < GW_PACE_SPAN_NS / GW_PACE_MARKS)
		return first;
	projected = seen * (double)GW_PACE_SPAN_NS / (double)age;
	return projected < most ? projected : most;
}

static double room_ns(const struct gw_pace *p)
{
	double room = CAPACITY * p->terms.budget * cpu_of_span_ns(p);

	return room > (double)GRAIN_NS ? room : (double)GRAIN_NS;
}

/* What leaks out while probes come for windows. */
static double window_leak(const struct gw_pace *p)
{
	double part = 1 - OTHERS / p->terms.budget;

	if (part < LEAK_WINDOWS)
		return LEAK_WINDOWS;
	return part < LEAK ? part : LEAK;
}

/* Books what came since the last look. */
static void advance(struct gw_pace *p, const struct gw_pace_look *look)
{
	double cost = (double)cost_ns(p, &p->last, look);
	double cpu = (double)since(look->cpu_ns, p->last.cpu_ns);
	double leak = p->mode == GW_PACE_EXACT ? LEAK : window_leak(p);

	p->level_ns -= leak * p->terms.budget * cpu;
	if (p->level_ns < 0)
		p->level_ns = 0;
	p->level_ns += cost;
	p->last_cost_ns = cost;
	if (cost > 0)
		p->cost_at_ns = look->now_ns;
	else if (since(look->now_ns, p->cost_at_ns) > GW_PACE_SPAN_NS)
		p->level_ns = 0; /* out of sight of any 10 s to come */
	p->rising = cost > leak * p->terms.budget * cpu;
	p->hot = cost > HOT_TIMES * p->terms.budget * cpu && cost > (double)GRAIN_NS;
	if (!p->hot)
		p->hot_from = *look;
	p->last = *look;
	mark(p, look);
}

/* ---- moves ---- */

static double ratio_between(const struct gw_pace *p, const struct gw_pace_look *from,
			    const struct gw_pace_look *to)
{
	uint64_t cpu = since(to->cpu_ns, from->cpu_ns);

	return cpu ? (double)cost_ns(p, from, to) / (double)cpu : 0;
}

static enum gw_pace_move drop(struct gw_pace *p, const struct gw_pace_look *before)
{
	const struct gw_pace_look *now = &p->last;
	const struct gw_pace_look *from = p->hot ? &p->hot_from : before;
	uint64_t wall = since(now->now_ns, from->now_ns);

	p->ratio = ratio_between(p, from, now);
	p->hits_per_s = wall ? (double)since(now->hits, from->hits) * 1e9 / (double)wall : 0;
	p->cost_rate = wall ? (double)cost_ns(p, from, now) / (double)wall : 1;
	if (since(now->now_ns, p->exact_since_ns) >= PROVEN_NS || !p->backoff_ns)
		p->backoff_ns = BACKOFF_NS;
	else if (p->backoff_ns < BACKOFF_MAX_NS)
		p->backoff_ns *= 2;
	p->resume_at_ns = now->now_ns + p->backoff_ns;
	p->next_window_ns = now->now_ns + GAP_NS;
	p->calm = 0;
	p->calm_cpu_ns = 0;
	p->mode = GW_PACE_SCHED;
	return GW_PACE_DROP;
}

static enum gw_pace_move tick_exact(struct gw_pace *p, const struct gw_pace_look *before)
{
	if (p->terms.budget >= 1)
		return GW_PACE_STAY;
	if (p->rising && p->level_ns > room_ns(p))
		return drop(p, before);
	if (p->hot && since(p->last.now_ns, p->hot_from.now_ns) >= HOT_NS)
		return drop(p, before);
	return GW_PACE_STAY;
}

static double window_cost_ns(const struct gw_pace *p, uint64_t length_ns)
{
	return p->cost_rate * (double)length_ns + (double)p->terms.window_ns;
}

/* Half of the bucket is kept for bursts, unless the shortest window needs more. */
static double window_room_ns(const struct gw_pace *p)
{
	double room = room_ns(p), least = window_cost_ns(p, WINDOW_LEAST_NS);

	if (room / 2 >= least)
		return room / 2;
	return least < room ? least : room;
}

/* The longest window that there is room for; 0: none. */
static uint64_t affordable_ns(const struct gw_pace *p)
{
	double left = window_room_ns(p) - p->level_ns;
	uint64_t length = WINDOW_NS;

	while (length >= WINDOW_LEAST_NS && window_cost_ns(p, length) > left)
		length /= 2;
	return length >= WINDOW_LEAST_NS ? length : 0;
}

/* What was dear long ago need not be so now: halved every 10 s, it will be tried again. */
static void forget_cost_rate(struct gw_pace *p)
{
	if (since(p->last.now_ns, p->rate_at_ns) < GW_PACE_SPAN_NS)
		return;
	p->cost_rate /= 2;
	p->rate_at_ns = p->last.now_ns;
}

static enum gw_pace_move tick_sched(struct gw_pace *p)
{
	uint64_t now = p->last.now_ns, length;

	if (!p->terms.windows || now < p->next_window_ns)
		return GW_PACE_STAY;
	forget_cost_rate(p);
	length = affordable_ns(p);
	if (!length)
		return GW_PACE_STAY;
	p->mode = GW_PACE_WINDOW;
	p->opened = p->last;
	p->window_length_ns = length;
	p->window_end_ns = now + length;
	p->level_ns += (double)p->terms.window_ns;
	p->cost_at_ns = now;
	p->windows++;
	return GW_PACE_OPEN;
}

static int may_be_exact(const struct gw_pace *p)
{
	return p->terms.budget * (double)GW_PACE_SPAN_NS >= 2 * (double)p->terms.surprise_ns;
}

static enum gw_pace_move tick_window(struct gw_pace *p)
{
	uint64_t now = p->last.now_ns, wall = since(now, p->opened.now_ns);
	uint64_t cost = cost_ns(p, &p->opened, &p->last);
	double cpu = (double)since(p->last.cpu_ns, p->opened.cpu_ns), rate;

	if (now < p->window_end_ns && !(p->rising && p->level_ns > room_ns(p)))
		return GW_PACE_STAY;
	rate = wall ? (double)cost / (double)wall : 0;
	p->cost_rate = rate > p->cost_rate / 2 ? rate : p->cost_rate / 2;
	p->rate_at_ns = now;
	p->ratio = ratio_between(p, &p->opened, &p->last);
	p->hits_per_s = p->terms.hit_ns ? rate * 1e9 / (double)p->terms.hit_ns : 0;
	if ((double)cost <= p->terms.budget / 2 * cpu) {
		p->calm++;
		p->calm_cpu_ns += (uint64_t)cpu;
	} else {
		p->calm = 0;
		p->calm_cpu_ns = 0;
	}
	p->next_window_ns = now + GAP_NS + now / 1000 % GAP_JITTER_MS * MS_NS;
	if (p->calm < CALM_WINDOWS || p->calm_cpu_ns < CALM_CPU_NS || now < p->resume_at_ns ||
	    !may_be_exact(p)) {
		p->mode = GW_PACE_SCHED;
		return GW_PACE_CLOSE;
	}
	p->mode = GW_PACE_EXACT;
	p->exact_since_ns = now;
	p->hot_from = p->last;
	return GW_PACE_RESUME;
}

/* ---- the interface ---- */

void gw_pace_begin(struct gw_pace *p, const struct gw_pace_terms *terms,
		   const struct gw_pace_look *look)
{
	memset(p, 0, sizeof(*p));
	p->terms = *terms;
	p->last = p->hot_from = *look;
	p->cost_at_ns = p->rate_at_ns = p->exact_since_ns = look->now_ns;
	p->cost_rate = FIRST_COST_RATE;
	p->mode = may_be_exact(p) ? GW_PACE_EXACT : GW_PACE_SCHED;
	mark(p, look);
}

enum gw_pace_move gw_pace_tick(struct gw_pace *p, const struct gw_pace_look *look)
{
	struct gw_pace_look before = p->last;

	if (p->terms.budget <= 0)
		return GW_PACE_STAY;
	advance(p, look);
	switch (p->mode) {
	case GW_PACE_EXACT:
		return tick_exact(p, &before);
	case GW_PACE_SCHED:
		return tick_sched(p);
	default:
		return tick_window(p);
	}
}

void gw_pace_opened(struct gw_pace *p, const struct gw_pace_look *look)
{
	advance(p, look);
	p->opened = *look;
	p->window_end_ns = look->now_ns + p->window_length_ns;
}

void gw_pace_failed(struct gw_pace *p)
{
	p->mode = GW_PACE_SCHED;
	p->windows--;
	p->next_window_ns = p->last.now_ns + GW_PACE_SECOND_NS;
}

/* What a burst costs until it is one, on a CPU of its own. */
static double burst_ns(const struct gw_pace *p)
{
	return HOT_TIMES * p->terms.budget * (double)HOT_NS;
}

/* Far from the ceiling, and not on the way there. */
static int is_calm(const struct gw_pace *p)
{
	return p->terms.budget >= 1 ||
	       (!p->hot && p->last_cost_ns < burst_ns(p) && 2 * p->level_ns < room_ns(p));
}

uint64_t gw_pace_due_ns(const struct gw_pace *p)
{
	uint64_t last = p->last.now_ns;

	switch (p->mode) {
	case GW_PACE_WINDOW:
		return p->window_end_ns;
	case GW_PACE_SCHED:
		if (!p->terms.windows)
			return last + CALM_LOOK_NS;
		/* There was no room for a window: it will not come at once. */
		return last < p->next_window_ns ? p->next_window_ns : last + GAP_NS;
	default:
		return last + (is_calm(p) ? CALM_LOOK_NS : SOON_LOOK_NS);
	}
}

uint64_t gw_pace_alarm_hits(const struct gw_pace *p)
{
	double left = room_ns(p) - p->level_ns;

	if (p->terms.budget >= 1 || !p->terms.hit_ns)
		return UINT64_MAX;
	/* Else a burst would only be noticed when it has used up all that there is room for. */
	if (p->mode == GW_PACE_EXACT && left > burst_ns(p))
		left = burst_ns(p);
	if (left < (double)GRAIN_NS)
		left = (double)GRAIN_NS;
	return p->last.hits + (uint64_t)left / p->terms.hit_ns;
}
