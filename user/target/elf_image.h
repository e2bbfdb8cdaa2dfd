/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A bounded view of a 64-bit ELF file of this machine. The file belongs to somebody else and may be
 * cut short, damaged or made to mislead: every number in it is checked against the file's real size
 * before it is used, and contents are read, never mapped, so that a file that shrinks meanwhile
 * gives an error and not a SIGBUS.
 */
#ifndef GW_ELF_IMAGE_H
#define GW_ELF_IMAGE_H

#include <elf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

struct gw_elf;

/*
 * Opens a view of the file behind fd, which stays the caller's and must outlive the view. Returns
 * 0, or -ENOEXEC not a 64-bit ELF file of this machine, -EINVAL cut short or damaged, with err set.
 */
int gw_elf_open(int fd, struct gw_elf **elf, struct gw_error *err);
/*
 * The same for a 32-bit one of any machine, to say what it is. Its sections, segments, notes and
 * symbols are read; nothing is known of PT_DYNAMIC in it.
 */
int gw_elf_open_narrow(int fd, struct gw_elf **elf, struct gw_error *err);
/* The same for a separate debug file, whose segments and most of its sections have no bytes. */
int gw_elf_open_debug(int fd, struct gw_elf **elf, struct gw_error *err);
/* The same for one that is in memory, which must outlive the view. */
int gw_elf_open_bytes(const uint8_t *bytes, size_t size, struct gw_elf **elf, struct gw_error *err);
void gw_elf_close(struct gw_elf *elf);

uint16_t gw_elf_machine(const struct gw_elf *elf);
const unsigned char *gw_elf_ident(const struct gw_elf *elf);
bool gw_elf_is_narrow(const struct gw_elf *elf);
uint64_t gw_elf_file_size(const struct gw_elf *elf);

/* Reads exactly size bytes at a file offset: 0, -EINVAL if they are not all in the file, -errno. */
int gw_elf_read(const struct gw_elf *elf, uint64_t offset, void *to, size_t size);
/*
 * The same into memory of its own, which the caller frees; *bytes is never NULL on success. -EFBIG
 * for more than any real file has in one piece.
 */
int gw_elf_load(const struct gw_elf *elf, uint64_t offset, uint64_t size, uint8_t **bytes);

/* A PT_LOAD program header; its file part is known to lie within the file. */
struct gw_elf_segment {
	uint64_t offset, address, file_size, memory_size;
	uint32_t flags; /* PF_R | PF_W | PF_X */
};

size_t gw_elf_segments(const struct gw_elf *elf, const struct gw_elf_segment **segments);

/*
 * A program header of any type, as the file says: nothing in it is checked. skip: how many of that
 * type to pass over. 0 or -ENOENT.
 */
int gw_elf_header_typed(const struct gw_elf *elf, uint32_t type, size_t skip,
			struct gw_elf_segment *segment);

/* By the program headers. 0 or -ENOENT: no byte of the file is (or is loaded to) that place. */
int gw_elf_offset_of(const struct gw_elf *elf, uint64_t address, uint64_t *offset);
int gw_elf_address_of(const struct gw_elf *elf, uint64_t offset, uint64_t *address);
/* How many bytes of the file are loaded from that address on, in its segment. */
uint64_t gw_elf_file_part(const struct gw_elf *elf, uint64_t address);

struct gw_elf_section {
	const char *name; /* valid while the view is open */
	uint32_t type;
	uint32_t link;
	uint64_t flags, address, offset, size;
};

/*
 * Calls visit for each section until it returns non-zero, which is returned. The offset and size
 * are what the file says; only gw_elf_load checks them.
 */
int gw_elf_each_section(const struct gw_elf *elf,
			int (*visit)(const struct gw_elf_section *section, void *data), void *data);
int gw_elf_section_at(const struct gw_elf *elf, uint32_t index, struct gw_elf_section *section);
bool gw_elf_has_sections(const struct gw_elf *elf);
/* The first section of that name (or of that type). 0 or -ENOENT. */
int gw_elf_section_named(const struct gw_elf *elf, const char *name,
			 struct gw_elf_section *section);
int gw_elf_section_typed(const struct gw_elf *elf, uint32_t type, struct gw_elf_section *section);

/* The executable segments' bytes in memory. */
struct gw_elf_code {
	size_t count;
	struct gw_elf_code_range {
		uint64_t address, size;
		uint8_t *bytes;
	} * range;
};

int gw_elf_code_load(const struct gw_elf *elf, struct gw_elf_code *code);
void gw_elf_code_free(struct gw_elf_code *code);
/* The bytes from address to the end of its segment, *available of them; NULL: not code. */
const uint8_t *gw_elf_code_at(const struct gw_elf_code *code, uint64_t address,
			      uint64_t *available);

#endif
