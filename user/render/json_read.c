// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/json_read.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>

#include "model/snapshot.h"
#include "render/escape.h"

#define KEY_SIZE 48

struct gw_json_at gw_json_below(const struct gw_json_at *up, const char *name, long index)
{
	return (struct gw_json_at){.up = up, .name = name, .index = index, .err = up->err};
}

static size_t path(const struct gw_json_at *at, char *text, size_t size)
{
	size_t used = at->up ? path(at->up, text, size) : 0;
	int more;

	if (!at->name || used >= size)
		return used;
	if (at->index >= 0)
		more = snprintf(text + used, size - used, "%s%s[%ld]", used ? "." : "", at->name,
				at->index);
	else
		more = snprintf(text + used, size - used, "%s%s", used ? "." : "", at->name);
	return more < 0 ? used : used + (size_t)more;
}

int gw_json_refuse(const struct gw_json_at *at, const char *name, const char *what)
{
	char where[160] = "";
	size_t used = path(at, where, sizeof(where));

	return gw_error_set(at->err, -EINVAL, GW_STATUS_USAGE,
			    "This is not a summary that gilwatch wrote: %s%s%s%s%s.", where,
			    used && name[0] ? "." : "", name, used || name[0] ? " " : "", what);
}

/* A member that must be there; of any type if type is negative. */
json_t *gw_json_member(const struct gw_json_at *at, json_t *object, const char *name, int type)
{
	static const char *const wants[] = {
		[JSON_OBJECT] = "is not an object",
		[JSON_ARRAY] = "is not an array",
		[JSON_STRING] = "is not a text",
	};
	json_t *value = json_object_get(object, name);

	if (!value) {
		gw_json_refuse(at, name, "is missing");
		return NULL;
	}
	if (type >= 0 && json_typeof(value) != (json_type)type) {
		gw_json_refuse(at, name, wants[type]);
		return NULL;
	}
	return value;
}

int gw_json_read_time(const struct gw_json_at *at, const char *name, const json_t *value,
		      int64_t *ns)
{
	long double seconds;

	if (json_is_null(value)) {
		*ns = GW_ABSENT_NS;
		return 0;
	}
	if (!json_is_number(value))
		return gw_json_refuse(at, name, "is not a number");
	seconds = json_is_integer(value) ? (long double)json_integer_value(value)
					 : (long double)json_real_value(value);
	/* Written so that a NaN would be refused too. */
	if (!(seconds >= 0 && seconds < (long double)INT64_MAX / 1e9L - 1))
		return gw_json_refuse(at, name, "is out of range");
	*ns = (int64_t)llroundl(seconds * 1e9L);
	return 0;
}

int gw_json_read_integer(const struct gw_json_at *at, const char *name, const json_t *value,
			 int64_t most, int64_t *number)
{
	if (!json_is_integer(value))
		return gw_json_refuse(at, name, "is not a whole number");
	*number = json_integer_value(value);
	if (*number < 0 || *number > most)
		return gw_json_refuse(at, name, "is out of range");
	return 0;
}

static int gw_json_read_real(const struct gw_json_at *at, const char *name, const json_t *value,
			     double *number)
{
	if (!json_is_number(value))
		return gw_json_refuse(at, name, "is not a number");
	*number = json_number_value(value);
	if (!(*number >= 0 && *number < 1e15))
		return gw_json_refuse(at, name, "is out of range");
	return 0;
}

int gw_json_read_text(const struct gw_json_at *at, const char *name, const json_t *value,
		      char *text, size_t size)
{
	if (!json_is_string(value))
		return gw_json_refuse(at, name, "is not a text");
	/* What does not fit is cut; U+FFFD takes more room than the byte that it stands for. */
	gw_escape_utf8(json_string_value(value), json_string_length(value), text, size);
	return 0;
}

static int read_enum(const struct gw_json_at *at, const struct gw_field *field, const json_t *value,
		     int *number)
{
	if (!json_is_string(value))
		return gw_json_refuse(at, field->name, "is not a text");
	*number = gw_name_find(field->names, json_string_value(value));
	return *number < 0 ? gw_json_refuse(at, field->name, "has a value that is not known") : 0;
}

/* What null stands for, where a field may be null. Returns 1 if it may not. */
static int read_null(const struct gw_field *field, void *to)
{
	switch (field->kind) {
	case GW_FIELD_TIME:
	case GW_FIELD_COUNT:
		*(int64_t *)to = GW_ABSENT_NS;
		return 0;
	case GW_FIELD_TID:
		*(uint32_t *)to = 0;
		return 0;
	case GW_FIELD_TEXT_KNOWN:
		*(char *)to = '\0';
		return 0;
	case GW_FIELD_REAL_KNOWN:
		*(double *)to = -1;
		return 0;
	case GW_FIELD_REAL_SET:
		*(double *)to = 0;
		return 0;
	default:
		return 1;
	}
}

static int read_field(const struct gw_json_at *at, const struct gw_field *field, json_t *value,
		      void *to)
{
	int64_t number = 0;
	int err = 0;

	if (json_is_null(value))
		return read_null(field, to) ? gw_json_refuse(at, field->name, "is null") : 0;
	switch (field->kind) {
	case GW_FIELD_TIME:
		return gw_json_read_time(at, field->name, value, to);
	case GW_FIELD_COUNT:
	case GW_FIELD_COUNT_U64:
		err = gw_json_read_integer(at, field->name, value, INT64_MAX, &number);
		*(int64_t *)to = number;
		return err;
	case GW_FIELD_U32:
	case GW_FIELD_TID:
		err = gw_json_read_integer(at, field->name, value, UINT32_MAX, &number);
		*(uint32_t *)to = (uint32_t)number;
		return err;
	case GW_FIELD_BOOL:
		*(int *)to = json_is_true(value);
		return json_is_boolean(value)
			       ? 0
			       : gw_json_refuse(at, field->name, "is not true or false");
	case GW_FIELD_TEXT:
	case GW_FIELD_TEXT_KNOWN:
		return gw_json_read_text(at, field->name, value, to, field->size);
	case GW_FIELD_REAL:
	case GW_FIELD_REAL_KNOWN:
	case GW_FIELD_REAL_SET:
		return gw_json_read_real(at, field->name, value, to);
	case GW_FIELD_ENUM:
		return read_enum(at, field, value, to);
	}
	return -EINVAL;
}

int gw_json_read_fields(const struct gw_json_at *at, json_t *object, const struct gw_fields *fields,
			void *base)
{
	for (size_t i = 0; i < fields->count; i++) {
		const struct gw_field *field = &fields->field[i];
		json_t *value = gw_json_member(at, object, field->name, -1);

		if (!value || read_field(at, field, value, (char *)base + field->offset))
			return -EINVAL;
	}
	return 0;
}

int gw_json_read_object(const struct gw_json_at *at, json_t *object, const char *name,
			const struct gw_fields *fields, void *base)
{
	json_t *inner = gw_json_member(at, object, name, JSON_OBJECT);
	struct gw_json_at here = gw_json_below(at, name, -1);

	return inner ? gw_json_read_fields(&here, inner, fields, base) : -EINVAL;
}

/* "<name>_s" of an object, from index first on. */
int gw_json_read_times(const struct gw_json_at *at, json_t *object, const char *name,
		       const struct gw_names *names, size_t first, int64_t *ns)
{
	json_t *inner = gw_json_member(at, object, name, JSON_OBJECT), *value;
	struct gw_json_at here = gw_json_below(at, name, -1);
	char key[KEY_SIZE];

	if (!inner)
		return -EINVAL;
	for (size_t i = first; i < names->count; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(names, i));
		value = gw_json_member(&here, inner, key, -1);
		if (!value || gw_json_read_time(&here, key, value, &ns[i]))
			return -EINVAL;
	}
	return 0;
}
