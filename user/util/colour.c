// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/colour.h"

#include <stdlib.h>
#include <string.h>

static int is_zero(const char *value)
{
	return !strcmp(value, "0");
}

int gw_colour_wanted(int terminal_has_them)
{
	const char *none = getenv("NO_COLOR"), *force = getenv("CLICOLOR_FORCE");
	const char *some = getenv("CLICOLOR");

	if (none && none[0])
		return 0;
	if (force && force[0] && !is_zero(force))
		return 1;
	return terminal_has_them && !(some && is_zero(some));
}
