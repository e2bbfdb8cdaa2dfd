/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Two summaries side by side, for people and for programs (docs/diff.schema.json). */
#ifndef GW_RENDER_DIFF_H
#define GW_RENDER_DIFF_H

#include <stdio.h>

#include "model/diff.h"
#include "render/text.h"

/* The names of the two files are said where they are known ("": not). 0 or a negative errno. */
struct gw_diff_files {
	const char *before, *after;
};

int gw_diff_text_write(const struct gw_diff *diff, const struct gw_diff_files *files,
		       const struct gw_text_options *options, FILE *out);
int gw_diff_json_write(const struct gw_diff *diff, const struct gw_diff_files *files, FILE *out);

#endif
