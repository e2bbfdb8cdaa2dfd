// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The GIL's call sites in small files that the compiler makes: variants of code, and witnesses of
 * names. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sites_bed.h"

/* ---- compiled files ---- */

struct variant {
	const char *name, *options;
	const char *section; /* that the linker must have made, or the variant is not what it is
				called */
	int cheap;
};

#define CET "-fcf-protection=full -Wl,-z,ibtplt -Wl,-z,now"

static const struct variant variants[] = {
	{"lazy", "-shared -fPIC -fcf-protection=none -Wl,-z,lazy", ".plt", 1},
	{"landing pads", "-shared -fPIC " CET, ".plt.sec", 1},
	{"address taken", "-shared -fPIC -DTAKE_ADDRESS -Wl,-z,now", ".plt.got", 1},
	{"address taken, landing pads", "-shared -fPIC -DTAKE_ADDRESS " CET, ".plt.got", 1},
	{"position-independent program", "-pie -fPIE", ".plt", 1},
	{"fixed program", "-no-pie -fno-pie", ".plt", 1},
	{"fixed program, address taken", "-no-pie -fno-pie -DTAKE_ADDRESS", ".plt", 1},
	{"one segment for code and data", "-shared -fPIC -Wl,-z,noseparate-code", ".plt", 1},
	{"static program", "-static -no-pie -fno-pie", ".symtab", 1},
	{"GOT calls", "-shared -fPIC -fno-plt", ".got", 0},
	{"no optimisation", "-shared -fPIC -O0", ".plt", 1},
	{"small", "-shared -fPIC -Os", ".plt", 1},
};

static int has_section(const char *path, const char *name)
{
	struct gw_elf_section section;
	struct gw_elf *elf;
	int fd = open(path, O_RDONLY | O_CLOEXEC), found;

	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	found = !gw_elf_section_named(elf, name, &section);
	gw_elf_close(elf);
	close(fd);
	return found;
}

static void check_variant(struct fixture *fixture, const char *compiler,
			  const struct variant *variant)
{
	struct gw_sites sites, stripped;
	struct gw_error err;
	struct truth truth;
	char path[512];
	size_t i;

	build(fixture, compiler, "gil.c", variant->options, path);
	assert_true(has_section(path, variant->section));
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	assert_true(count_kind(&sites, GW_SITE_ACQUIRE) >= 1);
	assert_true(count_kind(&sites, GW_SITE_RELEASE) >= 3);
	for (i = 0; i < sites.count; i++)
		assert_int_equal(sites.site[i].cheap, variant->cheap);

	strip(path);
	if (strstr(variant->options, "-static")) {
		/* With no symbol and no import nothing tells one function from another. */
		assert_int_equal(find_in(path, &stripped, &err), -ENOENT);
		return;
	}
	assert_int_equal(find_in(path, &stripped, &err), 0);
	assert_string_equal(stripped.how, "calls");
	assert_int_equal(stripped.count, sites.count);
	assert_memory_equal(stripped.site, sites.site, sizeof(sites.site));
}

static void check_variants(struct fixture *fixture, const char *compiler)
{
	size_t i;

	for (i = 0; i < sizeof(variants) / sizeof(variants[0]); i++) {
		print_message("%s: %s\n", compiler, variants[i].name);
		check_variant(fixture, compiler, &variants[i]);
	}
}

static void test_compiled(void **state)
{
	NEED_TOOLCHAIN();
	check_variants(*state, "cc");
}

static void test_compiled_by_clang(void **state)
{
	NEED_TOOLCHAIN();
	if (!have("clang"))
		skip();
	check_variants(*state, "clang");
}

/* The sites are labels: acquire_N and release_N, with _slow where the kernel must single-step. */
static void read_labels(const char *path, struct truth *truth, size_t *slow)
{
	struct gw_elf_symbols symbols;
	const char *name;
	struct gw_elf *elf;
	size_t i;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	*truth = (struct truth){0};
	*slow = 0;
	assert_int_equal(gw_elf_open(fd, &elf, NULL), 0);
	assert_int_equal(gw_elf_symbols_load(elf, SHT_SYMTAB, &symbols), 0);
	for (i = 0; i < symbols.count; i++) {
		name = gw_elf_symbol_name(&symbols, i);
		if (!strncmp(name, "acquire_", 8))
			add_truth(truth, symbols.symbol[i].st_value, GW_SITE_ACQUIRE);
		if (!strncmp(name, "release_", 8))
			add_truth(truth, symbols.symbol[i].st_value, GW_SITE_RELEASE);
		*slow += strstr(name, "_slow") != NULL;
	}
	gw_elf_symbols_free(&symbols);
	gw_elf_close(elf);
	close(fd);
}

static void check_assembled(struct fixture *fixture, const char *options)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];
	size_t slow, i;

	build(fixture, "cc", "assembly.s", options, path);
	read_labels(path, &truth, &slow);
	assert_int_equal(truth.count, 9);
	strip(path);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	for (i = 0; i < sites.count; i++)
		slow -= !sites.site[i].cheap;
	assert_int_equal(slow, 0);
}

static void test_assembled(void **state)
{
	NEED_TOOLCHAIN();
	check_assembled(*state, "-shared");
	check_assembled(*state, "-shared -Wa,--defsym,SPLIT=1");
}

static void expect_refusal(struct fixture *fixture, const char *options, int code,
			   const char *sentence)
{
	struct gw_sites sites;
	struct gw_error err;
	char path[512];

	build(fixture, "cc", "gil.c", options, path);
	assert_int_equal(find_in(path, &sites, &err), code);
	assert_non_null(strstr(err.text, sentence));
	assert_int_equal(err.status, GW_STATUS_TARGET);
}

static void test_contradictions(void **state)
{
	NEED_TOOLCHAIN();
	expect_refusal(*state, "-shared -fPIC -DLOCK_OTHER", -EINVAL, "PyEval_AcquireLock");
	expect_refusal(*state, "-shared -fPIC -DNAME_OTHER", -EINVAL, "symbols");
	expect_refusal(*state, "-shared -fPIC -DNO_RELEASE", -EINVAL, "releases");
	expect_refusal(*state, "-shared -fPIC -DMANY", -E2BIG, "too many");
}

static void test_no_unwind_table(void **state)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c",
	      "-shared -fPIC -fno-asynchronous-unwind-tables -fno-unwind-tables", path);
	/* The symbols say where functions begin and end. */
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	/* Without them the functions are in no table: nothing is found, and nothing is guessed. */
	strip(path);
	assert_true(find_in(path, &sites, &err) < 0);
}

/* ---- the ladder of names ---- */

/* Runs a command made of a format and two paths, and fails the test if that fails. */
static void shell(const char *format, const char *first, const char *second)
{
	char command[4096];
	int length = snprintf(command, sizeof(command), format, first, second);

	assert_true(length > 0 && (size_t)length < sizeof(command));
	if (system(command) != 0)
		fail_msg("cannot run: %s", command);
}

static int find_with_debug(const char *path, const char *debug, struct gw_sites *sites)
{
	struct gw_sites_files files = {
		.file = open(path, O_RDONLY | O_CLOEXEC),
		.debug = {-1, open(debug, O_RDONLY | O_CLOEXEC)},
	};
	struct gw_error err = {0};
	int code = gw_sites_find(&files, sites, &err);

	assert_true(files.debug[1] >= 0);
	close(files.file);
	close(files.debug[1]);
	return code;
}

static void test_debug_file(void **state)
{
	struct gw_sites whole, sites;
	char path[512], debug[600], other[512];
	struct gw_error err;

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-g -shared -fPIC -Wl,--build-id", path);
	assert_int_equal(find_in(path, &whole, &err), 0);
	assert_non_null(strstr(whole.function[0].name, "take_gil"));
	snprintf(debug, sizeof(debug), "%s.debug", path);
	shell("objcopy --only-keep-debug %s %s", path, debug);
	strip(path);
	assert_int_equal(find_with_debug(path, debug, &sites), 0);
	check_same(&sites, &whole, "debug file");
	assert_non_null(strstr(sites.function[0].name, "take_gil"));
	/* As compressed as its sections can be. */
	shell("objcopy --compress-debug-sections %s %s", debug, debug);
	assert_int_equal(find_with_debug(path, debug, &sites), 0);
	check_same(&sites, &whole, "debug file");

	/* Of another build: as if it were not there. */
	build(*state, "cc", "gil.c", "-g -O1 -shared -fPIC -Wl,--build-id", other);
	assert_int_equal(find_with_debug(path, other, &sites), 0);
	check_same(&sites, &whole, "calls");
	assert_string_equal(sites.function[0].name, "");
	/* Or no ELF file at all. */
	assert_int_equal(find_with_debug(path, "/proc/self/cmdline", &sites), 0);
	check_same(&sites, &whole, "calls");
}

/* As Fedora's find-debuginfo makes it. */
static void test_debugdata(void **state)
{
	struct gw_sites whole, sites;
	struct gw_error err;
	char path[512], mini[600];

	NEED_TOOLCHAIN();
	if (!have("xz"))
		skip();
	build(*state, "cc", "gil.c", "-g -shared -fPIC -Wl,--build-id", path);
	assert_int_equal(find_in(path, &whole, &err), 0);
	snprintf(mini, sizeof(mini), "%s.mini", path);
	shell("nm %s --format=posix --defined-only | "
	      "awk '$2 == \"T\" || $2 == \"t\" {print $1}' | sort > %s.functions",
	      path, mini);
	shell("objcopy -S --remove-section .gdb_index --remove-section .comment "
	      "--keep-symbols=%2$s.functions %1$s %2$s",
	      path, mini);
	shell("objcopy --only-keep-debug %s %s.only", mini, mini);
	shell("xz -f %s.only && strip %s", mini, path);
	shell("objcopy --add-section .gnu_debugdata=%2$s.only.xz %1$s", path, mini);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_same(&sites, &whole, "debugdata");
	assert_non_null(strstr(sites.function[0].name, "take_gil"));
}

/* Names that say of one place what the calls do not: it is left out, and that is said. */
static void test_disagreement(void **state)
{
	struct gw_sites sites, stripped;
	struct gw_error err;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -DNAME_ONE_MORE", path);
	assert_int_equal(find_in(path, &sites, &err), 0);
	assert_string_equal(sites.how, "symbols");
	assert_non_null(strstr(sites.disagreement, "disagree on 1 of the places"));
	strip(path);
	assert_int_equal(find_in(path, &stripped, &err), 0);
	assert_string_equal(stripped.disagreement, "");
	assert_int_equal(stripped.count, sites.count + 1);
	assert_int_equal(count_kind(&stripped, GW_SITE_ACQUIRE),
			 count_kind(&sites, GW_SITE_ACQUIRE));
}

/* A GIL that waits in a way of its own: only names can tell. */
static void test_names_alone(void **state)
{
	struct gw_sites sites;
	struct gw_error err;
	struct truth truth;
	char path[512];

	NEED_TOOLCHAIN();
	build(*state, "cc", "gil.c", "-shared -fPIC -DNO_TIMEOUT", path);
	read_truth(path, "take_gil", &truth);
	assert_int_equal(find_in(path, &sites, &err), 0);
	check_against(path, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	strip(path);
	assert_int_equal(find_in(path, &sites, &err), -ENOENT);
}

/* ---- without section headers ---- */

static void test_without_sections(void **state)
{
	static const char *const options[] = {
		"-shared -fPIC -Wl,--build-id -Wl,-soname,libx.so -Wl,-z,lazy -Wl,--hash-style=gnu",
		("-shared -fPIC -Wl,--hash-style=sysv -fcf-protection=full -Wl,-z,ibtplt "
		 "-Wl,-z,now"),
		"-shared -fPIC -fno-plt -Wl,--hash-style=both",
		"-pie -fPIE -rdynamic -Wl,--hash-style=gnu",
		"-no-pie -fno-pie -rdynamic -DTAKE_ADDRESS",
	};
	char path[512];

	NEED_TOOLCHAIN();
	for (size_t i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
		build(*state, "cc", "gil.c", options[i], path);
		strip(path);
		check_without_sections(path);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_compiled),	cmocka_unit_test(test_compiled_by_clang),
		cmocka_unit_test(test_assembled),	cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_no_unwind_table), cmocka_unit_test(test_debug_file),
		cmocka_unit_test(test_debugdata),	cmocka_unit_test(test_disagreement),
		cmocka_unit_test(test_names_alone),	cmocka_unit_test(test_without_sections),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
