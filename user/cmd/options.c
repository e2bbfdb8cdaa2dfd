// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/options.h"

#include "cmd/options_parse.h"

/* Options that several commands share. */
/* clang-format off */
#define OPTIONS_TARGETS                                                                            \
	{"pid", 'p', "PID[,PID...]", 0, "Process to watch", 0},                                    \
	{"comm", KEY_COMM, "NAME", 0,                                                              \
	 "Watch the Python processes of this name (a pattern as gunicorn* too)", 0},               \
	{"cgroup", 'c', "PATH", 0,                                                                 \
	 "Watch the Python processes in this cgroup and those below it", 0}
#define OPTION_NO_CHILDREN                                                                         \
	{"no-children", KEY_NO_CHILDREN, NULL, 0, "Do not follow the children of processes", 0}
#define OPTIONS_JSON                                                                               \
	{"json", KEY_JSON, NULL, 0, "One JSON object instead of text", 0},                         \
	{NULL, 'j', NULL, OPTION_ALIAS, NULL, 0}
#define OPTION_OUTPUT(to) {"output", 'o', "FILE", 0, to, 0}
#define OPTION_ROWS {"rows", 'n', "ROWS", 0, "Threads to show (default 10)", 0}
#define OPTIONS_ENGINE                                                                             \
	{"engine", KEY_ENGINE, "ENGINE", 0,                                                        \
	 "auto: probes at the GIL while they fit the budget (default); sched: none; uprobe: at "   \
	 "any cost",                                                                               \
	 0},                                                                                       \
	{"max-overhead", KEY_MAX_OVERHEAD, "PERCENT", 0,                                           \
	 "What probes may cost a process of its CPU time (default 2; 0: no probes)", 0}
#define OPTION_VERBOSE {"verbose", 'v', NULL, 0, "Show what the kernel and libbpf say", 0}
#define OPTIONS_HELP                                                                               \
	{"help", 'h', NULL, 0, "Show this help", -1},                                              \
	{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1}, {0}
/* clang-format on */

int gw_options_summary(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTIONS_TARGETS,
		{"duration", 'd', "TIME", 0, "How long: 500ms, 10s, 2m (default 10s)", 0},
		OPTIONS_JSON,
		OPTION_OUTPUT("Write to FILE (\"-\" is standard output)"),
		OPTION_ROWS,
		OPTIONS_ENGINE,
		OPTION_NO_CHILDREN,
		{"begin-at", KEY_BEGIN_AT, "NS", 0,
		 "Begin to count at this time of CLOCK_MONOTONIC, so that several runs see the "
		 "same "
		 "window",
		 0},
		OPTION_VERBOSE,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch summary";
	static const struct gw_command_line line = {
		.command = COMMAND_SUMMARY,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.doc = "Watches running CPython processes and says where every "
				       "nanosecond of every "
				       "thread went.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_list(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTIONS_JSON,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch list";
	static const struct gw_command_line line = {
		.command = COMMAND_LIST,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.doc = "Lists the Python processes of this host, and how each can "
				       "be measured.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_doctor(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		{"pid", 'p', "PID", 0, "Look at this process too, and try to measure it", 0},
		OPTIONS_JSON,
		{"bundle", KEY_BUNDLE, "FILE", 0,
		 "Also write what a bug report needs to FILE, which must not exist", 0},
		{"with-command", KEY_WITH_COMMAND, NULL, 0,
		 "Put the process's command line, which may hold secrets, into the bundle", 0},
		OPTION_VERBOSE,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch doctor";
	static const struct gw_command_line line = {
		.command = COMMAND_DOCTOR,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.doc = "Says what this kernel, these rights and a process allow "
				       "gilwatch to "
				       "measure, "
				       "and what to do about the rest.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_show(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTION_OUTPUT("Write to FILE (\"-\" is standard output)"),
		OPTION_ROWS,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch show";
	static const struct gw_command_line line = {
		.command = COMMAND_SHOW,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.args_doc = "FILE.json",
				.doc = "Shows a saved summary as text. Needs no rights.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_run(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTIONS_JSON,
		OPTION_OUTPUT("Write the summary to FILE, not to standard error (\"-\" is standard "
			      "output)"),
		OPTION_ROWS,
		OPTIONS_ENGINE,
		OPTION_NO_CHILDREN,
		{"as-root", KEY_AS_ROOT, NULL, 0,
		 "Run the command as root, not as the user who called sudo", 0},
		OPTION_VERBOSE,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch run";
	static const struct gw_command_line line = {
		.command = COMMAND_RUN,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.args_doc = "[--] COMMAND [ARGUMENT...]",
				.doc = "Runs a command as the user who called sudo, watches it and "
				       "its "
				       "children from the first instruction to the end, and says "
				       "then "
				       "where the time went. Exits with the command's status; 125: "
				       "gilwatch itself failed, 126: the command cannot be "
				       "executed, "
				       "127: it is not found.",
			},
		.flags = ARGP_IN_ORDER,
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_diff(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTIONS_JSON,
		OPTION_OUTPUT("Write to FILE (\"-\" is standard output)"),
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch diff";
	static const struct gw_command_line line = {
		.command = COMMAND_DIFF,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.args_doc = "BEFORE.json AFTER.json",
				.doc = "Compares two saved summaries, as before and after a "
				       "change. Needs no rights.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}

int gw_options_live(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		OPTIONS_TARGETS,
		{"json", KEY_JSON, NULL, 0, "A JSON object for each interval, one a line", 0},
		{NULL, 'j', NULL, OPTION_ALIAS, NULL, 0},
		{"rows", 'n', "ROWS", 0,
		 "Threads to show of each process where there is no terminal (default 10)", 0},
		OPTIONS_ENGINE,
		OPTION_NO_CHILDREN,
		OPTION_VERBOSE,
		OPTIONS_HELP,
	};
	static char name[] = "gilwatch";
	static const struct gw_command_line line = {
		.command = COMMAND_LIVE,
		.name = name,
		.argp =
			{
				.options = table,
				.parser = gw_options_take,
				.args_doc = "[INTERVAL [COUNT]]",
				.doc = "Shows what the threads of running CPython processes do: a "
				       "view on a terminal; elsewhere, or where a COUNT is given, "
				       "a "
				       "block of rows for each INTERVAL (default 1s). gilwatch "
				       "--help lists the commands.",
			},
	};

	return gw_options_parse(&line, argc, argv, options, err);
}
