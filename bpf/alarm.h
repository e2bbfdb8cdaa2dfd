/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Wakes the user side. */
#ifndef GW_BPF_ALARM_H
#define GW_BPF_ALARM_H

#include "maps.h"

static __always_inline void gw_ring(__u32 slot)
{
	bpf_ringbuf_output(&alarms, &slot, sizeof(slot), 0);
}

/* A process has begun, ended or become another program. All that comes until the user side looks
 * is told of once. */
static __always_inline void gw_tell_news(__u32 slot)
{
	if (!tells_news || news)
		return;
	news = true;
	gw_ring(slot);
}

#endif
