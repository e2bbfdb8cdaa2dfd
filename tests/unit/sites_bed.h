/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Small files with a GIL in them that the compiler makes for a test, and the truth about their call
 * sites: what the disassembler says of them before they are stripped.
 */
#ifndef GW_SITES_BED_H
#define GW_SITES_BED_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "target/elf_symbols.h"
#include "target/sites.h"

struct fixture {
	char directory[256];
	int built; /* files made so far: each has a name of its own */
};

/* The directory of such files; for cmocka's groups. */
int set_up(void **state);
int tear_down(void **state);

/*
 * Compiles gil.c or assembly.s into a new file, and puts its path into a buffer of the caller's.
 * Fails the test if it cannot.
 */
void build(struct fixture *fixture, const char *compiler, const char *source, const char *options,
	   char path[512]);
void strip(const char *path);
int have(const char *program);

#if defined(__x86_64__)
#define NEED_TOOLCHAIN()                                                                           \
	do {                                                                                       \
		if (!have("cc") || !have("objdump") || !have("strip"))                             \
			skip();                                                                    \
	} while (0)
#else
#define NEED_TOOLCHAIN() skip()
#endif

/* In this process: what a file may do to it is what the tests are about. */
int find_sites(int fd, struct gw_sites *sites, struct gw_error *err);
int find_in(const char *path, struct gw_sites *sites, struct gw_error *err);
int find_in_bytes(const void *bytes, size_t size, struct gw_error *err);

struct truth {
	size_t count;
	struct {
		uint64_t address;
		enum gw_site_kind kind;
	} site[GW_SITES_MAX];
};

void add_truth(struct truth *truth, uint64_t address, enum gw_site_kind kind);

/*
 * Every call that objdump resolves to pthread_cond_signal; in a function of that name: an
 * acquisition.
 */
void read_truth(const char *path, const char *take_gil, struct truth *truth);
size_t count_kind(const struct gw_sites *sites, enum gw_site_kind kind);
void check_against(const char *path, const struct gw_sites *sites, const struct truth *truth);

/* Found in that way, the same, and without contradictions. */
void check_same(const struct gw_sites *sites, const struct gw_sites *expected, const char *how);

/* The same is found in a copy of the file that has no section headers. */
void check_without_sections(const char *path);

/* Of the monotonic clock. */
double seconds(void);

#endif
