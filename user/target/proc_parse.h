/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure parsers behind proc.h, apart so that tests can feed them, and the one way to read a
 * file. */
#ifndef GW_PROC_PARSE_H
#define GW_PROC_PARSE_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/proc.h"

struct gw_proc_stat {
	char comm[64];
	char state;
	pid_t ppid;
	unsigned int flags; /* PF_* of the kernel */
	size_t threads;
	uint64_t start_ticks;
};

/* Text of /proc/PID/stat. The comm in it may hold anything but NUL. 0 or -EINVAL. */
int gw_proc_parse_stat(const char *text, struct gw_proc_stat *stat);

/* gw_proc_live_thread() for somebody who has read the main thread's stat already. */
pid_t gw_proc_live_thread_of(pid_t pid, const struct gw_proc_stat *stat);

/* Takes " (deleted)" off the path of a file's mapping, and notes that it was there. */
void gw_proc_cut_deleted(struct gw_mapping *m);

/* One line of /proc/PID/maps, with or without its newline. 0 or -EINVAL. */
int gw_proc_parse_mapping(const char *line, struct gw_mapping *m);

/* Text of /proc/PID/status: the thread group, -1 if it is not there. */
pid_t gw_proc_parse_tgid(const char *status);

/* Text of /proc/PID/status: 1 if the process lives in a PID namespace below the reader's. */
int gw_proc_parse_foreign(const char *status);

/* The NUL-separated arguments in text[0..size-1] become one string, in place; room for a NUL after.
 */
void gw_proc_join_arguments(char *text, size_t size);

/*
 * Reads up to size - 1 bytes of a file and ends them with NUL. Returns the number of bytes or a
 * negative errno; what does not fit is cut off.
 */
ssize_t gw_read_text(const char *path, char *text, size_t size);

#endif
