// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/elf_symbols.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A build id is 20 bytes by default; longer ones are cut. */
#define BUILD_ID_MAX 64
/* Far above what any file has; a note can say that it is 4 GiB long. */
#define NOTE_BYTES_MAX (64u << 10)
#define NOTES_MAX      64

/* ---- by sections ---- */

static int load_names(const struct gw_elf *elf, uint64_t offset, uint64_t size,
		      struct gw_elf_symbols *symbols)
{
	uint8_t *bytes, *longer;
	int code = gw_elf_load(elf, offset, size, &bytes);

	if (code)
		return code;
	longer = realloc(bytes, size + 1);
	if (!longer) {
		free(bytes);
		return -ENOMEM;
	}
	longer[size] = '\0';
	symbols->names = (char *)longer;
	symbols->names_size = size;
	return 0;
}

/* The symbols of a 32-bit file, as if they were of a 64-bit one. */
static int load_narrow_table(const struct gw_elf *elf, uint64_t offset, uint64_t size,
			     struct gw_elf_symbols *symbols)
{
	size_t count = size / sizeof(Elf32_Sym);
	uint8_t *bytes;
	Elf32_Sym from;
	int code = gw_elf_load(elf, offset, size, &bytes);

	if (code)
		return code;
	symbols->symbol = calloc(count ? count : 1, sizeof(*symbols->symbol));
	for (size_t i = 0; symbols->symbol && i < count; i++) {
		memcpy(&from, bytes + i * sizeof(from), sizeof(from));
		symbols->symbol[i] = (Elf64_Sym){
			.st_name = from.st_name,
			.st_info = from.st_info,
			.st_shndx = from.st_shndx,
			.st_value = from.st_value,
			.st_size = from.st_size,
		};
	}
	free(bytes);
	symbols->count = symbols->symbol ? count : 0;
	return symbols->symbol ? 0 : -ENOMEM;
}

static int load_table(const struct gw_elf *elf, uint64_t offset, uint64_t size,
		      struct gw_elf_symbols *symbols)
{
	uint8_t *bytes;
	int code = gw_elf_load(elf, offset, size, &bytes);

	if (code)
		return code;
	symbols->symbol = (Elf64_Sym *)(void *)bytes;
	symbols->count = size / sizeof(*symbols->symbol);
	return 0;
}

static int load_by_section(const struct gw_elf *elf, const struct gw_elf_section *section,
			   struct gw_elf_symbols *symbols)
{
	struct gw_elf_section names;
	int code;

	if (gw_elf_section_at(elf, section->link, &names) || names.type != SHT_STRTAB)
		return -EINVAL;
	code = gw_elf_is_narrow(elf)
		       ? load_narrow_table(elf, section->offset, section->size, symbols)
		       : load_table(elf, section->offset, section->size, symbols);
	return code ? code : load_names(elf, names.offset, names.size, symbols);
}

/* ---- by PT_DYNAMIC ---- */

static void note_entry(struct gw_elf_dynamic *dynamic, const Elf64_Dyn *entry)
{
	const struct {
		int64_t tag;
		uint64_t *to;
	} wanted[] = {
		{DT_SYMTAB, &dynamic->symbols},
		{DT_STRTAB, &dynamic->strings},
		{DT_STRSZ, &dynamic->strings_size},
		{DT_HASH, &dynamic->hash},
		{DT_GNU_HASH, &dynamic->gnu_hash},
		{DT_RELA, &dynamic->relocations},
		{DT_RELASZ, &dynamic->relocations_size},
		{DT_JMPREL, &dynamic->plt_relocations},
		{DT_PLTRELSZ, &dynamic->plt_relocations_size},
		{DT_SONAME, &dynamic->soname},
		{DT_FLAGS_1, &dynamic->flags_1},
	};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (entry->d_tag == wanted[i].tag)
			*wanted[i].to = entry->d_un.d_val;
	if (entry->d_tag == DT_NEEDED &&
	    dynamic->needed_count < sizeof(dynamic->needed) / sizeof(dynamic->needed[0]))
		dynamic->needed[dynamic->needed_count++] = entry->d_un.d_val;
}

int gw_elf_dynamic_load(const struct gw_elf *elf, struct gw_elf_dynamic *dynamic)
{
	struct gw_elf_segment segment;
	uint8_t *bytes;
	Elf64_Dyn entry;

	*dynamic = (struct gw_elf_dynamic){0};
	if (gw_elf_is_narrow(elf) || gw_elf_header_typed(elf, PT_DYNAMIC, 0, &segment) ||
	    segment.file_size > NOTE_BYTES_MAX ||
	    gw_elf_load(elf, segment.offset, segment.file_size, &bytes))
		return -ENOENT;
	for (size_t at = 0; at + sizeof(entry) <= segment.file_size; at += sizeof(entry)) {
		memcpy(&entry, bytes + at, sizeof(entry));
		if (entry.d_tag == DT_NULL)
			break;
		note_entry(dynamic, &entry);
	}
	free(bytes);
	return 0;
}

void gw_elf_dynamic_string(const struct gw_elf *elf, const struct gw_elf_dynamic *dynamic,
			   uint64_t at, char *text, size_t size)
{
	uint64_t offset, left;

	memset(text, 0, size);
	if (at >= dynamic->strings_size || gw_elf_offset_of(elf, dynamic->strings, &offset))
		return;
	left = dynamic->strings_size - at;
	/* The last byte stays 0; one that cannot be read leaves nothing half done. */
	if (gw_elf_read(elf, offset + at, text, left < size - 1 ? (size_t)left : size - 1))
		text[0] = '\0';
}

static int read_word(const struct gw_elf *elf, uint64_t address, uint32_t *word)
{
	uint64_t offset;

	if (gw_elf_offset_of(elf, address, &offset))
		return -EINVAL;
	return gw_elf_read(elf, offset, word, sizeof(*word));
}

/* DT_GNU_HASH has no count: the last symbol is the end of the chain of the highest bucket. */
static int count_by_gnu_hash(const struct gw_elf *elf, uint64_t hash, uint64_t *count)
{
	uint32_t head[4], bucket, word, highest = 0;
	uint64_t buckets, chains;
	int code = 0;

	for (uint32_t i = 0; i < 4 && !code; i++) /* buckets, first symbol, bloom words, shift */
		code = read_word(elf, hash + 4 * i, &head[i]);
	if (code)
		return code;
	buckets = hash + sizeof(head) + (uint64_t)head[2] * 8;
	chains = buckets + (uint64_t)head[0] * 4;
	for (uint32_t i = 0; i < head[0] && !code; i++) {
		code = read_word(elf, buckets + 4ULL * i, &bucket);
		highest = !code && bucket > highest ? bucket : highest;
	}
	*count = head[1];
	if (code || highest < head[1])
		return code;
	do {
		code = read_word(elf, chains + 4ULL * (highest - head[1]), &word);
		highest++;
	} while (!code && !(word & 1) && highest);
	*count = highest;
	return code;
}

static int load_by_dynamic(const struct gw_elf *elf, struct gw_elf_symbols *symbols)
{
	struct gw_elf_dynamic dynamic;
	uint64_t table, names, count;
	uint32_t chains;
	int code;

	if (gw_elf_dynamic_load(elf, &dynamic) || !dynamic.symbols || !dynamic.strings)
		return -ENOENT;
	if (gw_elf_offset_of(elf, dynamic.symbols, &table) ||
	    gw_elf_offset_of(elf, dynamic.strings, &names))
		return -EINVAL;
	if (dynamic.hash) {
		code = read_word(elf, dynamic.hash + 4, &chains);
		count = chains;
	} else {
		code = dynamic.gnu_hash ? count_by_gnu_hash(elf, dynamic.gnu_hash, &count)
					: -ENOENT;
	}
	if (!code)
		code = load_table(elf, table, count * sizeof(Elf64_Sym), symbols);
	return code ? code : load_names(elf, names, dynamic.strings_size, symbols);
}

/* ---- either ---- */

int gw_elf_symbols_load(const struct gw_elf *elf, uint32_t type, struct gw_elf_symbols *symbols)
{
	struct gw_elf_section section;
	int code;

	*symbols = (struct gw_elf_symbols){0};
	code = gw_elf_section_typed(elf, type, &section);
	/* A separate debug file has the header of .dynsym, and not its bytes. */
	if (!code)
		code = load_by_section(elf, &section, symbols);
	else if (code == -ENOENT && type == SHT_DYNSYM && !gw_elf_has_sections(elf))
		code = load_by_dynamic(elf, symbols);
	if (code)
		gw_elf_symbols_free(symbols);
	return code;
}

void gw_elf_symbols_free(struct gw_elf_symbols *symbols)
{
	if (!symbols)
		return;
	free(symbols->symbol);
	free(symbols->names);
	*symbols = (struct gw_elf_symbols){0};
}

const char *gw_elf_symbol_name(const struct gw_elf_symbols *symbols, size_t index)
{
	if (index >= symbols->count || symbols->symbol[index].st_name >= symbols->names_size)
		return "";
	return symbols->names + symbols->symbol[index].st_name;
}

int gw_elf_symbol_find(const struct gw_elf_symbols *symbols, const char *name, Elf64_Sym *symbol)
{
	size_t i;

	for (i = 0; i < symbols->count; i++) {
		if (symbols->symbol[i].st_shndx == SHN_UNDEF ||
		    strcmp(gw_elf_symbol_name(symbols, i), name) != 0)
			continue;
		*symbol = symbols->symbol[i];
		return 0;
	}
	return -ENOENT;
}

/* ---- notes ---- */

static void print_hex(const uint8_t *bytes, size_t count, char *hex, size_t size)
{
	size_t i;

	for (i = 0; i < count && 2 * i + 2 < size; i++)
		snprintf(hex + 2 * i, 3, "%02x", bytes[i]);
}

/* What is looked for among the notes of GNU's, and what is found. */
struct note_search {
	const struct gw_elf *elf;
	uint32_t type;
	uint8_t *to;
	size_t room, length; /* length 0: not found */
	size_t blocks;
};

static void search_block(struct note_search *search, const uint8_t *notes, size_t size)
{
	Elf64_Nhdr note;
	size_t name, description, at = 0;

	while (size - at >= sizeof(note)) {
		memcpy(&note, notes + at, sizeof(note));
		at += sizeof(note);
		name = ((size_t)note.n_namesz + 3) & ~(size_t)3;
		description = ((size_t)note.n_descsz + 3) & ~(size_t)3;
		if (name > size - at || note.n_descsz > size - at - name)
			return;
		if (note.n_type == search->type && note.n_namesz == sizeof(ELF_NOTE_GNU) &&
		    !memcmp(notes + at, ELF_NOTE_GNU, sizeof(ELF_NOTE_GNU))) {
			search->length =
				note.n_descsz < search->room ? note.n_descsz : search->room;
			memcpy(search->to, notes + at + name, search->length);
			return;
		}
		if (description > size - at - name)
			return;
		at += name + description;
	}
}

static void search_notes(struct note_search *search, uint64_t offset, uint64_t size)
{
	uint8_t *notes;

	if (size > NOTE_BYTES_MAX || search->blocks++ >= NOTES_MAX ||
	    gw_elf_load(search->elf, offset, size, &notes))
		return;
	search_block(search, notes, size);
	free(notes);
}

static int search_section(const struct gw_elf_section *section, void *data)
{
	struct note_search *search = data;

	if (section->type == SHT_NOTE)
		search_notes(search, section->offset, section->size);
	return search->length > 0;
}

size_t gw_elf_note(const struct gw_elf *elf, uint32_t type, uint8_t *to, size_t room)
{
	struct note_search search = {.elf = elf, .type = type, .to = to, .room = room};
	struct gw_elf_segment segment;

	/* By sections first: the program headers of a debug file may be those of the whole one. */
	gw_elf_each_section(elf, search_section, &search);
	search.blocks = 0;
	for (size_t i = 0;
	     !search.length && i < NOTES_MAX && !gw_elf_header_typed(elf, PT_NOTE, i, &segment);
	     i++)
		search_notes(&search, segment.offset, segment.file_size);
	return search.length;
}

int gw_elf_build_id(const struct gw_elf *elf, char *hex, size_t size)
{
	uint8_t id[BUILD_ID_MAX];
	size_t length = gw_elf_note(elf, NT_GNU_BUILD_ID, id, sizeof(id));

	if (size)
		hex[0] = '\0';
	print_hex(id, length, hex, size);
	return length ? 0 : -ENOENT;
}
