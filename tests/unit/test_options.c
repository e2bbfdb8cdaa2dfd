// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The command line: durations, lists of PIDs, numbers and names, and what is refused. */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/options.h"
#include "util/duration.h"

/* ---- durations ---- */

static void assert_duration(const char *text, uint64_t expected)
{
	struct gw_error err = {0};
	uint64_t ns = 0;

	if (gw_duration_parse(text, &ns, &err) || ns != expected)
		fail_msg("\"%s\": %llu ns, \"%s\"", text, (unsigned long long)ns, err.text);
	assert_string_equal(err.text, "");
}

static void assert_no_duration(const char *text, const char *says)
{
	struct gw_error err = {0};
	uint64_t ns = 42;

	if (gw_duration_parse(text, &ns, &err) != -EINVAL)
		fail_msg("\"%s\" is taken for %llu ns", text, (unsigned long long)ns);
	assert_int_equal(ns, 42);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" is refused with \"%s\"", text, err.text);
}

static void test_durations(void **state)
{
	(void)state;

	assert_duration("10", 10000000000ULL);
	assert_duration("0.5", 500000000);
	assert_duration("500ms", 500000000);
	assert_duration("250us", 250000);
	assert_duration("10s", 10000000000ULL);
	assert_duration("2m", 120000000000ULL);
	assert_duration("1h", 3600000000000ULL);
	assert_duration("1.5m", 90000000000ULL);
	assert_duration("1e1", 10000000000ULL);
	assert_duration("007", 7000000000ULL);
	assert_duration("0.000000001", 1);
}

static void test_longest_duration(void **state)
{
	(void)state;

	assert_duration("8760h", GW_DURATION_MAX_NS);
	assert_duration("31536000", GW_DURATION_MAX_NS);
	assert_no_duration("31536001", "365 days");
	assert_no_duration("8761h", "365 days");
	assert_no_duration("1e30", "365 days");
	assert_no_duration("1e999", "365 days");
	assert_no_duration("99999999999999999999999999999999", "365 days");
}

static void test_durations_of_nothing(void **state)
{
	(void)state;

	assert_no_duration("0", "nothing");
	assert_no_duration("0.0", "nothing");
	assert_no_duration("0ms", "nothing");
	assert_no_duration("1e-300", "nothing");
	assert_no_duration("1e-9999", "nothing");
}

static void test_what_is_no_duration(void **state)
{
	static const char *const bad[] = {
		"",	 "-1",	 "-0",	   "+1",    "inf",   "infinity", "nan",	  "nan(1)",
		"NAN",	 "0x10", "0X1p3",  "10 s",  " 10",   "10 ",	 "10\n",  "10S",
		"10sec", "10d",	 "10msec", "1,5",   "1.5.2", "ten",	 "s",	  "ms",
		".5",	 "1e",	 "1e+",	   "1m30s", "10s10", "\xff",	 "1\xff",
	};
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_no_duration(bad[i], "is no duration");
}

/* ---- command lines ---- */

#define ARGS_MAX 8

/* Parses the arguments that follow the command's name. */
static int parse(int (*parser)(int, char **, struct gw_options *, struct gw_error *),
		 const char *const *arguments, struct gw_options *o, struct gw_error *err)
{
	/* argp permutes the pointers, never the text; a command is left where it stands. */
	static char *argv[ARGS_MAX + 2];
	int argc = 1;

	memset(err, 0, sizeof(*err));
	memset(argv, 0, sizeof(argv));
	argv[0] = (char *)"gilwatch";
	while (arguments[argc - 1] && argc <= ARGS_MAX) {
		argv[argc] = (char *)arguments[argc - 1];
		argc++;
	}
	return parser(argc, argv, o, err);
}

#define SUMMARY(o, err, ...) parse(gw_options_summary, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define LIVE(o, err, ...)    parse(gw_options_live, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define LIST(o, err, ...)    parse(gw_options_list, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define DOCTOR(o, err, ...)  parse(gw_options_doctor, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define RUN(o, err, ...)     parse(gw_options_run, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define DIFF(o, err, ...)    parse(gw_options_diff, (const char *[]){__VA_ARGS__, NULL}, o, err)
#define SHOW(o, err, ...)    parse(gw_options_show, (const char *[]){__VA_ARGS__, NULL}, o, err)

static void assert_refused(int code, const struct gw_error *err, const char *says)
{
	assert_true(code < 0);
	assert_int_equal(err->status, GW_STATUS_USAGE);
	if (!strstr(err->text, says))
		fail_msg("refused with \"%s\", not \"%s\"", err->text, says);
}

static void test_defaults(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "-p", "42"), 0);
	assert_int_equal(o.pid_count, 1);
	assert_int_equal(o.pid[0], 42);
	assert_int_equal(o.duration_ns, 10000000000ULL);
	assert_int_equal(o.begin_at_ns, 0);
	assert_int_equal(o.rows, 10);
	assert_int_equal(o.engine, GW_CHOICE_AUTO);
	assert_true(o.budget == 0.02);
	assert_int_equal(o.json | o.verbose, 0);
	assert_null(o.output);
	assert_null(o.file);
}

static void test_all_options(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "--pid=1", "--duration=500ms", "--json", "--output=x",
				 "--rows=3", "--engine=uprobe", "--max-overhead=0.5", "--verbose"),
			 0);
	assert_int_equal(o.duration_ns, 500000000);
	assert_int_equal(o.json, 1);
	assert_string_equal(o.output, "x");
	assert_int_equal(o.rows, 3);
	assert_int_equal(o.engine, GW_CHOICE_UPROBE);
	assert_true(o.budget == 0.005);
	assert_int_equal(o.verbose, 1);
	assert_int_equal(SUMMARY(&o, &err, "-jvp1", "-d2m", "-o-", "-n100000", "--engine=sched"),
			 0);
	assert_int_equal(o.json, 1);
	assert_int_equal(o.duration_ns, 120000000000ULL);
	assert_string_equal(o.output, "-");
	assert_int_equal(o.rows, 100000);
	assert_int_equal(o.engine, GW_CHOICE_SCHED);
}

static void test_lists_of_pids(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "-p", "3,1,2,3", "-p", "1,4"), 0);
	assert_int_equal(o.pid_count, 4);
	assert_int_equal(o.pid[0], 3);
	assert_int_equal(o.pid[1], 1);
	assert_int_equal(o.pid[2], 2);
	assert_int_equal(o.pid[3], 4);
	assert_int_equal(SUMMARY(&o, &err, "-p2147483647"), 0);
	assert_int_equal(o.pid[0], 2147483647);
}

static void test_what_is_no_list_of_pids(void **state)
{
	static const char *const bad[] = {
		"",	"0",  "-1",  "+1",   "1,",   ",1",	   "1,,2",
		"1 2",	"1 ", " 1",  "1, 2", "0x10", "2147483648", "99999999999999999999",
		"self", "1a", "1;2", "1.5",  "1,0",
	};
	struct gw_options o;
	struct gw_error err;
	(void)state;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(SUMMARY(&o, &err, "-p", bad[i]), &err, "is no list of PIDs");
}

/* Writes 1,2,…,count. */
static void list_pids(char *text, size_t size, int count)
{
	size_t length = 0;

	for (int i = 1; i <= count; i++)
		length += (size_t)snprintf(text + length, size - length, i > 1 ? ",%d" : "%d", i);
}

static void test_rows(void **state)
{
	static const char *const bad[] = {"0",	"-1",	  "",	 "x",
					  "1x", "100001", "1.5", "99999999999999999999"};
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "-p1", "-n", "1"), 0);
	assert_int_equal(o.rows, 1);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(SUMMARY(&o, &err, "-p1", "-n", bad[i]), &err, "no number of rows");
}

static void test_engines(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_refused(SUMMARY(&o, &err, "-p1", "--engine=ebpf"), &err, "no engine \"ebpf\"");
	assert_refused(SUMMARY(&o, &err, "-p1", "--engine="), &err, "no engine");
	assert_refused(SUMMARY(&o, &err, "-p1", "--engine=SCHED"), &err, "no engine");
	assert_int_equal(SUMMARY(&o, &err, "-p1", "--engine=sched", "--engine=auto"), 0);
	assert_int_equal(o.engine, GW_CHOICE_AUTO);
}

static void test_budgets(void **state)
{
	static const struct {
		const char *text;
		double budget;
	} good[] = {{"0", 0},	   {"0.1", 0.001}, {"2", 0.02}, {"2%", 0.02}, {"2.5%", 0.025},
		    {".5", 0.005}, {"50", 0.5},	   {"100", 1},	{"100%", 1}};
	static const char *const bad[] = {"",	 "%",	"-1",  "101", "100.1", "nan", "inf",  "two",
					  "2 %", "2%%", "0x2", "1e1", "+2",    "1,5", "2.5.1"};
	struct gw_options o;
	struct gw_error err;
	(void)state;

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(SUMMARY(&o, &err, "-p1", "--max-overhead", good[i].text), 0);
		assert_true(fabs(o.budget - good[i].budget) < 1e-12);
	}
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(SUMMARY(&o, &err, "-p1", "--max-overhead", bad[i]), &err,
			       "is no budget");
}

static void test_a_duration_that_is_refused(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_refused(SUMMARY(&o, &err, "-p1", "-d", "0"), &err, "nothing");
	assert_refused(SUMMARY(&o, &err, "-p1", "-d", "10 s"), &err, "\"10 s\" is no duration");
}

static void test_no_process(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_refused(SUMMARY(&o, &err, "-d1"), &err, "which process?");
	assert_refused(SUMMARY(&o, &err, "-p1", "2"), &err, "\"2\" is one argument too many");
}

static void test_selection(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "--comm", "gunicorn*", "--comm=web", "-c", "/a", "-p1"),
			 0);
	assert_int_equal(o.comm_count, 2);
	assert_string_equal(o.comm[0], "gunicorn*");
	assert_string_equal(o.comm[1], "web");
	assert_int_equal(o.cgroup_count, 1);
	assert_string_equal(o.cgroup[0], "/a");
	assert_int_equal(o.pid_count, 1);
	assert_int_equal(SUMMARY(&o, &err, "--cgroup=/a/b"), 0);
	assert_int_equal(o.pid_count, 0);
	assert_refused(SUMMARY(&o, &err, "--comm="), &err, "selects nothing");
	assert_refused(SUMMARY(&o, &err, "-c", ""), &err, "selects nothing");
}

static void test_list_and_doctor(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(LIST(&o, &err, NULL), 0);
	assert_int_equal(o.json, 0);
	assert_int_equal(LIST(&o, &err, "-j"), 0);
	assert_int_equal(o.json, 1);
	assert_refused(LIST(&o, &err, "-p1"), &err, "is no option");
	assert_refused(LIST(&o, &err, "x"), &err, "one argument too many");
	assert_int_equal(DOCTOR(&o, &err, NULL), 0);
	assert_int_equal(o.pid_count, 0);
	assert_int_equal(DOCTOR(&o, &err, "-p", "7", "--json", "--bundle=b", "--with-command"), 0);
	assert_int_equal(o.pid[0], 7);
	assert_string_equal(o.bundle, "b");
	assert_int_equal(o.with_command, 1);
	assert_refused(DOCTOR(&o, &err, "-p1,2"), &err, "one process at a time");
	assert_refused(DOCTOR(&o, &err, "--with-command"), &err, "--bundle");
	assert_refused(DOCTOR(&o, &err, "-d1"), &err, "is no option");
}

static void test_show(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SHOW(&o, &err, "saved.json", "-n5"), 0);
	assert_string_equal(o.file, "saved.json");
	assert_int_equal(o.rows, 5);
	assert_int_equal(SHOW(&o, &err, "--", "-n"), 0);
	assert_string_equal(o.file, "-n");
	assert_refused(SHOW(&o, &err, "-n5"), &err, "which file?");
	assert_refused(SHOW(&o, &err, "a", "b"), &err, "\"b\" is one argument too many");
}

static void test_diff(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(DIFF(&o, &err, "a.json", "-j", "-", "-o", "out"), 0);
	assert_string_equal(o.file, "a.json");
	assert_string_equal(o.other_file, "-");
	assert_int_equal(o.json, 1);
	assert_refused(DIFF(&o, &err, "a.json"), &err, "which two files?");
	assert_refused(DIFF(&o, &err, "-o", "x"), &err, "which two files?");
	assert_refused(DIFF(&o, &err, "a", "b", "c"), &err, "\"c\" is one argument too many");
	assert_refused(DIFF(&o, &err, "-", "-"), &err, "standard input");
	assert_refused(DIFF(&o, &err, "a", "b", "-n5"), &err, "is no option");
}

/* What follows the command's name is the command's own, whatever it looks like. */
static void test_run(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(RUN(&o, &err, "-o", "x", "--as-root", "--", "-odd", "-p1", "--"), 0);
	assert_string_equal(o.output, "x");
	assert_int_equal(o.as_root, 1);
	assert_string_equal(o.command[0], "-odd");
	assert_string_equal(o.command[1], "-p1");
	assert_string_equal(o.command[2], "--");
	assert_null(o.command[3]);
	assert_int_equal(RUN(&o, &err, "python3", "--json", "-n", "5"), 0);
	assert_string_equal(o.command[0], "python3");
	assert_string_equal(o.command[1], "--json");
	assert_int_equal(o.json, 0);
	assert_int_equal(o.as_root, 0);
	assert_refused(RUN(&o, &err, "--json"), &err, "which command?");
	assert_refused(RUN(&o, &err, "--"), &err, "which command?");
	assert_refused(RUN(&o, &err, "-p1", "--", "true"), &err, "is no option");
	assert_refused(RUN(&o, &err, "--begin-at=1", "true"), &err, "is no option");
	assert_int_equal(o.no_children, 0);
	assert_int_equal(RUN(&o, &err, "--no-children", "true"), 0);
	assert_int_equal(o.no_children, 1);
}

/* A long argument is cut in the message, which stays a sentence. */
static void test_long_arguments(void **state)
{
	char text[2000];
	struct gw_options o;
	struct gw_error err;
	(void)state;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	assert_refused(SUMMARY(&o, &err, "-p", text), &err, "x\" is no list of PIDs");
	assert_refused(SUMMARY(&o, &err, "-d", text), &err, "x\" is no duration");
	assert_refused(SUMMARY(&o, &err, text), &err, "x\" is one argument too many");
}

/* ---- what ends the program ---- */

#define RETURNED 99

/* The exit status of a child that parses; RETURNED if parsing did. */
static int status_of(const char *first, const char *second)
{
	pid_t child = fork();
	int status;

	assert_true(child >= 0);
	if (!child) {
		int null = open("/dev/null", O_WRONLY);
		struct gw_options o;
		struct gw_error err;

		dup2(null, STDOUT_FILENO);
		dup2(null, STDERR_FILENO);
		SUMMARY(&o, &err, first, second);
		_exit(RETURNED);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

/* argp has error numbers of its own: a code that looks like one of them would end the program. */
static void test_too_many_pids(void **state)
{
	char text[8192];
	struct gw_options o;
	struct gw_error err;
	(void)state;

	list_pids(text, sizeof(text), GW_PIDS_MAX);
	assert_int_equal(SUMMARY(&o, &err, "-p", text), 0);
	assert_int_equal(o.pid_count, GW_PIDS_MAX);
	assert_int_equal(SUMMARY(&o, &err, "-p", text, "-p", "17"), 0);
	list_pids(text, sizeof(text), GW_PIDS_MAX + 1);
	assert_int_equal(status_of("-p", text), RETURNED);
	assert_refused(SUMMARY(&o, &err, "-p", text), &err, "more than");
}

static void test_unknown_options(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_refused(SUMMARY(&o, &err, "-p1", "--no-such"), &err, "\"--no-such\" is no option");
	assert_refused(SUMMARY(&o, &err, "-p1", "-x"), &err, "\"-x\" is no option");
	assert_refused(SUMMARY(&o, &err, "-p1", "--json=1"), &err, "\"--json=1\" is no option");
	assert_refused(SUMMARY(&o, &err, "-p1", "-d"), &err, "lacks its value");
	assert_refused(SUMMARY(&o, &err, "-x", "-p1"), &err, "\"-x\" is no option");
	assert_refused(SUMMARY(&o, &err, "--no-such"), &err, "is no option");
	assert_refused(SHOW(&o, &err, "a.json", "-p1"), &err, "is no option");
}

/* Written to nobody: what is refused is said once, by the command. */
static void test_nothing_ends_the_program_but_help(void **state)
{
	(void)state;

	assert_int_equal(status_of("-p1", "--no-such"), RETURNED);
	assert_int_equal(status_of("-p1", "-d"), RETURNED);
	assert_int_equal(status_of("-p1", "--help"), 0);
	assert_int_equal(status_of("-p1", "-h"), 0);
	assert_int_equal(status_of("-p1", "--usage"), 0);
}

static void test_begin_at(void **state)
{
	static const char *const bad[] = {"",	"-1",  "+1",  " 1",
					  "1s", "1.5", "0x1", "99999999999999999999999"};
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(SUMMARY(&o, &err, "-p1", "--begin-at=123456789012345"), 0);
	assert_int_equal(o.begin_at_ns, 123456789012345);
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		assert_refused(SUMMARY(&o, &err, "-p1", "--begin-at", bad[i]), &err, "is no time");
}

static void test_intervals(void **state)
{
	struct gw_options o;
	struct gw_error err;
	(void)state;

	assert_int_equal(LIVE(&o, &err, "-p", "42"), 0);
	assert_int_equal(o.interval_ns, 1000000000);
	assert_int_equal(o.count, 0);
	assert_int_equal(LIVE(&o, &err, "-p", "42", "500ms"), 0);
	assert_int_equal(o.interval_ns, 500000000);
	assert_int_equal(LIVE(&o, &err, "2", "-p", "42", "7", "-j"), 0);
	assert_int_equal(o.interval_ns, 2000000000);
	assert_int_equal(o.count, 7);
	assert_int_equal(o.json, 1);
	assert_refused(LIVE(&o, &err, "2"), &err, "gilwatch -p PID");
	assert_refused(LIVE(&o, &err, "-p", "1", "x"), &err, "is no duration");
	assert_refused(LIVE(&o, &err, "-p", "1", "99ms"), &err, "too short");
	assert_refused(LIVE(&o, &err, "-p", "1", "1", "0"), &err, "no number of intervals");
	assert_refused(LIVE(&o, &err, "-p", "1", "1", "2x"), &err, "no number of intervals");
	assert_refused(LIVE(&o, &err, "-p", "1", "1", "2", "3"), &err, "one argument too many");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_durations),
		cmocka_unit_test(test_longest_duration),
		cmocka_unit_test(test_durations_of_nothing),
		cmocka_unit_test(test_what_is_no_duration),
		cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_intervals),
		cmocka_unit_test(test_all_options),
		cmocka_unit_test(test_lists_of_pids),
		cmocka_unit_test(test_what_is_no_list_of_pids),
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_engines),
		cmocka_unit_test(test_budgets),
		cmocka_unit_test(test_a_duration_that_is_refused),
		cmocka_unit_test(test_no_process),
		cmocka_unit_test(test_selection),
		cmocka_unit_test(test_list_and_doctor),
		cmocka_unit_test(test_show),
		cmocka_unit_test(test_diff),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_long_arguments),
		cmocka_unit_test(test_too_many_pids),
		cmocka_unit_test(test_unknown_options),
		cmocka_unit_test(test_nothing_ends_the_program_but_help),
		cmocka_unit_test(test_begin_at),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
