/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Copies records out of the kernel. */
#ifndef GW_READER_H
#define GW_READER_H

#include <bpf/libbpf.h>

#include "model/raw.h"

/* Runs the iterator over all threads once, and throws away what it writes. 0 or -errno. */
int gw_reader_run(const struct bpf_link *iterator);

/*
 * The kernel's number for a process, by its PID in our namespace, from an iterator in the pass for
 * names. 0 or -errno (-ESRCH: there is none).
 */
int gw_reader_tgid(const struct bpf_link *iterator, __u32 pid, __u32 *tgid);

/* Appends the records of all watched threads. 0 or -errno. */
int gw_reader_threads(const struct bpf_link *iterator, struct gw_raw *raw);

/* The threads that have ended and were kept, behind those that live. 0 or a negative errno. */
int gw_reader_kept(const struct bpf_map *threads, const struct bpf_map *names, struct gw_raw *raw);

/* Append the entries of the maps of times by CPU, and of pairs. 0 or -errno. */
int gw_reader_cpus(const struct bpf_map *map, struct gw_raw *raw);
int gw_reader_pairs(const struct bpf_map *map, struct gw_raw *raw);

#endif
