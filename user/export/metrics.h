/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The table of all metrics: what the exposition, its HELP lines and docs/metrics.md are made from.
 */
#ifndef GW_METRICS_H
#define GW_METRICS_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "render/names.h"

enum gw_metric_kind {
	GW_COUNTER,
	GW_GAUGE,
	GW_HISTOGRAM,
	GW_INFO_METRIC, /* always 1; its labels are what it says */
};

/* What a word in memory is, and so how it is written. */
enum gw_metric_unit {
	GW_UNIT_COUNT,
	GW_UNIT_NS,    /* an int64_t of nanoseconds, written as seconds */
	GW_UNIT_RATIO, /* a double */
	GW_UNIT_NONE,  /* no word: the writer makes the samples itself */
};

/* Where the words of a metric are: the struct that offset is in. */
enum gw_metric_source {
	GW_OF_GROUP_TOTALS, /* struct gw_totals */
	GW_OF_GROUP_LEVELS, /* struct gw_levels */
	GW_OF_PROCESS,	    /* with --per-process: struct gw_totals of one process */
	GW_OF_PROCESS_LEVELS,
	GW_OF_THREAD, /* with --per-thread: struct gw_states of one thread */
	GW_OF_SELF,   /* struct gw_self */
	GW_OF_NONE,   /* of an info metric: nothing */
};

struct gw_metric {
	const char *name; /* without _total, _info and _bucket */
	enum gw_metric_kind kind;
	enum gw_metric_source source;
	enum gw_metric_unit unit;
	size_t offset;
	const char *label;	       /* that tells its words apart; NULL: it is one word */
	const struct gw_names *values; /* of that label, one a word; a NULL name is left out */
	size_t present;		       /* offset of int64_t flags, one a word: 0: left out */
	const char *others;	       /* further labels, for docs; NULL: none */
	const char *help;	       /* one sentence */
};

#define GW_ALWAYS_PRESENT ((size_t)-1)

extern const struct gw_metric gw_metrics[];
extern const size_t gw_metric_count;

/* Writes docs/metrics.md. */
void gw_metrics_print(FILE *out);

#endif
