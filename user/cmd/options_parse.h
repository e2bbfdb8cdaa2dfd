/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the values of options mean; which command has which option stands in options.c. */
#ifndef GW_OPTIONS_PARSE_H
#define GW_OPTIONS_PARSE_H

#include <argp.h>

#include "cmd/options.h"

enum gw_option_key {
	KEY_JSON = 256,
	KEY_ENGINE,
	KEY_MAX_OVERHEAD,
	KEY_BEGIN_AT,
	KEY_NO_CHILDREN,
	KEY_COMM,
	KEY_BUNDLE,
	KEY_WITH_COMMAND,
	KEY_AS_ROOT,
	KEY_USAGE,
};

enum gw_command {
	COMMAND_SUMMARY,
	COMMAND_SHOW,
	COMMAND_LIST,
	COMMAND_DOCTOR,
	COMMAND_RUN,
	COMMAND_DIFF,
	COMMAND_LIVE,
};

struct gw_command_line {
	enum gw_command command;
	char *name; /* as usage texts show it */
	struct argp argp;
	unsigned int flags; /* of argp_parse, beside our own */
};

/* Parses the arguments of a command into options, which get their defaults first; see options.h. */
int gw_options_parse(const struct gw_command_line *line, int argc, char **argv,
		     struct gw_options *options, struct gw_error *err);

/* argp's callback, for the tables. */
error_t gw_options_take(int key, char *argument, struct argp_state *state);

#endif
