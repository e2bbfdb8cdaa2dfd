/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether what was taken for the GIL of a process is what its threads wait on. */
#ifndef GW_GIL_BELIEF_H
#define GW_GIL_BELIEF_H

#include <stdint.h>
#include <sys/types.h>

#include "target/python.h"

/*
 * Looks at the futex words on which the threads of a process block. Returns 0 where some are in one
 * of the GILs that were found, or where nobody waits: then nothing speaks against them. -ENOLCK:
 * whenever one looks, threads wait on words around the GIL, and none in it. The time is bounded,
 * whatever the number of threads.
 */
int gw_gil_belief_check(pid_t pid, const struct gw_python *python);

/*
 * The futex word that a thread blocks on, out of its /proc/PID/task/TID/syscall; 0: it does not
 * block in futex.
 */
uint64_t gw_gil_belief_parse(const char *line);

enum gw_belief {
	GW_BELIEF_ELSEWHERE, /* the word says nothing about the GIL */
	GW_BELIEF_SEEN,	     /* it is in a GIL */
	GW_BELIEF_BESIDE,    /* it is so near that only the GIL could be there, and is not in it */
};

/* What one futex word says of the GILs in python. */
enum gw_belief gw_gil_belief_judge(const struct gw_python *python, uint64_t word);

#endif
