/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Hysteresis, for verdicts that are given again and again: one that is shown already is given up to
 * a share beyond its thresholds (GW_EASE), so that a figure that plays about one of them does not
 * make it come and go. Pure.
 */
#ifndef GW_VERDICT_EASE_H
#define GW_VERDICT_EASE_H

#include "model/snapshot.h"

/* What a rule's thresholds are multiplied by: 1, or less where its verdict is shown already. */
struct gw_ease {
	double fires;	 /* those that let it fire at all */
	double warning;	 /* those that make a warning of it: it is shown as that, or as worse */
	double critical; /* and so on */
};

/* Of a rule with this code, where this verdict is shown; NULL: nothing is. */
struct gw_ease gw_ease_of(const char *code, const struct gw_verdict *shown);

/* A threshold that the figure has to reach. */
double gw_ease_least(double ease, double threshold);

/* One that it must not reach. */
double gw_ease_most(double ease, double threshold);

#endif
