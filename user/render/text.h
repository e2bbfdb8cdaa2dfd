/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A snapshot as text for people: one screen, meaning first. */
#ifndef GW_TEXT_H
#define GW_TEXT_H

#include <stdbool.h>
#include <stdio.h>

#include "model/snapshot.h"

struct gw_text_options {
	int rows;    /* of tables; 0: 10 */
	int width;   /* columns of the screen; below 80: 80 */
	bool colour; /* severities and headings */
	bool utf8;   /* else ASCII only */
};

/*
 * What fits this stream: a terminal's width and, unless the environment says otherwise, colour;
 * UTF-8 if the locale that was set has it.
 */
void gw_text_options_detect(struct gw_text_options *options, FILE *out);

/* Returns 0, -ENOMEM, or -EIO if it could not be written. */
int gw_text_write(const struct gw_snapshot *s, const struct gw_text_options *o, FILE *out);

#endif
