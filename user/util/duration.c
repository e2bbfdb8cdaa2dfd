// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/duration.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static double unit_ns(const char *unit)
{
	static const struct {
		const char *name;
		double ns;
	} units[] = {
		{"", 1e9}, {"s", 1e9}, {"ms", 1e6}, {"us", 1e3}, {"m", 60e9}, {"h", 3600e9},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (!strcmp(unit, units[i].name))
			return units[i].ns;
	return 0;
}

int gw_duration_parse(const char *text, uint64_t *ns, struct gw_error *err)
{
	double value, unit;
	char *end;

	/* strtod also takes signs, spaces, hexadecimal, inf and nan: not here. */
	if (!isdigit((unsigned char)text[0]) || strpbrk(text, "xX"))
		goto bad;
	value = strtod(text, &end);
	unit = unit_ns(end);
	if (unit <= 0)
		goto bad;
	if (value * unit < 1)
		return gw_error_set(
			err, -EINVAL, GW_STATUS_USAGE,
			"a duration of %.40s measures nothing: give one above 0, as 500ms", text);
	if (value * unit > (double)GW_DURATION_MAX_NS)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "a duration of %.40s is more than 365 days", text);
	*ns = (uint64_t)(value * unit);
	return 0;
bad:
	return gw_error_set(
		err, -EINVAL, GW_STATUS_USAGE,
		"\"%.40s\" is no duration: give seconds, or a number with ms, s, m or h, "
		"as 500ms or 2m",
		text);
}
