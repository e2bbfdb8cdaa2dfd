/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an ELF file says about the Python runtime in it. The file is not trusted. */
#ifndef GW_RUNTIME_SYMBOLS_H
#define GW_RUNTIME_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>

#define GW_RUNTIME_LOADS_MAX	16
#define GW_RUNTIME_VERSIONS_MAX 8

struct gw_runtime_load {
	uint64_t offset, address, file_size;
	int executable;
};

struct gw_runtime_versions {
	size_t count;
	uint32_t hex[GW_RUNTIME_VERSIONS_MAX]; /* as PY_VERSION_HEX, each once */
};

/* Others than glibc have other condition variables. */
enum gw_libc {
	GW_LIBC_GLIBC,
	GW_LIBC_MUSL,
	GW_LIBC_OTHER, /* static, and not glibc */
};

struct gw_runtime_symbols {
	uint64_t runtime;     /* virtual address of _PyRuntime, 0: none */
	uint32_t version_hex; /* initial value of Py_Version (3.11+), 0: none */
	int free_threaded;    /* defines _Py_DecRefShared, as free-threaded builds alone do */
	int old_python;	      /* defines PyEval_SaveThread: a CPython, if not PyPy */
	int pypy;	      /* defines PyPy's own symbols */
	int narrow;	      /* a Python of 32 bits: no more than which one it is; runtime is 0 */
	int libc;	      /* gw_libc: what it is linked with */
	char soname[128];     /* "" if none */
	char build_id[64];    /* hex, "" if none */
	/* Read only where Py_Version is missing: strings in the read-only data like PY_VERSION,
	 * whole… */
	struct gw_runtime_versions strings;
	/* …and ends of longer ones: linkers merge "3.9.18" into the end of "/opt/python/3.9.18". */
	struct gw_runtime_versions tails;
	size_t load_count;
	struct gw_runtime_load load[GW_RUNTIME_LOADS_MAX];
};

/*
 * Reads the file behind fd. 0, or -ENOEXEC (no 64-bit ELF file of this byte order), -ENOTSUP (an
 * ELF file of 32 bits without a Python), -EINVAL (damaged), -ENOMEM.
 */
int gw_runtime_symbols_read(int fd, struct gw_runtime_symbols *out);

/* Whether any Python is in the file, one that is read or not; else nothing in the rest counts. */
int gw_runtime_has_python(const struct gw_runtime_symbols *symbols);

/*
 * The load bias from a mapping of the file at start with file_offset: what to add to a virtual
 * address. 0, or -ENOENT where no loadable segment holds that offset.
 */
int gw_runtime_load_bias(const struct gw_runtime_symbols *symbols, uint64_t start,
			 uint64_t file_offset, uint64_t *bias);

/* PY_VERSION_HEX of text[0..length-1] as "3.9.18", "3.10.0rc2" or "3.9.2+"; 0 if it is none. */
uint32_t gw_runtime_parse_version(const char *text, size_t length);

#endif
