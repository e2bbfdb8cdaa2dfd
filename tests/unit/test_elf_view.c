// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The view of an ELF file, and the bounds of its functions. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sites_bed.h"
#include "target/functions.h"

/* ---- the view itself ---- */

static void check_view(struct gw_elf *elf)
{
	uint64_t size = gw_elf_file_size(elf), address, offset;
	const struct gw_elf_segment *segment;
	struct gw_elf_section section;
	uint8_t *bytes, byte;
	size_t i, count;

	assert_int_equal(gw_elf_read(elf, size, &byte, 0), 0);
	assert_int_equal(gw_elf_read(elf, size, &byte, 1), -EINVAL);
	assert_int_equal(gw_elf_read(elf, UINT64_MAX, &byte, 1), -EINVAL);
	assert_int_equal(gw_elf_load(elf, 1, UINT64_MAX, &bytes), -EINVAL);
	assert_int_equal(gw_elf_load(elf, 1, size, &bytes), -EINVAL);
	assert_null(bytes);

	count = gw_elf_segments(elf, &segment);
	assert_true(count >= 2);
	for (i = 0; i < count; i++) {
		assert_int_equal(gw_elf_offset_of(elf, segment[i].address, &offset), 0);
		assert_int_equal(offset, segment[i].offset);
		assert_int_equal(gw_elf_address_of(elf, offset, &address), 0);
		/* .bss is in memory and not in the file */
		if (segment[i].memory_size > segment[i].file_size)
			assert_int_equal(gw_elf_offset_of(elf,
							  segment[i].address + segment[i].file_size,
							  &offset),
					 -ENOENT);
	}
	assert_int_equal(gw_elf_address_of(elf, size, &address), -ENOENT);

	assert_int_equal(gw_elf_section_named(elf, ".text", &section), 0);
	assert_int_equal(gw_elf_offset_of(elf, section.address, &offset), 0);
	assert_int_equal(offset, section.offset);
	assert_int_equal(gw_elf_section_named(elf, ".no", &section), -ENOENT);
	assert_int_equal(gw_elf_section_typed(elf, SHT_SYMTAB, &section), -ENOENT);
}

static void test_view(void **state)
{
	struct fixture *fixture = *state;
	struct gw_elf_symbols symbols;
	char path[512], hex[64], brief[8];
	Elf64_Sym symbol;
	struct gw_elf *elf;
	int fd;

	NEED_TOOLCHAIN();
	build(fixture, "cc", "gil.c", "-shared -fPIC -Wl,--build-id=0x00c0ffee12ab", path);
	strip(path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	check_view(elf);

	assert_int_equal(gw_elf_build_id(elf, hex, sizeof(hex)), 0);
	assert_string_equal(hex, "00c0ffee12ab");
	assert_int_equal(gw_elf_build_id(elf, brief, sizeof(brief)), 0);
	assert_string_equal(brief, "00c0ff");

	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), -ENOENT);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_DYNSYM, &symbols), 0);
	assert_int_equal(gw_elf_symbol_find(&symbols, "os_read", &symbol), 0);
	assert_true(symbol.st_size > 0);
	/* imported, not defined */
	assert_int_equal(gw_elf_symbol_find(&symbols, "pthread_cond_signal", &symbol), -ENOENT);
	assert_string_equal(gw_elf_symbol_name(&symbols, symbols.count), "");
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	gw_elf_close(NULL);
	gw_elf_symbols_free(NULL);
	gw_elf_code_free(NULL);
	close(fd);
}

/* ---- function bounds ---- */

static void check_bounds(const struct gw_functions *functions, const struct gw_elf_symbols *symbols)
{
	const struct gw_function *function;
	size_t i, compared = 0;

	for (i = 0; i < symbols->count; i++) {
		if (ELF64_ST_TYPE(symbols->symbol[i].st_info) != STT_FUNC ||
		    !symbols->symbol[i].st_size)
			continue;
		function = gw_functions_at(functions, symbols->symbol[i].st_value);
		/* crti's _init and _fini have no unwind entry */
		if (!function)
			continue;
		assert_int_equal(function->start, symbols->symbol[i].st_value);
		assert_int_equal(function->end - function->start, symbols->symbol[i].st_size);
		assert_ptr_equal(gw_functions_at(functions, function->end - 1), function);
		compared++;
	}
	assert_true(compared >= 6);
	for (i = 1; i < functions->count; i++)
		assert_true(functions->function[i - 1].end <= functions->function[i].start);
	assert_null(gw_functions_at(functions, 0));
	assert_null(gw_functions_at(functions, UINT64_MAX));
}

static void test_functions(void **state)
{
	struct gw_functions functions;
	struct gw_elf_symbols symbols;
	struct gw_elf_section plt;
	struct gw_elf *elf;
	char path[512];
	int fd;

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -Wl,-z,lazy", path);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	assert_int_equal(gw_functions_load(elf, &functions, NULL), 0);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), 0);
	check_bounds(&functions, &symbols);
	assert_int_equal(gw_elf_section_named(elf, ".plt", &plt), 0);
	assert_null(gw_functions_at(&functions, plt.address));
	gw_functions_free(&functions);
	gw_functions_free(NULL);
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_view),
		cmocka_unit_test(test_functions),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
