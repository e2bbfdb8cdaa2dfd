// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/runtime_symbols.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/elf_symbols.h"

/* Far above what any Python has, in all its sections. */
#define RODATA_BYTES_MAX (64u << 20)
#define CHUNK		 65536
#define VERSION_TEXT_MAX 16

struct view {
	struct gw_elf *elf;
	struct gw_runtime_symbols *out;
	uint64_t version_address, version_size;
	uint64_t scanned; /* bytes looked through for a version */
};

static void note_symbol(struct view *v, const char *name, const Elf64_Sym *symbol)
{
	struct gw_runtime_symbols *out = v->out;

	if (name[0] == '_') {
		if (strcmp(name, "_PyRuntime") == 0 && ELF64_ST_TYPE(symbol->st_info) == STT_OBJECT)
			out->runtime = symbol->st_value;
		else if (strcmp(name, "_Py_DecRefShared") == 0)
			out->free_threaded = 1;
		else if (strcmp(name, "__init_libc") == 0) /* in a static program */
			out->libc = GW_LIBC_MUSL;
	} else if (name[0] == 'P') {
		if (strcmp(name, "Py_Version") == 0) {
			v->version_address = symbol->st_value;
			v->version_size = symbol->st_size;
		} else if (strcmp(name, "PyEval_SaveThread") == 0) {
			out->old_python = 1;
		} else if (strncmp(name, "PyPyEval_", 9) == 0) {
			out->pypy = 1; /* cpyext renames all of the C API */
		}
	} else if (name[0] == 'p' || name[0] == 'r') {
		if (strcmp(name, "pypy_main_startup") == 0 ||
		    strcmp(name, "pypy_execute_source") == 0 ||
		    strcmp(name, "rpython_startup_code") == 0)
			out->pypy = 1;
	}
}

static int read_symbols(struct view *v, uint32_t type)
{
	struct gw_elf_symbols symbols;
	int code = gw_elf_symbols_load(v->elf, type, &symbols);

	/* No table says nothing, and neither does one that is not all there. */
	if (code)
		return code == -ENOMEM ? code : 0;
	for (size_t i = 0; i < symbols.count; i++)
		if (symbols.symbol[i].st_shndx != SHN_UNDEF)
			note_symbol(v, gw_elf_symbol_name(&symbols, i), &symbols.symbol[i]);
	gw_elf_symbols_free(&symbols);
	return 0;
}

/* musl's name is libc.so, where it is installed beside another libc, or libc.musl-x86_64.so.1. */
static int is_musl(const char *library)
{
	return strcmp(library, "libc.so") == 0 || strncmp(library, "libc.musl-", 10) == 0 ||
	       strncmp(library, "ld-musl-", 8) == 0;
}

/* The loader that a program asks for: /lib/ld-musl-x86_64.so.1. */
static int asks_for_musl(const struct gw_elf *elf)
{
	struct gw_elf_segment segment;
	char path[64] = "";

	return !gw_elf_header_typed(elf, PT_INTERP, 0, &segment) &&
	       segment.file_size < sizeof(path) &&
	       !gw_elf_read(elf, segment.offset, path, segment.file_size) &&
	       strstr(path, "/ld-musl-");
}

static void read_dynamic(struct view *v)
{
	struct gw_elf_dynamic dynamic;
	char library[32];

	if (asks_for_musl(v->elf))
		v->out->libc = GW_LIBC_MUSL;
	if (gw_elf_dynamic_load(v->elf, &dynamic))
		return;
	if (dynamic.soname)
		gw_elf_dynamic_string(v->elf, &dynamic, dynamic.soname, v->out->soname,
				      sizeof(v->out->soname));
	for (size_t i = 0; i < dynamic.needed_count; i++) {
		gw_elf_dynamic_string(v->elf, &dynamic, dynamic.needed[i], library,
				      sizeof(library));
		if (is_musl(library))
			v->out->libc = GW_LIBC_MUSL;
	}
}

/*
 * A static program names no library to tell its libc by, and once stripped has no symbol of it. But
 * glibc's start code brings a note into every program that it begins (csu/abi-note.c), and that of
 * musl and others does not.
 */
static int is_static_without_glibc(const struct gw_elf *elf)
{
	struct gw_elf_dynamic dynamic;
	struct gw_elf_segment interpreter;
	uint8_t tag[16];

	if (!gw_elf_dynamic_load(elf, &dynamic) &&
	    (!(dynamic.flags_1 & DF_1_PIE) || dynamic.needed_count ||
	     !gw_elf_header_typed(elf, PT_INTERP, 0, &interpreter)))
		return 0;
	return !gw_elf_note(elf, NT_GNU_ABI_TAG, tag, sizeof(tag));
}

static void read_loads(struct view *v)
{
	struct gw_runtime_symbols *out = v->out;
	const struct gw_elf_segment *segment;
	size_t count = gw_elf_segments(v->elf, &segment);

	for (size_t i = 0; i < count && i < GW_RUNTIME_LOADS_MAX; i++) {
		out->load[out->load_count++] = (struct gw_runtime_load){
			.offset = segment[i].offset,
			.address = segment[i].address,
			.file_size = segment[i].file_size,
			.executable = (segment[i].flags & PF_X) != 0,
		};
	}
}

/* `const unsigned long Py_Version = PY_VERSION_HEX` (Python/getversion.c): its value in the file.
 */
static void read_py_version(struct view *v)
{
	int narrow = gw_elf_is_narrow(v->elf);
	uint64_t value = 0, offset;
	uint32_t narrow_value = 0;
	void *to = narrow ? (void *)&narrow_value : &value;
	size_t size = narrow ? sizeof(narrow_value) : sizeof(value);

	if (v->version_size != size || gw_elf_offset_of(v->elf, v->version_address, &offset) ||
	    gw_elf_read(v->elf, offset, to, size))
		return;
	if (narrow)
		value = narrow_value;
	if (value <= UINT32_MAX)
		v->out->version_hex = (uint32_t)value;
}

static unsigned int parse_number(const char **text, const char *end)
{
	const char *at = *text;
	unsigned int value = 0;

	while (at < end && at - *text < 3 && isdigit((unsigned char)*at))
		value = value * 10 + (unsigned int)(*at++ - '0');
	if (at == *text || (at - *text > 1 && **text == '0') || value > 255)
		value = UINT32_MAX;
	*text = at;
	return value;
}

uint32_t gw_runtime_parse_version(const char *text, size_t length)
{
	const char *end = text + length;
	unsigned int major, minor, micro, level = 0xf, serial = 0;

	major = parse_number(&text, end);
	if (major > 3 || text == end || *text++ != '.')
		return 0;
	minor = parse_number(&text, end);
	if (minor > 255 || text == end || *text++ != '.')
		return 0;
	micro = parse_number(&text, end);
	if (micro > 255)
		return 0;
	if (text < end && strchr("abr", *text)) {
		level = *text == 'a' ? 0xa : *text == 'b' ? 0xb : 0xc;
		text++;
		if (level == 0xc && (text == end || *text++ != 'c'))
			return 0;
		serial = parse_number(&text, end);
		if (serial > 15)
			return 0;
	}
	if (text < end && *text == '+') /* a build from between two releases */
		text++;
	if (text != end)
		return 0;
	return major << 24 | minor << 16 | micro << 8 | level << 4 | serial;
}

static void note_version(struct gw_runtime_versions *versions, uint32_t version)
{
	for (size_t i = 0; i < versions->count; i++)
		if (versions->hex[i] == version)
			return;
	if (versions->count < GW_RUNTIME_VERSIONS_MAX)
		versions->hex[versions->count++] = version;
}

/* 2.7, and 3.0 to 3.12, whose runtime does not say itself; that keeps out SQLite's "3.40.1". */
static int is_wanted(uint32_t version)
{
	return version >> 16 == 0x207 || (version >> 24 == 3 && (version >> 16 & 0xff) <= 12);
}

/* As isdigit, but without a call: it is asked of every string of a file. */
static inline int is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Looks at the end of every string: is it a PY_VERSION, and is that all of it? */
static void scan_chunk(struct gw_runtime_symbols *out, const char *bytes, size_t size)
{
	/* A plain loop: half of such data is NULs, for which memchr would be called one by one. */
	for (const char *stop = bytes + 1; stop < bytes + size; stop++) {
		const char *at = stop;
		uint32_t version;

		if (*stop || !(is_digit(stop[-1]) || stop[-1] == '+'))
			continue;
		while (at > bytes && at[-1] && strchr("0123456789.abrc+", at[-1]) &&
		       stop - at <= VERSION_TEXT_MAX)
			at--;
		if (at == bytes || stop - at > VERSION_TEXT_MAX)
			continue;
		version = gw_runtime_parse_version(at, (size_t)(stop - at));
		if (is_wanted(version))
			note_version(at[-1] ? &out->tails : &out->strings, version);
	}
}

static void scan_range(struct view *v, uint64_t offset, uint64_t size)
{
	char *chunk = size <= RODATA_BYTES_MAX - v->scanned ? malloc(CHUNK) : NULL;

	if (chunk)
		v->scanned += size;
	for (uint64_t done = 0; chunk && done < size;) {
		size_t want = size - done < CHUNK ? (size_t)(size - done) : CHUNK;

		if (gw_elf_read(v->elf, offset + done, chunk, want))
			break;
		scan_chunk(v->out, chunk, want);
		if (want <= 2 * VERSION_TEXT_MAX || done + want >= size)
			break;
		/* Chunks overlap, so that a string on the border is whole in one of them. */
		done += want - 2 * VERSION_TEXT_MAX;
	}
	free(chunk);
}

static int scan_section(const struct gw_elf_section *section, void *data)
{
	if (section->type == SHT_PROGBITS && strncmp(section->name, ".rodata", 7) == 0)
		scan_range(data, section->offset, section->size);
	return 0;
}

static void scan_read_only_data(struct view *v)
{
	const struct gw_elf_segment *segment;
	size_t count = gw_elf_segments(v->elf, &segment);

	gw_elf_each_section(v->elf, scan_section, v);
	for (size_t i = 0; !gw_elf_has_sections(v->elf) && i < count; i++)
		if (!(segment[i].flags & (PF_W | PF_X)))
			scan_range(v, segment[i].offset, segment[i].file_size);
}

static int read_all(struct view *v)
{
	struct gw_runtime_symbols *out = v->out;
	struct gw_elf_section section;
	int code;

	read_loads(v);
	code = read_symbols(v, SHT_DYNSYM);
	/* A fully static program, or one that exports nothing, has its symbols only there. */
	if (!code && !v->version_address && !out->old_python && !out->pypy)
		code = read_symbols(v, SHT_SYMTAB);
	if (code)
		return code;
	/* _PyRuntime alone is in a section of this name since 3.10 (Python/pylifecycle.c). */
	if (!out->runtime && !gw_elf_section_named(v->elf, ".PyRuntime", &section))
		out->runtime = section.address;
	read_dynamic(v);
	if (out->libc == GW_LIBC_GLIBC && is_static_without_glibc(v->elf))
		out->libc = GW_LIBC_OTHER;
	gw_elf_build_id(v->elf, out->build_id, sizeof(out->build_id));
	read_py_version(v);
	if (!out->version_hex && (out->runtime || out->old_python))
		scan_read_only_data(v);
	return 0;
}

static int is_narrow(int fd)
{
	unsigned char ident[EI_NIDENT];

	return pread(fd, ident, sizeof(ident), 0) == (ssize_t)sizeof(ident) &&
	       memcmp(ident, ELFMAG, SELFMAG) == 0 && ident[EI_CLASS] == ELFCLASS32;
}

static int read_file(struct view *v, int (*open)(int fd, struct gw_elf **elf, struct gw_error *err),
		     int fd)
{
	int code = open(fd, &v->elf, NULL);

	if (code)
		return code;
	code = read_all(v);
	gw_elf_close(v->elf);
	return code;
}

/* Most of these have no Python, and one that is damaged is of no more interest than they are. */
static int read_narrow(struct view *v, int fd)
{
	struct gw_runtime_symbols *out = v->out;
	int code = read_file(v, gw_elf_open_narrow, fd);

	if (code || (!out->runtime && !out->old_python && !out->pypy))
		return code == -ENOMEM ? code : -ENOTSUP;
	out->narrow = 1;
	out->old_python = !out->pypy;
	out->runtime = 0;
	return 0;
}

int gw_runtime_symbols_read(int fd, struct gw_runtime_symbols *out)
{
	struct view v = {.out = out};

	memset(out, 0, sizeof(*out));
	return is_narrow(fd) ? read_narrow(&v, fd) : read_file(&v, gw_elf_open, fd);
}

int gw_runtime_has_python(const struct gw_runtime_symbols *symbols)
{
	return symbols->runtime || symbols->old_python || symbols->pypy;
}

int gw_runtime_load_bias(const struct gw_runtime_symbols *symbols, uint64_t start,
			 uint64_t file_offset, uint64_t *bias)
{
	for (size_t i = 0; i < symbols->load_count; i++) {
		const struct gw_runtime_load *load = &symbols->load[i];
		uint64_t page = (uint64_t)sysconf(_SC_PAGESIZE);
		/* The kernel maps whole pages: from the one that holds the segment's first byte. */
		uint64_t first = load->offset & ~(page - 1);

		if (!load->executable || file_offset < first ||
		    file_offset - first >= load->file_size + (load->offset - first))
			continue;
		*bias = start - (load->address + (file_offset - load->offset));
		return 0;
	}
	return -ENOENT;
}
