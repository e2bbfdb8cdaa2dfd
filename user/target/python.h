/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which CPython a process runs, where its GIL is and how its structures are laid out. */
#ifndef GW_PYTHON_H
#define GW_PYTHON_H

#include <stdint.h>
#include <sys/types.h>

#include "target/proc.h"
#include "target/sandbox.h"
#include "util/error.h"

#define GW_PYTHON_GILS_MAX 64

/* Offsets in bytes. -1: this version has no such field, or it is not known. */
struct gw_python_layout {
	/* in struct _gil_runtime_state */
	int32_t gil_interval, gil_last_holder, gil_locked, gil_switch_number;
	int32_t gil_cond, gil_switch_cond, gil_size;
	int32_t gil_enabled; /* free-threaded builds only */
	/* in _PyRuntimeState */
	int32_t runtime_gil; /* 3.8 - 3.11: the GIL itself */
	int32_t runtime_interpreters_head;
	int32_t runtime_interpreters_main;
	int32_t runtime_drop_request; /* 3.8: int gil_drop_request */
	int32_t runtime_size;	      /* 3.8 - 3.11; else 0 */
	/* in PyInterpreterState */
	int32_t interp_next, interp_id;
	int32_t interp_tstate_head;  /* newest thread state of the interpreter */
	int32_t interp_modules;	     /* sys.modules */
	int32_t interp_gil;	     /* 3.12+: pointer to the GIL */
	int32_t interp_drop_request; /* 3.9 - 3.12: int gil_drop_request */
	/* in PyThreadState */
	int32_t tstate_interp, tstate_thread_id;
	int32_t tstate_eval_breaker; /* 3.13+: bit 0 asks to drop the GIL */
};

struct gw_python_gil {
	uint64_t address;
	int64_t interpreter; /* the interpreter's id; 0 is the main one */
};

struct gw_python {
	int number;	      /* among those of its process: 0 or 1 */
	uint32_t version_hex; /* PY_VERSION_HEX; the micro part is 0 where only major.minor is known
			       */
	char version[32];     /* "3.11.2", or "3.9" where the micro part is unknown */
	int free_threaded;
	int gil_enabled;		/* 0 only for a free-threaded build whose GIL is off */
	int shared;			/* 1: a libpython, 0: the executable itself */
	struct gw_mapping runtime_file; /* a mapping of the file that holds the runtime */
	char build_id[64];		/* hex, "" if the file has none */
	uint64_t load_bias;		/* run-time address minus the file's virtual address */
	uint64_t runtime_address;	/* of _PyRuntime in the process */
	int untested;	/* 1: newer than what gilwatch knows; what it says of itself fits its memory
			 */
	char note[192]; /* a sentence on what is left out of the process, else "" */
	struct gw_python_layout layout;
	int gil_count;
	int gils_left_out; /* GILs beyond GW_PYTHON_GILS_MAX; -1: too many interpreters to look at
			    */
	struct gw_python_gil gil[GW_PYTHON_GILS_MAX]; /* by ascending interpreter; 0 is there */
	char other[32]; /* "PyPy 3.9", "Python 2.7.18": what was found where no CPython was */
};

/* What one look at a GIL in the target's memory says. */
struct gw_gil_view {
	uint32_t interval_us;
	int32_t locked; /* -1: never created */
	uint64_t last_holder;
	uint64_t switch_number;
	uint64_t holder_thread_id; /* pthread_self() of last_holder, 0 if locked <= 0 or unreadable
				    */
};

/*
 * Looks for a CPython in the process and fills python. Returns 0, or a negative errno with err set
 * to a sentence (status GW_STATUS_TARGET, or GW_STATUS_RIGHTS for EPERM/EACCES): kernel thread, no
 * Python in it, PyPy, a version outside 3.8 - 3.15, an interpreter that is not initialised yet, a
 * GIL that does not look like one, or that threads wait beside. After an error too, python holds
 * what the file alone says: version, build and path.
 */
int gw_python_find(pid_t pid, struct gw_python *python, struct gw_error *err);

/*
 * The same, with the files that it reads kept in the cache (NULL: none): for whoever goes through
 * all processes of a host. budget is what reading them may cost; it takes what that did.
 */
struct gw_file_cache;
int gw_python_find_cached(pid_t pid, struct gw_file_cache *cache, struct gw_sandbox_budget *budget,
			  struct gw_python *python, struct gw_error *err);

/*
 * A program that embeds Python may have two, each with GILs of its own. Fills both; the second has
 * gil_count 0 where there is none. What there is beyond them, or cannot be measured beside the
 * first, is told in the first one's note. As gw_python_find_cached().
 */
int gw_python_find_two(pid_t pid, struct gw_file_cache *cache, struct gw_sandbox_budget *budget,
		       struct gw_python *python, struct gw_python *second, struct gw_error *err);

/* Reads one GIL. 0 or a negative errno. */
int gw_python_view_gil(pid_t pid, const struct gw_python *python, uint64_t gil_address,
		       struct gw_gil_view *view);

#endif
