/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The history of the last intervals, for graphs. */
#ifndef GW_SERIES_H
#define GW_SERIES_H

#include "model/snapshot.h"

#define GW_SERIES_LENGTH 600

/* One interval. All are negative where not known. */
struct gw_series_point {
	double held;	/* share of the time in which the GIL that was held most was held */
	double waiters; /* threads that waited for a GIL, on average */
	double cpus;	/* on-CPU time of all watched processes, in CPUs */
};

struct gw_series {
	struct gw_series_point point[GW_SERIES_LENGTH]; /* a ring */
	size_t next, count;
	uint64_t added; /* of all times */
};

/* The figures of an interval, with all its processes together. */
struct gw_series_point gw_series_measure(const struct gw_snapshot *interval);

/* Appends an interval; what is too old goes. */
void gw_series_add(struct gw_series *series, const struct gw_snapshot *interval);

/* The point of so many intervals ago; 0 is the last one. age < count. */
const struct gw_series_point *gw_series_at(const struct gw_series *series, size_t age);

/*
 * Of a graph whose columns are of so many intervals each: how many there are. Columns begin at
 * multiples of that, so that what is in them does not change as new ones come; the last one may not
 * be full yet, the first one not any more.
 */
size_t gw_series_columns(const struct gw_series *series, size_t intervals);

/* The means of a column's intervals, as far as they are known. age < gw_series_columns. */
struct gw_series_point gw_series_column(const struct gw_series *series, size_t intervals,
					size_t age);

/* Threads of a process that wait for the GIL at the moment of the snapshot. */
size_t gw_waiting_now(const struct gw_process_view *process);

/* Share of the interval in which the GIL that was held most was held; negative: not known. */
double gw_held_share(const struct gw_process_view *process);

#endif
