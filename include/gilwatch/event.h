/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What an event is judged by, and what it leaves to be done in maps. */
#ifndef GW_EVENT_H
#define GW_EVENT_H

#include "gilwatch/abi.h"

/* What the caller has to do after an event. 0 in a member: nothing. */
struct gw_effects {
	__u64 hold_ns;
	__u64 wait_ns;
	__u64 resume_ns;
	__u64 pair_ns;	/* the thread waited this long for pair_by */
	__u64 flush_ns; /* time on flush_cpu, to be added to the map by CPU */
	__u32 pair_by;
	__u32 flush_cpu;
	__u32 lost_waiter;
	__u32 padding;
};

#define GW_NO_NUMBER 0xffffffffffffffffULL

enum gw_futex {
	GW_FUTEX_OTHER,
	GW_FUTEX_WAIT,	   /* in the GIL's cond or mutex: waits for the GIL */
	GW_FUTEX_HANDOVER, /* in switch_cond or its mutex: waits for the next holder, after a
			      release */
};

/* Since when, and how, a process has probes. */
struct gw_regime {
	__u64 since_ns; /* when the engine last changed */
	/*
	 * A window: time on a CPU is left to the sampler, which looks outside of windows, for
	 * probes distort what they measure.
	 */
	__u32 pooled;
	__u32 padding;
};

/* The evidence at a switch-out. */
struct gw_out {
	enum gw_where where;
	enum gw_futex futex; /* meaningful where `where` is GW_BLOCKED_GIL */
	__u32 engine;
	__u8 gil_read; /* holds and switch_number are valid */
	__u8 holds;    /* the GIL's memory says that this thread holds it */
	__u8 at_site;  /* the thread stands at a probe site: a hit is pending */
	__u8 sleeps;   /* asked_ns is valid */
	__u8 was_last; /* this thread was the last to hold the GIL, whether or not it still does */
	__u8 pooled;   /* as in gw_regime */
	__u8 yields;   /* it gives its CPU away by itself, and stays runnable */
	__u8 padding;
	__u32 holder; /* tid of the holder, 0: nobody or not known */
	__u64 switch_number;
	__u64 asked_ns;	       /* of a sleep */
	__u64 engine_since_ns; /* when the engine last changed */
};

#endif
