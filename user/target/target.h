/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process that is to be watched: all that has to be known of it before it can be. */
#ifndef GW_TARGET_H
#define GW_TARGET_H

#include "target/host.h"
#include "target/proc.h"
#include "target/python.h"
#include "target/sites.h"
#include "util/error.h"

/* A second Python in the process. */
struct gw_second_python {
	struct gw_python python; /* gil_count 0: there is none */
	struct gw_sites sites;
	char runtime_path[4096];
};

struct gw_target {
	struct gw_proc_info proc;
	struct gw_python python;
	struct gw_sites sites;	 /* count 0: not looked for */
	char runtime_path[4096]; /* by which the kernel finds the runtime's file */
	struct gw_cpu_limits limits;
	struct gw_second_python second;
	struct gw_sandbox_budget reading; /* what reading its files may still cost */
};

/*
 * Finds out about a process; files keeps what is known of files (NULL: nothing is kept); with_sites
 * also finds the instructions to probe. Returns 0, or a negative errno with err set to why it
 * cannot be measured (-EAGAIN: yet).
 */
int gw_target_open(pid_t pid, int with_sites, struct gw_file_cache *files, struct gw_target *target,
		   struct gw_error *err);

/*
 * The second half of it, for a target whose PID, Python and budget are known. Without its debug
 * files, which are large, names are heard only where they are in the file itself. 0, or as above;
 * -EAGAIN with no error set: the files are being read (see gw_files_read_behind).
 */
int gw_target_find_sites(struct gw_target *target, int with_debug_files,
			 struct gw_file_cache *files, struct gw_error *err);

#endif
