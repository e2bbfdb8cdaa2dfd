/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* All codes that a verdict can have, for whoever shows which of them there are. */
#ifndef GW_VERDICT_CODES_H
#define GW_VERDICT_CODES_H

#include <stddef.h>

#define GW_VERDICT_CODE_COUNT 21

extern const char *const gw_verdict_codes[GW_VERDICT_CODE_COUNT];

/* The place of a code in that list, or GW_VERDICT_CODE_COUNT. */
size_t gw_verdict_code_find(const char *code);

#endif
