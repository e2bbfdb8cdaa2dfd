// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/text.h"

#include <string.h>

void gw_text_copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size - 1);

	memcpy(to, from, length);
	to[length] = '\0';
}
