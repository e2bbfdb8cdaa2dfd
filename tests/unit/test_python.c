// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Finding CPython: the table of layouts, the debug offsets on bytes, and every interpreter of this
 * machine, alive: those of /usr/bin, of pyenv, and those in GILWATCH_PYTHONS (paths, by colons).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "target/layout.h"
#include "target/memory.h"
#include "target/python.h"
#include "target/runtime_symbols.h"

#define INTERPRETERS_MAX 64
#define READY_MS	 60000 /* a child that says nothing for so long never will */

/* ---- the table ---- */

static void check_layout(uint32_t minor, int free_threaded)
{
	const struct gw_python_layout *l = gw_layout_for(0x030000f0 | minor << 16, free_threaded);
	int base = free_threaded ? 8 : 0;

	assert_non_null(l);
	assert_int_equal(l->gil_interval, base);
	assert_int_equal(l->gil_last_holder, base + 8);
	assert_int_equal(l->gil_locked, base + 16);
	assert_int_equal(l->gil_switch_number, base + 24);
	assert_int_equal(l->gil_cond, base + 32);
	assert_true(l->gil_switch_cond >= base + 120);
	assert_true(l->gil_size >= l->gil_switch_cond + 48 + 40);
	assert_int_equal(l->gil_enabled, free_threaded ? 0 : -1);
	assert_true(l->runtime_interpreters_head > 0);
	assert_int_equal(l->runtime_interpreters_main, l->runtime_interpreters_head + 8);
	assert_int_equal(l->runtime_gil >= 0, minor <= 11);
	assert_int_equal(l->interp_gil >= 0, minor >= 12);
	assert_int_equal(l->runtime_drop_request >= 0, minor == 8);
	assert_int_equal(l->interp_drop_request >= 0, minor >= 9 && minor <= 12);
	assert_int_equal(l->tstate_eval_breaker >= 0, minor >= 13);
	assert_true(l->interp_next >= 0);
	assert_true(l->interp_id > 0);
	assert_true(l->interp_tstate_head > 0);
	assert_int_equal(l->tstate_interp, 16);
	assert_true(l->tstate_thread_id > 0);
}

static void test_layouts(void **state)
{
	(void)state;
	for (uint32_t minor = 8; minor <= 15; minor++)
		check_layout(minor, 0);
	for (uint32_t minor = 13; minor <= 15; minor++)
		check_layout(minor, 1);
	assert_null(gw_layout_for(0x030c01f0, 1));
	assert_null(gw_layout_for(0x030700f0, 0));
	assert_null(gw_layout_for(0x031000f0, 0));
	assert_null(gw_layout_for(0x020712f0, 0));
	assert_null(gw_layout_for(0, 0));
	assert_ptr_equal(gw_layout_for(0x030d00f0, 7), gw_layout_for(0x030d12f0, 1));
}

/* ---- debug offsets ---- */

static void put(unsigned char *bytes, size_t at, uint64_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

/* As a 3.13.0 has them, by its headers; 3.13t has a GIL that starts with `enabled`. */
static void make_offsets(unsigned char *bytes, uint32_t version, int free_threaded)
{
	memset(bytes, 0, GW_DEBUG_OFFSETS_MAX);
	memcpy(bytes, "xdebugpy", 8);
	put(bytes, 8, version);
	put(bytes, 16, (uint64_t)free_threaded);
	put(bytes, 24, 283408);
	put(bytes, 40, 640);
	put(bytes, 48, 194984);
	put(bytes, 56, 7280);
	put(bytes, 64, 7288);
	put(bytes, 72, 7352);
	put(bytes, 112, 32);
	put(bytes, 120, 7752);
	put(bytes, 128, 0);
	put(bytes, 136, 7752 + 16 + (free_threaded ? 8 : 0));
	put(bytes, 144, 7752 + 8 + (free_threaded ? 8 : 0));
	put(bytes, 152, 312);
	put(bytes, 176, 24);
	put(bytes, 192, 160);
}

static int apply(const unsigned char *bytes, size_t size, uint32_t version, int free_threaded,
		 struct gw_python_layout *layout)
{
	struct gw_error err = {0};
	int ret;

	*layout = *gw_layout_for(version, free_threaded);
	ret = gw_debug_offsets_apply(bytes, size, version, free_threaded, layout, &err);
	assert_int_equal(ret != 0, err.text[0] != '\0');
	assert_true(!ret || err.status == GW_STATUS_TARGET);
	return ret;
}

static void test_offsets_override(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;

	(void)state;
	for (int free_threaded = 0; free_threaded <= 1; free_threaded++) {
		make_offsets(bytes, 0x030d05f0, free_threaded);
		assert_int_equal(apply(bytes, 584, 0x030d05f0, free_threaded, &layout), 0);
		assert_int_equal(layout.runtime_interpreters_head, 640);
		assert_int_equal(layout.runtime_interpreters_main, 648);
		assert_int_equal(layout.interp_id, 7280);
		assert_int_equal(layout.interp_next, 7288);
		assert_int_equal(layout.interp_tstate_head, 7352);
		assert_int_equal(layout.interp_gil, 32);
		assert_int_equal(layout.tstate_interp, 24);
		assert_int_equal(layout.tstate_thread_id, 160);
		assert_int_equal(layout.gil_interval, free_threaded ? 8 : 0);
	}
}

static void test_offsets_refused(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;
	uint32_t version;
	int free_threaded;
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
		{0, 0},		  /* no cookie */
		{8, 0x030e00f0},  /* another version */
		{8, 0x1030d05f0}, /* no version */
		{16, 1},	  /* another build */
		{24, 0},	  /* a runtime without members */
		{24, 1ull << 40}, /* one larger than any */
		{40, 283408},	  /* members outside their structures */
		{40, UINT64_MAX}, {56, 194984 - 7},  {64, 7289},
		{72, 1ull << 32}, {112, 1ull << 63}, {176, 312},
		{192, 999},	  {136, 7752 + 24}, /* a GIL that starts with something else */
		{144, 7752 + 16}, {120, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_offsets(bytes, 0x030d05f0, 0);
		put(bytes, wrong[i].at, wrong[i].value);
		assert_int_equal(apply(bytes, 584, 0x030d05f0, 0, &layout), -EINVAL);
	}
	make_offsets(bytes, 0x030d05f0, 0);
	assert_int_equal(apply(bytes, 583, 0x030d05f0, 0, &layout), -EINVAL);
	assert_int_equal(apply(bytes, 0, 0x030d05f0, 0, &layout), -EINVAL);
	assert_int_equal(apply(bytes, 584, 0x030d04f0, 0, &layout), -EINVAL);
	assert_int_equal(gw_debug_offsets_identify(bytes, 24, &version, &free_threaded), 0);
	assert_int_equal(version, 0x030d05f0);
	assert_int_equal(gw_debug_offsets_identify(bytes, 23, &version, &free_threaded), -EINVAL);
	bytes[7] = 'Y';
	assert_int_equal(gw_debug_offsets_identify(bytes, 24, &version, &free_threaded), -EINVAL);
	assert_int_equal(gw_debug_offsets_size(0x030d00f0), 584);
	assert_int_equal(gw_debug_offsets_size(0x030e00f0), 760);
	assert_int_equal(gw_debug_offsets_size(0x030f00f0), 888);
	assert_int_equal(gw_debug_offsets_size(0x030c00f0), 0);
	assert_int_equal(gw_debug_offsets_apply(bytes, 584, 0x030c00f0, 0, &layout, NULL), -EINVAL);
}

/* A version that is not known yet is read as the newest that is, if it can be. */
static void test_offsets_guessed(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;
	const uint32_t future = 0x031000f0;

	(void)state;
	make_offsets(bytes, future, 0);
	put(bytes, 112, 0); /* where 3.13 alone has what follows */
	put(bytes, 120, 16);
	put(bytes, 128, 7752);
	put(bytes, 144, 7752 + 16);
	put(bytes, 152, 7752 + 8);
	put(bytes, 176, 312);
	put(bytes, 200, 16);
	put(bytes, 240, 176);
	put(bytes, 840, 24);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future, 0, &layout), 0);
	assert_int_equal(layout.interp_id, 7280);
	assert_int_equal(layout.tstate_thread_id, 176);
	assert_int_equal(layout.gil_locked, 16);
	/* too short, of another version, older than the newest, of the next major one */
	assert_int_equal(gw_debug_offsets_guess(bytes, 887, future, 0, &layout), -EINVAL);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future + 1, 0, &layout),
			 -EINVAL);
	put(bytes, 8, 0x030e00f0);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), 0x030e00f0, 0, &layout),
			 -EINVAL);
	put(bytes, 8, 0x040000f0);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), 0x040000f0, 0, &layout),
			 -EINVAL);
	/* a GIL that is laid out in another way */
	put(bytes, 8, future);
	put(bytes, 144, 7752 + 24);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future, 0, &layout), -EINVAL);
}

/* ---- the file ---- */

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

static int symbols_of(const void *bytes, size_t size)
{
	struct gw_runtime_symbols *symbols = malloc(sizeof(*symbols));
	FILE *file = tmpfile();
	int ret;

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, size, file), size);
	fflush(file);
	ret = gw_runtime_symbols_read(fileno(file), symbols);
	fclose(file);
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

static int read_narrow(const struct narrow *n, size_t size, struct gw_runtime_symbols *symbols)
{
	FILE *file = tmpfile();
	int ret;

	assert_non_null(file);
	assert_int_equal(fwrite(n, 1, size, file), size);
	fflush(file);
	ret = gw_runtime_symbols_read(fileno(file), symbols);
	fclose(file);
	return ret;
}

static void test_narrow(void **state)
{
	struct gw_runtime_symbols symbols;
	struct narrow n;

	(void)state;
	make_narrow(&n);
	assert_int_equal(read_narrow(&n, sizeof(n), &symbols), 0);
	assert_true(symbols.narrow && symbols.old_python && !symbols.pypy);
	assert_int_equal(symbols.version_hex, 0x030b02f0);
	assert_true(symbols.runtime == 0);

	n.names[1] = 'X'; /* it has a Py_Version, and that is no proof */
	assert_int_equal(read_narrow(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	for (size_t size = EI_NIDENT; size < sizeof(n); size += 5)
		assert_int_equal(read_narrow(&n, size, &symbols), -ENOTSUP);
	n.section[1].sh_size = UINT32_MAX;
	assert_int_equal(read_narrow(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	n.section[1].sh_offset = UINT32_MAX - 8;
	assert_int_equal(read_narrow(&n, sizeof(n), &symbols), -ENOTSUP);
	make_narrow(&n);
	n.symbol[2].st_value = UINT32_MAX;
	assert_int_equal(read_narrow(&n, sizeof(n), &symbols), 0);
	assert_int_equal(symbols.version_hex, 0);
}

/* ---- alive ---- */

struct child {
	pid_t pid;
	char line[64]; /* the first line that it wrote */
};

static int child_start(struct child *child, const char *program, const char *const arguments[])
{
	int ends[2];
	FILE *out;

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child->pid = fork();
	if (child->pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		dup2(ends[1], 1);
		execv(program, (char *const *)arguments);
		_exit(127);
	}
	close(ends[1]);
	out = fdopen(ends[0], "r");
	child->line[0] = '\0';
	if (poll(&(struct pollfd){.fd = ends[0], .events = POLLIN}, 1, READY_MS) != 1 ||
	    !fgets(child->line, sizeof(child->line), out))
		child->line[0] = '\0';
	fclose(out);
	child->line[strcspn(child->line, "\n")] = '\0';
	return child->line[0] ? 0 : -1;
}

static void child_stop(struct child *child)
{
	kill(child->pid, SIGKILL);
	waitpid(child->pid, NULL, 0);
}

static const char idle[] = "import sys, time\n"
			   "sys.stdout.write('%d.%d.%d\\n' % tuple(sys.version_info[:3]))\n"
			   "sys.stdout.flush()\n"
			   "time.sleep(30)\n";

static int python_start(struct child *child, const char *program, const char *code)
{
	const char *arguments[] = {program, "-S", "-c", code, NULL};

	return child_start(child, program, arguments);
}

struct interpreters {
	int count;
	char *path[INTERPRETERS_MAX];
};

static void add(struct interpreters *list, const char *path)
{
	if (list->count < INTERPRETERS_MAX && access(path, X_OK) == 0)
		list->path[list->count++] = strdup(path);
}

/* "python3.11", but not "python3.11-config". */
static int is_python(const char *path)
{
	const char *name = strrchr(path, '/') + 1;

	return name[strspn(name, "python0123456789.t")] == '\0';
}

static void add_all(struct interpreters *list, const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) == 0) {
		for (size_t i = 0; i < found.gl_pathc; i++)
			if (is_python(found.gl_pathv[i]))
				add(list, found.gl_pathv[i]);
		globfree(&found);
	}
}

static int find_interpreters(void **state)
{
	struct interpreters *list = calloc(1, sizeof(*list));
	const char *root = getenv("PYENV_ROOT"), *home = getenv("HOME");
	char *more = strdup(getenv("GILWATCH_PYTHONS") ? getenv("GILWATCH_PYTHONS") : "");
	char pattern[512], *at = more, *path;

	add_all(list, "/usr/bin/python3.*");
	add_all(list, "/usr/bin/pypy3.*");
	if (root)
		snprintf(pattern, sizeof(pattern), "%s/versions/*/bin/python", root);
	else
		snprintf(pattern, sizeof(pattern), "%s/.pyenv/versions/*/bin/python",
			 home ? home : "");
	add_all(list, pattern);
	while ((path = strsep(&at, ":")))
		if (*path)
			add(list, path);
	free(more);
	*state = list;
	return 0;
}

static int free_interpreters(void **state)
{
	struct interpreters *list = *state;

	for (int i = 0; i < list->count; i++)
		free(list->path[i]);
	free(list);
	return 0;
}

static double find_timed(pid_t pid, struct gw_python *python, struct gw_error *err, int *ret)
{
	struct timespec a, b;

	memset(err, 0, sizeof(*err));
	clock_gettime(CLOCK_MONOTONIC, &a);
	*ret = gw_python_find(pid, python, err);
	clock_gettime(CLOCK_MONOTONIC, &b);
	return (double)(b.tv_sec - a.tv_sec) * 1e3 + (double)(b.tv_nsec - a.tv_nsec) / 1e6;
}

static int minor_of(const char *version)
{
	return (int)strtol(strchr(version, '.') + 1, NULL, 10);
}

static int is_pypy(const char *path)
{
	return strstr(path, "pypy") != NULL;
}

static int is_supported(const char *path, const struct child *child)
{
	return !is_pypy(path) && child->line[0] == '3' && minor_of(child->line) >= 8 &&
	       minor_of(child->line) <= 15;
}

static void check_found(const struct gw_python *python, const struct child *child)
{
	unsigned int major, minor, micro;
	struct gw_gil_view view;

	assert_string_equal(python->version, child->line);
	assert_int_equal(sscanf(child->line, "%u.%u.%u", &major, &minor, &micro), 3);
	assert_int_equal(python->version_hex >> 8, major << 16 | minor << 8 | micro);
	assert_int_equal(python->gil_count, 1);
	assert_int_equal(python->gils_left_out, 0);
	assert_int_equal(python->gil[0].interpreter, 0);
	assert_true(python->free_threaded || python->gil_enabled);
	assert_int_equal(gw_python_view_gil(child->pid, python, python->gil[0].address, &view), 0);
	assert_int_equal(view.interval_us, 5000);
	assert_true(view.locked == 0 || view.locked == 1);
	assert_true(view.last_holder != 0);
	assert_true(python->runtime_file.start < python->runtime_file.end);
	assert_int_equal(python->shared, strstr(python->runtime_file.path, "libpython") != NULL);
}

static void check_refused(const struct gw_error *err, int ret, const char *said)
{
	assert_int_equal(ret, -ENOTSUP);
	assert_int_equal(err->status, GW_STATUS_TARGET);
	assert_non_null(strstr(err->text, said));
	assert_non_null(strstr(err->text, "3.8 - 3.15"));
}

static void test_each_interpreter(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));

	for (int i = 0; i < list->count; i++) {
		struct child child;
		struct gw_error err;
		double ms;
		int ret;

		if (python_start(&child, list->path[i], idle)) {
			child_stop(&child);
			print_message("%-48s does not run\n", list->path[i]);
			continue;
		}
		ms = find_timed(child.pid, python, &err, &ret);
		print_message(
			"%-48s %s%s gil %#llx %.2f ms %s\n", list->path[i],
			ret ? "refused" : python->version, !ret && python->free_threaded ? "t" : "",
			ret ? 0ull : (unsigned long long)python->gil[0].address, ms, err.text);
		if (is_supported(list->path[i], &child)) {
			assert_int_equal(ret, 0);
			check_found(python, &child);
		} else {
			check_refused(&err, ret, is_pypy(list->path[i]) ? "PyPy 3" : child.line);
		}
		child_stop(&child);
	}
	free(python);
	if (!list->count)
		skip();
}

static const char spinning[] = "import sys, threading\n"
			       "if sys.version_info < (3, 8): raise SystemExit\n"
			       "def spin():\n"
			       "    while True: pass\n"
			       "for i in range(3): threading.Thread(target=spin).start()\n"
			       "sys.setswitchinterval(0.001)\n"
			       "sys.stdout.write('%d.%d\\n' % sys.version_info[:2])\n"
			       "sys.stdout.flush()\n"
			       "spin()\n";

/* A GIL that is fought for: its holder changes while it is looked at. */
static void test_busy(void **state)
{
	const struct timespec pause = {.tv_nsec = 300000};
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));

	for (int i = 0; i < list->count; i++) {
		struct gw_gil_view view;
		struct gw_error err = {0};
		struct child child;
		int held = 0, named = 0, ret;

		if (python_start(&child, list->path[i], spinning) == 0 &&
		    is_supported(list->path[i], &child)) {
			ret = gw_python_find(child.pid, python, &err);
			assert_string_equal(err.text, "");
			assert_int_equal(ret, 0);
			for (int n = 0; n < 100 && python->gil_enabled; n++) {
				assert_int_equal(gw_python_view_gil(child.pid, python,
								    python->gil[0].address, &view),
						 0);
				assert_int_equal(view.interval_us, 1000);
				nanosleep(&pause, NULL);
				held += view.locked == 1;
				named += view.holder_thread_id != 0;
			}
			print_message("%-48s held in %d looks of 100, by a thread in %d\n",
				      list->path[i], held, named);
			/* Nobody holds it in a hand-over, which takes long where CPUs are scarce.
			 */
			if (python->gil_enabled)
				assert_true(held > 0 && named > 0);
		}
		child_stop(&child);
	}
	free(python);
	if (!list->count)
		skip();
}

/* 3.12 and up: interpreters with a GIL of their own; the module's name moved in 3.13. */
static const char subinterpreters[] = "import sys, time\n"
				      "if sys.version_info < (3, 12): raise SystemExit\n"
				      "if sys.version_info >= (3, 13): import _interpreters as i\n"
				      "else: import _xxsubinterpreters as i\n"
				      "kept = [i.create() for n in range(%d)]\n"
				      "sys.stdout.write('%%d.%%d\\n' %% sys.version_info[:2])\n"
				      "sys.stdout.flush()\n"
				      "time.sleep(30)\n";

static void test_subinterpreters(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));
	char code[512];
	int seen = 0;

	for (int i = 0; i < 2 * list->count; i++) {
		int made = i % 2 ? 20 : 2;
		struct gw_error err = {0};
		struct child child;

		snprintf(code, sizeof(code), subinterpreters, made);
		if (python_start(&child, list->path[i / 2], code) == 0 &&
		    is_supported(list->path[i / 2], &child) && minor_of(child.line) >= 12) {
			assert_int_equal(gw_python_find(child.pid, python, &err), 0);
			assert_int_equal(python->gil_count,
					 made < GW_PYTHON_GILS_MAX ? made + 1 : GW_PYTHON_GILS_MAX);
			assert_int_equal(python->gil_count + python->gils_left_out, made + 1);
			assert_int_equal(python->gil[0].interpreter, 0);
			for (int g = 1; g < python->gil_count; g++)
				assert_true(python->gil[g].interpreter >
					    python->gil[g - 1].interpreter);
			seen++;
		}
		child_stop(&child);
	}
	free(python);
	if (!seen)
		skip();
}

/* A copy of the interpreter under a name that tells nothing, gone from the disk once it runs. */
static void test_deleted(void **state)
{
	const struct interpreters *list = *state;
	struct gw_python *python = malloc(sizeof(*python));
	const char *base = getenv("TMPDIR");
	char directory[64], copy[96], command[512];

	snprintf(directory, sizeof(directory), "%.40s/gw-python-XXXXXX", base ? base : "/tmp");
	assert_non_null(mkdtemp(directory));
	snprintf(copy, sizeof(copy), "%s/some\nthing", directory);
	for (int i = 0; i < list->count; i++) {
		struct gw_error err = {0};
		struct child child;

		snprintf(command, sizeof(command), "cp '%s' '%s'", list->path[i], copy);
		assert_int_equal(system(command), 0);
		if (python_start(&child, copy, idle) == 0 && is_supported(list->path[i], &child)) {
			int ret;

			unlink(copy);
			ret = gw_python_find(child.pid, python, &err);
			/* Without the right to use map_files a deleted file is out of reach. */
			if (ret != -EACCES) {
				assert_string_equal(err.text, "");
				assert_int_equal(ret, 0);
				check_found(python, &child);
				if (strcmp(python->runtime_file.path, copy) == 0)
					assert_true(python->runtime_file.deleted);
			}
		}
		child_stop(&child);
		unlink(copy);
	}
	rmdir(directory);
	free(python);
	if (!list->count)
		skip();
}

static void refused(pid_t pid, int code, enum gw_status status, const char *sentence)
{
	struct gw_python *python = malloc(sizeof(*python));
	struct gw_error err = {0};

	assert_int_equal(gw_python_find(pid, python, &err), code);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(err.status, status);
	assert_int_equal(gw_python_find(pid, python, NULL), code);
	free(python);
}

static void test_no_python(void **state)
{
	const char *arguments[] = {"/bin/sh", "-c", "echo ready; read line", NULL};
	int ends[2], saved = dup(0);
	struct child child;

	(void)state;
	/* It reads from a pipe that nobody writes to. */
	assert_int_equal(pipe(ends), 0);
	dup2(ends[0], 0);
	assert_int_equal(child_start(&child, "/bin/sh", arguments), 0);
	dup2(saved, 0);
	refused(child.pid, -ENOENT, GW_STATUS_TARGET, "maps no CPython");
	child_stop(&child);
	refused(child.pid, -ESRCH, GW_STATUS_TARGET, "there is no process");
	close(ends[0]);
	close(ends[1]);
	close(saved);
}

static void test_odd_pids(void **state)
{
	(void)state;
	refused(0x3fffffff, -ESRCH, GW_STATUS_TARGET, "there is no process 1073741823");
	refused(-1, -ESRCH, GW_STATUS_TARGET, "there is no process");
	if (access("/proc/2/stat", R_OK) == 0 && access("/proc/2/exe", F_OK))
		refused(2, -ENOTSUP, GW_STATUS_TARGET, "is a kernel thread");
}

static void test_zombie(void **state)
{
	siginfo_t info;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(0);
	/* It has ended, and is kept. */
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	refused(pid, -ESRCH, GW_STATUS_TARGET, "has ended");
	waitpid(pid, NULL, 0);
}

/* What somebody without rights is told: run in a child that gives its own up. */
static void test_rights(void **state)
{
	const struct interpreters *list = *state;
	struct child child;
	int status;
	pid_t pid;

	if (!list->count || geteuid() != 0) {
		skip();
		return;
	}
	assert_int_equal(python_start(&child, list->path[0], idle), 0);
	pid = fork();
	if (pid == 0) {
		struct gw_python *python = malloc(sizeof(*python));
		struct gw_error err = {0};
		int ret;

		if (setgid(65534) || setuid(65534))
			_exit(2);
		ret = gw_python_find(child.pid, python, &err);
		_exit(ret == -EACCES && err.status == GW_STATUS_RIGHTS &&
				      strstr(err.text, "CAP_SYS_PTRACE")
			      ? 0
			      : 1);
	}
	waitpid(pid, &status, 0);
	child_stop(&child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_offsets_override),
		cmocka_unit_test(test_offsets_refused),
		cmocka_unit_test(test_offsets_guessed),
		cmocka_unit_test(test_version_text),
		cmocka_unit_test(test_bias),
		cmocka_unit_test(test_damaged_files),
		cmocka_unit_test(test_narrow),
		cmocka_unit_test_setup_teardown(test_each_interpreter, find_interpreters,
						free_interpreters),
		cmocka_unit_test_setup_teardown(test_busy, find_interpreters, free_interpreters),
		cmocka_unit_test_setup_teardown(test_subinterpreters, find_interpreters,
						free_interpreters),
		cmocka_unit_test_setup_teardown(test_deleted, find_interpreters, free_interpreters),
		cmocka_unit_test(test_no_python),
		cmocka_unit_test(test_odd_pids),
		cmocka_unit_test(test_zombie),
		cmocka_unit_test_setup_teardown(test_rights, find_interpreters, free_interpreters),
	};

	return cmocka_run_group_tests_name("python", tests, NULL, NULL);
}
