// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/options.h"

#include <argp.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/duration.h"

#define DEFAULT_DURATION_NS 10000000000ULL
#define DEFAULT_ROWS	    10

enum long_only {
	KEY_JSON = 256,
	KEY_ENGINE,
	KEY_FORCE,
	KEY_BEGIN_AT,
	KEY_NO_CHILDREN,
	KEY_COMM,
	KEY_BUNDLE,
	KEY_WITH_COMMAND,
	KEY_USAGE,
};

enum command {
	COMMAND_SUMMARY,
	COMMAND_SHOW,
	COMMAND_LIST,
	COMMAND_DOCTOR,
};

struct parse {
	struct gw_options *options;
	struct gw_error *err;
	enum command command;
	const char *bad; /* the argument that was not understood */
};

int gw_options_add_pid(struct gw_options *o, pid_t pid, struct gw_error *err)
{
	for (size_t i = 0; i < o->pid_count; i++)
		if (o->pid[i] == pid)
			return 0;
	if (o->pid_count == GW_PIDS_MAX)
		return gw_error_set(err, -E2BIG, GW_STATUS_USAGE, "more than %d PIDs", GW_PIDS_MAX);
	o->pid[o->pid_count++] = pid;
	return 0;
}

static int parse_number(const char *text, const char **end, long max, long *value)
{
	char *stop;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	*value = strtol(text, &stop, 10);
	*end = stop;
	return errno || *value < 1 || *value > max ? -EINVAL : 0;
}

static int parse_pids(const char *text, struct gw_options *o, struct gw_error *err)
{
	const char *at = text;
	long pid;

	for (;;) {
		if (parse_number(at, &at, INT_MAX, &pid) || (*at && *at != ','))
			return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
					    "\"%.40s\" is no list of PIDs: give numbers with "
					    "commas between them, as -p 4321,4322",
					    text);
		if (gw_options_add_pid(o, (pid_t)pid, err))
			return -E2BIG;
		if (!*at++)
			return 0;
	}
}

static int parse_rows(const char *text, struct gw_options *o, struct gw_error *err)
{
	const char *end;
	long rows;

	if (parse_number(text, &end, 100000, &rows) || *end)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "\"%.40s\" is no number of rows (1 to 100000)", text);
	o->rows = (int)rows;
	return 0;
}

static int parse_engine(const char *text, struct gw_options *o, struct gw_error *err)
{
	if (!strcmp(text, "sched"))
		o->engine = GW_ENGINE_SCHED;
	else if (!strcmp(text, "uprobe"))
		o->engine = GW_ENGINE_UPROBE;
	else
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "there is no engine \"%.40s\": it is sched or uprobe", text);
	return 0;
}

static error_t end_of_arguments(const struct parse *p)
{
	const struct gw_options *o = p->options;

	if (p->command == COMMAND_SHOW && !o->file)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which file? as in: gilwatch show FILE.json");
	if (p->command == COMMAND_SUMMARY && !o->pid_count && !o->comm_count && !o->cgroup_count)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which process? as in: gilwatch summary -p PID");
	if (p->command == COMMAND_DOCTOR && o->pid_count > 1)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "doctor looks at one process at a time: give one PID");
	if (o->with_command && !o->bundle)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "--with-command is for --bundle FILE, which is not asked for");
	return 0;
}

static error_t positional(const struct parse *p, const char *argument)
{
	if (p->command == COMMAND_SHOW && !p->options->file) {
		p->options->file = argument;
		return 0;
	}
	return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
			    "\"%.40s\" is one argument too many; see --help", argument);
}

static int parse_begin(const char *text, struct gw_options *o, struct gw_error *err)
{
	char *end;

	errno = 0;
	o->begin_at_ns = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "\"%.40s\" is no time: --begin-at takes nanoseconds of "
				    "CLOCK_MONOTONIC",
				    text);
	return 0;
}

static int add_selector(const char **list, size_t *count, const char *text, const char *example,
			struct gw_error *err)
{
	if (!*text)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "an empty name selects nothing; give one, as %s", example);
	if (*count == GW_SELECT_MAX)
		return gw_error_set(err, -E2BIG, GW_STATUS_USAGE, "more than %d, as %s",
				    GW_SELECT_MAX, example);
	list[(*count)++] = text;
	return 0;
}

/* argp's own --help is mute where it may not print errors (ARGP_NO_ERRS). */
static void help(const struct argp_state *state, unsigned int what)
{
	argp_help(state->root_argp, stdout, what, state->name);
	exit(GW_OK);
}

/* argp takes positive error numbers. */
static error_t parse_option(int key, char *argument, struct argp_state *state)
{
	struct parse *p = state->input;
	struct gw_options *o = p->options;

	switch (key) {
	case 'p':
		return -parse_pids(argument, o, p->err);
	case 'd':
		return -gw_duration_parse(argument, &o->duration_ns, p->err);
	case 'j':
	case KEY_JSON:
		o->json = 1;
		return 0;
	case 'o':
		o->output = argument;
		return 0;
	case 'n':
		return -parse_rows(argument, o, p->err);
	case KEY_ENGINE:
		return -parse_engine(argument, o, p->err);
	case KEY_BEGIN_AT:
		return -parse_begin(argument, o, p->err);
	case KEY_NO_CHILDREN:
		o->no_children = 1;
		return 0;
	case KEY_COMM:
		return -add_selector(o->comm, &o->comm_count, argument, "--comm gunicorn", p->err);
	case 'c':
		return -add_selector(o->cgroup, &o->cgroup_count, argument,
				     "-c /system.slice/web.service", p->err);
	case KEY_BUNDLE:
		o->bundle = argument;
		return 0;
	case KEY_WITH_COMMAND:
		o->with_command = 1;
		return 0;
	case KEY_FORCE:
		o->force = 1;
		return 0;
	case 'h':
		help(state, ARGP_HELP_LONG | ARGP_HELP_USAGE | ARGP_HELP_DOC);
		return 0;
	case KEY_USAGE:
		help(state, ARGP_HELP_USAGE);
		return 0;
	case 'v':
		o->verbose = 1;
		return 0;
	case ARGP_KEY_ARG:
		return -positional(p, argument);
	case ARGP_KEY_ERROR:
		/* getopt has gone past what it did not understand. */
		p->bad = state->next > 0 ? state->argv[state->next - 1] : "";
		return ARGP_ERR_UNKNOWN;
	case ARGP_KEY_END:
		return -end_of_arguments(p);
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse(const struct argp *argp, int argc, char **argv, char *name, enum command command,
		 struct gw_options *options, struct gw_error *err)
{
	struct parse p = {.options = options, .err = err, .command = command};
	error_t code;

	argv[0] = name; /* as usage texts show it */
	memset(options, 0, sizeof(*options));
	options->duration_ns = DEFAULT_DURATION_NS;
	options->rows = DEFAULT_ROWS;
	options->engine = GW_ENGINE_SCHED;
	code = argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, &p);
	if (!code)
		return 0;
	return gw_error_set(err, -code, GW_STATUS_USAGE,
			    "\"%.40s\" is no option, or lacks its value; see %s --help",
			    p.bad ? p.bad : "", name);
}

int gw_options_summary(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		{"pid", 'p', "PID[,PID...]", 0, "Process to watch", 0},
		{"comm", KEY_COMM, "NAME", 0,
		 "Watch the Python processes of this name (a pattern as gunicorn* too)", 0},
		{"cgroup", 'c', "PATH", 0,
		 "Watch the Python processes in this cgroup and those below it", 0},
		{"duration", 'd', "TIME", 0, "How long: 500ms, 10s, 2m (default 10s)", 0},
		{"json", KEY_JSON, NULL, 0, "One JSON object instead of text", 0},
		{NULL, 'j', NULL, OPTION_ALIAS, NULL, 0},
		{"output", 'o', "FILE", 0, "Write to FILE (\"-\" is standard output)", 0},
		{"rows", 'n', "ROWS", 0, "Threads to show (default 10)", 0},
		{"engine", KEY_ENGINE, "ENGINE", 0,
		 "sched: no probes in the target (default); uprobe: exact, probes at the GIL", 0},
		{"force", KEY_FORCE, NULL, 0, "Keep the probes at any rate of hits", 0},
		{"no-children", KEY_NO_CHILDREN, NULL, 0, "Do not follow the children of processes",
		 0},
		{"begin-at", KEY_BEGIN_AT, "NS", 0,
		 "Begin to count at this time of CLOCK_MONOTONIC, so that several runs see the "
		 "same "
		 "window",
		 0},
		{"verbose", 'v', NULL, 0, "Show what the kernel and libbpf say", 0},
		{"help", 'h', NULL, 0, "Show this help", -1},
		{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
		{0},
	};
	static const struct argp argp = {
		.options = table,
		.parser = parse_option,
		.doc = "Watches running CPython processes and says where every nanosecond of every "
		       "thread went.",
	};

	static char name[] = "gilwatch summary";

	return parse(&argp, argc, argv, name, COMMAND_SUMMARY, options, err);
}

int gw_options_list(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		{"json", KEY_JSON, NULL, 0, "One JSON object instead of text", 0},
		{NULL, 'j', NULL, OPTION_ALIAS, NULL, 0},
		{"help", 'h', NULL, 0, "Show this help", -1},
		{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
		{0},
	};
	static const struct argp argp = {
		.options = table,
		.parser = parse_option,
		.doc = "Lists the Python processes of this host, and how each can be measured.",
	};
	static char name[] = "gilwatch list";

	return parse(&argp, argc, argv, name, COMMAND_LIST, options, err);
}

int gw_options_doctor(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		{"pid", 'p', "PID", 0, "Look at this process too, and try to measure it", 0},
		{"json", KEY_JSON, NULL, 0, "One JSON object instead of text", 0},
		{NULL, 'j', NULL, OPTION_ALIAS, NULL, 0},
		{"bundle", KEY_BUNDLE, "FILE", 0,
		 "Also write what a bug report needs to FILE, which must not exist", 0},
		{"with-command", KEY_WITH_COMMAND, NULL, 0,
		 "Put the process's command line, which may hold secrets, into the bundle", 0},
		{"verbose", 'v', NULL, 0, "Show what the kernel and libbpf say", 0},
		{"help", 'h', NULL, 0, "Show this help", -1},
		{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
		{0},
	};
	static const struct argp argp = {
		.options = table,
		.parser = parse_option,
		.doc = "Says what this kernel, these rights and a process allow gilwatch to "
		       "measure, "
		       "and what to do about the rest.",
	};
	static char name[] = "gilwatch doctor";

	return parse(&argp, argc, argv, name, COMMAND_DOCTOR, options, err);
}

int gw_options_show(int argc, char **argv, struct gw_options *options, struct gw_error *err)
{
	static const struct argp_option table[] = {
		{"output", 'o', "FILE", 0, "Write to FILE (\"-\" is standard output)", 0},
		{"rows", 'n', "ROWS", 0, "Threads to show (default 10)", 0},
		{"help", 'h', NULL, 0, "Show this help", -1},
		{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
		{0},
	};
	static const struct argp argp = {
		.options = table,
		.parser = parse_option,
		.args_doc = "FILE.json",
		.doc = "Shows a saved summary as text. Needs no rights.",
	};

	static char name[] = "gilwatch show";

	return parse(&argp, argc, argv, name, COMMAND_SHOW, options, err);
}
