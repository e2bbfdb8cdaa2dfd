/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * All Python processes of the host. A process is one by what it maps, whatever it is called:
 * every file that anybody maps as code is looked into once for the runtime of a Python.
 */
#ifndef GW_SCAN_H
#define GW_SCAN_H

#include <stddef.h>
#include <sys/types.h>

#include "target/cgroup.h"
#include "target/file_reader.h"
#include "target/python.h"
#include "target/sites.h"
#include "util/error.h"

/*
 * Which processes to look at: those that fit any of the first two lists, all where both are empty;
 * but none that fits one to be excluded.
 */
struct gw_scan_filter {
	const char *const *comm; /* names, or patterns as fnmatch(3) takes them */
	size_t comm_count;
	const struct gw_cgroup_selector *cgroup;
	size_t cgroup_count;
	const char *const *exclude_comm;
	size_t exclude_comm_count;
	const struct gw_cgroup_selector *exclude_cgroup;
	size_t exclude_cgroup_count;
};

struct gw_scan_process {
	pid_t pid, ppid;
	uid_t uid; /* the effective one */
	char comm[64];
	size_t threads;
	char command[4096];
	char cgroup[GW_CGROUP_PATH_MAX]; /* see gw_cgroup_path */
	struct gw_container container;	 /* runtime "": none */
	struct gw_python python;
	int code; /* of gw_python_find_cached: 0, or it cannot be measured, and error says why */
	struct gw_error error;
	int sites_code; /* of gw_target_find_sites; -ENODATA: not looked for */
	struct gw_error sites_error;
};

struct gw_scan_result {
	struct gw_scan_process *process; /* by ascending PID */
	size_t count;
	size_t seen;	     /* processes that fit the filter, kernel threads left out */
	size_t denied;	     /* those of them that may not be looked into */
	size_t denied_named; /* those of these that are named like a Python */
};

/*
 * Looks at all processes. with_sites also looks for the call sites of each build, which takes some
 * 15 ms a file. Processes that end meanwhile are left out. 0, or a negative errno with err set;
 * gw_scan_free accepts a zeroed struct.
 */
int gw_scan_processes(const struct gw_scan_filter *filter, int with_sites,
		      struct gw_file_cache *cache, struct gw_scan_result *scan,
		      struct gw_error *err);
void gw_scan_free(struct gw_scan_result *scan);

/*
 * The same for one process after the other, by somebody who goes on: what is known of mapped files
 * is kept, also in the cache. NULL: out of memory.
 */
struct gw_scanner;
struct gw_scanner *gw_scanner_new(struct gw_file_cache *cache);
void gw_scanner_free(struct gw_scanner *scanner);

/*
 * 1: the process fits the filter and maps a Python, or what is named so and is not fit to be read;
 * 0: it does not. Or a negative errno: -ESRCH, -EACCES …, -EAGAIN: its files are being read.
 */
int gw_scanner_look(struct gw_scanner *scanner, const struct gw_scan_filter *filter, pid_t pid);

/* Whether a process is one that the filter excludes. */
int gw_scan_excludes(const struct gw_scan_filter *filter, pid_t pid, const char *comm);

/* Whether a process's name fits one of the filter's. */
int gw_scan_comm_matches(const struct gw_scan_filter *filter, const char *comm);

#endif
