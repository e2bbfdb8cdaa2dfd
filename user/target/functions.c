// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/functions.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* dwarf.h names the formats of encoded addresses, but not the masks that take them apart. */
#define ENCODING_FORMAT	     0x0f
#define ENCODING_APPLICATION 0x70
#define ENCODING_INDIRECT    0x80

/* Functions while they are being read, and the one CIE that most FDEs of a file share. */
struct reader {
	const struct gw_elf *elf;
	struct gw_functions *functions;
	size_t capacity;
	uint64_t section_address;
	Elf_Data data;
	Dwarf_Off cie_offset;
	int cie_encoding; /* -1: not understood */
	bool cie_augmented;
	unsigned int cie_frame_settings;
};

static size_t format_size(uint8_t encoding)
{
	switch (encoding & ENCODING_FORMAT) {
	case DW_EH_PE_absptr:
	case DW_EH_PE_udata8:
	case DW_EH_PE_sdata8:
		return 8;
	case DW_EH_PE_udata4:
	case DW_EH_PE_sdata4:
		return 4;
	case DW_EH_PE_udata2:
	case DW_EH_PE_sdata2:
		return 2;
	default:
		return 0; /* LEB128: no compiler uses it for code addresses */
	}
}

static uint64_t read_value(const uint8_t *bytes, uint8_t encoding)
{
	uint64_t value = 0;
	uint32_t word;
	uint16_t half;

	switch (format_size(encoding)) {
	case 8:
		memcpy(&value, bytes, sizeof(value));
		return value;
	case 4:
		memcpy(&word, bytes, sizeof(word));
		return encoding & DW_EH_PE_signed ? (uint64_t)(int64_t)(int32_t)word : word;
	default:
		memcpy(&half, bytes, sizeof(half));
		return encoding & DW_EH_PE_signed ? (uint64_t)(int64_t)(int16_t)half : half;
	}
}

/* The encoding of the addresses in the FDEs of a CIE (augmentation 'R'), or -1. */
static int address_encoding(const Dwarf_CIE *cie)
{
	const uint8_t *data = cie->augmentation_data;
	size_t left = cie->augmentation_data_size, skip;
	const char *letter = cie->augmentation;

	if (!letter || !*letter)
		return DW_EH_PE_absptr;
	if (*letter++ != 'z' || !data)
		return -1;
	for (; *letter; letter++) {
		switch (*letter) {
		case 'R':
			return left ? *data : -1;
		case 'P': /* the personality routine: an encoding and an address in it */
			skip = left ? 1 + format_size(*data) : 0;
			if (skip < 2)
				return -1;
			break;
		case 'L':
			skip = 1;
			break;
		case 'S':
		case 'B':
			skip = 0;
			break;
		default:
			return -1;
		}
		if (skip > left)
			return -1;
		data += skip;
		left -= skip;
	}
	return DW_EH_PE_absptr;
}

static const uint8_t *skip_leb128(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at & 0x80)
		at++;
	return at < end ? at + 1 : end;
}

/*
 * How many instructions say where the frame is, before the first that advances by an instruction or
 * is not understood.
 */
static unsigned int count_frame_settings(const uint8_t *at, const uint8_t *end)
{
	unsigned int count = 0;

	while (at < end) {
		if (*at == DW_CFA_nop) {
			at++;
		} else if ((*at & 0xc0) == DW_CFA_offset) {
			at = skip_leb128(at + 1, end);
		} else if (*at == DW_CFA_def_cfa) {
			at = skip_leb128(skip_leb128(at + 1, end), end);
			count++;
		} else if (*at == DW_CFA_def_cfa_register || *at == DW_CFA_def_cfa_offset) {
			at = skip_leb128(at + 1, end);
			count++;
		} else {
			return count + (*at == DW_CFA_def_cfa_expression);
		}
	}
	return count;
}

static int encoding_of_cie(struct reader *reader, Dwarf_Off offset)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off next;

	if (offset == reader->cie_offset)
		return reader->cie_encoding;
	reader->cie_offset = offset;
	reader->cie_encoding = -1;
	if (offset < reader->data.d_size &&
	    !dwarf_next_cfi(gw_elf_ident(reader->elf), &reader->data, true, offset, &next,
			    &entry) &&
	    dwarf_cfi_cie_p(&entry)) {
		reader->cie_encoding = address_encoding(&entry.cie);
		reader->cie_augmented = entry.cie.augmentation && *entry.cie.augmentation;
		reader->cie_frame_settings = count_frame_settings(
			entry.cie.initial_instructions, entry.cie.initial_instructions_end);
	}
	return reader->cie_encoding;
}

static int add_function(struct reader *reader, uint64_t start, uint64_t size, bool continuation)
{
	struct gw_functions *functions = reader->functions;
	struct gw_function *grown;
	size_t capacity;

	if (!size || size > UINT64_MAX - start)
		return 0;
	if (functions->count == reader->capacity) {
		capacity = reader->capacity ? reader->capacity * 2 : 4096;
		grown = realloc(functions->function, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		functions->function = grown;
		reader->capacity = capacity;
	}
	functions->function[functions->count++] =
		(struct gw_function){start, start + size, continuation};
	return 0;
}

/*
 * Where a function begins, the frame is where the ABI says, and the CIE says so once. An FDE that
 * says it again before it advances by an instruction is of a part that other code jumps to.
 * (Assemblers may move that second setting to a CIE of its own.)
 */
static bool is_continuation(const struct reader *reader, const uint8_t *at, const uint8_t *end)
{
	if (reader->cie_augmented) {
		/* a pointer to a table, or nothing: its length fits one byte */
		if (at >= end || *at >= end - at || *at & 0x80)
			return false;
		at += 1 + *at;
	}
	return reader->cie_frame_settings + count_frame_settings(at, end) > 1;
}

/* An FDE begins with the function's first address and its size, both encoded as its CIE says. */
static int add_fde(struct reader *reader, const Dwarf_FDE *fde)
{
	int encoding = encoding_of_cie(reader, fde->CIE_pointer);
	const uint8_t *begin = reader->data.d_buf;
	size_t size;
	uint64_t start;

	if (encoding < 0 || encoding & ENCODING_INDIRECT)
		return 0;
	size = format_size((uint8_t)encoding);
	if (!size || fde->start < begin || fde->end > begin + reader->data.d_size ||
	    fde->end < fde->start || (size_t)(fde->end - fde->start) < 2 * size)
		return 0;
	start = read_value(fde->start, (uint8_t)encoding);
	switch (encoding & ENCODING_APPLICATION) {
	case DW_EH_PE_absptr:
		break;
	case DW_EH_PE_pcrel:
		start += reader->section_address + (uint64_t)(fde->start - begin);
		break;
	default:
		return 0;
	}
	/* The size is a plain number, whatever the address is relative to. */
	encoding &= ENCODING_FORMAT & ~DW_EH_PE_signed;
	return add_function(reader, start, read_value(fde->start + size, (uint8_t)encoding),
			    is_continuation(reader, fde->start + 2 * size, fde->end));
}

static int read_fdes(struct reader *reader)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off offset = 0, next;
	int code = 0, got;

	while (!code && offset < reader->data.d_size) {
		next = offset;
		got = dwarf_next_cfi(gw_elf_ident(reader->elf), &reader->data, true, offset, &next,
				     &entry);
		/* 1 is the end. An entry it does not understand is skipped if its size is known. */
		if (got > 0 || next <= offset)
			break;
		if (!got && !dwarf_cfi_cie_p(&entry))
			code = add_fde(reader, &entry.fde);
		offset = next;
	}
	return code;
}

static int read_table(struct reader *reader, uint64_t address, uint64_t offset, uint64_t size)
{
	uint8_t *bytes;
	int code = gw_elf_load(reader->elf, offset, size, &bytes);

	if (code)
		return code;
	reader->section_address = address;
	reader->cie_offset = (Dwarf_Off)-1;
	reader->data = (Elf_Data){
		.d_buf = bytes,
		.d_type = ELF_T_BYTE,
		.d_version = EV_CURRENT,
		.d_size = size,
		.d_align = 1,
	};
	code = read_fdes(reader);
	free(bytes);
	return code;
}

static int read_section(struct reader *reader, const char *name)
{
	struct gw_elf_section section;
	int code = gw_elf_section_named(reader->elf, name, &section);

	if (code)
		return code == -ENOENT ? 0 : code;
	/* A separate debug file has the header of the section and not its bytes. */
	if (section.type == SHT_NOBITS)
		return 0;
	return read_table(reader, section.address, section.offset, section.size);
}

/*
 * Without section headers: the header that unwinders go by (.eh_frame_hdr) points to the table; it
 * ends by itself.
 */
static int read_by_header(struct reader *reader)
{
	struct gw_elf_segment header;
	uint64_t address, offset, left;
	uint8_t bytes[12], encoding;

	if (gw_elf_header_typed(reader->elf, PT_GNU_EH_FRAME, 0, &header))
		return 0;
	if (header.file_size < sizeof(bytes) ||
	    gw_elf_read(reader->elf, header.offset, bytes, sizeof(bytes)) || bytes[0] != 1)
		return -EINVAL;
	encoding = bytes[1]; /* of the pointer, which begins behind four bytes */
	if (!format_size(encoding) || (encoding & ENCODING_APPLICATION) != DW_EH_PE_pcrel)
		return -EINVAL;
	address = header.address + 4 + read_value(bytes + 4, encoding);
	if (gw_elf_offset_of(reader->elf, address, &offset))
		return -EINVAL;
	left = gw_elf_file_part(reader->elf, address);
	return read_table(reader, address, offset, left);
}

static int by_start(const void *a, const void *b)
{
	const struct gw_function *left = a, *right = b;

	if (left->start != right->start)
		return left->start < right->start ? -1 : 1;
	return left->end > right->end ? -1 : left->end < right->end;
}

/*
 * Sorts, keeps the longest of several with one start, and ends each where the next begins: a lying
 * table can then make a reader look at each byte of the code once, and not at all of it for each
 * entry.
 */
static void make_disjoint(struct gw_functions *functions)
{
	struct gw_function *function = functions->function;
	size_t i, kept = 0;

	if (functions->count)
		qsort(function, functions->count, sizeof(*function), by_start);
	for (i = 0; i < functions->count; i++) {
		if (kept && function[kept - 1].start == function[i].start)
			continue;
		if (kept && function[kept - 1].end > function[i].start)
			function[kept - 1].end = function[i].start;
		function[kept++] = function[i];
	}
	functions->count = kept;
}

/* The PLT has unwind entries too: each covers a whole table of stubs, and is no function. */
static void drop_stubs(const struct gw_elf *elf, struct gw_functions *functions)
{
	static const char *const table[] = {".plt", ".plt.sec", ".plt.got"};
	struct gw_elf_section section;
	size_t i, n, kept;

	for (n = 0; n < sizeof(table) / sizeof(table[0]); n++) {
		if (gw_elf_section_named(elf, table[n], &section))
			continue;
		for (i = kept = 0; i < functions->count; i++) {
			if (functions->function[i].start - section.address >= section.size)
				functions->function[kept++] = functions->function[i];
		}
		functions->count = kept;
	}
}

int gw_functions_load(const struct gw_elf *elf, struct gw_functions *functions,
		      struct gw_error *err)
{
	struct reader reader = {.elf = elf, .functions = functions};
	int code;

	*functions = (struct gw_functions){0};
	/* BOLT writes a new table and keeps the old one, for the functions that it left in place.
	 */
	code = read_section(&reader, ".eh_frame");
	if (!code)
		code = read_section(&reader, ".bolt.org.eh_frame");
	if (!code && !gw_elf_has_sections(elf))
		code = read_by_header(&reader);
	if (!code) {
		make_disjoint(functions);
		drop_stubs(elf, functions);
	}
	if (!code && functions->count)
		return 0;
	gw_functions_free(functions);
	if (code == -ENOMEM)
		return gw_error_set(err, code, GW_STATUS_FAILURE, "Out of memory.");
	return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
			    "The ELF file has no readable unwind table (.eh_frame), so the "
			    "bounds of its functions are not known.");
}

static bool is_free(const struct gw_functions *functions, uint64_t start, uint64_t end)
{
	size_t low = 0, high = functions->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (functions->function[middle].end <= start)
			low = middle + 1;
		else
			high = middle;
	}
	return low == functions->count || functions->function[low].start >= end;
}

int gw_functions_add(struct gw_functions *functions, const struct gw_elf_symbols *symbols)
{
	struct gw_functions all = {0};
	struct reader reader = {.functions = &all};
	int code = 0;

	for (size_t i = 0; i < symbols->count && !code; i++) {
		const Elf64_Sym *symbol = &symbols->symbol[i];

		if (ELF64_ST_TYPE(symbol->st_info) == STT_FUNC && symbol->st_value &&
		    symbol->st_size <= UINT64_MAX - symbol->st_value &&
		    is_free(functions, symbol->st_value, symbol->st_value + symbol->st_size))
			code = add_function(&reader, symbol->st_value, symbol->st_size, false);
	}
	/* In stripped files the table is most often empty. */
	for (size_t i = 0; all.count && i < functions->count && !code; i++)
		code = add_function(&reader, functions->function[i].start,
				    functions->function[i].end - functions->function[i].start,
				    functions->function[i].continuation);
	if (code || !all.count) {
		gw_functions_free(&all);
		return code;
	}
	make_disjoint(&all);
	gw_functions_free(functions);
	*functions = all;
	return 0;
}

void gw_functions_free(struct gw_functions *functions)
{
	if (!functions)
		return;
	free(functions->function);
	*functions = (struct gw_functions){0};
}

const struct gw_function *gw_functions_at(const struct gw_functions *functions, uint64_t address)
{
	size_t low = 0, high = functions->count, middle;

	while (low < high) {
		middle = low + (high - low) / 2;
		if (functions->function[middle].start <= address)
			low = middle + 1;
		else
			high = middle;
	}
	if (!low || address >= functions->function[low - 1].end)
		return NULL;
	return &functions->function[low - 1];
}
