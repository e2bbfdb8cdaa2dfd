// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The GIL's call sites in the interpreters of this machine (and those in GILWATCH_BINARIES:
 * patterns, by colons). */
#include <fcntl.h>
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sites_bed.h"
#include "target/file_reader.h"

/* ---- the interpreters of this machine ---- */

#define FILES_MAX 256

struct files {
	size_t count;
	struct stat seen[FILES_MAX];
	size_t checked;
};

/* The minor version in a name like libpython3.11d.so.1.0, or -1. */
static int minor_of(const char *path)
{
	const char *name = strrchr(path, '/'), *at = strstr(name ? name : path, "python3.");
	int minor = -1;

	if (at)
		sscanf(at, "python3.%d", &minor);
	return minor;
}

/* 1: the file is CPython itself, and not a launcher that loads libpython. */
static int holds_runtime(int fd)
{
	struct gw_elf_symbols symbols;
	Elf64_Sym symbol;
	struct gw_elf *elf;
	int found = 0;

	if (gw_elf_open(fd, &elf, NULL))
		return 0;
	if (!gw_elf_symbols_load(elf, SHT_DYNSYM, &symbols)) {
		found = !gw_elf_symbol_find(&symbols, "_PyRuntime", &symbol);
		gw_elf_symbols_free(&symbols);
	}
	gw_elf_close(elf);
	return found;
}

static int seen_before(struct files *files, const struct stat *status)
{
	size_t i;

	for (i = 0; i < files->count; i++) {
		if (files->seen[i].st_dev == status->st_dev &&
		    files->seen[i].st_ino == status->st_ino)
			return 1;
	}
	if (files->count < FILES_MAX)
		files->seen[files->count++] = *status;
	return 0;
}

/* With symbols: each acquisition lies in a take_gil, and each site in a take_gil is one. */
static void check_symbol_bounds(int fd, const struct gw_sites *sites)
{
	struct gw_elf_symbols symbols;
	struct gw_elf *elf;
	size_t i, n;
	int inside;

	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	if (!gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols)) {
		for (i = 0; i < sites->count; i++) {
			inside = 0;
			for (n = 0; n < symbols.count; n++)
				inside |=
					!strncmp(gw_elf_symbol_name(&symbols, n), "take_gil", 8) &&
					sites->site[i].virtual_address -
							symbols.symbol[n].st_value <
						symbols.symbol[n].st_size;
			assert_int_equal(inside, sites->site[i].kind == GW_SITE_ACQUIRE);
		}
		assert_string_equal(sites->how, "symbols");
		gw_elf_symbols_free(&symbols);
	}
	gw_elf_close(elf);
}

/* The same through the sandbox, as gilwatch does it; what it took goes to the caller. */
static void check_sandboxed(int fd, const struct gw_sites *sites, struct gw_sandbox_use *use)
{
	const struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};
	struct gw_error err = {0};
	struct gw_sites boxed;

	assert_int_equal(gw_file_find_sites(&files, "the file", &boxed, NULL, use, &err), 0);
	assert_string_equal(err.text, "");
	assert_memory_equal(&boxed, sites, sizeof(boxed));
}

static void check_interpreter(struct files *files, const char *path)
{
	struct gw_sandbox_use use = {0};
	struct gw_error err = {0};
	struct gw_sites sites;
	size_t i, cheap = 0;
	struct stat status;
	double start, took;
	int code, fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (!fstat(fd, &status) && S_ISREG(status.st_mode) && !seen_before(files, &status) &&
	    minor_of(path) >= 8 && holds_runtime(fd)) {
		start = seconds();
		code = find_sites(fd, &sites, &err);
		if (code)
			fail_msg("%s: %d: %s", path, code, err.text);
		for (i = 0; i < sites.count; i++)
			cheap += sites.site[i].cheap;
		took = seconds() - start;
		check_sandboxed(fd, &sites, &use);
		print_message("%-48s %-8s %2zu acquire %2zu release %s %6.1f ms; sandboxed %.1f ms "
			      "CPU, %.1f MiB\n",
			      path, sites.how, count_kind(&sites, GW_SITE_ACQUIRE),
			      count_kind(&sites, GW_SITE_RELEASE),
			      cheap == sites.count ? "all cheap" : "NOT all cheap", took * 1e3,
			      (double)use.cpu_us / 1e3, (double)use.peak_kib / 1024);
		/* Where there are two witnesses, they agree. */
		assert_string_equal(sites.disagreement, "");
		assert_true(sites.function_count >= 1);
		if (!strcmp(sites.how, "calls"))
			check_without_sections(path);
		assert_true(count_kind(&sites, GW_SITE_ACQUIRE) >= 1);
		assert_true(count_kind(&sites, GW_SITE_RELEASE) >= 1);
		check_symbol_bounds(fd, &sites);
		files->checked++;
	}
	close(fd);
}

static void check_matching(struct files *files, const char *root, const char *pattern)
{
	char path[1024];
	glob_t matches;
	size_t i;

	snprintf(path, sizeof(path), "%s%s", root, pattern);
	if (!glob(path, 0, NULL, &matches)) {
		for (i = 0; i < matches.gl_pathc; i++)
			check_interpreter(files, matches.gl_pathv[i]);
		globfree(&matches);
	}
}

/* Where pyenv keeps its interpreters; "" if it cannot be told. */
static void pyenv_root(char root[512])
{
	const char *variable = getenv("PYENV_ROOT"), *home = getenv("HOME");
	FILE *pipe;

	root[0] = '\0';
	if (variable && *variable) {
		snprintf(root, 512, "%s", variable);
		return;
	}
	pipe = popen("pyenv root 2>/dev/null", "r");
	if (pipe) {
		if (!fgets(root, 512, pipe))
			root[0] = '\0';
		pclose(pipe);
		root[strcspn(root, "\n")] = '\0';
	}
	if (!root[0] && home)
		snprintf(root, 512, "%s/.pyenv", home);
}

static void test_interpreters(void **state)
{
	struct files files = {0};
	char root[512];
	char *more = strdup(getenv("GILWATCH_BINARIES") ? getenv("GILWATCH_BINARIES") : "");

	(void)state;
#if !defined(__x86_64__)
	skip();
#endif
	check_matching(&files, "/usr/bin/", "python3.*");
	check_matching(&files, "/usr/lib/x86_64-linux-gnu/", "libpython3*.so*");
	pyenv_root(root);
	if (root[0]) {
		check_matching(&files, root, "/versions/*/lib/libpython3*.so*");
		check_matching(&files, root, "/versions/*/bin/python3.*");
	}
	for (char *at = more, *path; (path = strsep(&at, ":"));)
		check_matching(&files, "", path);
	free(more);
	print_message("%zu interpreters\n", files.checked);
	if (!files.checked)
		skip();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_interpreters),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
