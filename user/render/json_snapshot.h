/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A snapshot as a part of a larger JSON document. It is written thread by thread: of thousands of
 * them, a document as a whole would take a hundred times the memory of what it tells.
 */
#ifndef GW_JSON_SNAPSHOT_H
#define GW_JSON_SNAPSHOT_H

#include <jansson.h>
#include <stdio.h>

#include "model/snapshot.h"

/* A compact document on its way. Jansson writes it token by token: they are gathered. */
struct gw_json_stream {
	FILE *out;
	size_t precision; /* digits of numbers */
	int code;	  /* the first error: -ENOMEM or -EIO */
	size_t used;	  /* of the buffer */
	char buffer[16384];
};

/* Of the document's frame: braces, commas, and names of members. */
void gw_json_stream_text(struct gw_json_stream *stream, const char *text);

/* The members of an object, without the braces, and frees it; NULL: out of memory. */
void gw_json_stream_members(struct gw_json_stream *stream, json_t *object);

/* An object with all members of gilwatch.summary.v1 but schema and version. */
void gw_json_stream_snapshot(struct gw_json_stream *stream, const struct gw_snapshot *snapshot);

/* Writes what is still to be written, the end of the line, and flushes. Returns the code. */
int gw_json_stream_end(struct gw_json_stream *stream);

/* Digits (for JSON_REAL_PRECISION) that keep the nanoseconds of the snapshot's times. */
size_t gw_json_precision(const struct gw_snapshot *snapshot);

#endif
