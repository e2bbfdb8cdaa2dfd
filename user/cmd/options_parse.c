// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/options_parse.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "util/duration.h"

#define DEFAULT_DURATION_NS 10000000000ULL
#define DEFAULT_ROWS	    10
#define DEFAULT_INTERVAL_NS 1000000000ULL
#define INTERVAL_LEAST_NS   100000000ULL

struct parse {
	struct gw_options *options;
	struct gw_error *err;
	enum gw_command command;
	const char *bad; /* the argument that was not understood */
	int positionals;
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

int gw_options_take_pids(const char *text, struct gw_options *o, struct gw_error *err)
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

int gw_options_take_engine(const char *text, struct gw_options *o, struct gw_error *err)
{
	if (!strcmp(text, "auto"))
		o->engine = GW_CHOICE_AUTO;
	else if (!strcmp(text, "sched"))
		o->engine = GW_CHOICE_SCHED;
	else if (!strcmp(text, "uprobe"))
		o->engine = GW_CHOICE_UPROBE;
	else
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "there is no engine \"%.40s\": it is auto, sched or uprobe",
				    text);
	return 0;
}

int gw_options_take_budget(const char *text, struct gw_options *o, struct gw_error *err)
{
	char *end;
	double percent = strtod(text, &end);
	const char *rest = end != text && *end == '%' ? end + 1 : end;

	/* strtod takes more than people write: signs, hexadecimals, nan and inf. */
	if (strspn(text, "0123456789.%") != strlen(text) || end == text || *rest ||
	    !(percent >= 0 && percent <= 100))
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "\"%.40s\" is no budget: --max-overhead takes percent of the "
				    "process's CPU time, 0 to 100, as 2 or 0.5%%",
				    text);
	o->budget = percent / 100;
	return 0;
}

static error_t end_of_arguments(const struct parse *p)
{
	const struct gw_options *o = p->options;

	if (p->command == COMMAND_SHOW && !o->file)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which file? as in: gilwatch show FILE.json");
	if (p->command == COMMAND_DIFF && !o->other_file)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which two files? as in: gilwatch diff BEFORE.json AFTER.json");
	if (p->command == COMMAND_DIFF && !strcmp(o->file, "-") && !strcmp(o->other_file, "-"))
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "only one of the two can come from standard input");
	if (p->command == COMMAND_RUN && !o->command)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which command? as in: gilwatch run -- python3 app.py");
	if ((p->command == COMMAND_SUMMARY || p->command == COMMAND_LIVE) && !o->pid_count &&
	    !o->comm_count && !o->cgroup_count)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "which process? as in: gilwatch %s-p PID",
				    p->command == COMMAND_LIVE ? "" : "summary ");
	if (p->command == COMMAND_DOCTOR && o->pid_count > 1)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "doctor looks at one process at a time: give one PID");
	if (o->with_command && !o->bundle)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "--with-command is for --bundle FILE, which is not asked for");
	return 0;
}

static error_t parse_interval(const char *text, struct gw_options *o, struct gw_error *err)
{
	error_t code = gw_duration_parse(text, &o->interval_ns, err);

	if (!code && o->interval_ns < INTERVAL_LEAST_NS)
		code = gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "an interval of %.40s is too short: 100ms is the least", text);
	return code;
}

static error_t parse_count(const char *text, struct gw_options *o, struct gw_error *err)
{
	const char *end;
	long count;

	if (parse_number(text, &end, INT_MAX, &count) || *end)
		return gw_error_set(
			err, -EINVAL, GW_STATUS_USAGE,
			"\"%.40s\" is no number of intervals, as 10 in: gilwatch -p PID "
			"1 10",
			text);
	o->count = (uint64_t)count;
	return 0;
}

static error_t positional(struct parse *p, const char *argument)
{
	int takes_file = p->command == COMMAND_SHOW || p->command == COMMAND_DIFF;

	p->positionals++;
	/* INTERVAL [COUNT], as vmstat has them. */
	if (p->command == COMMAND_LIVE && p->positionals == 1)
		return parse_interval(argument, p->options, p->err);
	if (p->command == COMMAND_LIVE && p->positionals == 2)
		return parse_count(argument, p->options, p->err);
	if (takes_file && !p->options->file) {
		p->options->file = argument;
		return 0;
	}
	if (p->command == COMMAND_DIFF && !p->options->other_file) {
		p->options->other_file = argument;
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

int gw_options_add_selector(const char **list, size_t *count, const char *text, const char *example,
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
error_t gw_options_take(int key, char *argument, struct argp_state *state)
{
	struct parse *p = state->input;
	struct gw_options *o = p->options;

	switch (key) {
	case 'p':
		return -gw_options_take_pids(argument, o, p->err);
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
		return -gw_options_take_engine(argument, o, p->err);
	case KEY_BEGIN_AT:
		return -parse_begin(argument, o, p->err);
	case KEY_NO_CHILDREN:
		o->no_children = 1;
		return 0;
	case KEY_COMM:
		return -gw_options_add_selector(o->comm, &o->comm_count, argument,
						"--comm gunicorn", p->err);
	case 'c':
		return -gw_options_add_selector(o->cgroup, &o->cgroup_count, argument,
						"-c /system.slice/web.service", p->err);
	case KEY_BUNDLE:
		o->bundle = argument;
		return 0;
	case KEY_WITH_COMMAND:
		o->with_command = 1;
		return 0;
	case KEY_AS_ROOT:
		o->as_root = 1;
		return 0;
	case KEY_MAX_OVERHEAD:
		return -gw_options_take_budget(argument, o, p->err);
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
		/* The rest belongs to the command, options and all: it comes as ARGP_KEY_ARGS. */
		return p->command == COMMAND_RUN ? ARGP_ERR_UNKNOWN : -positional(p, argument);
	case ARGP_KEY_ARGS:
		o->command = state->argv + state->next;
		return 0;
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

int gw_options_parse(const struct gw_command_line *line, int argc, char **argv,
		     struct gw_options *options, struct gw_error *err)
{
	struct parse p = {.options = options, .err = err, .command = line->command};
	error_t code;

	argv[0] = line->name;
	memset(options, 0, sizeof(*options));
	options->duration_ns = DEFAULT_DURATION_NS;
	options->rows = DEFAULT_ROWS;
	options->interval_ns = DEFAULT_INTERVAL_NS;
	options->budget = GW_BUDGET_DEFAULT;
	code = argp_parse(&line->argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP | line->flags, NULL,
			  &p);
	if (!code)
		return 0;
	return gw_error_set(err, -code, GW_STATUS_USAGE,
			    "\"%.40s\" is no option, or lacks its value; see %s --help",
			    p.bad ? p.bad : "", line->name);
}
