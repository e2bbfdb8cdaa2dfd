// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/elf_image.h"

#include <errno.h>
#include <gelf.h>
#include <libelf.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct gw_elf {
	int fd;
	const uint8_t *bytes; /* a file in memory, which has no fd */
	uint64_t file_size;
	Elf *elf;
	GElf_Ehdr header;
	size_t section_names; /* index of the section that holds the sections' names */
	struct gw_elf_segment *segment;
	size_t segment_count;
	bool debug;  /* a separate debug file */
	bool narrow; /* of 32 bits */
};

#if defined(__x86_64__)
#define THIS_MACHINE EM_X86_64
#elif defined(__aarch64__)
#define THIS_MACHINE EM_AARCH64
#elif defined(__riscv)
#define THIS_MACHINE EM_RISCV
#elif defined(__powerpc64__)
#define THIS_MACHINE EM_PPC64
#elif defined(__s390x__)
#define THIS_MACHINE EM_S390
#else
#define THIS_MACHINE EM_NONE
#endif

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define THIS_BYTE_ORDER ELFDATA2LSB
#else
#define THIS_BYTE_ORDER ELFDATA2MSB
#endif

/*
 * A sparse file can be of any size: what is read at once is bounded too, so that a target cannot
 * use up the machine's memory. The largest programs' code and symbol tables are about half of this.
 */
#define LOAD_MAX (256ULL << 20)

/* A program has some 40 of them; a file can say that it has 2^32. */
#define SECTIONS_MAX 4096

/* Linkers make one executable segment, BOLT and others a few more. */
#define CODE_RANGES_MAX 16

static bool within(uint64_t offset, uint64_t size, uint64_t limit)
{
	return offset <= limit && size <= limit - offset;
}

static int read_header(struct gw_elf *elf, struct gw_error *err)
{
	/* libelf writes to none of the bytes: it was not asked for a file that can be changed. */
	elf->elf = elf->bytes ? elf_memory((char *)(uintptr_t)elf->bytes, elf->file_size)
			      : elf_begin(elf->fd, ELF_C_READ, NULL);
	if (!elf->elf || elf_kind(elf->elf) != ELF_K_ELF ||
	    gelf_getclass(elf->elf) != (elf->narrow ? ELFCLASS32 : ELFCLASS64) ||
	    !gelf_getehdr(elf->elf, &elf->header) ||
	    elf->header.e_ident[EI_DATA] != THIS_BYTE_ORDER ||
	    (!elf->narrow && elf->header.e_machine != THIS_MACHINE))
		return gw_error_set(err, -ENOEXEC, GW_STATUS_TARGET, "The file is not a %s.",
				    elf->narrow ? "32-bit ELF file of this byte order"
						: "64-bit ELF file of this machine");
	if (elf->header.e_type != ET_EXEC && elf->header.e_type != ET_DYN)
		return gw_error_set(err, -ENOEXEC, GW_STATUS_TARGET,
				    "The ELF file is neither a program nor a shared library.");
	/* Cut off they may be; half of them is a file that is not all there. */
	if (elf->header.e_shoff &&
	    !within(elf->header.e_shoff,
		    (uint64_t)elf->header.e_shnum *
			    (elf->narrow ? sizeof(Elf32_Shdr) : sizeof(Elf64_Shdr)),
		    elf->file_size))
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "The ELF file is cut short or damaged: its section headers are "
				    "not in it.");
	if (elf_getshdrstrndx(elf->elf, &elf->section_names))
		elf->section_names = 0;
	return 0;
}

static int read_segments(struct gw_elf *elf, struct gw_error *err)
{
	size_t count, i;
	GElf_Phdr header;
	struct gw_elf_segment *segment;

	if (elf->debug)
		return 0;
	if (elf_getphdrnum(elf->elf, &count) || !count || count > elf->file_size / sizeof(header))
		goto damaged;
	elf->segment = calloc(count, sizeof(*elf->segment));
	if (!elf->segment)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "Out of memory.");
	for (i = 0; i < count; i++) {
		if (!gelf_getphdr(elf->elf, i, &header))
			goto damaged;
		if (header.p_type != PT_LOAD)
			continue;
		if (!within(header.p_offset, header.p_filesz, elf->file_size) ||
		    header.p_memsz > UINT64_MAX - header.p_vaddr ||
		    header.p_filesz > header.p_memsz)
			goto damaged;
		segment = &elf->segment[elf->segment_count++];
		segment->offset = header.p_offset;
		segment->address = header.p_vaddr;
		segment->file_size = header.p_filesz;
		segment->memory_size = header.p_memsz;
		segment->flags = header.p_flags;
	}
	if (elf->segment_count)
		return 0;
damaged:
	return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
			    "The ELF file is cut short or damaged: its program headers do not "
			    "fit it.");
}

static int open_view(const struct gw_elf *source, struct gw_elf **result, struct gw_error *err)
{
	struct gw_elf *elf;
	int code;

	*result = NULL;
	if (elf_version(EV_CURRENT) == EV_NONE)
		return gw_error_set(err, -ENOTSUP, GW_STATUS_FAILURE, "libelf is too old.");
	elf = malloc(sizeof(*elf));
	if (!elf)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "Out of memory.");
	*elf = *source;
	code = read_header(elf, err);
	if (!code)
		code = read_segments(elf, err);
	if (code) {
		gw_elf_close(elf);
		return code;
	}
	*result = elf;
	return 0;
}

static int open_file(int fd, bool debug, bool narrow, struct gw_elf **result, struct gw_error *err)
{
	struct stat status;

	*result = NULL;
	if (fstat(fd, &status))
		return gw_error_set(err, -errno, GW_STATUS_TARGET, "Cannot read the file: %s.",
				    strerror(errno));
	/* A pipe or a device has no size to check anything against. */
	if (!S_ISREG(status.st_mode))
		return gw_error_set(err, -ENOEXEC, GW_STATUS_TARGET, "Not a regular file.");
	return open_view(&(struct gw_elf){.fd = fd,
					  .file_size = (uint64_t)status.st_size,
					  .debug = debug,
					  .narrow = narrow},
			 result, err);
}

int gw_elf_open(int fd, struct gw_elf **result, struct gw_error *err)
{
	return open_file(fd, false, false, result, err);
}

int gw_elf_open_narrow(int fd, struct gw_elf **result, struct gw_error *err)
{
	return open_file(fd, false, true, result, err);
}

int gw_elf_open_debug(int fd, struct gw_elf **result, struct gw_error *err)
{
	return open_file(fd, true, false, result, err);
}

int gw_elf_open_bytes(const uint8_t *bytes, size_t size, struct gw_elf **result,
		      struct gw_error *err)
{
	return open_view(
		&(struct gw_elf){.fd = -1, .bytes = bytes, .file_size = size, .debug = true},
		result, err);
}

void gw_elf_close(struct gw_elf *elf)
{
	if (!elf)
		return;
	elf_end(elf->elf);
	free(elf->segment);
	free(elf);
}

uint16_t gw_elf_machine(const struct gw_elf *elf)
{
	return elf->header.e_machine;
}

const unsigned char *gw_elf_ident(const struct gw_elf *elf)
{
	return elf->header.e_ident;
}

bool gw_elf_is_narrow(const struct gw_elf *elf)
{
	return elf->narrow;
}

uint64_t gw_elf_file_size(const struct gw_elf *elf)
{
	return elf->file_size;
}

int gw_elf_read(const struct gw_elf *elf, uint64_t offset, void *to, size_t size)
{
	uint8_t *bytes = to;
	ssize_t got;

	if (!within(offset, size, elf->file_size))
		return -EINVAL;
	if (elf->bytes) {
		memcpy(to, elf->bytes + offset, size);
		return 0;
	}
	while (size) {
		got = pread(elf->fd, bytes, size, (off_t)offset);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		if (!got) /* the file has shrunk since it was opened */
			return -EINVAL;
		bytes += got;
		offset += (uint64_t)got;
		size -= (size_t)got;
	}
	return 0;
}

int gw_elf_load(const struct gw_elf *elf, uint64_t offset, uint64_t size, uint8_t **result)
{
	uint8_t *bytes;
	int code;

	*result = NULL;
	/* Before the allocation: a lying size must not cost memory either. */
	if (!within(offset, size, elf->file_size))
		return -EINVAL;
	if (size > LOAD_MAX)
		return -EFBIG;
	bytes = malloc(size ? size : 1);
	if (!bytes)
		return -ENOMEM;
	code = gw_elf_read(elf, offset, bytes, size);
	if (code) {
		free(bytes);
		return code;
	}
	*result = bytes;
	return 0;
}

size_t gw_elf_segments(const struct gw_elf *elf, const struct gw_elf_segment **segments)
{
	*segments = elf->segment;
	return elf->segment_count;
}

int gw_elf_header_typed(const struct gw_elf *elf, uint32_t type, size_t skip,
			struct gw_elf_segment *segment)
{
	size_t count, i;
	GElf_Phdr header;

	if (elf_getphdrnum(elf->elf, &count))
		return -ENOENT;
	for (i = 0; i < count && gelf_getphdr(elf->elf, (int)i, &header); i++) {
		if (header.p_type != type || skip--)
			continue;
		*segment = (struct gw_elf_segment){
			.offset = header.p_offset,
			.address = header.p_vaddr,
			.file_size = header.p_filesz,
			.memory_size = header.p_memsz,
			.flags = header.p_flags,
		};
		return 0;
	}
	return -ENOENT;
}

int gw_elf_offset_of(const struct gw_elf *elf, uint64_t address, uint64_t *offset)
{
	const struct gw_elf_segment *segment;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segment[i];
		if (address < segment->address || address - segment->address >= segment->file_size)
			continue;
		*offset = segment->offset + (address - segment->address);
		return 0;
	}
	return -ENOENT;
}

uint64_t gw_elf_file_part(const struct gw_elf *elf, uint64_t address)
{
	const struct gw_elf_segment *segment;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segment[i];
		if (address >= segment->address && address - segment->address < segment->file_size)
			return segment->file_size - (address - segment->address);
	}
	return 0;
}

int gw_elf_address_of(const struct gw_elf *elf, uint64_t offset, uint64_t *address)
{
	const struct gw_elf_segment *segment;
	size_t i;

	for (i = 0; i < elf->segment_count; i++) {
		segment = &elf->segment[i];
		if (offset < segment->offset || offset - segment->offset >= segment->file_size)
			continue;
		*address = segment->address + (offset - segment->offset);
		return 0;
	}
	return -ENOENT;
}

static void describe_section(const struct gw_elf *elf, const GElf_Shdr *header,
			     struct gw_elf_section *section)
{
	const char *name = elf_strptr(elf->elf, elf->section_names, header->sh_name);

	*section = (struct gw_elf_section){
		.name = name ? name : "",
		.type = header->sh_type,
		.link = header->sh_link,
		.flags = header->sh_flags,
		.address = header->sh_addr,
		.offset = header->sh_offset,
		.size = header->sh_size,
	};
}

int gw_elf_each_section(const struct gw_elf *elf,
			int (*visit)(const struct gw_elf_section *section, void *data), void *data)
{
	struct gw_elf_section section;
	Elf_Scn *scn = NULL;
	GElf_Shdr header;
	int code, i;

	for (i = 0; i < SECTIONS_MAX && (scn = elf_nextscn(elf->elf, scn)); i++) {
		if (!gelf_getshdr(scn, &header))
			return -EINVAL;
		describe_section(elf, &header, &section);
		code = visit(&section, data);
		if (code)
			return code;
	}
	return 0;
}

struct section_search {
	const char *name; /* NULL: by type */
	uint32_t type;
	struct gw_elf_section *result;
};

static int section_matches(const struct gw_elf_section *section, void *data)
{
	struct section_search *search = data;

	if (search->name ? strcmp(section->name, search->name) != 0 : section->type != search->type)
		return 0;
	*search->result = *section;
	return 1;
}

static int find_section(const struct gw_elf *elf, struct section_search *search)
{
	int code = gw_elf_each_section(elf, section_matches, search);

	return code == 1 ? 0 : code ? code : -ENOENT;
}

int gw_elf_section_named(const struct gw_elf *elf, const char *name, struct gw_elf_section *section)
{
	return find_section(elf, &(struct section_search){.name = name, .result = section});
}

int gw_elf_section_typed(const struct gw_elf *elf, uint32_t type, struct gw_elf_section *section)
{
	return find_section(elf, &(struct section_search){.type = type, .result = section});
}

int gw_elf_section_at(const struct gw_elf *elf, uint32_t index, struct gw_elf_section *section)
{
	Elf_Scn *scn = elf_getscn(elf->elf, index);
	GElf_Shdr header;

	if (!scn || !gelf_getshdr(scn, &header))
		return -ENOENT;
	describe_section(elf, &header, section);
	return 0;
}

bool gw_elf_has_sections(const struct gw_elf *elf)
{
	/* It passes over the first one, which is empty in every file. */
	return elf_nextscn(elf->elf, NULL) != NULL;
}

int gw_elf_code_load(const struct gw_elf *elf, struct gw_elf_code *code)
{
	const struct gw_elf_segment *segment;
	uint64_t total = 0;
	size_t i;
	int error = 0;

	*code = (struct gw_elf_code){0};
	code->range = calloc(CODE_RANGES_MAX, sizeof(*code->range));
	if (!code->range)
		return -ENOMEM;
	for (i = 0; i < elf->segment_count && !error; i++) {
		segment = &elf->segment[i];
		if (!(segment->flags & PF_X))
			continue;
		/* Many headers may name the same bytes: the whole is bounded as well. */
		total += segment->file_size;
		if (total > elf->file_size || code->count == CODE_RANGES_MAX)
			error = -EINVAL;
		else if (total > LOAD_MAX)
			error = -EFBIG;
		else
			error = gw_elf_load(elf, segment->offset, segment->file_size,
					    &code->range[code->count].bytes);
		if (error)
			break;
		code->range[code->count].address = segment->address;
		code->range[code->count++].size = segment->file_size;
	}
	if (error)
		gw_elf_code_free(code);
	return error;
}

void gw_elf_code_free(struct gw_elf_code *code)
{
	size_t i;

	if (!code)
		return;
	for (i = 0; i < code->count; i++)
		free(code->range[i].bytes);
	free(code->range);
	*code = (struct gw_elf_code){0};
}

const uint8_t *gw_elf_code_at(const struct gw_elf_code *code, uint64_t address, uint64_t *available)
{
	const struct gw_elf_code_range *range;
	size_t i;

	for (i = 0; i < code->count; i++) {
		range = &code->range[i];
		if (address < range->address || address - range->address >= range->size)
			continue;
		*available = range->size - (address - range->address);
		return range->bytes + (address - range->address);
	}
	return NULL;
}
