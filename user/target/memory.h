/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Reads of another process's memory, which never stop it and never write to it. */
#ifndef GW_MEMORY_H
#define GW_MEMORY_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Reads exactly size bytes (process_vm_readv). 0, or a negative errno: -EFAULT also for a short
 * read. */
int gw_memory_read(pid_t pid, uint64_t address, void *to, size_t size);

#endif
