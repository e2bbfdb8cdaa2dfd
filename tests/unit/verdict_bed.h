/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Synthetic snapshots for the verdicts' tests, and what is asserted of their verdicts. */
#ifndef GW_VERDICT_BED_H
#define GW_VERDICT_BED_H

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "verdict/thresholds.h"
#include "verdict/verdict.h"

#define THREADS_MAX 64
#define OPENS_MAX   4

/* A snapshot of one process with one GIL, and the room for what it points to. */
struct fixture {
	struct gw_snapshot snapshot;
	struct gw_process_view process;
	struct gw_gil_row gil;
	struct gw_thread_view thread[THREADS_MAX];
	struct gw_open open[OPENS_MAX];
	struct gw_inflicted inflicted;
};

int64_t seconds(double s);

/* Nothing measured by probes: what the sched engine leaves absent. */
void no_histogram(struct gw_histogram *histogram);

struct fixture *start(double elapsed_s);

struct gw_thread_view *add_thread(struct fixture *f, const char *name, int64_t wakes);

/* Puts time into a cell of the model: into the thread's and the process's states and wheres. */
void spend(struct fixture *f, struct gw_thread_view *thread, enum gw_gil gil, enum gw_where where,
	   double s);

/* Waiting for the GIL while its holder was at something. */
void wait_gil(struct fixture *f, struct gw_thread_view *thread, int holder, double s);

struct gw_thread_view *add_busy(struct fixture *f, const char *name, double python_s,
				double wait_s);

void add_parked(struct fixture *f, int count);

void add_open(struct fixture *f, uint32_t tid, enum gw_open_kind kind, double age_s,
	      enum gw_where where);

void fill(struct gw_histogram *histogram, int count, double each_s);

void judge(struct fixture *f);

const struct gw_verdict *find(const struct fixture *f, const char *code);

void assert_codes(struct fixture *f, const char *codes);

/* One verdict of this code and severity (-1: none); leaves f to the caller. */
void assert_severity(struct fixture *f, const char *code, int severity);

void assert_says(const struct fixture *f, const char *code, const char *part);

void assert_says_not(const struct fixture *f, const char *code, const char *part);

double evidence(const struct fixture *f, const char *code, const char *name);

/* n threads that share the GIL evenly for 10 s. */
struct fixture *contended(int threads);

#endif
