/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds, in an ELF file that holds the CPython runtime, the instructions at which the GIL is
 * acquired and released: the `call` instructions that signal the GIL's condition variables.
 */
#ifndef GW_SITES_H
#define GW_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "target/disassembler.h"
#include "util/error.h"

#define GW_SITES_MAX	       64
#define GW_SITES_FUNCTIONS_MAX 16
#define GW_SITES_DEBUG_MAX     2

enum gw_site_kind {
	GW_SITE_ACQUIRE, /* pthread_cond_signal(&gil->switch_cond): one per acquisition */
	GW_SITE_RELEASE, /* pthread_cond_signal(&gil->cond): one per release */
};

struct gw_site {
	enum gw_site_kind kind;
	uint64_t file_offset;	  /* of the call instruction, as uprobes take it */
	uint64_t virtual_address; /* the same place by the program headers */
	uint8_t cheap;		  /* 1: `call rel32`, emulated by the kernel; 0: single-stepped */
};

/* A function that was taken for take_gil, or a part or copy of it. */
struct gw_sites_function {
	char name[48]; /* printable; "" where no table names it */
	uint64_t file_offset;
};

/* No pointers: it comes out of the sandbox as it is. */
struct gw_sites {
	size_t count;
	struct gw_site site[GW_SITES_MAX]; /* by ascending file offset */
	/*
	 * What take_gil was found by: the names in the file ("symbols"), in its separate debug file
	 * ("debug file") or in .gnu_debugdata ("debugdata"), or "calls": by whom functions call,
	 * with no name to be had.
	 */
	char how[16];
	/* Names and calls were both to be had and did not say the same: a sentence, else "". The
	 * sites that they disagree on are not among the above. */
	char disagreement[192];
	size_t function_count;
	struct gw_sites_function function[GW_SITES_FUNCTIONS_MAX];
};

/* Descriptors, any position. */
struct gw_sites_files {
	int file;
	int debug[GW_SITES_DEBUG_MAX]; /* what may be its separate debug file, -1: none */
	const struct gw_disassembler *disassembler; /* NULL: it is loaded, and unloaded again */
};

/*
 * Reads the files and fills sites. Returns 0, or a negative errno with err set: -ENOEXEC not a
 * 64-bit ELF file of this machine, -ENOENT no take_gil in it, -E2BIG more sites than GW_SITES_MAX,
 * -EINVAL damaged or lying headers, -EOPNOTSUPP no disassembler for this machine. Never trusts the
 * files: all reads are bounded by their real size. What is not the user's own is read by
 * gw_file_find_sites() (target/file_reader.h), which calls this in a sandbox.
 */
int gw_sites_find(const struct gw_sites_files *files, struct gw_sites *sites, struct gw_error *err);

#endif
