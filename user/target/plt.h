/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Which calls in an ELF file go to certain library functions: through a PLT stub, through the GOT
 * slot itself (-fno-plt), or straight to the function where it is in the same file (static
 * programs).
 */
#ifndef GW_PLT_H
#define GW_PLT_H

#include <stddef.h>
#include <stdint.h>

#include "target/decode_x86.h"
#include "target/elf_symbols.h"

/* One of the functions looked for; the id is the caller's own, 0 or more. */
struct gw_callee {
	const char *name;
	int id;
};

struct gw_plt_place {
	uint64_t address;
	int id;
};

struct gw_plt_places {
	size_t count, capacity;
	struct gw_plt_place *place; /* ascending by address */
};

struct gw_plt {
	struct gw_plt_places entries; /* where a call of it leads: stubs, functions */
	struct gw_plt_places slots;   /* GOT slots that hold its address */
};

/*
 * Finds the places of the callees. dynamic and table are .dynsym and .symtab, either may be empty.
 * 0 (also if there are none), or -ENOMEM, or -EINVAL damaged relocations.
 */
int gw_plt_load(const struct gw_elf *elf, const struct gw_elf_code *code,
		const struct gw_elf_symbols *dynamic, const struct gw_elf_symbols *table,
		const struct gw_callee *callees, size_t count, struct gw_plt *plt);
void gw_plt_free(struct gw_plt *plt);

/*
 * The id of the callee that a call, or a load of a slot, is about; -1: none of them. A call through
 * a register says nothing by itself.
 */
int gw_plt_callee(const struct gw_plt *plt, const struct gw_flow *flow);

#endif
