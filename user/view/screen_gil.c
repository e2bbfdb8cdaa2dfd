// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The lines on the GIL: who holds it, who waits for it, and for how long. */
#include <stdio.h>
#include <string.h>

#include "model/histogram.h"
#include "model/probes_basis.h"
#include "render/text_parts.h"
#include "render/units.h"
#include "view/screen_parts.h"

static const struct gw_thread_view *holds_most(const struct gw_process_view *p)
{
	const struct gw_thread_view *most = NULL;
	int64_t most_ns = 0;

	for (size_t i = 0; i < p->thread_count; i++) {
		const int64_t *ns = p->thread[i].states.ns;
		int64_t held_ns = (ns[GW_STATE_PYTHON] > 0 ? ns[GW_STATE_PYTHON] : 0) +
				  (ns[GW_STATE_HELD_OFF] > 0 ? ns[GW_STATE_HELD_OFF] : 0);

		if (held_ns > most_ns) {
			most_ns = held_ns;
			most = &p->thread[i];
		}
	}
	return most;
}

/* Who holds the GIL now; without probes a holder that runs is not seen, but who holds it most is.
 */
static void holder_text(const struct gw_process_view *p, const struct gw_process_view *now,
			char *text, size_t size)
{
	const struct gw_thread_view *most = holds_most(p);

	for (size_t i = 0; now && i < now->open_count; i++) {
		const struct gw_open *open = &now->open[i];

		if (open->kind != GW_OPEN_HOLD)
			continue;
		snprintf(text, size, ", now by %s for %s, %s", gw_screen_label(p, open->tid).text,
			 gw_screen_age(open->age_ns).text, gw_text_doing(open->where));
		return;
	}
	if (most)
		snprintf(text, size, ", mostly by %s", gw_screen_label(p, most->tid).text);
	else
		text[0] = '\0';
}

/* The caller clears it. */
static struct gw_histogram merged(const struct gw_process_view *p, int waits)
{
	struct gw_histogram sum = {0};

	for (size_t i = 0; i < p->gil_count; i++)
		gw_histogram_merge(&sum, waits ? &p->gil[i].wait : &p->gil[i].hold);
	return sum;
}

/* Without the space before the unit, so that several fit into a line. */
static struct gw_figure compact(int64_t ns)
{
	struct gw_figure figure = gw_duration(ns);
	char *space = strchr(figure.text, ' ');

	if (space)
		memmove(space, space + 1, strlen(space));
	return figure;
}

static void percentiles(const struct gw_histogram *h, const char *name, char *text, size_t size)
{
	int64_t max_ns = !h->absent && h->count ? (int64_t)h->max_ns : GW_ABSENT_NS;

	snprintf(text, size, "%s %s/%s/%s", name, compact(gw_histogram_shown_ns(h, 500)).text,
		 compact(gw_histogram_shown_ns(h, 990)).text, compact(max_ns).text);
}

static int64_t forced_releases(const struct gw_process_view *p)
{
	int64_t sum = 0;

	for (size_t i = 0; i < p->gil_count; i++) {
		if (p->gil[i].forced_releases < 0)
			return GW_ABSENT_COUNT;
		sum += p->gil[i].forced_releases;
	}
	return sum;
}

/* At the one of several GILs for which it was most; negative: not known. */
static int64_t most_waiting(const struct gw_process_view *p)
{
	int64_t most = GW_ABSENT_COUNT;

	for (size_t i = 0; i < p->gil_count; i++)
		if (p->gil[i].most_waiting > most)
			most = p->gil[i].most_waiting;
	return most;
}

static void waiting_line(const struct gw_process_view *p, const struct gw_process_view *now,
			 struct gw_grid *grid, int row)
{
	double seconds = (double)p->elapsed_ns, waiting;
	char ratio[32] = "";

	waiting = seconds > 0 ? (double)p->states.ns[GW_STATE_GIL_WAIT] / seconds : 0;
	if (p->basis[GW_STATE_GIL_WAIT].kind == GW_BASIS_ABSENT)
		waiting = -1;
	if (p->resume.delay_ratio >= 0)
		snprintf(ratio, sizeof(ratio), " (\xc3\x97%s)",
			 gw_number(p->resume.delay_ratio).text);
	gw_grid_print(grid, row, 5, grid->columns - 5, GW_PEN_PLAIN,
		      "%s wait, %zu now (most: %s%s); resume p99 %s%s; forced %s%s",
		      gw_number(waiting).text, now ? gw_waiting_now(now) : 0,
		      gw_count(most_waiting(p)).text, p->gil_count > 1 ? " for one" : "",
		      gw_duration(gw_histogram_shown_ns(&p->resume.latency, 990)).text, ratio,
		      gw_text_about(&p->probes_basis),
		      gw_rate(forced_releases(p), gw_probed_ns(p)).text);
}

static void percentiles_line(const struct gw_process_view *p, struct gw_grid *grid, int row)
{
	struct gw_histogram holds = merged(p, 0), waits = merged(p, 1);
	char hold[80], wait[80], label[16];

	snprintf(label, sizeof(label), "%shold", gw_text_about(&p->probes_basis));
	percentiles(&holds, label, hold, sizeof(hold));
	percentiles(&waits, "wait", wait, sizeof(wait));
	gw_histogram_clear(&holds);
	gw_histogram_clear(&waits);
	gw_grid_print(grid, row, 5, grid->columns - 5, GW_PEN_PLAIN, "p50/p99/max: %s, %s", wait,
		      hold);
}

void gw_screen_gil(const struct gw_screen *screen, struct gw_grid *grid, int row, int rows)
{
	const struct gw_process_view *p = gw_screen_process(screen);
	const struct gw_process_view *now = gw_screen_process_now(screen);
	char holder[256];
	double held;

	if (!p || p->error[0])
		return;
	gw_grid_put(grid, row, 0, 4, GW_PEN_BOLD, "GIL");
	held = gw_held_share(p);
	if (held < 0) {
		gw_grid_wrap(grid, row, 5, 0, rows, GW_PEN_PLAIN, p->basis[GW_STATE_PYTHON].reason);
		return;
	}
	holder_text(p, now, holder, sizeof(holder));
	gw_grid_print(grid, row, 5, grid->columns - 5, GW_PEN_PLAIN, "held %s%s",
		      gw_share(held).text, holder);
	if (rows > 1)
		waiting_line(p, now, grid, row + 1);
	if (rows > 2)
		percentiles_line(p, grid, row + 2);
}
