/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names of the model's enumerations as the JSON has them; files are read back by them. */
#ifndef GW_NAMES_H
#define GW_NAMES_H

#include <stddef.h>

struct gw_names {
	size_t count;
	const char *const *name;
};

extern const struct gw_names gw_state_names;	/* enum gw_state */
extern const struct gw_names gw_where_names;	/* enum gw_where */
extern const struct gw_names gw_holder_names;	/* enum gw_holder, after all of enum gw_where */
extern const struct gw_names gw_distance_names; /* enum gw_distance */
extern const struct gw_names gw_severity_names; /* enum gw_severity */
extern const struct gw_names gw_basis_names;	/* enum gw_basis_kind */
extern const struct gw_names gw_open_names;	/* enum gw_open_kind */
extern const struct gw_names gw_ended_names;	/* enum gw_ended */

/* The name of a value; "?" for one that has none. */
const char *gw_name(const struct gw_names *names, size_t value);

/* The value of a name, or -1. */
int gw_name_find(const struct gw_names *names, const char *name);

#endif
