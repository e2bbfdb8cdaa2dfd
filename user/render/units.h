/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Figures for people: three digits and a unit. What is not known reads "–". */
#ifndef GW_UNITS_H
#define GW_UNITS_H

#include <stdint.h>

#define GW_FIGURE_SIZE 16

/* A formatted figure, passed by value so that several fit into one call of printf. */
struct gw_figure {
	char text[GW_FIGURE_SIZE];
};

/* "4.97 ms"; of fixed width for columns. Negative: not known. */
struct gw_figure gw_duration(int64_t ns);

/* The same without zeros behind the point: "5 ms". */
struct gw_figure gw_duration_short(int64_t ns);

/* part of whole in percent, without the sign: "48.7", "<0.1", "100". Negative: not known. */
struct gw_figure gw_percent(int64_t part_ns, int64_t whole_ns);

/* A ratio in percent, with the sign: "48.7 %". Negative or not finite: not known. */
struct gw_figure gw_share(double ratio);

/* "1,991", "12.3 k", "1.23 M". Negative: not known. */
struct gw_figure gw_count(int64_t count);

/* A count over a time: "199/s", "1.20 k/s". */
struct gw_figure gw_rate(int64_t count, int64_t ns);

/* A small real number: "0.98", "12.3". Negative or not finite: not known. */
struct gw_figure gw_number(double number);

#endif
