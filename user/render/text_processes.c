// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "render/text_parts.h"
#include "render/units.h"

#define PID_WIDTH   8
#define NAME_WIDTH  16
#define COUNT_WIDTH 8
#define CPUS_WIDTH  8
#define TIME_WIDTH  9
#define CODE_WIDTH  20
/* Of processes that were not asked for, the busiest are told of in full. */
#define CHILDREN_TOLD 3

static int busiest_first(const void *a, const void *b)
{
	const struct gw_process_view *left = *(const struct gw_process_view *const *)a;
	const struct gw_process_view *right = *(const struct gw_process_view *const *)b;
	int64_t one = left->where_ns[GW_RUNNING], other = right->where_ns[GW_RUNNING];

	if (one != other)
		return one < other ? 1 : -1;
	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

const struct gw_process_view **gw_text_by_load(const struct gw_snapshot *s)
{
	const struct gw_process_view **order = calloc(s->process_count + 1, sizeof(*order));

	for (size_t i = 0; order && i < s->process_count; i++)
		order[i] = &s->process[i];
	if (order)
		qsort(order, s->process_count, sizeof(*order), busiest_first);
	return order;
}

int gw_text_is_told(const struct gw_process_view *const *order, size_t index)
{
	size_t children = 0;

	if (!order[index]->child)
		return 1;
	for (size_t i = 0; i < index; i++)
		children += order[i]->child != 0;
	return children < CHILDREN_TOLD;
}

static void headings(struct gw_page *page)
{
	gw_page_cell(page, PID_WIDTH, GW_RIGHT, "PID");
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, NAME_WIDTH, GW_LEFT, "name");
	gw_page_cell(page, COUNT_WIDTH, GW_RIGHT, "threads");
	gw_page_cell(page, CPUS_WIDTH, GW_RIGHT, "python");
	gw_page_cell(page, CPUS_WIDTH, GW_RIGHT, "native");
	gw_page_cell(page, TIME_WIDTH, GW_RIGHT, "gil wait");
	gw_page_cell(page, TIME_WIDTH, GW_RIGHT, "no CPU");
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, CODE_WIDTH, GW_LEFT, "verdict");
	gw_page_end_row(page);
}

static void cpus_cell(struct gw_page *page, const struct gw_process_view *p, enum gw_state state,
		      double cpus)
{
	const struct gw_basis *basis = &p->basis[state];
	char text[32];

	snprintf(text, sizeof(text), "%s%s", cpus > 0 ? gw_text_about(basis) : "",
		 gw_number(cpus).text);
	if (basis->kind == GW_BASIS_ABSENT) {
		snprintf(text, sizeof(text), "\xe2\x80\x93");
		gw_page_reason(page, basis->reason);
	}
	gw_page_cell(page, CPUS_WIDTH, GW_RIGHT, text);
}

static void wait_cell(struct gw_page *page, const struct gw_process_view *p)
{
	int known = p->basis[GW_STATE_GIL_WAIT].kind != GW_BASIS_ABSENT;

	gw_page_cell(page, TIME_WIDTH, GW_RIGHT,
		     gw_duration(known ? p->states.ns[GW_STATE_GIL_WAIT] : GW_ABSENT_NS).text);
}

static void row(struct gw_page *page, const struct gw_process_view *p)
{
	char text[sizeof(p->comm) + 16];

	snprintf(text, sizeof(text), "%" PRIu32, p->pid);
	gw_page_cell(page, PID_WIDTH, GW_RIGHT, text);
	gw_page_cell(page, 1, GW_LEFT, "");
	snprintf(text, sizeof(text), "%.*s%s", (int)sizeof(p->comm), p->comm,
		 p->ended == GW_ENDED_TARGET_EXIT ? " (ended)" : "");
	gw_page_cell(page, NAME_WIDTH, GW_LEFT, text);
	if (p->error[0]) {
		gw_page_cell(page, 1, GW_LEFT, "");
		gw_page_cell(page, page->width - PID_WIDTH - NAME_WIDTH - 2, GW_LEFT,
			     "could not be measured");
		gw_page_end_row(page);
		return;
	}
	gw_page_cell(page, COUNT_WIDTH, GW_RIGHT,
		     gw_count((int64_t)(p->thread_count + p->ended_count)).text);
	cpus_cell(page, p, GW_STATE_PYTHON, p->parallelism_python);
	cpus_cell(page, p, GW_STATE_NATIVE, p->parallelism_native);
	wait_cell(page, p);
	gw_page_cell(page, TIME_WIDTH, GW_RIGHT, gw_duration(p->where_ns[GW_RUNNABLE]).text);
	gw_page_cell(page, 1, GW_LEFT, "");
	gw_page_cell(page, CODE_WIDTH, GW_LEFT, p->verdict_count ? p->verdict[0].code : "");
	gw_page_end_row(page);
}

static void rest(struct gw_page *page, const struct gw_snapshot *s,
		 const struct gw_process_view *const *order, size_t shown)
{
	size_t untold = 0;

	for (size_t i = 0; i < s->process_count; i++)
		untold += !gw_text_is_told(order, i);
	if (shown < s->process_count)
		gw_page_print(page, "  ", 4, "%zu more processes are not shown; -n %zu shows all.",
			      s->process_count - shown, s->process_count);
	if (untold)
		gw_page_print(page, "  ", 4,
			      "Of children only the %d busiest are told of below; --json has all.",
			      CHILDREN_TOLD);
	if (s->others)
		gw_page_print(page, "  ", 4, "Beside them ran %s children that are no Python.",
			      gw_count((int64_t)s->others).text);
}

void gw_text_processes(struct gw_page *page, const struct gw_snapshot *s,
		       const struct gw_process_view *const *order)
{
	size_t shown = s->process_count;

	if (shown > (size_t)page->rows)
		shown = (size_t)page->rows;
	gw_page_heading(page, "PROCESSES (python, native: CPUs busy on average)");
	headings(page);
	for (size_t i = 0; i < shown; i++)
		row(page, order[i]);
	rest(page, s, order, shown);
}
