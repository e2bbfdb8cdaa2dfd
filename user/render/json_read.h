/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reads single members of a JSON file that is not trusted. All functions return 0, or -EINVAL with
 * a sentence set that says where in the file something is wrong.
 */
#ifndef GW_JSON_READ_H
#define GW_JSON_READ_H

#include <jansson.h>
#include <stdint.h>

#include "render/json_fields.h"
#include "util/error.h"

/* Where in the file we are, for the error's sentence. Holds only names of our own. */
struct gw_json_at {
	const struct gw_json_at *up;
	const char *name;
	long index; /* in an array; -1: not in one */
	struct gw_error *err;
};

/* One step down, to a member or (index >= 0) to an item of an array. */
struct gw_json_at gw_json_below(const struct gw_json_at *up, const char *name, long index);

/* Sets the error: what is wrong with the member of that name ("": with the place itself). */
int gw_json_refuse(const struct gw_json_at *at, const char *name, const char *what);

/* A member that must be there; of any type if type is negative. NULL with the error set. */
json_t *gw_json_member(const struct gw_json_at *at, json_t *object, const char *name, int type);

/* Seconds as nanoseconds; null is GW_ABSENT_NS. */
int gw_json_read_time(const struct gw_json_at *at, const char *name, const json_t *value,
		      int64_t *ns);

/* A whole number from 0 to most. */
int gw_json_read_integer(const struct gw_json_at *at, const char *name, const json_t *value,
			 int64_t most, int64_t *number);

/* Text, cut to what fits, with nothing in it that is not UTF-8. */
int gw_json_read_text(const struct gw_json_at *at, const char *name, const json_t *value,
		      char *text, size_t size);

/* The fields of a table, into the struct that base points to. */
int gw_json_read_fields(const struct gw_json_at *at, json_t *object, const struct gw_fields *fields,
			void *base);

/* The same out of a member that is an object. */
int gw_json_read_object(const struct gw_json_at *at, json_t *object, const char *name,
			const struct gw_fields *fields, void *base);

/* "<name>_s" of a member that is an object, from index first on. */
int gw_json_read_times(const struct gw_json_at *at, json_t *object, const char *name,
		       const struct gw_names *names, size_t first, int64_t *ns);

#endif
