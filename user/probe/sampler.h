/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A clock event on every CPU, on which a BPF program looks at the thread that runs there. Each is
 * an interrupt that all on the host pay for, and wakes a CPU that sleeps: while nobody who is
 * watched runs, the clock is slow.
 */
#ifndef GW_SAMPLER_H
#define GW_SAMPLER_H

#include <bpf/libbpf.h>
#include <stdint.h>

#include "util/error.h"

struct gw_sampler;

/* 0 or a negative errno with err set. CPUs that are offline are left out. */
int gw_sampler_start(const struct bpf_program *program, uint32_t cpus, struct gw_sampler **sampler,
		     struct gw_error *err);

/*
 * found: how many ticks so far found a watched thread. Makes the clock slow if there has been none
 * for long, and fast again if there is one. Returns whether it is slow.
 */
int gw_sampler_pace(struct gw_sampler *sampler, uint64_t now_ns, uint64_t found);

/* Accepts NULL. */
void gw_sampler_free(struct gw_sampler *sampler);

#endif
