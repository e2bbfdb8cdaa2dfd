/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the threads of a watched process are called. */
#ifndef GW_NAMES_H
#define GW_NAMES_H

#include "model/snapshot.h"
#include "target/target.h"
#include "target/thread_names.h"

/* The names that were read last, of one process; zeroed at first. */
struct gw_names {
	uint64_t read_ns;		 /* when, on the session's clock; 0: never */
	uint64_t cost_ns;		 /* CPU time that it took */
	struct gw_thread_names names[2]; /* of each of its Pythons */
};

/*
 * Gives the threads in the view of a Python process the names that Python has for them; those that
 * it has none for keep the kernel's, but for the main thread. Reads the process's memory at most
 * once a second, with many threads (a dozen reads each) less often, and not after its end; NULL for
 * target: it is no Python.
 */
void gw_names_give(struct gw_names *names, const struct gw_target *target, int has_ended,
		   uint64_t now_ns, struct gw_process_view *view);

void gw_names_free(struct gw_names *names);

#endif
