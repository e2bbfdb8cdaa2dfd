/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Snapshots as people and programs read them; the strings are the caller's to free. */
#ifndef GW_RENDERED_H
#define GW_RENDERED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "model/snapshot.h"
#include "util/error.h"

char *text_of(const struct gw_snapshot *s, int rows, int width, bool colour, bool utf8);
char *json_of(const struct gw_snapshot *s);

/* The way back: as gw_json_load of that text. */
int load(const char *text, size_t length, struct gw_snapshot *s, struct gw_error *err);

/* Nothing that a terminal would act on or that is not UTF-8, or not ASCII. */
void assert_safe(const char *text, int utf8);

/* Every line is no wider than the page, and has no spaces at its end. */
void assert_fits(const char *text, size_t width, int utf8);

#endif
