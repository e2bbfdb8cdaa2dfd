/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The parts of a snapshot as JSON objects, for json*.c alone. */
#ifndef GW_JSON_PARTS_H
#define GW_JSON_PARTS_H

#include <jansson.h>

#include "model/snapshot.h"

/*
 * An object that could not be grown is an error of the whole document, told once at the end:
 * jansson's _new functions take NULL and fail, so that nothing needs to be tested in between.
 */
struct gw_json_writer {
	int failed;
};

void gw_json_put(struct gw_json_writer *w, json_t *object, const char *name, json_t *value);

/* All members of the document before its processes, but schema and version. */
void gw_json_put_snapshot_head(struct gw_json_writer *w, json_t *object,
			       const struct gw_snapshot *s);

/* Members of a process before and after its threads; one with an error has but its head. */
void gw_json_put_process_head(struct gw_json_writer *w, json_t *object,
			      const struct gw_process_view *p);
void gw_json_put_process_tail(struct gw_json_writer *w, json_t *object,
			      const struct gw_process_view *p);

json_t *gw_json_thread(struct gw_json_writer *w, const struct gw_thread_view *t,
		       const struct gw_process_view *p);

#endif
