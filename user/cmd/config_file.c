// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "cmd/export_options.h"

static char *trim(char *text)
{
	size_t length;

	text += strspn(text, " \t\r");
	length = strlen(text);
	while (length && strchr(" \t\r", text[length - 1]))
		text[--length] = '\0';
	return text;
}

/* Quotes around a value, which may then begin or end with spaces, are taken off. */
static char *unquote(char *value)
{
	size_t length = strlen(value);

	if (length < 2 || value[0] != '"' || value[length - 1] != '"')
		return value;
	value[length - 1] = '\0';
	return value + 1;
}

int gw_config_parse(char *text,
		    int (*set)(const char *name, const char *value, unsigned int line, void *data),
		    void *data, struct gw_error *err)
{
	unsigned int number = 0;
	int code = 0;

	while (!code && text) {
		char *line = strsep(&text, "\n"), *name, *value;

		number++;
		name = trim(line);
		if (!*name || *name == '#')
			continue;
		value = strchr(name, '=');
		if (value) {
			*value = '\0';
			value = unquote(trim(value + 1));
		}
		name = trim(name);
		if (!*name)
			return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
					    "line %u of the configuration has a value and no name",
					    number);
		code = set(name, value, number, data);
	}
	return code;
}
