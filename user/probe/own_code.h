/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Where gilwatch's own code lies in its file, for probes that are tried on a child of our own. */
#ifndef GW_OWN_CODE_H
#define GW_OWN_CODE_H

#include <stdint.h>

#define GW_OWN_FILE "/proc/self/exe"

/* The offset in GW_OWN_FILE of a function's first instruction. 0 or a negative errno. */
int gw_own_code_offset(uintptr_t address, uint64_t *offset);

#endif
