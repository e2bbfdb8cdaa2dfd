/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where the functions of an ELF file begin and end, read from its unwind tables: they are there in
 * a stripped file too. A part that the compiler has moved away (`.cold`) is an entry of its own.
 */
#ifndef GW_FUNCTIONS_H
#define GW_FUNCTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/elf_symbols.h"
#include "util/error.h"

struct gw_function {
	uint64_t start, end; /* virtual addresses; end is the first byte after it */
	bool continuation; /* a part whose frame is set up where it begins, so jumped to, not called
			    */
};

struct gw_functions {
	size_t count;
	struct gw_function *function; /* ascending, never overlapping; no PLT stubs */
};

/* 0, or a negative errno with err set: -EINVAL no unwind tables, or damaged ones. */
int gw_functions_load(const struct gw_elf *elf, struct gw_functions *functions,
		      struct gw_error *err);
/*
 * Adds the functions that a symbol table names with their sizes, where no other is yet: what was
 * built without unwind tables has only these. 0 or -ENOMEM.
 */
int gw_functions_add(struct gw_functions *functions, const struct gw_elf_symbols *symbols);
void gw_functions_free(struct gw_functions *functions);

/* The function that holds the address, or NULL. */
const struct gw_function *gw_functions_at(const struct gw_functions *functions, uint64_t address);

#endif
