// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What `export` is told: command line, configuration file, rules for groups, newcomers' looks. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "cmd/export_options.h"
#include "export/http.h"
#include "export/naming.h"
#include "watch/newcomers.h"

/* ---- options ---- */

static int read_options(char **words, struct gw_export_options **options, struct gw_error *err)
{
	int count = 0;

	while (words[count])
		count++;
	return gw_export_options_read(count, words, options, err);
}

static void write_file(char *path, const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	close(fd);
}

static void without_a_word_there_are_defaults(void **state)
{
	char *words[] = {(char *)"export", NULL};
	struct gw_export_options *o;
	struct gw_error err = {0};

	(void)state;
	assert_int_equal(read_options(words, &o, &err), 0);
	assert_string_equal(o->listen, "127.0.0.1:9738");
	assert_int_equal(o->slots, 0);
	assert_int_equal(o->per_process, 0);
	gw_export_options_free(o);
}

static void the_file_has_the_options_names_and_the_command_line_wins(void **state)
{
	char path[] = "/tmp/gilwatch-test-XXXXXX";
	char *words[] = {(char *)"export", (char *)"--config", path, (char *)"--listen=[::1]:1",
			 NULL};
	struct gw_export_options *o;
	struct gw_error err = {0};

	(void)state;
	write_file(path, "# a comment\n\n  listen = 10.0.0.1:99\nper-process\nper-thread = false\n"
			 "comm=gunicorn*\ncomm = \"uwsgi\"\nmax-groups = 7\n"
			 "group = web=unit:^web@(.*)\\.service$\r\n");
	assert_int_equal(read_options(words, &o, &err), 0);
	assert_string_equal(o->listen, "[::1]:1");
	assert_int_equal(o->per_process, 1);
	assert_int_equal(o->per_thread, 0);
	assert_int_equal(o->common.comm_count, 2);
	assert_string_equal(o->common.comm[0], "gunicorn*");
	assert_string_equal(o->common.comm[1], "uwsgi");
	assert_int_equal(o->groups_max, 7);
	assert_string_equal(o->group[0], "web=unit:^web@(.*)\\.service$");
	gw_export_options_free(o);
	unlink(path);
}

static void refused_file(const char *text, const char *says)
{
	char path[] = "/tmp/gilwatch-test-XXXXXX";
	char *words[] = {(char *)"export", (char *)"--config", path, NULL};
	struct gw_export_options *o;
	struct gw_error err = {0};

	write_file(path, text);
	assert_true(read_options(words, &o, &err) < 0);
	assert_int_equal(err.status, GW_STATUS_USAGE);
	if (!strstr(err.text, says))
		fail_msg("\"%s\" does not say \"%s\"", err.text, says);
	gw_export_options_free(o);
	unlink(path);
}

static void what_is_wrong_in_the_file_is_said_with_its_line(void **state)
{
	(void)state;
	refused_file("lisen = 1", "line 1: there is no option \"lisen\"");
	refused_file("\n\nper-proc = true", "line 3: there is no option \"per-proc\"");
	refused_file("help", "there is no option");
	refused_file("max-groups = many", "line 1: \"many\" is no number");
	refused_file("max-groups", "max-groups lacks its value");
	refused_file("per-process = perhaps", "per-process is true or false");
	refused_file("config = /etc/other", "only be given on the command line");
	refused_file("= 5", "line 1");
	refused_file("engine = magic", "magic");
	refused_file("pid = 1,x", "no list of PIDs");
}

static void a_file_that_cannot_be_read_is_an_error(void **state)
{
	char *words[] = {(char *)"export", (char *)"--config=/nonexistent/file", NULL};
	struct gw_export_options *o;
	struct gw_error err = {0};

	(void)state;
	assert_true(read_options(words, &o, &err) < 0);
	assert_non_null(strstr(err.text, "/nonexistent/file cannot be read"));
	gw_export_options_free(o);
}

static void what_is_wrong_on_the_command_line_is_a_usage_error(void **state)
{
	static char *wrong[] = {
		(char *)"--max-processes=0",
		(char *)"--max-processes=-1",
		(char *)"--max-processes=1e3",
		(char *)"--max-groups=",
		(char *)"--no-such-option",
		(char *)"word",
		(char *)"--comm=",
		(char *)"--listen",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		char *words[] = {(char *)"export", wrong[i], NULL};
		struct gw_export_options *o;
		struct gw_error err = {0};

		assert_true(read_options(words, &o, &err) < 0);
		assert_int_equal(err.status, GW_STATUS_USAGE);
		gw_export_options_free(o);
	}
}

/* ---- addresses ---- */

static void addresses_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {
		"",	  "9738",     "127.0.0.1",	"127.0.0.1:", ":0",
		":65536", "::1:9738", "127.0.0.1:97x8", "[::1]x:1",   "127.0.0.1:-1"};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct gw_error err = {0};

		assert_true(gw_http_listen(wrong[i], &err) < 0);
		assert_true(err.text[0]);
	}
}

/* ---- groups ---- */

static void assert_group(const struct gw_group_rules *rules, const struct gw_origin_facts *facts,
			 const char *expected)
{
	char name[GW_GROUP_NAME_MAX];

	gw_group_name(rules, facts, name);
	assert_string_equal(name, expected);
}

static const struct gw_origin_facts nothing = {"", "", "", "", "", ""};

static void a_group_is_named_by_unit_container_or_command(void **state)
{
	const struct gw_group_rules none = {0};
	struct gw_origin_facts facts = nothing;

	(void)state;
	assert_group(&none, &facts, "unknown");
	facts.comm = "python3";
	assert_group(&none, &facts, "python3");
	facts.unit = "web.service";
	assert_group(&none, &facts, "web.service");
	facts.runtime = "docker";
	facts.container = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
	assert_group(&none, &facts, "docker/0123456789ab");
	facts.runtime = "lxc";
	facts.container = "build-box";
	assert_group(&none, &facts, "lxc/build-box");
}

static void the_first_rule_that_fits_names_the_group(void **state)
{
	struct gw_group_rules rules = {0};
	struct gw_origin_facts facts = nothing;
	struct gw_error err = {0};

	(void)state;
	assert_int_equal(gw_group_rules_add(&rules, "w-\\1=unit:^web@([0-9]+)", &err), 0);
	assert_int_equal(gw_group_rules_add(&rules, "celery=command:celery worker", &err), 0);
	assert_int_equal(gw_group_rules_add(&rules, "=x:y", &err), -22);
	facts.comm = "python3";
	facts.unit = "web@12.service";
	assert_group(&rules, &facts, "w-12");
	facts.unit = "jobs.service";
	facts.command = "python -m celery worker";
	assert_group(&rules, &facts, "celery");
	facts.command = "python -m other";
	assert_group(&rules, &facts, "jobs.service");
	gw_group_rules_free(&rules);
}

static void rules_that_are_none_are_refused(void **state)
{
	static const char *const wrong[] = {
		"", "name", "name=comm", "name=colour:x", "name=comm:(", "=comm:x"};
	struct gw_group_rules rules = {0};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		struct gw_error err = {0};

		assert_true(gw_group_rules_add(&rules, wrong[i], &err) < 0);
		assert_int_equal(err.status, GW_STATUS_USAGE);
	}
	gw_group_rules_free(&rules);
}

static void a_long_name_is_cut_to_its_room(void **state)
{
	struct gw_group_rules rules = {0};
	struct gw_origin_facts facts = nothing;
	char text[400], name[GW_GROUP_NAME_MAX];
	struct gw_error err = {0};

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	facts.command = text;
	assert_int_equal(gw_group_rules_add(&rules, "a\\1=command:(.*)", &err), 0);
	gw_group_name(&rules, &facts, name);
	assert_int_equal(strlen(name), GW_GROUP_NAME_MAX - 1);
	gw_group_rules_free(&rules);
}

static void units_are_found_in_cgroup_paths(void **state)
{
	static const char *const cases[][2] = {
		{"/system.slice/web.service", "web.service"},
		{"/system.slice/web.service/worker", "web.service"},
		{"/system.slice/system-web.slice/web@1.service", "web@1.service"},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/app.service",
		 "app.service"},
		{"/user.slice/user-1000.slice/user@1000.service", ""},
		{"/user.slice/user-1000.slice/session-3.scope", ""},
		{"/user.slice/user-1000.slice/user@1000.service/app.slice/run-u5.scope",
		 "run-u5.scope"},
		{"/init.scope", ""},
		{"/", ""},
		{"", ""},
		{"/.service", ""},
	};
	char unit[GW_GROUP_NAME_MAX];

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		gw_unit_of(cases[i][0], unit, sizeof(unit));
		assert_string_equal(unit, cases[i][1]);
	}
}

/* ---- newcomers ---- */

static void a_newcomer_is_looked_at_a_few_times(void **state)
{
	struct gw_newcomers n = {0};
	struct gw_newcomer next;
	unsigned int looks = 0;

	(void)state;
	assert_int_equal(gw_newcomers_due_ns(&n), UINT64_MAX);
	gw_newcomers_add(&n, 5, "python3", 1000);
	assert_false(gw_newcomers_next(&n, 1000, &next)); /* it has mapped nothing yet */
	while (gw_newcomers_due_ns(&n) != UINT64_MAX) {
		assert_true(gw_newcomers_next(&n, gw_newcomers_due_ns(&n), &next));
		assert_int_equal(next.pid, 5);
		assert_string_equal(next.comm, "python3");
		assert_int_equal(next.looks, ++looks);
	}
	assert_in_range(looks, 2, 10);
	gw_newcomers_free(&n);
}

static void a_newcomer_that_becomes_another_program_begins_anew(void **state)
{
	struct gw_newcomers n = {0};
	struct gw_newcomer next;

	(void)state;
	gw_newcomers_add(&n, 5, "sh", 0);
	assert_true(gw_newcomers_next(&n, gw_newcomers_due_ns(&n), &next));
	gw_newcomers_add(&n, 5, "python3", 1);
	assert_int_equal(n.count, 1);
	assert_true(gw_newcomers_next(&n, gw_newcomers_due_ns(&n), &next));
	assert_int_equal(next.looks, 1);
	gw_newcomers_remove(&n, 5);
	gw_newcomers_remove(&n, 6);
	assert_int_equal(n.count, 0);
	gw_newcomers_free(&n);
}

static void too_many_newcomers_are_dropped_and_counted(void **state)
{
	struct gw_newcomers n = {0};

	(void)state;
	for (pid_t pid = 1; pid <= 10000; pid++)
		gw_newcomers_add(&n, pid, "x", 0);
	assert_true(n.dropped > 0);
	assert_int_equal(n.count + n.dropped, 10000);
	gw_newcomers_free(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_a_word_there_are_defaults),
		cmocka_unit_test(the_file_has_the_options_names_and_the_command_line_wins),
		cmocka_unit_test(what_is_wrong_in_the_file_is_said_with_its_line),
		cmocka_unit_test(a_file_that_cannot_be_read_is_an_error),
		cmocka_unit_test(what_is_wrong_on_the_command_line_is_a_usage_error),
		cmocka_unit_test(addresses_that_are_none_are_refused),
		cmocka_unit_test(a_group_is_named_by_unit_container_or_command),
		cmocka_unit_test(the_first_rule_that_fits_names_the_group),
		cmocka_unit_test(rules_that_are_none_are_refused),
		cmocka_unit_test(a_long_name_is_cut_to_its_room),
		cmocka_unit_test(units_are_found_in_cgroup_paths),
		cmocka_unit_test(a_newcomer_is_looked_at_a_few_times),
		cmocka_unit_test(a_newcomer_that_becomes_another_program_begins_anew),
		cmocka_unit_test(too_many_newcomers_are_dropped_and_counted),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
