// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/error.h"

#include <stdarg.h>
#include <stdio.h>

int gw_error_set(struct gw_error *err, int code, enum gw_status status, const char *format, ...)
{
	va_list args;

	if (!err || err->text[0])
		return code;
	err->status = status;
	va_start(args, format);
	vsnprintf(err->text, sizeof(err->text), format, args);
	va_end(args);
	return code;
}
