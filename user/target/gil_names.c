// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/gil_names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/debugdata.h"

/* As sha1 is by default; what is compared is the text of up to twice as many digits. */
#define BUILD_ID_TEXT 129

int gw_gil_names_is_take_gil(const char *name)
{
	static const char take_gil[] = "take_gil";
	size_t length = sizeof(take_gil) - 1;

	return strncmp(name, take_gil, length) == 0 && (!name[length] || name[length] == '.');
}

static int has_take_gil(const struct gw_elf_symbols *table)
{
	for (size_t i = 0; i < table->count; i++)
		if (ELF64_ST_TYPE(table->symbol[i].st_info) == STT_FUNC &&
		    table->symbol[i].st_value &&
		    gw_gil_names_is_take_gil(gw_elf_symbol_name(table, i)))
			return 1;
	return 0;
}

/* Takes the table of another view if it names take_gil. 1, 0, or -ENOMEM. */
static int take_from(const struct gw_elf *other, const char *rung, struct gw_gil_names *names)
{
	struct gw_elf_symbols table;
	int code = gw_elf_symbols_load(other, SHT_SYMTAB, &table);

	/* Only the file itself must be whole: what is wrong with these is that they do not help. */
	if (code)
		return code == -ENOMEM ? code : 0;
	if (!has_take_gil(&table)) {
		gw_elf_symbols_free(&table);
		return 0;
	}
	gw_elf_symbols_free(&names->table);
	names->table = table;
	names->rung = rung;
	return 1;
}

static int take_debug_file(const struct gw_elf *elf, int fd, struct gw_gil_names *names)
{
	char ours[BUILD_ID_TEXT], theirs[BUILD_ID_TEXT];
	struct gw_elf *debug;
	int code = 0;

	if (fd < 0 || gw_elf_build_id(elf, ours, sizeof(ours)) ||
	    gw_elf_open_debug(fd, &debug, NULL))
		return 0;
	if (!gw_elf_build_id(debug, theirs, sizeof(theirs)) && !strcmp(ours, theirs))
		code = take_from(debug, "debug file", names);
	gw_elf_close(debug);
	return code;
}

static int take_debugdata(const struct gw_elf *elf, struct gw_gil_names *names)
{
	struct gw_elf *inner;
	uint8_t *bytes;
	size_t size;
	int code = gw_debugdata_load(elf, &bytes, &size);

	if (code)
		return code == -ENOMEM ? code : 0;
	code = gw_elf_open_bytes(bytes, size, &inner, NULL);
	if (!code) {
		code = take_from(inner, "debugdata", names);
		gw_elf_close(inner);
	} else if (code != -ENOMEM) {
		code = 0;
	}
	free(bytes);
	return code;
}

int gw_gil_names_load(const struct gw_elf *elf, const int *debug, size_t debug_count,
		      struct gw_gil_names *names)
{
	int code;

	*names = (struct gw_gil_names){.rung = ""};
	code = gw_elf_symbols_load(elf, SHT_SYMTAB, &names->table);
	if (code && code != -ENOENT)
		return code;
	if (!code && has_take_gil(&names->table)) {
		names->rung = "symbols";
		return 0;
	}
	code = 0;
	for (size_t i = 0; i < debug_count && !code; i++)
		code = take_debug_file(elf, debug[i], names);
	if (!code)
		code = take_debugdata(elf, names);
	return code < 0 ? code : 0;
}

void gw_gil_names_free(struct gw_gil_names *names)
{
	if (names)
		gw_elf_symbols_free(&names->table);
}
