// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* All that is known of one thread. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "model/histogram.h"
#include "model/probes_basis.h"
#include "render/names.h"
#include "render/text_parts.h"
#include "render/total.h"
#include "render/units.h"
#include "view/bar.h"
#include "view/screen_parts.h"

/* It is drawn on a page of this height, of which the screen shows a part. */
#define PAGE_ROWS  120
#define PAIRS_MOST 5
#define NARROW	   76

/* Where the next line goes. */
struct pen {
	struct gw_grid *grid;
	int row, column, width;
};

static void heading(struct pen *pen, const char *text)
{
	gw_grid_put(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_BOLD, text);
}

/* ---- states ---- */

static void share_line(struct pen *pen, const char *name, enum gw_pen colour, int64_t ns,
		       int64_t whole_ns)
{
	int bar = pen->width - 32;

	gw_grid_put(pen->grid, pen->row, pen->column + 1, 10, GW_PEN_PLAIN, name);
	gw_grid_put_right(pen->grid, pen->row, pen->column + 11, 9, GW_PEN_PLAIN,
			  gw_duration(ns).text);
	gw_grid_put_right(pen->grid, pen->row, pen->column + 20, 6, GW_PEN_PLAIN,
			  gw_percent(ns, whole_ns).text);
	if (bar > 0 && whole_ns > 0)
		gw_bar_share(pen->grid, pen->row, pen->column + 28, bar, colour,
			     (double)ns / (double)whole_ns);
	pen->row++;
}

/* Waiting for the GIL, by where it did: what its other states leave of each. */
static void draw_waiting(struct pen *pen, const struct gw_thread_view *t)
{
	int64_t ready_ns = t->where_ns[GW_RUNNABLE] - t->states.ns[GW_STATE_RUNQUEUE] -
			   t->held_off_by_ns[GW_RUNNABLE];
	const struct {
		const char *name;
		int64_t ns;
	} part[] = {
		{"wait, gil", t->where_ns[GW_BLOCKED_GIL] - t->held_off_by_ns[GW_BLOCKED_GIL]},
		{"wait, runq", ready_ns},
		{"wait, cpu", t->oncpu_waiting_ns},
	};

	/* Where it was before its first evidence is no part of them; nor is one part of itself. */
	if (t->states.ns[GW_STATE_UNKNOWN] > 0 || part[0].ns >= t->states.ns[GW_STATE_GIL_WAIT])
		return;
	for (size_t i = 0; i < sizeof(part) / sizeof(part[0]); i++)
		if (part[i].ns > 0)
			share_line(pen, part[i].name, GW_PEN_STATE + GW_STATE_GIL_WAIT, part[i].ns,
				   t->wall_ns);
}

static void draw_states(struct pen *pen, const struct gw_process_view *p,
			const struct gw_thread_view *t)
{
	char name[48];

	heading(pen, "Where its time went");
	for (int i = 0; i < GW_STATE_COUNT; i++) {
		enum gw_state state = (enum gw_state)i;

		if (!gw_state_known(&t->states, p->basis, state)) {
			share_line(pen, gw_name(&gw_state_names, (size_t)i), GW_PEN_PLAIN,
				   GW_ABSENT_NS, t->wall_ns);
			continue;
		}
		if (t->states.ns[i] <= 0)
			continue;
		snprintf(name, sizeof(name), "%s%s", gw_text_about(&p->basis[i]),
			 gw_name(&gw_state_names, (size_t)i));
		share_line(pen, name, GW_PEN_STATE + state, t->states.ns[i], t->wall_ns);
	}
	for (int i = GW_RUNNABLE; i < GW_WHERE_COUNT; i++) {
		if (t->held_off_by_ns[i] <= 0)
			continue;
		snprintf(name, sizeof(name), "held, %s", gw_text_cause((enum gw_where)i));
		share_line(pen, name, GW_PEN_STATE + GW_STATE_HELD_OFF, t->held_off_by_ns[i],
			   t->wall_ns);
	}
	draw_waiting(pen, t);
	pen->row++;
}

/* ---- histograms ---- */

/* Eight buckets, an octave, make a line. Returns the most entries of one. */
static uint64_t sum_octaves(const struct gw_histogram *h, uint64_t sum[GW_HIST_OCTAVES])
{
	struct gw_bucket at = {0};
	uint64_t most = 0;

	memset(sum, 0, GW_HIST_OCTAVES * sizeof(*sum));
	while (gw_histogram_next(h, &at)) {
		uint64_t *octave = &sum[at.index >> GW_HIST_SUB_SHIFT];

		*octave += at.count;
		most = *octave > most ? *octave : most;
	}
	return most;
}

/* The last octave is open: its upper edge is what was longest. */
static uint64_t octave_upper_ns(const struct gw_histogram *h, uint32_t octave)
{
	return octave == GW_HIST_OCTAVES - 1 ? h->max_ns
					     : gw_hist_upper_ns((octave + 1) * GW_HIST_OCTAVE - 1);
}

static void draw_histogram(struct pen *pen, const char *title, const struct gw_histogram *h)
{
	uint64_t sum[GW_HIST_OCTAVES], most = sum_octaves(h, sum);
	int bar = pen->width - 22;
	char text[128];

	snprintf(text, sizeof(text), "%s: %s, p99 %s, max %s", title,
		 gw_count(h->absent ? GW_ABSENT_COUNT : (int64_t)h->count).text,
		 gw_duration(gw_histogram_shown_ns(h, 990)).text,
		 gw_duration(h->absent || !h->count ? GW_ABSENT_NS : (int64_t)h->max_ns).text);
	heading(pen, text);
	if (h->absent)
		pen->row += gw_grid_wrap(pen->grid, pen->row, pen->column + 1, 0, 3, GW_PEN_DIM,
					 gw_histogram_reason(h));
	for (uint32_t i = 0; !h->absent && i < GW_HIST_OCTAVES; i++) {
		if (!sum[i])
			continue;
		snprintf(text, sizeof(text), "\xe2\x89\xa4 %s",
			 gw_duration((int64_t)octave_upper_ns(h, i)).text);
		gw_grid_put_right(pen->grid, pen->row, pen->column, 11, GW_PEN_PLAIN, text);
		gw_grid_put_right(pen->grid, pen->row, pen->column + 11, 8, GW_PEN_PLAIN,
				  gw_count((int64_t)sum[i]).text);
		if (bar > 0)
			gw_bar_share(pen->grid, pen->row, pen->column + 21, bar, GW_PEN_DIM,
				     (double)sum[i] / (double)most);
		pen->row++;
	}
	pen->row++;
}

/* ---- others ---- */

/* on: those that it makes wait; else those that make it wait. The pairs are the largest first. */
static void draw_pairs(struct pen *pen, const struct gw_process_view *p, uint32_t tid, int on)
{
	int shown = 0;

	heading(pen, on ? "Makes wait for the GIL" : "Waits for the GIL because of");
	if (p->inflicted_basis.kind == GW_BASIS_ABSENT) {
		pen->row += gw_grid_wrap(pen->grid, pen->row, pen->column + 1, 0, 2, GW_PEN_DIM,
					 p->inflicted_basis.reason);
		shown = 1;
	}
	for (size_t i = 0; i < p->inflicted_count + p->inflicted_beyond && shown < PAIRS_MOST;
	     i++) {
		const struct gw_inflicted *pair = &p->inflicted[i];
		uint32_t other = on ? pair->on : pair->by;

		if ((on ? pair->by : pair->on) != tid)
			continue;
		gw_grid_put_right(pen->grid, pen->row, pen->column, 11, GW_PEN_PLAIN,
				  gw_duration(pair->wait_ns).text);
		gw_grid_put(pen->grid, pen->row++, pen->column + 12, pen->width - 12, GW_PEN_PLAIN,
			    other ? gw_screen_label(p, other).text : "nobody held it");
		shown++;
	}
	if (!shown)
		gw_grid_put(pen->grid, pen->row++, pen->column + 1, pen->width, GW_PEN_DIM,
			    "nobody");
	pen->row++;
}

static void draw_cpus(struct pen *pen, const struct gw_thread_view *t)
{
	int64_t all_ns = 0, moves = 0;
	char name[32];

	for (size_t i = 0; i < t->cpu_count; i++)
		all_ns += t->cpu[i].ns;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		moves = gw_sum(moves, t->migrations[i]);
	snprintf(name, sizeof(name), "By CPU: %s moves", gw_count(moves).text);
	heading(pen, name);
	for (size_t i = 0; i < t->cpu_count; i++) {
		snprintf(name, sizeof(name), "CPU %" PRIu32, t->cpu[i].cpu);
		share_line(pen, name, GW_PEN_DIM, t->cpu[i].ns, all_ns);
	}
	pen->row++;
}

static void draw_counts(struct pen *pen, const struct gw_process_view *p,
			const struct gw_thread_view *t)
{
	gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
		      "acquired %s, forced to release %s",
		      gw_rate(t->acquisitions, gw_probed_ns(p)).text,
		      gw_rate(t->forced_releases, gw_probed_ns(p)).text);
	gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
		      "waited %s, woken %s", gw_rate(t->waits, p->elapsed_ns).text,
		      gw_rate(t->wakes, p->elapsed_ns).text);
	gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
		      "from wake-up to GIL: p99 %s%s%s",
		      gw_duration(gw_histogram_shown_ns(&t->resume.latency, 990)).text,
		      t->resume.delay_ratio >= 0 ? ", sleeps last \xc3\x97" : "",
		      t->resume.delay_ratio >= 0 ? gw_number(t->resume.delay_ratio).text : "");
	pen->row++;
}

static void draw_now(struct pen *pen, const struct gw_screen *screen, const struct gw_row *row)
{
	const struct gw_process_view *now = gw_screen_process_now(screen);
	const struct gw_open *open = now ? gw_screen_open(now, row->tid) : NULL;
	static const char *const kind[] = {
		[GW_OPEN_HOLD] = "holds the GIL", [GW_OPEN_WAIT] = "waits for the GIL"};
	const struct gw_thread_view *t = row->thread;

	gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_BOLD,
		      "Thread %" PRIu32 " %.64s of process %" PRIu32, row->tid, row->name,
		      row->pid);
	if (!t) {
		gw_grid_put(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_WARNING,
			    "It has ended.");
		return;
	}
	if (open && open->kind != GW_OPEN_BLOCK)
		gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
			      "Now it %s, for %s already, and is %s.", kind[open->kind],
			      gw_duration_short(open->age_ns).text, gw_text_doing(open->where));
	else if (open)
		gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
			      "Now it is %s, for %s already.", gw_text_doing(open->where),
			      gw_duration_short(open->age_ns).text);
	else
		gw_grid_print(pen->grid, pen->row++, pen->column, pen->width, GW_PEN_PLAIN,
			      "Now it is on CPU %" PRIu32 ", or ready for it.", t->last_cpu);
}

static int draw_page(const struct gw_screen *screen, struct gw_grid *page, const struct gw_row *row)
{
	int narrow = page->columns < NARROW, half = page->columns / 2;
	struct pen left = {page, 0, 0, page->columns}, right;

	draw_now(&left, screen, row);
	if (!row->thread)
		return left.row;
	if (narrow)
		left.row++;
	left.width = narrow ? page->columns : half - 1;
	right = left;
	right.column = half;
	right.width = page->columns - half;
	draw_states(&left, row->process, row->thread);
	draw_cpus(&left, row->thread);
	draw_counts(&left, row->process, row->thread);
	if (narrow)
		right = left;
	/* Who is to blame comes before how long it took each time. */
	draw_pairs(&right, row->process, row->tid, 0);
	draw_pairs(&right, row->process, row->tid, 1);
	draw_histogram(&right, "Waits", &row->thread->wait);
	draw_histogram(&right, "Holds", &row->thread->hold);
	return left.row > right.row ? left.row : right.row;
}

void gw_screen_thread(const struct gw_screen *screen, struct gw_grid *grid)
{
	const struct gw_row *row = gw_view_selected(screen->state, screen->rows);
	struct gw_grid page = {.utf8 = grid->utf8};
	int lines;

	if (!row || !row->tid) {
		gw_grid_put(grid, 1, 0, grid->columns, GW_PEN_WARNING, "The thread has ended.");
		return;
	}
	if (gw_grid_resize(&page, PAGE_ROWS, grid->columns))
		return;
	lines = draw_page(screen, &page, row);
	gw_screen_scroll(grid, &page, lines, screen->state->detail_top);
	gw_grid_free(&page);
}
