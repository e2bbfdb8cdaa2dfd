/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The uprobe multi link by the plain system call: libbpf 1.1 does not know it. */
#ifndef GW_MULTI_H
#define GW_MULTI_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* BPF_TRACE_UPROBE_MULTI of enum bpf_attach_type (kernel 6.6); older headers lack it. */
#define GW_TRACE_UPROBE_MULTI 48

/*
 * Attaches a program, loaded with that expected attach type, to offsets of a file for one process.
 * Returns the link's descriptor, whose close takes the probes away, or a negative errno.
 */
int gw_multi_attach(int program, const char *path, const uint64_t *offsets, size_t count,
		    pid_t pid);

#endif
