// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/report_json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"

/* Enough for nanoseconds in a year of seconds, and no more: 0.1 stays 0.1. */
#define DIGITS	  15
#define KEY_SIZE  48
#define TEXT_SIZE (3 * 4096 + 1)

#ifndef GW_VERSION
#define GW_VERSION "0.1.0"
#endif

void gw_report_put(struct gw_report *report, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object, name, value))
		report->failed = 1;
}

void gw_report_text(struct gw_report *report, json_t *object, const char *name, const char *text)
{
	char valid[TEXT_SIZE];

	gw_escape_utf8(text, strlen(text), valid, sizeof(valid));
	gw_report_put(report, object, name, json_string(valid));
}

void gw_report_null(struct gw_report *report, json_t *object, const char *name, const char *reason)
{
	char key[KEY_SIZE];

	gw_report_put(report, object, name, json_null());
	snprintf(key, sizeof(key), "%s_reason", name);
	gw_report_text(report, object, key, reason);
}

void gw_report_known(struct gw_report *report, json_t *object, const char *name, const char *text,
		     const char *reason)
{
	if (text[0])
		gw_report_text(report, object, name, text);
	else
		gw_report_null(report, object, name, reason);
}

void gw_report_flag(struct gw_report *report, json_t *object, const char *name, int value,
		    const char *reason)
{
	if (value >= 0)
		gw_report_put(report, object, name, json_boolean(value));
	else
		gw_report_null(report, object, name, reason);
}

json_t *gw_report_python(struct gw_report *report, const struct gw_python_facts *python)
{
	static const char unread[] = "the memory of the process could not be read";
	json_t *object = json_object();

	gw_report_text(report, object, "implementation", python->implementation);
	gw_report_known(report, object, "version", python->version, "its file does not tell");
	gw_report_flag(report, object, "free_threaded", python->free_threaded,
		       "its file does not tell");
	gw_report_flag(report, object, "gil_enabled", python->gil_enabled, unread);
	gw_report_flag(report, object, "shared", python->shared, "its file was not found");
	gw_report_put(report, object, "untested", json_boolean(python->untested));
	gw_report_known(report, object, "file", python->file, "it was not found");
	gw_report_known(report, object, "build_id", python->build_id, "the file has none");
	return object;
}

void gw_report_abilities(struct gw_report *report, json_t *object,
			 const struct gw_named_ability *ability, size_t count)
{
	json_t *can = json_object(), *because = json_object();

	for (size_t i = 0; i < count; i++) {
		const struct gw_ability *one = ability[i].ability;

		gw_report_put(report, can, ability[i].name, json_boolean(one->can));
		if (one->because[0])
			gw_report_text(report, because, ability[i].name, one->because);
		else
			gw_report_put(report, because, ability[i].name, json_null());
	}
	gw_report_put(report, object, "can", can);
	gw_report_put(report, object, "because", because);
}

void gw_report_begin(struct gw_report *report, const char *schema)
{
	report->failed = 0;
	report->root = json_object();
	gw_report_text(report, report->root, "schema", schema);
	gw_report_text(report, report->root, "version", GW_VERSION);
}

int gw_report_end(struct gw_report *report, FILE *out)
{
	int code = report->failed || !report->root ? -ENOMEM : 0;

	if (!code && (json_dumpf(report->root, out, JSON_INDENT(1) | JSON_REAL_PRECISION(DIGITS)) ||
		      fputc('\n', out) == EOF))
		code = -EIO;
	json_decref(report->root);
	report->root = NULL;
	return code;
}
