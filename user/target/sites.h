/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Finds, in an ELF file that holds the CPython runtime, the instructions at which the GIL is
 * acquired and released: the `call` instructions that signal the GIL's condition variables.
 */
#ifndef GW_SITES_H
#define GW_SITES_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define GW_SITES_MAX 64

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

struct gw_sites {
	size_t count;
	struct gw_site site[GW_SITES_MAX]; /* by ascending file offset */
	const char *how;		   /* "symbols" or "calls": what take_gil was found by */
};

/*
 * Reads the file behind fd (any position) and fills sites. Returns 0, or a negative errno with err
 * set: -ENOEXEC not a 64-bit ELF file of this machine, -ENOENT no take_gil in it, -E2BIG more sites
 * than GW_SITES_MAX, -EINVAL damaged or lying headers, -EOPNOTSUPP no disassembler for this
 * machine. Never trusts the file: all reads are bounded by its real size.
 */
int gw_sites_find(int fd, struct gw_sites *sites, struct gw_error *err);

#endif
