// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Who made whom wait for the GIL, what the holder did meanwhile, and how long it took. */
#include <string.h>

#include "model/histogram.h"
#include "model/probes_basis.h"
#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"

#define PAIRS_MOST  5
#define GILS_MOST   4
#define FORCED_MOST 4

static void pair_row(struct gw_page *page, const struct gw_process_view *p,
		     const struct gw_inflicted *pair)
{
	struct gw_thread_label on = gw_text_thread(page, p, pair->on);
	char text[256], time[32];

	if (pair->by)
		snprintf(text, sizeof(text), "%s waited for %s", on.text,
			 gw_text_thread(page, p, pair->by).text);
	else
		snprintf(text, sizeof(text), "%s waited while nobody held the GIL", on.text);
	snprintf(time, sizeof(time), "%s%s", gw_text_about(&p->inflicted_basis),
		 gw_duration(pair->wait_ns).text);
	gw_page_cell(page, 11, GW_RIGHT, time);
	gw_page_cell(page, 2, GW_LEFT, "");
	gw_page_cell(page, page->width - 13, GW_LEFT, text);
	gw_page_end_row(page);
}

static void pairs(struct gw_page *page, const struct gw_process_view *p)
{
	int64_t rest = p->inflicted_rest_ns;
	size_t shown = p->inflicted_count;

	if (p->inflicted_basis.kind == GW_BASIS_ABSENT) {
		gw_page_wrap(page, "  ", 4, "Who made whom wait: \xe2\x80\x93");
		gw_page_reason(page, gw_absence(&p->inflicted_basis, ""));
		return;
	}
	if (shown > PAIRS_MOST)
		shown = PAIRS_MOST;
	if (shown > (size_t)page->rows)
		shown = (size_t)page->rows;
	for (size_t i = 0; i < shown; i++)
		pair_row(page, p, &p->inflicted[i]);
	for (size_t i = shown; i < p->inflicted_count; i++)
		rest = gw_sum(rest, p->inflicted[i].wait_ns);
	if (rest > 0) {
		gw_page_cell(page, 11, GW_RIGHT, gw_duration(rest).text);
		gw_page_cell(page, 2, GW_LEFT, "");
		gw_page_cell(page, page->width - 13, GW_LEFT, "all other pairs of threads");
		gw_page_end_row(page);
	}
}

/* One part of the sentence on the holder; the time and its share of all waiting. */
static size_t holder_part(char *text, size_t size, size_t used, const char *what, int64_t ns,
			  int64_t all_ns)
{
	int more;

	if (ns <= 0 || used >= size)
		return used;
	more = snprintf(text + used, size - used, "%s%s %s (%s %%)", used ? ", " : "", what,
			gw_duration(ns).text, gw_percent(ns, all_ns).text);
	return used + (size_t)more;
}

static void holder(struct gw_page *page, const struct gw_process_view *p)
{
	const int64_t *ns = p->gil_wait_by_holder_ns;
	int64_t all_ns = p->states.ns[GW_STATE_GIL_WAIT];
	char text[1024] = "";
	size_t used = 0;

	if (p->by_holder_basis.kind == GW_BASIS_ABSENT) {
		gw_page_wrap(page, "  ", 4, "What the GIL's holder did meanwhile: \xe2\x80\x93");
		gw_page_reason(page, gw_absence(&p->by_holder_basis, ""));
		return;
	}
	for (int i = 0; i < GW_WHERE_COUNT; i++)
		used = holder_part(text, sizeof(text), used, gw_text_doing((enum gw_where)i), ns[i],
				   all_ns);
	used = holder_part(text, sizeof(text), used, "nobody held it", ns[GW_HOLDER_NONE], all_ns);
	used = holder_part(text, sizeof(text), used, "hand-over to the next thread",
			   ns[GW_HOLDER_HANDOVER], all_ns);
	if (used)
		gw_page_print(page, "  ", 4, "What the GIL's holder did meanwhile%s: %s.",
			      p->by_holder_basis.kind == GW_BASIS_SAMPLED ? " (\xe2\x89\x88)" : "",
			      text);
	if (ns[GW_HOLDER_NONE] == GW_ABSENT_NS) {
		gw_page_wrap(page, "  ", 4, "Waiting while nobody held it: \xe2\x80\x93");
		gw_page_reason(page, GW_ABSENCE_OF_NONE);
	}
}

static void histogram_titles(struct gw_page *page)
{
	static const char *const title[] = {"p50", "p90", "p99", "max", "times"};

	gw_page_cell(page, 28, GW_LEFT, "");
	for (int i = 0; i < 5; i++)
		gw_page_cell(page, 10, GW_RIGHT, title[i]);
	gw_page_end_row(page);
}

static void histogram_row(struct gw_page *page, const char *label, const struct gw_histogram *h)
{
	static const unsigned int permille[] = {500, 900, 990};
	int known = !h->absent && h->count;

	gw_page_cell(page, 2, GW_LEFT, "");
	gw_page_cell(page, 26, GW_LEFT, label);
	for (int i = 0; i < 3; i++)
		gw_page_cell(page, 10, GW_RIGHT,
			     gw_duration(gw_histogram_shown_ns(h, permille[i])).text);
	gw_page_cell(page, 10, GW_RIGHT,
		     gw_duration(known ? (int64_t)h->max_ns : GW_ABSENT_NS).text);
	gw_page_cell(page, 10, GW_RIGHT,
		     gw_count(h->absent ? GW_ABSENT_COUNT : (int64_t)h->count).text);
	gw_page_end_row(page);
	if (h->absent)
		gw_page_reason(page, gw_histogram_reason(h));
}

struct gw_gil_label gw_text_gil_name(const struct gw_process_view *p, const struct gw_gil_row *gil)
{
	struct gw_gil_label label = {"GIL"};

	if (gil->python[0])
		snprintf(label.text, sizeof(label.text), "GIL %lld of %s",
			 (long long)gil->interpreter, gil->python);
	else if (p->gil_count > 1)
		snprintf(label.text, sizeof(label.text), "GIL %lld", (long long)gil->interpreter);
	return label;
}

static void gil_histograms(struct gw_page *page, const struct gw_process_view *p,
			   const struct gw_gil_row *gil)
{
	struct gw_gil_label of = gw_text_gil_name(p, gil);
	char label[96];

	/* A long name leaves no more room in its column. */
	snprintf(label, sizeof(label), "%s held%s", of.text, gil->python[0] ? "" : " at a stretch");
	histogram_row(page, label, &gil->hold);
	snprintf(label, sizeof(label), "%s waited for", of.text);
	histogram_row(page, label, &gil->wait);
}

static void gil_rates(struct gw_page *page, const struct gw_process_view *p,
		      const struct gw_gil_row *gil)
{
	int64_t probed_ns = gw_probed_ns(p);

	gw_page_print(page, "  ", 4,
		      "%s taken %s, given up because another asked %s, passed to another thread "
		      "%s; switch interval %s.",
		      gw_text_gil_name(p, gil).text, gw_rate(gil->acquisitions, probed_ns).text,
		      gw_rate(gil->forced_releases, probed_ns).text,
		      gw_rate(gil->holder_changes, p->elapsed_ns).text,
		      gw_duration_short(gil->interval_ns).text);
	if (gil->acquisitions < 0 || gil->forced_releases < 0)
		gw_page_reason(page, gil->hold.absent ? gil->hold.reason : "it was not measured");
	if (gil->interval_ns < 0)
		gw_page_reason(page, "the switch interval could not be read");
}

static const struct gw_thread_view *next_forced(const struct gw_process_view *p,
						const struct gw_thread_view *after)
{
	const struct gw_thread_view *best = NULL;

	for (size_t i = 0; i < p->thread_count; i++) {
		const struct gw_thread_view *t = &p->thread[i];

		if (t->forced_releases <= 0)
			continue;
		if (after && (t->forced_releases > after->forced_releases ||
			      (t->forced_releases == after->forced_releases && t <= after)))
			continue;
		if (!best || t->forced_releases > best->forced_releases)
			best = t;
	}
	return best;
}

/* Where threads are made to give way, the most often first. */
static void forced(struct gw_page *page, const struct gw_process_view *p)
{
	const struct gw_thread_view *t = next_forced(p, NULL);
	char text[512] = "";
	size_t used = 0;

	if (!t || !next_forced(p, t))
		return; /* of a lone one the rate below tells */
	for (int i = 0; t && i < FORCED_MOST; i++, t = next_forced(p, t))
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%s %s times",
					 used ? ", " : "", gw_text_thread(page, p, t->tid).text,
					 gw_count(t->forced_releases).text);
	gw_page_print(
		page, "  ", 4,
		"Made to give the GIL up: %s%s. (It can be between any two bytecodes: whether "
		"that makes a race is not looked at.)",
		text, t ? ", and others" : "");
}

static void resume(struct gw_page *page, const struct gw_resume *r)
{
	if (!r->latency.absent && r->latency.count)
		gw_page_print(
			page, "  ", 4,
			"From wake-up to GIL: %s went to waiting for a CPU, %s to waiting for "
			"the GIL.",
			gw_duration(r->runqueue_ns).text, gw_duration(r->gil_ns).text);
	if (!r->latency.absent && r->delay_ratio >= 0)
		gw_page_print(page, "  ", 4,
			      "Sleeps took %s times as long as asked for, until the GIL was back "
			      "(%s sleeps).",
			      gw_number(r->delay_ratio).text, gw_count((int64_t)r->delays).text);
}

void gw_text_gil(struct gw_page *page, const struct gw_process_view *p)
{
	size_t shown = p->gil_count < GILS_MOST ? p->gil_count : GILS_MOST;
	int64_t wait_ns = p->states.ns[GW_STATE_GIL_WAIT];

	gw_page_heading(page, "WHO WAITED FOR THE GIL");
	if (wait_ns == 0 && gw_state_known(&p->states, p->basis, GW_STATE_GIL_WAIT)) {
		gw_page_wrap(page, "  ", 4, "Nobody.");
	} else {
		pairs(page, p);
		holder(page, p);
	}
	histogram_titles(page);
	for (size_t i = 0; i < shown; i++)
		gil_histograms(page, p, &p->gil[i]);
	histogram_row(page, "from wake-up to GIL", &p->resume.latency);
	resume(page, &p->resume);
	for (size_t i = 0; i < shown; i++)
		gil_rates(page, p, &p->gil[i]);
	forced(page, p);
	if (p->probes_basis.kind == GW_BASIS_SAMPLED)
		gw_page_print(
			page, "  ", 4,
			"\xe2\x89\x88 Holds, and how often the GIL was taken and given up, are "
			"sampled: %s.",
			p->probes_basis.reason);
	if (shown < p->gil_count)
		gw_page_print(page, "  ", 4, "%zu more GILs (subinterpreters) are not shown.",
			      p->gil_count - shown);
	if (p->ended_gil_count)
		gw_page_print(page, "  ", 4,
			      "%s more GILs went away meanwhile, and were held for %s in all.",
			      gw_count((int64_t)p->ended_gil_count).text,
			      gw_duration(p->ended_gils.holding_ns).text);
	gw_page_reasons(page);
}
