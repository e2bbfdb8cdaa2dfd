/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Shared libraries that are loaded where they are used: what the dynamic linker writes into a large
 * one as it is loaded stays a process's own memory, which most commands have no use for.
 */
#ifndef GW_LIBRARY_H
#define GW_LIBRARY_H

#include <stddef.h>

#include "util/error.h"

/* A function, and the pointer to it in a table of the caller's. */
struct gw_library_function {
	const char *name;
	size_t offset;
};

/*
 * Loads a library by its soname, and fills in the pointers. 0 or -ENOENT, with err set: it is not
 * there, or lacks one of them. Each load takes one gw_library_unload().
 */
int gw_library_load(const char *soname, const struct gw_library_function *function, size_t count,
		    void *table, void **library, struct gw_error *err);

/* Accepts NULL. */
void gw_library_unload(void *library);

#endif
