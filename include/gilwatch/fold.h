/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The folding of cells into the states that people see. */
#ifndef GW_FOLD_H
#define GW_FOLD_H

#include "gilwatch/cell.h"

enum gw_state {
	GW_STATE_PYTHON, /* on a CPU with the GIL; C code that keeps the GIL is in here */
	GW_STATE_NATIVE, /* on a CPU without the GIL, kernel time included */
	GW_STATE_GIL_WAIT,
	GW_STATE_HELD_OFF, /* holds the GIL and is not on a CPU */
	GW_STATE_RUNQUEUE,
	GW_STATE_DISK,
	GW_STATE_NET,
	GW_STATE_PIPE,
	GW_STATE_POLL,
	GW_STATE_SLEEP,
	GW_STATE_LOCK,
	GW_STATE_FAULT,
	GW_STATE_CHILD,
	GW_STATE_STOPPED,
	GW_STATE_OTHER,
	GW_STATE_UNKNOWN,
	GW_STATE_COUNT,
};

gw_inline enum gw_state gw_fold_released(enum gw_where where)
{
	switch (where) {
	case GW_RUNNING:
		return GW_STATE_NATIVE;
	case GW_RUNNABLE:
		return GW_STATE_RUNQUEUE;
	case GW_STOPPED:
		return GW_STATE_STOPPED;
	case GW_BLOCKED_LOCK:
		return GW_STATE_LOCK;
	case GW_BLOCKED_SLEEP:
		return GW_STATE_SLEEP;
	case GW_BLOCKED_DISK:
		return GW_STATE_DISK;
	case GW_BLOCKED_NET:
		return GW_STATE_NET;
	case GW_BLOCKED_PIPE:
		return GW_STATE_PIPE;
	case GW_BLOCKED_POLL:
		return GW_STATE_POLL;
	case GW_BLOCKED_FAULT:
		return GW_STATE_FAULT;
	case GW_BLOCKED_CHILD:
		return GW_STATE_CHILD;
	default:
		return GW_STATE_OTHER;
	}
}

/*
 * The state of a cell; the first rule that matches wins. Time on a CPU that is still in the sampled
 * pool is unknown until a reader splits it.
 */
gw_inline enum gw_state gw_fold(enum gw_gil gil, enum gw_where where)
{
	if (gil == GW_GIL_UNKNOWN || gil == GW_GIL_SAMPLED)
		return GW_STATE_UNKNOWN;
	if (gil == GW_GIL_WAITING || where == GW_BLOCKED_GIL)
		return GW_STATE_GIL_WAIT;
	if (gil == GW_GIL_HOLDING)
		return where == GW_RUNNING ? GW_STATE_PYTHON : GW_STATE_HELD_OFF;
	return gw_fold_released(where);
}

#endif
