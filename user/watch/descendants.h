/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes below a process. */
#ifndef GW_DESCENDANTS_H
#define GW_DESCENDANTS_H

#include <stddef.h>
#include <sys/types.h>

struct gw_descendant {
	pid_t pid;
	pid_t parent;
};

/*
 * All processes whose parent, or a parent of whose, is one of the roots, parents before children.
 * The caller frees *found. 0 or a negative errno.
 */
int gw_descendants(const pid_t *root, size_t roots, struct gw_descendant **found, size_t *count);

#endif
