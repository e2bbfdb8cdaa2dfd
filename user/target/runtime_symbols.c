// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/runtime_symbols.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Far above what any Python has; a lying header must not make this program allocate what it says.
 */
#define TABLE_BYTES_MAX	 (128u << 20)
#define RODATA_BYTES_MAX (64u << 20)
#define NOTE_BYTES_MAX	 (64u << 10)
#define SECTIONS_MAX	 4096
#define CHUNK		 65536
#define VERSION_TEXT_MAX 16

struct view {
	Elf *elf;
	int fd;
	uint64_t file_size;
	size_t names; /* section of section names */
	struct gw_runtime_symbols *out;
	uint64_t version_address, version_size;
};

/* The section's bytes, NULL unless they lie in the file and are at most max. */
static Elf_Data *section_data(const struct view *v, Elf_Scn *section, const GElf_Shdr *header,
			      uint64_t max)
{
	if (header->sh_type == SHT_NOBITS || header->sh_size == 0 || header->sh_size > max ||
	    header->sh_offset > v->file_size || header->sh_size > v->file_size - header->sh_offset)
		return NULL;
	return elf_getdata(section, NULL);
}

static const char *string_at(const Elf_Data *strings, uint64_t at)
{
	/* The table ends with NUL (checked where it was read), so each string in it does. */
	return at < strings->d_size ? (const char *)strings->d_buf + at : "";
}

static Elf_Data *string_table(const struct view *v, uint32_t index)
{
	Elf_Scn *section = elf_getscn(v->elf, index);
	GElf_Shdr header;
	Elf_Data *data;

	if (!section || !gelf_getshdr(section, &header) || header.sh_type != SHT_STRTAB)
		return NULL;
	data = section_data(v, section, &header, TABLE_BYTES_MAX);
	if (!data || !data->d_buf || !data->d_size || ((char *)data->d_buf)[data->d_size - 1])
		return NULL;
	return data;
}

static void note_symbol(struct view *v, const char *name, const GElf_Sym *symbol)
{
	struct gw_runtime_symbols *out = v->out;

	if (name[0] == '_') {
		if (strcmp(name, "_PyRuntime") == 0 && GELF_ST_TYPE(symbol->st_info) == STT_OBJECT)
			out->runtime = symbol->st_value;
		else if (strcmp(name, "_Py_DecRefShared") == 0)
			out->free_threaded = 1;
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

static void read_symbols(struct view *v, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = section_data(v, section, header, TABLE_BYTES_MAX);
	Elf_Data *strings = data ? string_table(v, header->sh_link) : NULL;
	size_t count;

	if (!strings || header->sh_entsize != sizeof(Elf64_Sym))
		return;
	count = data->d_size / sizeof(Elf64_Sym);
	for (size_t i = 0; i < count && i <= INT32_MAX; i++) {
		GElf_Sym symbol;

		if (gelf_getsym(data, (int)i, &symbol) && symbol.st_shndx != SHN_UNDEF)
			note_symbol(v, string_at(strings, symbol.st_name), &symbol);
	}
}

static void read_dynamic(struct view *v, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = section_data(v, section, header, NOTE_BYTES_MAX);
	Elf_Data *strings = data ? string_table(v, header->sh_link) : NULL;
	GElf_Dyn entry;

	for (int i = 0; strings && gelf_getdyn(data, i, &entry) && entry.d_tag != DT_NULL; i++)
		if (entry.d_tag == DT_SONAME)
			snprintf(v->out->soname, sizeof(v->out->soname), "%s",
				 string_at(strings, entry.d_un.d_val));
}

static void read_note(struct view *v, Elf_Scn *section, const GElf_Shdr *header)
{
	Elf_Data *data = section_data(v, section, header, NOTE_BYTES_MAX);
	size_t at = 0, next, name, description;
	GElf_Nhdr note;

	while (data && (next = gelf_getnote(data, at, &note, &name, &description)) > 0) {
		const unsigned char *bytes = (unsigned char *)data->d_buf + description;

		if (note.n_type == NT_GNU_BUILD_ID && note.n_namesz == 4 &&
		    memcmp((char *)data->d_buf + name, "GNU", 4) == 0 &&
		    note.n_descsz * 2 < sizeof(v->out->build_id)) {
			for (size_t i = 0; i < note.n_descsz; i++)
				sprintf(v->out->build_id + 2 * i, "%02x", bytes[i]);
		}
		at = next;
	}
}

static void read_sections(struct view *v, uint32_t symbol_type)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	for (int i = 0; i < SECTIONS_MAX && (section = elf_nextscn(v->elf, section)); i++) {
		const char *name;

		if (!gelf_getshdr(section, &header))
			continue;
		if (header.sh_type == symbol_type)
			read_symbols(v, section, &header);
		if (symbol_type == SHT_SYMTAB) /* the second round is for symbols only */
			continue;
		if (header.sh_type == SHT_DYNAMIC)
			read_dynamic(v, section, &header);
		else if (header.sh_type == SHT_NOTE)
			read_note(v, section, &header);
		/* _PyRuntime alone is in a section of this name since 3.10 (Python/pylifecycle.c).
		 */
		name = elf_strptr(v->elf, v->names, header.sh_name);
		if (name && strcmp(name, ".PyRuntime") == 0 && !v->out->runtime)
			v->out->runtime = header.sh_addr;
	}
}

static int read_loads(struct view *v)
{
	struct gw_runtime_symbols *out = v->out;
	size_t count;

	if (elf_getphdrnum(v->elf, &count))
		return -EINVAL;
	for (size_t i = 0; i < count && out->load_count < GW_RUNTIME_LOADS_MAX; i++) {
		GElf_Phdr header;

		if (!gelf_getphdr(v->elf, (int)i, &header))
			return -EINVAL;
		if (header.p_type != PT_LOAD)
			continue;
		out->load[out->load_count++] = (struct gw_runtime_load){
			.offset = header.p_offset,
			.address = header.p_vaddr,
			.file_size = header.p_filesz,
			.executable = (header.p_flags & PF_X) != 0,
		};
	}
	return 0;
}

/* `const unsigned long Py_Version = PY_VERSION_HEX` (Python/getversion.c): its value in the file.
 */
static void read_py_version(struct view *v)
{
	const struct gw_runtime_symbols *out = v->out;
	uint64_t value;

	if (v->version_size != sizeof(value))
		return;
	for (size_t i = 0; i < out->load_count; i++) {
		const struct gw_runtime_load *load = &out->load[i];
		uint64_t in = v->version_address - load->address;

		if (v->version_address < load->address || load->file_size < sizeof(value) ||
		    in > load->file_size - sizeof(value))
			continue;
		if (pread(v->fd, &value, sizeof(value), (off_t)(load->offset + in)) ==
			    (ssize_t)sizeof(value) &&
		    value <= UINT32_MAX)
			v->out->version_hex = (uint32_t)value;
		return;
	}
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
	char *chunk = malloc(CHUNK);

	for (uint64_t done = 0; chunk && done < size;) {
		size_t want = size - done < CHUNK ? (size_t)(size - done) : CHUNK;
		ssize_t got = pread(v->fd, chunk, want, (off_t)(offset + done));

		if (got <= 0)
			break;
		scan_chunk(v->out, chunk, (size_t)got);
		if ((size_t)got <= 2 * VERSION_TEXT_MAX || done + (uint64_t)got >= size)
			break;
		/* Chunks overlap, so that a string on the border is whole in one of them. */
		done += (uint64_t)got - 2 * VERSION_TEXT_MAX;
	}
	free(chunk);
}

static void scan_read_only_data(struct view *v)
{
	Elf_Scn *section = NULL;
	GElf_Shdr header;

	for (int i = 0; i < SECTIONS_MAX && (section = elf_nextscn(v->elf, section)); i++) {
		const char *name;

		if (!gelf_getshdr(section, &header) || header.sh_type != SHT_PROGBITS ||
		    header.sh_offset > v->file_size ||
		    header.sh_size > v->file_size - header.sh_offset ||
		    header.sh_size > RODATA_BYTES_MAX)
			continue;
		name = elf_strptr(v->elf, v->names, header.sh_name);
		if (name && strncmp(name, ".rodata", 7) == 0)
			scan_range(v, header.sh_offset, header.sh_size);
	}
}

static int check_header(const struct view *v)
{
	GElf_Ehdr header;

	if (elf_kind(v->elf) != ELF_K_ELF || !gelf_getehdr(v->elf, &header))
		return -ENOEXEC;
	if (header.e_ident[EI_CLASS] == ELFCLASS32)
		return -ENOTSUP;
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	return header.e_ident[EI_DATA] == ELFDATA2LSB ? 0 : -ENOEXEC;
#else
	return header.e_ident[EI_DATA] == ELFDATA2MSB ? 0 : -ENOEXEC;
#endif
}

static int read_all(struct view *v)
{
	int ret = check_header(v);

	if (!ret)
		ret = read_loads(v);
	if (ret)
		return ret;
	if (elf_getshdrstrndx(v->elf, &v->names))
		v->names = 0;
	read_sections(v, SHT_DYNSYM);
	/* A fully static program, or one that exports nothing, has its symbols only there. */
	if (!v->version_address && !v->out->old_python && !v->out->pypy)
		read_sections(v, SHT_SYMTAB);
	read_py_version(v);
	if (!v->out->version_hex && (v->out->runtime || v->out->old_python))
		scan_read_only_data(v);
	return 0;
}

int gw_runtime_symbols_read(int fd, struct gw_runtime_symbols *out)
{
	struct view v = {.fd = fd, .out = out};
	struct stat st;
	int ret;

	memset(out, 0, sizeof(*out));
	if (fstat(fd, &st) < 0)
		return -errno;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return -EINVAL;
	v.file_size = (uint64_t)st.st_size;
	/* Not ELF_C_READ_MMAP: the owner could cut the file short and so kill this program
	 * (SIGBUS). */
	v.elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!v.elf)
		return -ENOEXEC;
	ret = read_all(&v);
	elf_end(v.elf);
	return ret;
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
