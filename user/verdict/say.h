/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How rules put their sentence and its evidence together. */
#ifndef GW_VERDICT_SAY_H
#define GW_VERDICT_SAY_H

#include "verdict/facts.h"

/* Appends to the verdict's text; what does not fit is cut. */
void gw_say(struct gw_verdict *verdict, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* "name (tid N)". The name's bytes are the target's: renderers escape them. */
void gw_say_thread(struct gw_verdict *verdict, const struct gw_thread_view *thread);

/* "2 usable CPUs, 1.0 used" */
void gw_say_cpus(struct gw_verdict *verdict, const struct gw_facts *facts);

/* Records a figure that the verdict rests on; the name's suffix is its unit. */
void gw_evidence(struct gw_verdict *verdict, const char *name, double value);
void gw_evidence_cpus(struct gw_verdict *verdict, const struct gw_facts *facts);

/* "", or "s" for all numbers but one. */
const char *gw_plural(uint64_t number);

const char *gw_state_name(enum gw_state state);
const char *gw_where_name(enum gw_where where);

#endif
