/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The GILs of a watched process: which there are, and what their memory said when it was looked at.
 */
#ifndef GW_GILS_H
#define GW_GILS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "gilwatch/abi.h"
#include "target/python.h"

struct gw_known_gil {
	uint64_t address;
	int64_t interpreter;
	int python;			/* whose it is, by gw_python.number */
	int missed;			/* looks in a row that did not find it */
	struct gw_gil_view first, last; /* when it was seen first, and last */
};

/* As many as the session has places for. */
struct gw_known_gils {
	size_t count;
	size_t without_place; /* the most at a time */
	struct gw_known_gil gil[GW_GILS_PER_PROCESS];
};

/* NULL: it is not known. */
const struct gw_known_gil *gw_gils_find(const struct gw_known_gils *gils, uint64_t address);

/*
 * Looks at those of the process's GILs that are known, and notes one that is not as far as there is
 * room. Called with all GILs that one of its Pythons has now.
 */
void gw_gils_look(struct gw_known_gils *gils, pid_t pid, const struct gw_python *python);

/* One that has gone for good, as far as can be told; NULL: none. */
struct gw_known_gil *gw_gils_gone(struct gw_known_gils *gils);

/* Makes a record that of another GIL. */
void gw_gils_replace(struct gw_known_gil *known, pid_t pid, const struct gw_python *python,
		     const struct gw_python_gil *gil);

#endif
