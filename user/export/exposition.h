/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing Prometheus' text format (0.0.4) and OpenMetrics (1.0.0). The two differ in the names of
 * families, in their types' names and at the end.
 */
#ifndef GW_EXPOSITION_H
#define GW_EXPOSITION_H

#include "export/metrics.h"
#include "export/totals.h"

#define GW_LABELS_MAX 4096

/* Labels of a sample as they are written, "" or `a="b",c="d"`. */
struct gw_labels {
	char text[GW_LABELS_MAX];
	size_t used;
};

/* Adds a label. The value is raw bytes, which are escaped, and cut where there is no room. */
void gw_labels_add(struct gw_labels *labels, const char *name, const char *value);
/* Takes back what was added since used was noted. */
void gw_labels_cut(struct gw_labels *labels, size_t used);

struct gw_exposition {
	FILE *out;
	int openmetrics;
};

/* HELP and TYPE of a family. */
void gw_exposition_family(const struct gw_exposition *x, const struct gw_metric *metric);

/* A sample of the family. word is at what the metric's unit says; NULL for an info metric. */
void gw_exposition_sample(const struct gw_exposition *x, const struct gw_metric *metric,
			  const struct gw_labels *labels, const void *word);

/*
 * All samples of a family for one owner (a group, a process …): base is the struct that the
 * metric's offset is in, present the one that its flags are in.
 */
void gw_exposition_words(const struct gw_exposition *x, const struct gw_metric *metric,
			 struct gw_labels *labels, const void *base, const void *present);

void gw_exposition_end(const struct gw_exposition *x);

/* Whether an Accept header prefers OpenMetrics to the text format; NULL: there is none. */
int gw_exposition_wants_openmetrics(const char *accept);

/* The Content-Type of either. */
const char *gw_exposition_type(int openmetrics);

#endif
