// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/plt.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct loader {
	const struct gw_elf *elf;
	const struct gw_elf_code *code;
	const struct gw_elf_symbols *dynamic;
	const struct gw_callee *callees;
	size_t callee_count;
	struct gw_plt *plt;
	uint64_t relocation_bytes; /* read so far */
};

static int id_of(const struct loader *loader, const char *name)
{
	size_t i;

	for (i = 0; i < loader->callee_count; i++) {
		if (!strcmp(loader->callees[i].name, name))
			return loader->callees[i].id;
	}
	return -1;
}

static int add_place(struct gw_plt_places *places, uint64_t address, int id)
{
	struct gw_plt_place *grown;
	size_t capacity;

	if (places->count == places->capacity) {
		capacity = places->capacity ? places->capacity * 2 : 16;
		grown = realloc(places->place, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		places->place = grown;
		places->capacity = capacity;
	}
	places->place[places->count++] = (struct gw_plt_place){address, id};
	return 0;
}

static int by_address(const void *a, const void *b)
{
	const struct gw_plt_place *left = a, *right = b;

	return left->address < right->address ? -1 : left->address > right->address;
}

static void sort_places(struct gw_plt_places *places)
{
	if (places->count)
		qsort(places->place, places->count, sizeof(*places->place), by_address);
}

static int id_at(const struct gw_plt_places *places, uint64_t address)
{
	size_t low = 0, high = places->count, middle;

	/* Nearly every call leads somewhere else, and the places lie close together. */
	if (!high || address < places->place[0].address ||
	    address > places->place[high - 1].address)
		return -1;
	while (low < high) {
		middle = low + (high - low) / 2;
		if (places->place[middle].address == address)
			return places->place[middle].id;
		if (places->place[middle].address < address)
			low = middle + 1;
		else
			high = middle;
	}
	return -1;
}

/* The relocations that make the dynamic linker write a function's plain address. */
static int writes_address(uint32_t type)
{
	return type == R_X86_64_JUMP_SLOT || type == R_X86_64_GLOB_DAT || type == R_X86_64_64;
}

static int add_slots(struct loader *loader, const Elf64_Rela *rela, size_t count)
{
	const struct gw_elf_symbols *dynamic = loader->dynamic;
	size_t i;
	int id, code;

	for (i = 0; i < count; i++) {
		if (!writes_address(ELF64_R_TYPE(rela[i].r_info)) || rela[i].r_addend)
			continue;
		id = id_of(loader, gw_elf_symbol_name(dynamic, ELF64_R_SYM(rela[i].r_info)));
		if (id < 0)
			continue;
		code = add_place(&loader->plt->slots, rela[i].r_offset, id);
		if (code)
			return code;
	}
	return 0;
}

static int read_table(struct loader *loader, uint64_t offset, uint64_t size)
{
	uint8_t *bytes;
	int code;

	/* Thousands of sections may name the same bytes: the whole is bounded as well. */
	if (size > gw_elf_file_size(loader->elf) - loader->relocation_bytes)
		return -EINVAL;
	loader->relocation_bytes += size;
	code = gw_elf_load(loader->elf, offset, size, &bytes);
	if (code)
		return code;
	code = add_slots(loader, (const Elf64_Rela *)(const void *)bytes,
			 size / sizeof(Elf64_Rela));
	free(bytes);
	return code;
}

/* .rela.plt and .rela.dyn; a PLT stub of -z now jumps through a slot of the latter (.plt.got). */
static int read_section(const struct gw_elf_section *section, void *data)
{
	if (section->type != SHT_RELA || !(section->flags & SHF_ALLOC))
		return 0;
	return read_table(data, section->offset, section->size);
}

/* The same two tables by what the dynamic linker goes by. */
static int read_by_dynamic(struct loader *loader)
{
	struct gw_elf_dynamic dynamic;
	uint64_t offset;
	int code = 0;

	if (gw_elf_dynamic_load(loader->elf, &dynamic))
		return 0;
	if (dynamic.relocations && !gw_elf_offset_of(loader->elf, dynamic.relocations, &offset))
		code = read_table(loader, offset, dynamic.relocations_size);
	if (!code && dynamic.plt_relocations &&
	    !gw_elf_offset_of(loader->elf, dynamic.plt_relocations, &offset))
		code = read_table(loader, offset, dynamic.plt_relocations_size);
	return code;
}

/*
 * Symbols that have an address: a function in this very file, or an imported one whose address is a
 * PLT stub (a program that is not position independent and takes the function's address).
 */
static int add_symbols(struct loader *loader, const struct gw_elf_symbols *symbols)
{
	const Elf64_Sym *symbol;
	size_t i;
	int id, code;

	for (i = 0; i < symbols->count; i++) {
		symbol = &symbols->symbol[i];
		if (!symbol->st_value || ELF64_ST_TYPE(symbol->st_info) > STT_FUNC ||
		    ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT)
			continue;
		id = id_of(loader, gw_elf_symbol_name(symbols, i));
		if (id < 0)
			continue;
		code = add_place(&loader->plt->entries, symbol->st_value, id);
		if (code)
			return code;
	}
	return 0;
}

/* A jump through one of the slots: every address from which a stub leads to it is an entry. */
static int add_stub(const struct gw_flow *flow, void *data)
{
	struct loader *loader = data;
	uint64_t available, slot, address;
	const uint8_t *bytes;
	int id, code, back;

	if (flow->kind != GW_FLOW_JUMP_SLOT)
		return 0;
	id = id_at(&loader->plt->slots, flow->target);
	if (id < 0)
		return 0;
	for (back = 0; back <= GW_STUB_HEAD_MAX; back++) {
		address = flow->address - (uint64_t)back;
		bytes = gw_elf_code_at(loader->code, address, &available);
		if (!bytes || !gw_decode_stub(bytes, available, address, &slot) ||
		    slot != flow->target)
			continue;
		code = add_place(&loader->plt->entries, address, id);
		if (code)
			return code;
	}
	return 0;
}

static int find_stubs(struct loader *loader)
{
	const struct gw_elf_code_range *range;
	size_t i;
	int code = 0;

	if (!loader->plt->slots.count)
		return 0;
	for (i = 0; i < loader->code->count && !code; i++) {
		range = &loader->code->range[i];
		code = gw_scan(range->bytes, range->size, range->address, add_stub, loader);
	}
	return code;
}

int gw_plt_load(const struct gw_elf *elf, const struct gw_elf_code *code,
		const struct gw_elf_symbols *dynamic, const struct gw_elf_symbols *table,
		const struct gw_callee *callees, size_t count, struct gw_plt *plt)
{
	struct loader loader = {
		.elf = elf,
		.code = code,
		.dynamic = dynamic,
		.callees = callees,
		.callee_count = count,
		.plt = plt,
	};
	int error;

	*plt = (struct gw_plt){0};
	error = gw_elf_has_sections(elf) ? gw_elf_each_section(elf, read_section, &loader)
					 : read_by_dynamic(&loader);
	if (!error) {
		sort_places(&plt->slots);
		error = find_stubs(&loader);
	}
	if (!error)
		error = add_symbols(&loader, dynamic);
	if (!error)
		error = add_symbols(&loader, table);
	sort_places(&plt->entries);
	if (error)
		gw_plt_free(plt);
	return error;
}

void gw_plt_free(struct gw_plt *plt)
{
	if (!plt)
		return;
	free(plt->entries.place);
	free(plt->slots.place);
	*plt = (struct gw_plt){0};
}

int gw_plt_callee(const struct gw_plt *plt, const struct gw_flow *flow)
{
	switch (flow->kind) {
	case GW_FLOW_CALL:
		return id_at(&plt->entries, flow->target);
	case GW_FLOW_CALL_SLOT:
	case GW_FLOW_LOAD_SLOT:
		return id_at(&plt->slots, flow->target);
	default:
		return -1;
	}
}
