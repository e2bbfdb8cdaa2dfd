// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a file tells of the Python in it: whole ones, damaged ones, and 32-bit ones. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <elf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "target/python.h"
#include "target/runtime_symbols.h"

static uint32_t parsed(const char *text)
{
	return gw_runtime_parse_version(text, strlen(text));
}

static void test_version_text(void **state)
{
	static const char *const bad[] = {"",	     "3",	  "3.9",    "3.9.",
					  "3.9.1.2", "3..1",	  "4.0.0",  "3.9.1x",
					  "3.9.256", "3.9.01",	  "3.09.1", "3.9.1r",
					  "3.9.1rc", "3.9.1rc99", "v3.9.1", "3.9.1++"};

	(void)state;
	assert_int_equal(parsed("3.9.18"), 0x030912f0);
	assert_int_equal(parsed("2.7.18"), 0x020712f0);
	assert_int_equal(parsed("3.10.0rc2"), 0x030a00c2);
	assert_int_equal(parsed("3.15.0a1"), 0x030f00a1);
	assert_int_equal(parsed("3.15.0b4+"), 0x030f00b4);
	assert_int_equal(parsed("3.9.2+"), 0x030902f0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_int_equal(parsed(bad[i]), 0);
}

static void test_bias(void **state)
{
	const struct gw_runtime_symbols symbols = {
		.load_count = 2,
		.load = {{.offset = 0, .address = 0, .file_size = 0x2000, .executable = 0},
			 {.offset = 0x1f40,
			  .address = 0x3f40,
			  .file_size = 0x5000,
			  .executable = 1}},
	};
	uint64_t bias = 0;

	(void)state;
	/* The segment's first page is mapped whole: file 0x1000 is at address 0x3000. */
	assert_int_equal(gw_runtime_load_bias(&symbols, 0x7f0000003000, 0x1000, &bias), 0);
	assert_true(bias == 0x7f0000000000);
	assert_int_equal(gw_runtime_load_bias(&symbols, 0x7f0000005000, 0x3000, &bias), 0);
	assert_true(bias == 0x7f0000000000);
	assert_int_equal(gw_runtime_load_bias(&symbols, 0x400000, 0x7000, &bias), -ENOENT);
	assert_int_equal(gw_runtime_load_bias(&symbols, 0x400000, 0, &bias), -ENOENT);
}

static int read_bytes(const void *bytes, size_t size, struct gw_runtime_symbols *symbols)
{
	FILE *file = tmpfile();
	int ret;

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fflush(file);
	ret = gw_runtime_symbols_read(fileno(file), symbols);
	fclose(file);
	return ret;
}

static int symbols_of(const void *bytes, size_t size)
{
	struct gw_runtime_symbols *symbols = malloc(sizeof(*symbols));
	int ret = read_bytes(bytes, size, symbols);

	free(symbols);
	return ret;
}

/* Damaged copies of this very program: any answer will do, but for a crash. */
static void test_damaged_files(void **state)
{
	size_t size = 0, room = 8 << 20;
	unsigned char *bytes = malloc(room), header[64];
	FILE *self = fopen("/proc/self/exe", "r");
	uint32_t random = 12345;

	(void)state;
	assert_int_equal(symbols_of("", 0), -ENOEXEC);
	assert_int_equal(symbols_of("#!/bin/sh\n", 10), -ENOEXEC);
	assert_non_null(self);
	size = fread(bytes, 1, room, self);
	fclose(self);
	assert_true(size > 4096);
	assert_int_equal(symbols_of(bytes, size), 0);
	memcpy(header, bytes, sizeof(header));
	bytes[4] = 1; /* 32 bits */
	assert_int_equal(symbols_of(bytes, size), -ENOTSUP);
	for (size_t cut = 1; cut < 200; cut += 7)
		symbols_of(header, cut < sizeof(header) ? cut : sizeof(header));
	memcpy(bytes, header, sizeof(header));
	symbols_of(bytes, size / 2);
	for (int i = 0; i < 300; i++) {
		uint64_t sections;
		size_t at;

		memcpy(&sections, header + 40, sizeof(sections));
		random = random * 1103515245 + 12345;
		at = (random >> 8) % 512; /* header and program headers, or the section headers */
		if (i % 2 && sections + 2048 < size)
			at = sections + (random >> 8) % 2048;
		bytes[at < 6 ? 6 : at] ^= (unsigned char)(1u << (random >> 28 & 7));
		symbols_of(bytes, size);
		if (i % 10 == 9) {
			self = fopen("/proc/self/exe", "r");
			size = fread(bytes, 1, room, self);
			fclose(self);
		}
	}
	free(bytes);
}

/* A program of 32 bits with what all Pythons define, and what those from 3.11 on do. */
struct narrow {
	Elf32_Ehdr header;
	Elf32_Phdr load;
	uint32_t version;
	Elf32_Sym symbol[3];
	char names[32];
	Elf32_Shdr section[3];
};

#define NARROW_AT 0x8048000

static void make_narrow(struct narrow *n)
{
	static const char names[] = "\0PyEval_SaveThread\0Py_Version";

	memset(n, 0, sizeof(*n));
	memcpy(n->header.e_ident, ELFMAG, SELFMAG);
	n->header.e_ident[EI_CLASS] = ELFCLASS32;
	n->header.e_ident[EI_DATA] = ELFDATA2LSB;
	n->header.e_ident[EI_VERSION] = EV_CURRENT;
	n->header.e_type = ET_EXEC;
	n->header.e_machine = EM_386;
	n->header.e_version = EV_CURRENT;
	n->header.e_ehsize = sizeof(n->header);
	n->header.e_phoff = offsetof(struct narrow, load);
	n->header.e_phentsize = sizeof(n->load);
	n->header.e_phnum = 1;
	n->header.e_shoff = offsetof(struct narrow, section);
	n->header.e_shentsize = sizeof(n->section[0]);
	n->header.e_shnum = 3;
	n->load = (Elf32_Phdr){.p_type = PT_LOAD,
			       .p_vaddr = NARROW_AT,
			       .p_filesz = sizeof(*n),
			       .p_memsz = sizeof(*n)};
	n->version = 0x030b02f0;
	memcpy(n->names, names, sizeof(names));
	n->symbol[1] = (Elf32_Sym){.st_name = 1, .st_shndx = SHN_ABS};
	n->symbol[2] = (Elf32_Sym){.st_name = 19,
				   .st_value = NARROW_AT + offsetof(struct narrow, version),
				   .st_size = sizeof(n->version),
				   .st_shndx = SHN_ABS};
	n->section[1] = (Elf32_Shdr){.sh_type = SHT_SYMTAB,
				     .sh_offset = offsetof(struct narrow, symbol),
				     .sh_size = sizeof(n->symbol),
				     .sh_link = 2,
				     .sh_entsize = sizeof(n->symbol[0])};
	n->section[2] = (Elf32_Shdr){.sh_type = SHT_STRTAB,
				     .sh_offset = offsetof(struct narrow, names),
				     .sh_size = sizeof(n->names)};
}

static void test_narrow(void **state)
{
	struct gw_runtime_symbols symbols;
	struct narrow n;

	(void)state;
	make_narrow(&n);
	assert_int_equal(read_bytes(&n, sizeof(n), &symbols), 0);
	assert_true(symbols.narrow && symbols.old_python && !symbols.pypy);
	assert_int_equal(symbols.version_hex, 0x030b02f0);
	assert_true(symbols.runtime == 0);

	n.names[1] = 'X'; /* it has a Py_Version, and that is no proof */
	assert_int_equal(read_bytes(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	for (size_t size = EI_NIDENT; size < sizeof(n); size += 5)
		assert_int_equal(read_bytes(&n, size, &symbols), -ENOTSUP);
	n.section[1].sh_size = UINT32_MAX;
	assert_int_equal(read_bytes(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	n.section[1].sh_offset = UINT32_MAX - 8;
	assert_int_equal(read_bytes(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	n.symbol[2].st_value = UINT32_MAX;
	assert_int_equal(read_bytes(&n, sizeof(n), &symbols), 0);
	assert_int_equal(symbols.version_hex, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_narrow),
	};

	return cmocka_run_group_tests_name("runtime_symbols", tests, NULL, NULL);
}
