/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The GIL's functions are static, inlined in up to a dozen places, and nameless in a stripped file.
 * What is left to see is whom they call. In CPython 3.8 - 3.15 on Linux (Python/ceval_gil.[hc])
 * - only take_gil() waits on a condition variable with a timeout, and nobody inlines it;
 * - every pthread_cond_signal() is the GIL's: of switch_cond in take_gil(), once per acquisition,
 * and of cond in drop_gil() and wherever that is inlined, once per release.
 */
/* The search for them in one file, and its steps in their order. */
#ifndef GW_GIL_FINDER_H
#define GW_GIL_FINDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/decode_x86.h"
#include "target/elf_symbols.h"
#include "target/functions.h"
#include "target/gil_names.h"
#include "target/plt.h"

enum gw_gil_callee {
	GW_CALLEE_WAIT,
	GW_CALLEE_SIGNAL,
};

/* What is known about a function; a set of bits. */
enum gw_gil_mark {
	GW_MARK_SUSPECT = 1, /* bytes in it look like a call of a callee */
	GW_MARK_LOADS = 2,   /* or like a load of a callee's address */
	GW_MARK_WAITS = 4,
	GW_MARK_SIGNALS = 8,
	GW_MARK_TAKE_GIL = 16,
};

struct gw_gil_call {
	uint64_t address;
	const struct gw_function *in;
	enum gw_gil_callee callee;
	uint8_t cheap;
};

struct gw_gil_finder {
	struct gw_elf *elf;
	struct gw_elf_code code;
	struct gw_elf_symbols dynamic;
	struct gw_gil_names names;
	struct gw_functions functions;
	struct gw_plt plt;
	struct gw_decoder *decoder;
	uint64_t budget; /* bytes that may still be disassembled */
	uint8_t *mark;	 /* of each function */
	struct gw_gil_call *call;
	size_t call_count, call_capacity;
};

static inline uint8_t *gw_gil_mark_of(struct gw_gil_finder *finder,
				      const struct gw_function *function)
{
	return &finder->mark[function - finder->functions.function];
}

/* gcc makes two parts, BOLT two or three, or if asked one of each basic block. */
#define GW_GIL_PARTS_MAX 256

struct gw_gil_parts {
	struct gw_gil_finder *finder;
	size_t count;
	const struct gw_function *part[GW_GIL_PARTS_MAX];
};

/* What visit returned, 0, or -EDOM, which nothing else here returns: the budget is used up. */
int gw_gil_decode(struct gw_gil_finder *finder, const struct gw_function *function,
		  gw_flow_visit *visit, void *data);

/* All parts that are reached from this one, which is the first. 0, or -EINVAL: too many. */
int gw_gil_find_parts(struct gw_gil_finder *finder, const struct gw_function *function,
		      struct gw_gil_parts *parts);

/* Loads the PLT, and fills in the calls of the callees. 0 or a negative errno. */
int gw_gil_collect_calls(struct gw_gil_finder *finder);

/* Marks the functions that are take_gil by whom they call. How many there are, or -errno. */
int gw_gil_find_takers(struct gw_gil_finder *finder);

/*
 * PyEval_AcquireLock() is exported by every version, and does nothing but call take_gil(). 0, or
 * -EEXIST, which nothing else here returns, if it contradicts.
 */
int gw_gil_check_acquire_lock(struct gw_gil_finder *finder);

#endif
