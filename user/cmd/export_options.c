// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/export_options.h"

#include <argp.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc_parse.h"

#define CONFIG_BYTES_MAX (256 * 1024)

enum {
	KEY_COMM = 256,
	KEY_EXCLUDE_COMM,
	KEY_EXCLUDE_CGROUP,
	KEY_GROUP,
	KEY_LISTEN,
	KEY_CONFIG,
	KEY_PER_PROCESS,
	KEY_PER_THREAD,
	KEY_MAX_PROCESSES,
	KEY_MAX_PROCESS_SERIES,
	KEY_MAX_THREAD_SERIES,
	KEY_MAX_GROUPS,
	KEY_ENGINE,
	KEY_MAX_OVERHEAD,
	KEY_PRINT_METRICS,
	KEY_USAGE,
};

static const struct argp_option table[] = {
	{"pid", 'p', "PID[,PID...]", 0, "Only these processes and their children", 0},
	{"comm", KEY_COMM, "NAME", 0, "Only Python processes of this name (a pattern as gunicorn*)",
	 0},
	{"cgroup", 'c', "PATH", 0, "Only those in this cgroup and those below it", 0},
	{"exclude-comm", KEY_EXCLUDE_COMM, "NAME", 0, "None of this name", 0},
	{"exclude-cgroup", KEY_EXCLUDE_CGROUP, "PATH", 0, "None in this cgroup", 0},
	{"listen", KEY_LISTEN, "ADDRESS:PORT", 0,
	 "Where to serve metrics (default " GW_EXPORT_LISTEN ")", 0},
	{"config", KEY_CONFIG, "FILE", 0, "Read options from FILE; SIGHUP reads it again", 0},
	{"group", KEY_GROUP, "NAME=FIELD:REGEX", 0,
	 "The group of processes whose FIELD (unit, container, cgroup, comm, command) has REGEX in "
	 "it; \\1 in NAME is its first parentheses",
	 0},
	{"per-process", KEY_PER_PROCESS, NULL, 0, "Series of each process too", 0},
	{"per-thread", KEY_PER_THREAD, NULL, 0, "Series of each thread too", 0},
	{"max-processes", KEY_MAX_PROCESSES, "N", 0,
	 "Watch so many at a time (default: twice as many as there are at the start, and 256 at "
	 "least)",
	 0},
	{"max-process-series", KEY_MAX_PROCESS_SERIES, "N", 0,
	 "Processes with series of their own (default 200)", 0},
	{"max-thread-series", KEY_MAX_THREAD_SERIES, "N", 0,
	 "Threads with series of their own (default 1000)", 0},
	{"max-groups", KEY_MAX_GROUPS, "N", 0, "Groups; further ones are \"other\" (default 500)",
	 0},
	{"engine", KEY_ENGINE, "ENGINE", 0, "As in gilwatch summary", 0},
	{"max-overhead", KEY_MAX_OVERHEAD, "PERCENT", 0, "As in gilwatch summary (default 2)", 0},
	{"print-metrics", KEY_PRINT_METRICS, NULL, 0, "Describe all metrics (as Markdown), and end",
	 0},
	{"verbose", 'v', NULL, 0, "Show what the kernel and libbpf say", 0},
	{"help", 'h', NULL, 0, "Show this help", -1},
	{"usage", KEY_USAGE, NULL, 0, "Show a short usage message", -1},
	{0},
};

struct parse {
	struct gw_export_options *options;
	struct gw_error *err;
	const char *bad;
	int from_file; /* what can only be said on the command line is an error */
};

static int take_number(const char *text, size_t max, size_t *value, struct gw_error *err)
{
	unsigned long long number;
	char *end;

	errno = 0;
	number = strtoull(text, &end, 10);
	if (*text < '0' || *text > '9' || *end || errno || number < 1 || number > max)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "\"%.40s\" is no number between 1 and %zu", text, max);
	*value = (size_t)number;
	return 0;
}

static int take_list(int key, const char *text, struct gw_export_options *o, struct gw_error *err)
{
	switch (key) {
	case KEY_COMM:
		return gw_options_add_selector(o->common.comm, &o->common.comm_count, text,
					       "--comm gunicorn", err);
	case 'c':
		return gw_options_add_selector(o->common.cgroup, &o->common.cgroup_count, text,
					       "-c /system.slice/web.service", err);
	case KEY_EXCLUDE_COMM:
		return gw_options_add_selector(o->exclude_comm, &o->exclude_comm_count, text,
					       "--exclude-comm ansible*", err);
	case KEY_EXCLUDE_CGROUP:
		return gw_options_add_selector(o->exclude_cgroup, &o->exclude_cgroup_count, text,
					       "--exclude-cgroup /user.slice", err);
	default:
		return gw_options_add_selector(o->group, &o->group_count, text,
					       "--group web=unit:^web@", err);
	}
}

static int take_limit(int key, const char *text, struct gw_export_options *o, struct gw_error *err)
{
	switch (key) {
	case KEY_MAX_PROCESSES:
		return take_number(text, 16384, &o->slots, err);
	case KEY_MAX_PROCESS_SERIES:
		return take_number(text, 100000, &o->processes_max, err);
	case KEY_MAX_THREAD_SERIES:
		return take_number(text, 1000000, &o->threads_max, err);
	default:
		return take_number(text, 100000, &o->groups_max, err);
	}
}

static int only_on_command_line(const struct parse *p, const char *name)
{
	if (!p->from_file)
		return 0;
	return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
			    "%s can only be given on the command line", name);
}

static void help(const struct argp_state *state, unsigned int what)
{
	argp_help(state->root_argp, stdout, what, state->name);
	exit(GW_OK);
}

static error_t take(int key, char *argument, struct argp_state *state)
{
	struct parse *p = state->input;
	struct gw_export_options *o = p->options;

	switch (key) {
	case 'p':
		return -gw_options_take_pids(argument, &o->common, p->err);
	case KEY_COMM:
	case 'c':
	case KEY_EXCLUDE_COMM:
	case KEY_EXCLUDE_CGROUP:
	case KEY_GROUP:
		return -take_list(key, argument, o, p->err);
	case KEY_LISTEN:
		o->listen = argument;
		return 0;
	case KEY_CONFIG:
		o->config = argument;
		return -only_on_command_line(p, "config");
	case KEY_PER_PROCESS:
		o->per_process = 1;
		return 0;
	case KEY_PER_THREAD:
		o->per_thread = 1;
		return 0;
	case KEY_MAX_PROCESSES:
	case KEY_MAX_PROCESS_SERIES:
	case KEY_MAX_THREAD_SERIES:
	case KEY_MAX_GROUPS:
		return -take_limit(key, argument, o, p->err);
	case KEY_ENGINE:
		return -gw_options_take_engine(argument, &o->common, p->err);
	case KEY_MAX_OVERHEAD:
		return -gw_options_take_budget(argument, &o->common, p->err);
	case KEY_PRINT_METRICS:
		o->print_metrics = 1;
		return -only_on_command_line(p, "print-metrics");
	case 'v':
		o->common.verbose = 1;
		return 0;
	case 'h':
		help(state, ARGP_HELP_LONG | ARGP_HELP_USAGE | ARGP_HELP_DOC);
		return 0;
	case KEY_USAGE:
		help(state, ARGP_HELP_USAGE);
		return 0;
	case ARGP_KEY_ARG:
		return -gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				     "\"%.40s\" is one argument too many; see --help", argument);
	case ARGP_KEY_ERROR:
		p->bad = state->next > 0 ? state->argv[state->next - 1] : "";
		return ARGP_ERR_UNKNOWN;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static int parse(struct parse *p, int argc, char **argv)
{
	static const struct argp argp = {
		.options = table,
		.parser = take,
		.doc = "Watches the Python processes of this host for as long as it runs, and "
		       "serves Prometheus metrics of where their threads' time goes.",
	};
	static char name[] = "gilwatch export";
	error_t code;

	argv[0] = name;
	code = argp_parse(&argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, p);
	if (!code)
		return 0;
	return gw_error_set(p->err, -code, GW_STATUS_USAGE,
			    "\"%.40s\" is no option, or lacks its value; see %s --help",
			    p->bad ? p->bad : "", name);
}

/* ---- the file ---- */

/* Options by their whole names alone: argp would take beginnings of them. */
static const struct argp_option *find_option(const char *name)
{
	for (size_t i = 0; table[i].name; i++)
		if (!strcmp(table[i].name, name) && strcmp(name, "help") && strcmp(name, "usage"))
			return &table[i];
	return NULL;
}

static int is_true(const char *value)
{
	return !value || !strcmp(value, "true") || !strcmp(value, "yes") || !strcmp(value, "on");
}

static int set_flag(const struct argp_option *option, const char *value, struct parse *p)
{
	char words[64], *argv[] = {NULL, words, NULL};

	if (value && (!strcmp(value, "false") || !strcmp(value, "no") || !strcmp(value, "off")))
		return 0;
	if (!is_true(value))
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "%s is true or false, not \"%.40s\"", option->name, value);
	snprintf(words, sizeof(words), "--%s", option->name);
	return parse(p, 2, argv);
}

static int set_value(const struct argp_option *option, const char *value, struct parse *p)
{
	char name[64], *argv[] = {NULL, name, (char *)value, NULL};

	if (!value)
		return gw_error_set(p->err, -EINVAL, GW_STATUS_USAGE,
				    "%s lacks its value, as in: %s = %s", option->name,
				    option->name, option->arg);
	snprintf(name, sizeof(name), "--%s", option->name);
	return parse(p, 3, argv);
}

struct file {
	const char *path;
	struct gw_export_options *options;
	struct gw_error *err;
};

static int set(const char *name, const char *value, unsigned int line, void *data)
{
	const struct argp_option *option = find_option(name);
	struct file *file = data;
	struct gw_error why = {0};
	struct parse p = {.options = file->options, .err = &why, .from_file = 1};
	int code;

	if (!option)
		code = gw_error_set(&why, -EINVAL, GW_STATUS_USAGE, "there is no option \"%.40s\"",
				    name);
	else
		code = option->arg ? set_value(option, value, &p) : set_flag(option, value, &p);
	return code ? gw_error_set(file->err, code, GW_STATUS_USAGE, "%.120s, line %u: %.300s",
				   file->path, line, why.text)
		    : 0;
}

static int read_file(struct gw_export_options *o, struct gw_error *err)
{
	struct file file = {.path = o->config, .options = o, .err = err};
	ssize_t got;

	o->text = malloc(CONFIG_BYTES_MAX);
	if (!o->text)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	got = gw_read_text(o->config, o->text, CONFIG_BYTES_MAX);
	if (got < 0)
		return gw_error_set(err, (int)got, GW_STATUS_USAGE,
				    "the configuration %.200s cannot be read: %s", o->config,
				    strerror((int)-got));
	if (got == CONFIG_BYTES_MAX - 1)
		return gw_error_set(err, -E2BIG, GW_STATUS_USAGE,
				    "the configuration %.200s is larger than 256 KiB", o->config);
	return gw_config_parse(o->text, set, &file, err);
}

/* ---- both ---- */

static void set_defaults(struct gw_export_options *o)
{
	o->common.budget = GW_BUDGET_DEFAULT;
	o->listen = GW_EXPORT_LISTEN;
	o->processes_max = 200;
	o->threads_max = 1000;
	o->groups_max = 500;
}

/* argp puts options before other arguments: the words stay, their order does not. */
static int parse_words(struct gw_export_options *o, int argc, char **argv, struct gw_error *err)
{
	struct parse p = {.options = o, .err = err};
	char **words = calloc((size_t)argc + 1, sizeof(*words));
	int code;

	if (!words)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	memcpy(words, argv, (size_t)argc * sizeof(*words));
	code = parse(&p, argc, words);
	free(words);
	return code;
}

int gw_export_options_read(int argc, char **argv, struct gw_export_options **options,
			   struct gw_error *err)
{
	struct gw_export_options *o = calloc(1, sizeof(*o));
	const char *config;
	int code;

	*options = o;
	if (!o)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	/* Once to find the file, and once more after it, for what overrides it. */
	set_defaults(o);
	code = parse_words(o, argc, argv, err);
	if (code || !o->config)
		return code;
	config = o->config;
	memset(o, 0, sizeof(*o));
	set_defaults(o);
	o->config = config;
	code = read_file(o, err);
	return code ? code : parse_words(o, argc, argv, err);
}

void gw_export_options_free(struct gw_export_options *options)
{
	if (options)
		free(options->text);
	free(options);
}
