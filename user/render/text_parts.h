/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of the screen, each of one process, in the order in which they stand on it. */
#ifndef GW_TEXT_PARTS_H
#define GW_TEXT_PARTS_H

#include "render/text_page.h"

/* What was run, where the watch was of a command. */
void gw_text_run(struct gw_page *page, const struct gw_snapshot *snapshot);

void gw_text_states(struct gw_page *page, const struct gw_process_view *p);
void gw_text_threads(struct gw_page *page, const struct gw_process_view *p);
void gw_text_gil(struct gw_page *page, const struct gw_process_view *p);
void gw_text_cores(struct gw_page *page, const struct gw_process_view *p);
void gw_text_open(struct gw_page *page, const struct gw_process_view *p);
void gw_text_check(struct gw_page *page, const struct gw_process_view *p);

/*
 * Several processes, a row each, in an order that gw_text_by_load gives: the busiest first (the
 * caller frees it; NULL: out of memory). Not all are told of in full.
 */
const struct gw_process_view **gw_text_by_load(const struct gw_snapshot *snapshot);
int gw_text_is_told(const struct gw_process_view *const *order, size_t index);
void gw_text_processes(struct gw_page *page, const struct gw_snapshot *snapshot,
		       const struct gw_process_view *const *order);

/* "≈" before figures that are sampled. */
const char *gw_text_about(const struct gw_basis *basis);

/* A state's name in tables, and what it is in words. */
const char *gw_text_state(enum gw_state state);
const char *gw_text_state_meaning(enum gw_state state);

/* "GIL", or which one of the process's: "GIL 1", or "GIL 0 of 3.13.0" where it has two Pythons. */
struct gw_gil_label {
	char text[64];
};
struct gw_gil_label gw_text_gil_name(const struct gw_process_view *p, const struct gw_gil_row *gil);

/* What a thread that is not running waits for, in a word of at most five letters, and in words. */
const char *gw_text_cause(enum gw_where where);
const char *gw_text_doing(enum gw_where where);

/* "4243 worker-1", escaped and short enough for two on a line. */
struct gw_thread_label {
	char text[96];
};
struct gw_thread_label gw_text_thread(const struct gw_page *page, const struct gw_process_view *p,
				      uint32_t tid);

#endif
