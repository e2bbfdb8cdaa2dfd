/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A thread's time by CPU. Those that it was on last are kept in its record, each at a place by its
 * number: on small machines, and for most threads, no change of CPU touches the map.
 */
#ifndef GW_CPUS_H
#define GW_CPUS_H

#include "gilwatch/event.h"

gw_inline __u32 gw_cpu_place(__u32 cpu)
{
	return cpu % GW_CPUS_KEPT;
}

/* The record of the thread begins while it is on that CPU. */
gw_inline void gw_cpu_begin(struct gw_thread *t, __u32 cpu)
{
	t->cpu = cpu;
	t->cpu_kept[gw_cpu_place(cpu)] = cpu;
}

/* It has run for so long where it is. */
gw_inline void gw_cpu_ran(struct gw_thread *t, __u64 ns)
{
	t->cpu_ns[gw_cpu_place(t->cpu)] += ns;
}

/* It goes on on another CPU; what is kept at its place may have to go to the map. */
gw_inline void gw_cpu_change(struct gw_thread *t, __u32 cpu, struct gw_effects *e)
{
	__u32 place = gw_cpu_place(cpu);

	t->cpu = cpu;
	if (t->cpu_kept[place] == cpu)
		return;
	e->flush_ns = t->cpu_ns[place];
	e->flush_cpu = t->cpu_kept[place];
	t->cpu_ns[place] = 0;
	t->cpu_kept[place] = cpu;
}

#endif
