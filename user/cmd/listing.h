/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* From a scan of the host to a listing that can be shown. */
#ifndef GW_CMD_LISTING_H
#define GW_CMD_LISTING_H

#include "model/listing.h"
#include "target/python.h"
#include "util/error.h"

/* Scans the host and judges what can be measured. 0 or a negative errno with err set. */
int gw_listing_make(struct gw_listing *listing, struct gw_error *err);

/* What is known of a process's Python; read: its memory could be read too. */
void gw_python_facts_fill(const struct gw_python *python, int read, struct gw_python_facts *facts);

#endif
