/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The fields of gilwatch.summary.v1 as data: name, kind and place in the snapshot. The writer and
 * the loader walk the same tables, so that neither can know a field that the other does not.
 */
#ifndef GW_JSON_FIELDS_H
#define GW_JSON_FIELDS_H

#include <stddef.h>
#include <stdint.h>

#include "render/names.h"

#define GW_JSON_SCHEMA "gilwatch.summary.v1"

/* A member of the snapshot, and what null stands for in it. */
enum gw_field_kind {
	GW_FIELD_TIME,	     /* int64_t ns as seconds; null: GW_ABSENT_NS */
	GW_FIELD_COUNT,	     /* int64_t; null: GW_ABSENT_COUNT */
	GW_FIELD_COUNT_U64,  /* never null */
	GW_FIELD_U32,	     /* never null */
	GW_FIELD_TID,	     /* uint32_t; null, without a reason: 0 */
	GW_FIELD_BOOL,	     /* int; never null */
	GW_FIELD_TEXT,	     /* char[]; never null */
	GW_FIELD_TEXT_KNOWN, /* char[]; null: "" */
	GW_FIELD_REAL,	     /* double; never null */
	GW_FIELD_REAL_KNOWN, /* double; null: below 0 */
	GW_FIELD_REAL_SET,   /* double; null: 0 */
	GW_FIELD_ENUM,	     /* an enumeration by its names; never null */
};

struct gw_field {
	const char *name;
	enum gw_field_kind kind;
	size_t offset, size;
	const char *reason; /* why it is null; NULL: the writer's context says */
	const struct gw_names *names;
};

struct gw_fields {
	size_t count;
	const struct gw_field *field;
};

/* Nulls of these fields carry no reason beside them. */
#define GW_NO_REASON ""

extern const struct gw_fields gw_fields_snapshot, gw_fields_window, gw_fields_host;
extern const struct gw_fields gw_fields_run;
extern const struct gw_fields gw_fields_head, gw_fields_python, gw_fields_process;
extern const struct gw_fields gw_fields_phase;
extern const struct gw_fields gw_fields_change, gw_fields_overhead, gw_fields_parallelism;
extern const struct gw_fields gw_fields_basis, gw_fields_gil, gw_fields_resume;
extern const struct gw_fields gw_fields_ended_gils;
extern const struct gw_fields gw_fields_thread, gw_fields_thread_gil, gw_fields_ended;
extern const struct gw_fields gw_fields_open, gw_fields_inflicted, gw_fields_verdict;
extern const struct gw_fields gw_fields_check;

#endif
