/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The names of a file's functions, from the first of these that has a take_gil: its own .symtab
 * (builds from source keep it), the separate debug file of the same build id (Debian's -dbg and
 * -dbgsym packages), the small compressed table in .gnu_debugdata (Fedora and its kin).
 */
#ifndef GW_GIL_NAMES_H
#define GW_GIL_NAMES_H

#include <stddef.h>
#include <stdint.h>

#include "target/elf_symbols.h"

struct gw_gil_names {
	const char *rung; /* "symbols", "debug file", "debugdata"; "" where nothing names take_gil
			   */
	struct gw_elf_symbols table; /* may be there without a take_gil, too: of the file itself */
};

/* debug: descriptors of debug files, -1 for none; one of another build is passed over. 0, -ENOMEM
 * or the errno of a damaged table of the file itself. */
int gw_gil_names_load(const struct gw_elf *elf, const int *debug, size_t debug_count,
		      struct gw_gil_names *names);
void gw_gil_names_free(struct gw_gil_names *names);

/* take_gil itself, a clone or a part of it: take_gil.constprop.0, take_gil.cold. */
int gw_gil_names_is_take_gil(const char *name);

#endif
