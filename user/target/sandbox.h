/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Reading files that nobody vouches for. The files of a target belong to whoever runs it, and
 * gilwatch runs as root: what parses them runs in a child process that has no capability, no user,
 * no other descriptor, a dozen of system calls, 256 MiB and a second of CPU time. All that comes
 * back is one struct of a fixed size, which the caller has to check field by field: a child that a
 * file has taken over can say anything in it.
 */
#ifndef GW_SANDBOX_H
#define GW_SANDBOX_H

#include <stddef.h>
#include <stdint.h>

#include "util/error.h"

#define GW_SANDBOX_FDS_MAX	3
#define GW_SANDBOX_TASKS_MAX	128
#define GW_SANDBOX_MEMORY_BYTES (256ULL << 20)
#define GW_SANDBOX_CPU_US	1000000
#define GW_SANDBOX_WALL_MS	5000
#define GW_SANDBOX_PATIENCE_MS	30000

/*
 * What the reading of one target's files may still cost, however many files and runs there are:
 * whoever reads them hands the same budget to each run, which takes from it what it used. CPU time
 * is what a file can be made to cost; the time on the clock is bounded for file systems that answer
 * late or never, and is longer because a disk or a busy machine is no fault of the file's. Where
 * nobody waits for the answer there is patience beyond it, for a reader that wants a CPU and has
 * none: a file system that does not answer is not waited for any longer.
 */
struct gw_sandbox_budget {
	uint64_t cpu_us, wall_ms, patience_ms;
};

#define GW_SANDBOX_BUDGET                                                                          \
	((struct gw_sandbox_budget){.cpu_us = GW_SANDBOX_CPU_US, .wall_ms = GW_SANDBOX_WALL_MS})

#define GW_SANDBOX_PATIENT_BUDGET                                                                  \
	((struct gw_sandbox_budget){.cpu_us = GW_SANDBOX_CPU_US,                                   \
				    .wall_ms = GW_SANDBOX_WALL_MS,                                 \
				    .patience_ms = GW_SANDBOX_PATIENCE_MS})

static inline int gw_sandbox_is_spent(const struct gw_sandbox_budget *budget)
{
	return !budget->cpu_us || !budget->wall_ms;
}

/*
 * Reads the files behind fds (-1: not given) and fills out. Runs in the child: it must not rely on
 * anything that it changes, or on a file that it would have to open. Returns 0 or a negative errno.
 */
typedef int gw_sandbox_job(const int fds[GW_SANDBOX_FDS_MAX], const void *in, void *out,
			   struct gw_error *err);

struct gw_sandbox_task {
	int fd[GW_SANDBOX_FDS_MAX]; /* opened by the caller, who closes them */
	const void *in;		    /* what else the job needs; the child has a copy */
	void *out;		    /* filled where code is 0, else untouched */
	int code;		    /* what the job returned, or one of those below */
	struct gw_error err;	    /* what the job set: printable, its status one that exists */
};

/* What the children have used, for measurements. */
struct gw_sandbox_use {
	uint64_t cpu_us;
	uint64_t peak_kib; /* resident, the largest of them; what they share with gilwatch included
			    */
	unsigned int children;
};

/*
 * Runs the job on each task: several in one child, so that hundreds of files do not cost hundreds
 * of processes. A child can answer falsely for all of its tasks: give those together whose files
 * have one owner. A task whose child dies is tried once more in a child of its own before it is
 * given up.
 *
 * budget may be NULL: a full one. use may be NULL, else it is added to.
 *
 * Returns 0 with the code of each task set: what the job returned, -ETIMEDOUT (the budget is spent:
 * it, or those before it, took too long), -ENOMEM (too much memory), -EBADMSG (the child crashed,
 * broke a rule or answered short). Else -errno: there is no sandbox (-ENOSYS: the kernel has no
 * seccomp filter), with err set.
 */
int gw_sandbox_run(gw_sandbox_job *job, struct gw_sandbox_task *task, size_t count, size_t out_size,
		   struct gw_sandbox_budget *budget, struct gw_sandbox_use *use,
		   struct gw_error *err);

/* Whether there can be such a child. 0, or a negative errno with err set: nothing can be read. */
int gw_sandbox_check(struct gw_error *err);

#endif
