// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which cores, what was still going on at the end, and whether the figures add up. */
#include <inttypes.h>

#include "model/histogram.h"
#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"

#define CPUS_MOST 8
#define GILS_MOST 4

static size_t append(char *text, size_t size, size_t used, const char *before, const char *figure)
{
	int more;

	if (used >= size)
		return used;
	more = snprintf(text + used, size - used, "%s%s%s", used ? ", " : "", before, figure);
	return used + (size_t)more;
}

static void distances(struct gw_page *page, const char *what, const int64_t *count)
{
	static const char *const words[GW_DISTANCE_COUNT] = {
		[GW_SAME_CPU] = "on the same CPU ",
		[GW_SAME_CORE] = "within a core ",
		[GW_SAME_LLC] = "between cores that share a cache ",
		[GW_SAME_NODE] = "between caches ",
		[GW_CROSS_NODE] = "between NUMA nodes ",
	};
	int64_t all = 0;
	char text[512] = "";
	size_t used = 0;

	for (int i = 0; i < GW_DISTANCE_COUNT; i++) {
		all = gw_sum(all, count[i]);
		if (count[i] > 0)
			used = append(text, sizeof(text), used, words[i], gw_count(count[i]).text);
	}
	gw_page_print(page, "  ", 4, "%s: %s%s%s%s%s", what, gw_count(all).text,
		      all < 0	 ? ""
		      : all == 1 ? " time"
				 : " times",
		      used ? " (" : "", text, used ? ")." : ".");
}

/* The CPUs that were used most, the most used first. */
static void cpus(struct gw_page *page, const struct gw_process_view *p)
{
	uint32_t last_cpu = 0;
	int64_t last_ns = INT64_MAX;
	char text[512] = "", word[32];
	size_t used = 0, told = 0;

	for (; told < CPUS_MOST && told < p->cpu_count; told++) {
		const struct gw_cpu_time *most = NULL;

		/* The next in the order of (time, number), without a copy that is sorted. */
		for (size_t i = 0; i < p->cpu_count; i++) {
			const struct gw_cpu_time *c = &p->cpu[i];

			if (c->ns > last_ns || (c->ns == last_ns && told && c->cpu <= last_cpu))
				continue;
			if (!most || c->ns > most->ns)
				most = c;
		}
		if (!most || most->ns <= 0)
			break;
		last_cpu = most->cpu;
		last_ns = most->ns;
		snprintf(word, sizeof(word), "CPU %" PRIu32 " ", most->cpu);
		used = append(text, sizeof(text), used, word, gw_duration(most->ns).text);
	}
	if (used)
		gw_page_print(page, "  ", 4, "Time by CPU: %s%s", text,
			      told == CPUS_MOST && told < p->cpu_count ? " \xe2\x80\xa6" : ".");
}

void gw_text_cores(struct gw_page *page, const struct gw_process_view *p)
{
	gw_page_heading(page, "CORES");
	gw_page_print(page, "  ", 4,
		      "CPUs busy on average: %s%s with the GIL (python), %s%s without it (native); "
		      "%" PRIu32 " usable.",
		      gw_text_about(&p->basis[GW_STATE_PYTHON]),
		      gw_number(p->parallelism_python).text,
		      gw_text_about(&p->basis[GW_STATE_NATIVE]),
		      gw_number(p->parallelism_native).text, p->cpus_usable);
	distances(page, "Threads moved to another CPU", p->migrations);
	for (size_t i = 0; i < p->gil_count && i < GILS_MOST; i++) {
		char what[96];

		snprintf(what, sizeof(what), "%s hand-overs by distance",
			 gw_text_gil_name(p, &p->gil[i]).text);
		distances(page, what, p->gil[i].handovers);
		if (p->gil[i].handovers[0] < 0)
			gw_page_reason(page, gw_histogram_reason(&p->gil[i].hold));
	}
	cpus(page, p);
	gw_page_reasons(page);
}

static int is_told(const struct gw_open *o)
{
	return o->kind == GW_OPEN_HOLD || o->age_ns >= INT64_C(1000000000);
}

static void open_row(struct gw_page *page, const struct gw_process_view *p, const struct gw_open *o)
{
	struct gw_thread_label who = gw_text_thread(page, p, o->tid);
	struct gw_figure age = gw_duration(o->age_ns);
	/* What was open at the start already began before it, nobody knows when. */
	const char *least = o->age_ns >= p->elapsed_ns ? "at least " : "";

	switch (o->kind) {
	case GW_OPEN_HOLD:
		gw_page_print(page, "  ", 4, "%s has held the GIL for %s%s and is %s", who.text,
			      least, age.text, gw_text_doing(o->where));
		break;
	case GW_OPEN_WAIT:
		gw_page_print(page, "  ", 4, "%s has waited for the GIL for %s%s", who.text, least,
			      age.text);
		break;
	case GW_OPEN_BLOCK:
		gw_page_print(page, "  ", 4, "%s has been %s for %s%s", who.text,
			      gw_text_doing(o->where), least, age.text);
		break;
	}
}

void gw_text_open(struct gw_page *page, const struct gw_process_view *p)
{
	size_t told = 0, all = 0;

	for (size_t i = 0; i < p->open_count; i++)
		all += (size_t)is_told(&p->open[i]);
	if (!all)
		return;
	gw_page_heading(page, "STILL GOING ON AT THE END");
	/* Holds first: they are what others wait for. */
	for (int kind = GW_OPEN_HOLD; kind <= GW_OPEN_BLOCK; kind++) {
		for (size_t i = 0; i < p->open_count && told < (size_t)page->rows; i++) {
			if ((int)p->open[i].kind != kind || !is_told(&p->open[i]))
				continue;
			open_row(page, p, &p->open[i]);
			told++;
		}
	}
	if (told < all)
		gw_page_print(page, "  ", 4, "%zu more.", all - told);
}

void gw_text_check(struct gw_page *page, const struct gw_process_view *p)
{
	int64_t off = p->cells_ns > p->threads_wall_ns ? p->cells_ns - p->threads_wall_ns
						       : p->threads_wall_ns - p->cells_ns;
	char text[512] = "", word[64];
	size_t used = 0;
	int too_long = 0;

	if (p->cells_ns < 0 || p->threads_wall_ns < 0)
		off = GW_ABSENT_NS;
	gw_page_heading(page, "CHECK");
	gw_page_print(page, "  ", 4,
		      "%s of the threads' %s accounted for (off by %s). Events lost: %s%s. "
		      "Wrong beliefs about the GIL's holder corrected: %s.",
		      gw_duration(p->cells_ns).text, gw_duration(p->threads_wall_ns).text,
		      gw_duration(off).text, gw_count((int64_t)p->lost_events).text,
		      p->lost_events ? ", so that figures may be wrong" : "",
		      gw_count((int64_t)p->corrected).text);
	if (p->missed_switches)
		gw_page_print(page, "  ", 4,
			      "Switches that the kernel did not tell of, noticed 2 ms late at most "
			      "(20 ms where nobody had run for a while): %s.",
			      gw_count((int64_t)p->missed_switches).text);
	for (size_t i = 0; i < p->gil_count && i < GILS_MOST; i++) {
		snprintf(word, sizeof(word), "%s%s of ", gw_text_about(&p->basis[GW_STATE_PYTHON]),
			 gw_duration(p->gil[i].holding_ns).text);
		used = append(text, sizeof(text), used, word, gw_duration(p->elapsed_ns).text);
		too_long |= p->gil[i].holding_ns > p->elapsed_ns;
	}
	if (used)
		gw_page_print(page, "  ", 4, "%s held for %s%s%s.",
			      p->gil_count > 1 ? "The GILs were" : "The GIL was", text,
			      p->gil_count > GILS_MOST ? " \xe2\x80\xa6" : "",
			      too_long ? ", which is more than there was: something is wrong" : "");
}
