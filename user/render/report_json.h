/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Writing JSON reports with jansson. A value that could not be made is an error of the whole
 * document, told at its end: jansson's _new functions take NULL and fail.
 */
#ifndef GW_REPORT_JSON_H
#define GW_REPORT_JSON_H

#include <jansson.h>
#include <stdio.h>

#include "model/listing.h"

struct gw_report {
	json_t *root;
	int failed;
};

/* A document with its schema's name and the program's version. */
void gw_report_begin(struct gw_report *report, const char *schema);

/* Each puts one member into object. */
void gw_report_put(struct gw_report *report, json_t *object, const char *name, json_t *value);
/* Bytes of the target: what is not UTF-8 becomes U+FFFD. */
void gw_report_text(struct gw_report *report, json_t *object, const char *name, const char *text);
/* null where text is "", with name_reason beside it. */
void gw_report_known(struct gw_report *report, json_t *object, const char *name, const char *text,
		     const char *reason);
/* null where value is negative, with name_reason beside it. */
void gw_report_flag(struct gw_report *report, json_t *object, const char *name, int value,
		    const char *reason);
void gw_report_null(struct gw_report *report, json_t *object, const char *name, const char *reason);

/* The members that list and doctor have in common. */
json_t *gw_report_python(struct gw_report *report, const struct gw_python_facts *python);
struct gw_named_ability {
	const char *name;
	const struct gw_ability *ability;
};
/* "can" and "because". */
void gw_report_abilities(struct gw_report *report, json_t *object,
			 const struct gw_named_ability *ability, size_t count);

/* Writes and frees the document. 0, -ENOMEM, or -EIO. */
int gw_report_end(struct gw_report *report, FILE *out);

#endif
