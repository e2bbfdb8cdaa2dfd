/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A listing of Python processes as text and as JSON (gilwatch.list.v1). */
#ifndef GW_RENDER_LIST_H
#define GW_RENDER_LIST_H

#include <stdio.h>

#include "model/listing.h"
#include "render/text.h"

struct gw_list_options {
	struct gw_text_options text;
	bool whole;    /* nothing is cut to the width: no terminal */
	bool numbered; /* a first column counts the rows from 1 */
};

/* Both return 0, -ENOMEM, or -EIO if it could not be written. */
int gw_list_text_write(const struct gw_listing *listing, const struct gw_list_options *options,
		       FILE *out);
int gw_list_json_write(const struct gw_listing *listing, FILE *out);

#endif
