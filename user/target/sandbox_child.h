/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The walls of the sandbox, put up by the child around itself. */
#ifndef GW_SANDBOX_CHILD_H
#define GW_SANDBOX_CHILD_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Gives up everything but the descriptors keep[0..count-1], of which only out can be written to;
 * vm_bytes is what the process maps already, cpu_us what it may still use (more than 0: SIGPROF or
 * SIGKILL ends it then), parent the process that it must not outlive. Sorts keep. 0 or a negative
 * errno: whatever was not put up, the child must not go on.
 */
int gw_sandbox_close_in(int *keep, size_t count, int out, uint64_t vm_bytes, uint64_t cpu_us,
			pid_t parent);

#endif
