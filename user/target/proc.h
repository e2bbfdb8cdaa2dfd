/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Facts about a process from procfs. Everything read here belongs to the target: bounded,
 * unescaped. */
#ifndef GW_PROC_H
#define GW_PROC_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"

struct gw_proc_info {
	pid_t pid;
	pid_t ppid;
	uint64_t start_ticks; /* field 22 of /proc/PID/stat: tells a reused PID */
	char comm[64];
	char command[4096]; /* the command line, arguments joined by one space; "" for a kernel
			       thread */
	char exe[4096]; /* link text of /proc/PID/exe (or of another thread's), "" if unreadable */
	int kernel_thread;
	int foreign_pid_namespace; /* 1: the process sees itself under another PID */
	size_t threads;
};

/* -ESRCH with err set where there is no such process; -ENOTSUP is never returned: facts only. */
int gw_proc_read(pid_t pid, struct gw_proc_info *info, struct gw_error *err);

typedef int gw_proc_visit_process(pid_t pid, void *data);

/*
 * Calls visit for each process until it returns non-zero, which is returned. Returns a negative
 * errno if /proc cannot be read.
 */
int gw_proc_each(gw_proc_visit_process *visit, void *data);

/* The parent of a process; 0: it has none, or there is no such process. */
pid_t gw_proc_parent(pid_t pid);

/*
 * A thread by whose id the process's memory, maps and links can be read: the main one, or another
 * one where the main one has exited (a zombie has none of these). -ESRCH if all have ended.
 */
pid_t gw_proc_live_thread(pid_t pid);

struct gw_mapping {
	uint64_t start, end, file_offset;
	uint64_t device, inode;
	char permissions[5];
	char path[4096]; /* as in /proc/PID/maps, with " (deleted)" cut off; "" if anonymous */
	int deleted;
};

typedef int gw_proc_visit(const struct gw_mapping *m, void *data);

/*
 * Calls visit for each mapping of a process until it returns non-zero, which is returned. Returns a
 * negative errno if they cannot be read.
 */
int gw_proc_each_mapping(pid_t pid, gw_proc_visit *visit, void *data);

/*
 * The same for executable mappings of files alone, which is much cheaper. `live` is a thread as
 * gw_proc_live_thread() gives it.
 */
int gw_proc_each_code_mapping(pid_t live, gw_proc_visit *visit, void *data);

/*
 * Opens the file behind a mapping read-only, through /proc/PID/map_files, else /proc/PID/root, so
 * that containers, deleted and replaced files work; checks device and inode. Returns a descriptor
 * or a negative errno.
 */
int gw_proc_open_mapping(pid_t pid, const struct gw_mapping *m);

/* Writes a path by which the kernel finds the same file (for attaching), as above. 0 or -errno. */
int gw_proc_mapping_path(pid_t pid, const struct gw_mapping *m, char *path, size_t size);

/* Run and wait time of a thread in nanoseconds from /proc/PID/task/TID/schedstat. 0 or -errno. */
int gw_proc_schedstat(pid_t pid, pid_t tid, uint64_t *run_ns, uint64_t *wait_ns);

/* The thread's comm, unescaped, without its newline. 0 or -errno. */
int gw_proc_thread_comm(pid_t pid, pid_t tid, char *comm, size_t size);

#endif
