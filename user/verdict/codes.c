// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/codes.h"

#include <string.h>

const char *const gw_verdict_codes[GW_VERDICT_CODE_COUNT] = {
	"gil_bound",	    "gil_latency",	  "gil_held_blocked",
	"gil_held_starved", "gil_stuck",	  "long_holds",
	"gil_hops",	    "cpu_starved",	  "lock_bound",
	"io_bound",	    "native_parallel",	  "process_parallel",
	"cpu_single",	    "event_loop_stalled", "switch_interval",
	"free_threaded",    "gil_reenabled",	  "idle",
	"healthy",	    "insufficient_data",  "cannot_measure",
};

size_t gw_verdict_code_find(const char *code)
{
	size_t i = 0;

	while (i < GW_VERDICT_CODE_COUNT && strcmp(gw_verdict_codes[i], code))
		i++;
	return i;
}
