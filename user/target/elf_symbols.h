/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The symbols, relocations and notes of an ELF file: by its sections, and where it has none
 * (sstrip cuts them off, and the program runs all the same) by what the dynamic linker goes by.
 */
#ifndef GW_ELF_SYMBOLS_H
#define GW_ELF_SYMBOLS_H

#include <elf.h>
#include <stddef.h>
#include <stdint.h>

#include "target/elf_image.h"

/* A symbol table with its names. */
struct gw_elf_symbols {
	Elf64_Sym *symbol;
	size_t count;
	char *names; /* ends with a 0 byte whatever the file says */
	size_t names_size;
};

/* type: SHT_DYNSYM or SHT_SYMTAB. 0, -ENOENT no such table, or another -errno. */
int gw_elf_symbols_load(const struct gw_elf *elf, uint32_t type, struct gw_elf_symbols *symbols);
void gw_elf_symbols_free(struct gw_elf_symbols *symbols);
/* Never NULL; "" for an index or a name outside the tables. */
const char *gw_elf_symbol_name(const struct gw_elf_symbols *symbols, size_t index);
/* The first defined symbol of that name. 0 or -ENOENT. */
int gw_elf_symbol_find(const struct gw_elf_symbols *symbols, const char *name, Elf64_Sym *symbol);

/* What PT_DYNAMIC says, as far as anybody here asks; addresses are virtual, 0: not said. */
struct gw_elf_dynamic {
	uint64_t symbols, strings, strings_size, hash, gnu_hash;
	uint64_t relocations, relocations_size, plt_relocations, plt_relocations_size;
	uint64_t soname; /* offset in strings, 0: none */
	uint64_t flags_1;
	uint64_t needed[64]; /* as soname, of the first libraries that it needs */
	size_t needed_count;
};

/* 0 or -ENOENT: the file has none, or one that is not readable. */
int gw_elf_dynamic_load(const struct gw_elf *elf, struct gw_elf_dynamic *dynamic);
/* Copies the string at that offset; "" if it is not in the file. */
void gw_elf_dynamic_string(const struct gw_elf *elf, const struct gw_elf_dynamic *dynamic,
			   uint64_t at, char *text, size_t size);

/*
 * Copies what a note of GNU's (NT_GNU_ABI_TAG, NT_GNU_BUILD_ID …) says, cut to room. Returns the
 * bytes copied, 0: there is no such note.
 */
size_t gw_elf_note(const struct gw_elf *elf, uint32_t type, uint8_t *to, size_t room);

/* The build id in hexadecimal, cut to what fits. 0, or -ENOENT with "" if there is none. */
int gw_elf_build_id(const struct gw_elf *elf, char *hex, size_t size);

#endif
