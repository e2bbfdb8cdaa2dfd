// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <ctype.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cmd/commands.h"
#include "cmd/pick.h"
#include "util/error.h"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
	const char *help;
} commands[] = {
	{"summary", gw_command_summary,
	 "watch processes for a while, then say where the time went"},
	{"run", gw_command_run, "run a command and say at its end where the time went"},
	{"export", gw_command_export, "serve Prometheus metrics of all Python processes"},
	{"list", gw_command_list, "list the Python processes and how each can be measured"},
	{"doctor", gw_command_doctor,
	 "say what this kernel, these rights and a process allow, and why not"},
	{"show", gw_command_show, "show a saved summary (summary --json -o FILE) as text"},
	{"diff", gw_command_diff, "compare two saved summaries, before and after"},
};

static void print_usage(FILE *out)
{
	fputs("usage: gilwatch -p PID[,PID...] [OPTION...] [INTERVAL [COUNT]]\n"
	      "       gilwatch COMMAND [OPTION...]\n"
	      "gilwatch says why threaded Python is slow: where each nanosecond of each thread "
	      "went.\n\n"
	      "  -p PID   watch a process live: a view on a terminal, rows elsewhere\n",
	      out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-8s %s\n", commands[i].name, commands[i].help);
	fputs("\nTry: sudo gilwatch list, then sudo gilwatch -p PID\n"
	      "gilwatch COMMAND --help lists a command's options; man gilwatch explains the "
	      "rest.\n",
	      out);
}

int main(int argc, char **argv)
{
	setlocale(LC_CTYPE, "");
	if (argc >= 2 && (!strcmp(argv[1], "--help") || !strcmp(argv[1], "-h"))) {
		print_usage(stdout);
		return GW_OK;
	}
	if (argc >= 2 && (!strcmp(argv[1], "--version") || !strcmp(argv[1], "-V"))) {
		puts("gilwatch " GW_VERSION);
		return GW_OK;
	}
	for (size_t i = 0; argc >= 2 && i < sizeof(commands) / sizeof(commands[0]); i++)
		if (!strcmp(argv[1], commands[i].name))
			return commands[i].run(argc - 1, argv + 1);
	/* The bare form is the live view: an option comes first, or an interval. */
	if (argc >= 2 && (argv[1][0] == '-' || isdigit((unsigned char)argv[1][0])))
		return gw_command_live(argc, argv);
	if (argc < 2 && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO))
		return gw_command_pick();
	if (argc >= 2)
		fprintf(stderr, "gilwatch: there is no command \"%.40s\"; see gilwatch --help\n",
			argv[1]);
	else
		print_usage(stderr);
	return GW_STATUS_USAGE;
}
