/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where results go. Files are written as root next to users who are not trusted. */
#ifndef GW_OUTPUT_H
#define GW_OUTPUT_H

#include <stdio.h>

#include "util/error.h"

/*
 * Opens the stream for results: standard output for NULL or "-", else a file that is made anew or
 * overwritten, with mode 0600, that belongs to the user who called sudo. A symbolic link, a file
 * with other links or one of somebody else is refused. Returns NULL with err set.
 */
FILE *gw_output_open(const char *path, struct gw_error *err);

/*
 * Makes a file that must not exist yet, with mode 0600, that belongs to the user who called sudo.
 * Returns NULL with err set.
 */
FILE *gw_output_create(const char *path, struct gw_error *err);

/* Closes it (standard streams stay open), and finds out whether everything was written. 0 or a
 * negative errno with err set. */
int gw_output_close(FILE *out, const char *path, struct gw_error *err);

#endif
