// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Files that hold no GIL, are no ELF, or were damaged. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sites_bed.h"

/* ---- files that hold no GIL, and no ELF ---- */

static void test_not_elf(void **state)
{
	static const char text[] = "#!/bin/sh\nexec python3 \"$@\"\n";
	struct gw_sites sites;
	struct gw_error err;
	int ends[2], fd;

	(void)state;
	assert_int_equal(find_in_bytes("", 0, &err), -ENOEXEC);
	assert_int_equal(find_in_bytes(text, sizeof(text), &err), -ENOEXEC);
	assert_int_equal(find_in_bytes("\177ELF", 4, &err), -ENOEXEC);
	/* a static library is something that libelf knows, and no program */
	assert_int_equal(find_in_bytes("!<arch>\n", 8, &err), -ENOEXEC);
	assert_int_equal(find_sites(-1, &sites, &err), -EBADF);

	assert_int_equal(pipe(ends), 0);
	assert_int_equal(find_sites(ends[0], &sites, NULL), -ENOEXEC);
	close(ends[0]);
	close(ends[1]);
	fd = open("/", O_RDONLY | O_CLOEXEC);
	assert_int_equal(find_sites(fd, &sites, NULL), -ENOEXEC);
	close(fd);
}

static void test_no_gil(void **state)
{
	struct gw_sites sites;
	struct gw_error err;

	(void)state;
	if (access("/bin/true", R_OK))
		skip();
	assert_int_equal(find_in("/bin/true", &sites, &err), -ENOENT);
}

/* ---- damaged files ---- */

struct sample {
	size_t size;
	uint8_t *bytes;
};

static void load_sample(struct fixture *fixture, struct sample *sample)
{
	struct stat status;
	char path[512];
	FILE *file;

	build(fixture, "cc", "gil.c", "-shared -fPIC -Wl,-z,noseparate-code -Wl,--build-id", path);
	strip(path);
	assert_int_equal(stat(path, &status), 0);
	sample->size = (size_t)status.st_size;
	sample->bytes = malloc(sample->size);
	assert_non_null(sample->bytes);
	file = fopen(path, "r");
	assert_non_null(file);
	assert_int_equal(fread(sample->bytes, 1, sample->size, file), sample->size);
	fclose(file);
}

static void test_truncated(void **state)
{
	struct sample sample;
	struct gw_error err;
	size_t length;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), 0);
	/* The section headers are at the end: without the last byte they are incomplete. */
	for (length = 0; length < sample.size; length += length < 1024 ? 1 : 13)
		assert_true(find_in_bytes(sample.bytes, length, &err) < 0);
	assert_true(find_in_bytes(sample.bytes, sample.size - 1, &err) < 0);
	free(sample.bytes);
}

static uint64_t next_random(uint64_t *seed)
{
	*seed ^= *seed << 13;
	*seed ^= *seed >> 7;
	*seed ^= *seed << 17;
	return *seed;
}

/* Writes a few bytes somewhere: into the ELF and program headers, the section headers, or anywhere.
 */
static void damage(uint8_t *bytes, size_t size, uint64_t *seed)
{
	static const uint8_t telling[] = {0x00, 0x01, 0x7f, 0x80, 0xff};
	size_t at, count = 1 + next_random(seed) % 8, headers;
	Elf64_Ehdr header;
	uint8_t value;

	memcpy(&header, bytes, sizeof(header));
	headers = header.e_shnum * sizeof(Elf64_Shdr);
	while (count--) {
		switch (next_random(seed) % 3) {
		case 0:
			at = next_random(seed) % 1024;
			break;
		case 1:
			at = header.e_shoff + next_random(seed) % headers;
			break;
		default:
			at = next_random(seed) % size;
			break;
		}
		value = (uint8_t)next_random(seed);
		if (next_random(seed) % 2)
			value = telling[value % sizeof(telling)];
		/* the magic and the class stay, or all the rest of the round is idle */
		if (at >= 6 && at < size)
			bytes[at] = value;
	}
}

static void test_damaged(void **state)
{
	uint64_t seed = 0x67696c7761746368;
	struct sample sample;
	struct gw_error err;
	uint8_t *bytes;
	double start, took, longest = 0;
	int round, found = 0;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	bytes = malloc(sample.size);
	assert_non_null(bytes);
	for (round = 0; round < 2000; round++) {
		memcpy(bytes, sample.bytes, sample.size);
		damage(bytes, sample.size, &seed);
		start = seconds();
		found += find_in_bytes(bytes, sample.size, &err) == 0;
		took = seconds() - start;
		if (took > longest)
			longest = took;
	}
	print_message("2000 damaged files: sites found in %d, longest %.1f ms\n", found,
		      longest * 1e3);
	assert_true(longest < 5);
	free(bytes);
	free(sample.bytes);
}

/* Sets one field of every section header (of a type, or 0: of all) to a value. */
static int lie(const struct sample *sample, uint32_t type, size_t field, uint64_t value)
{
	uint8_t *bytes = malloc(sample->size), *at;
	Elf64_Ehdr header;
	Elf64_Shdr section;
	struct gw_error err;
	int i, code;

	assert_non_null(bytes);
	memcpy(bytes, sample->bytes, sample->size);
	memcpy(&header, bytes, sizeof(header));
	for (i = 1; i < header.e_shnum; i++) {
		at = bytes + header.e_shoff + (size_t)i * sizeof(section);
		memcpy(&section, at, sizeof(section));
		if (!type || section.sh_type == type)
			memcpy(at + field, &value, sizeof(value));
	}
	code = find_in_bytes(bytes, sample->size, &err);
	free(bytes);
	return code;
}

static void test_lying_sections(void **state)
{
	static const uint32_t types[] = {0,
					 SHT_RELA,
					 SHT_DYNSYM,
					 SHT_STRTAB,
					 SHT_PROGBITS,
					 SHT_X86_64_UNWIND,
					 SHT_INIT_ARRAY};
	static const uint64_t lies[] = {1ULL << 20, 1ULL << 32, 1ULL << 63, UINT64_MAX,
					UINT64_MAX - 4096};
	struct sample sample;
	size_t t, l;
	int code;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	for (t = 0; t < sizeof(types) / sizeof(types[0]); t++) {
		for (l = 0; l < sizeof(lies) / sizeof(lies[0]); l++) {
			code = lie(&sample, types[t], offsetof(Elf64_Shdr, sh_size), lies[l]);
			assert_true(code < 0 || types[t] >= SHT_INIT_ARRAY);
			code = lie(&sample, types[t], offsetof(Elf64_Shdr, sh_offset), lies[l]);
			assert_true(code < 0 || types[t] >= SHT_INIT_ARRAY);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_addr), lies[l]);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_entsize), lies[l]);
			lie(&sample, types[t], offsetof(Elf64_Shdr, sh_link), lies[l]);
		}
	}
	free(sample.bytes);
}

/* Sets a field in the program headers of a type. */
static void lie_in_segments(uint8_t *bytes, uint32_t type, size_t field, uint64_t value)
{
	Elf64_Ehdr header;
	Elf64_Phdr segment;
	uint8_t *at;
	int i;

	memcpy(&header, bytes, sizeof(header));
	for (i = 0; i < header.e_phnum; i++) {
		at = bytes + header.e_phoff + (size_t)i * sizeof(segment);
		memcpy(&segment, at, sizeof(segment));
		if (segment.p_type == type)
			memcpy(at + field, &value, sizeof(value));
	}
}

static void test_lying_segments(void **state)
{
	struct sample sample;
	struct gw_sites sites;
	struct gw_error err = {0};
	uint8_t *bytes;
	int fd;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	bytes = malloc(sample.size);
	assert_non_null(bytes);
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_filesz), 1ULL << 40);
	assert_int_equal(find_in_bytes(bytes, sample.size, &err), -EINVAL);
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_vaddr), UINT64_MAX - 5);
	assert_int_equal(find_in_bytes(bytes, sample.size, &err), -EINVAL);

	/* A file with a hole of a terabyte in it, all of it code: refused, and not read. */
	memcpy(bytes, sample.bytes, sample.size);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_filesz), 1ULL << 39);
	lie_in_segments(bytes, PT_LOAD, offsetof(Elf64_Phdr, p_memsz), 1ULL << 39);
	fd = memfd_create("test_sites", MFD_CLOEXEC);
	assert_int_equal(pwrite(fd, bytes, sample.size, 0), sample.size);
	assert_int_equal(ftruncate(fd, 1LL << 40), 0);
	err = (struct gw_error){0};
	assert_int_equal(find_sites(fd, &sites, &err), -EINVAL);
	assert_non_null(strstr(err.text, "too large"));
	close(fd);
	free(bytes);
	free(sample.bytes);
}

static void test_other_machines(void **state)
{
	struct sample sample;
	struct gw_error err;
	Elf64_Ehdr header;
	uint8_t saved;

	NEED_TOOLCHAIN();
	load_sample(*state, &sample);
	saved = sample.bytes[EI_CLASS];
	sample.bytes[EI_CLASS] = ELFCLASS32;
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	sample.bytes[EI_CLASS] = saved;
	saved = sample.bytes[EI_DATA];
	sample.bytes[EI_DATA] = ELFDATA2MSB;
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	sample.bytes[EI_DATA] = saved;
	memcpy(&header, sample.bytes, sizeof(header));
	header.e_machine = EM_AARCH64;
	memcpy(sample.bytes, &header, sizeof(header));
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	header.e_machine = EM_X86_64;
	header.e_type = ET_CORE;
	memcpy(sample.bytes, &header, sizeof(header));
	assert_int_equal(find_in_bytes(sample.bytes, sample.size, &err), -ENOEXEC);
	free(sample.bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_not_elf),	       cmocka_unit_test(test_no_gil),
		cmocka_unit_test(test_truncated),      cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_lying_sections), cmocka_unit_test(test_lying_segments),
		cmocka_unit_test(test_other_machines),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
