/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_UTIL_TEXT_H
#define GW_UTIL_TEXT_H

#include <stddef.h>

/* Copies as much of a string as fits into size bytes, and ends it with NUL. */
void gw_text_copy(char *to, size_t size, const char *from);

#endif
