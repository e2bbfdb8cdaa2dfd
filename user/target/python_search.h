/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which of the files that a process maps hold a Python runtime; see target/python.h. */
#ifndef GW_PYTHON_SEARCH_H
#define GW_PYTHON_SEARCH_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/file_reader.h"
#include "target/proc.h"
#include "target/runtime_symbols.h"
#include "util/error.h"

/* Programs that embed Python have one; two in one process are a curiosity. */
#define GW_PYTHON_CANDIDATES_MAX 8

struct gw_python_file; /* one that is mapped with the right to execute it */

/* A file that defines _PyRuntime. */
struct gw_python_candidate {
	struct gw_mapping mapping;
	uint64_t load_bias;
	int shared; /* 1: a library, 0: the program itself */
	struct gw_runtime_symbols symbols;
};

struct gw_python_search {
	pid_t pid;
	const char *exe;
	struct gw_python_file *files;
	size_t count, room;
	struct gw_sandbox_budget *budget; /* for reading them */
	size_t candidate_count;
	struct gw_python_candidate candidate[GW_PYTHON_CANDIDATES_MAX];
	/* for the refusal, where there is no candidate */
	int denied;	/* a file could not be opened for want of rights */
	int narrow;	/* the executable, or a Python in it, is of 32 bits */
	int unread;	/* a file is being read: see gw_files_read_behind() */
	char other[32]; /* "PyPy 3.9", "Python 2.7.18": found, but not what is looked for */
	struct gw_python_candidate other_file; /* the file in which that was found; no load bias */
	int unfit;	      /* a negative errno: a file named as a Python could not be read */
	char unfit_what[300]; /* "the file …/python3 of process 12", printable */
};

/*
 * Lists the files; budget is what reading them may cost, and outlives the search. 0 or a negative
 * errno; gw_python_search_end() in either case.
 */
int gw_python_search_begin(struct gw_python_search *search, pid_t pid, const char *exe,
			   struct gw_sandbox_budget *budget);
void gw_python_search_end(struct gw_python_search *search);

/*
 * Reads the files that are likely to be a Python by their names, or (likely 0) all others, and adds
 * those that are to the candidates. 0 or a negative errno with err set.
 */
int gw_python_search_read(struct gw_python_search *search, int likely, struct gw_file_cache *cache,
			  struct gw_error *err);

/* Whether a file is named as a Python, whatever it is. */
int gw_python_named(const char *path);

/* The version that a file's names say, with the micro part if a string in it completes that; as
 * PY_VERSION_HEX, 0: they do not say. */
uint32_t gw_python_named_version(const struct gw_runtime_symbols *symbols, const char *path);

/* "3.11.2", or "3.9" where the micro part is unknown. */
void gw_python_format_version(uint32_t hex, char *text, size_t size);

#endif
