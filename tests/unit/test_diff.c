// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Two summaries side by side: what is the same, what changed, and what cannot be compared. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixtures.h"
#include "golden.h"
#include "model/diff.h"
#include "model/histogram.h"
#include "render/diff.h"
#include "rendered.h"

struct both {
	struct gw_snapshot before, after;
	struct gw_diff diff;
};

static void begin(struct both *b, void (*before)(struct gw_snapshot *),
		  void (*after)(struct gw_snapshot *))
{
	memset(b, 0, sizeof(*b));
	before(&b->before);
	after(&b->after);
	strcpy(b->after.started, "2026-03-01T13:00:00+01:00");
}

static const struct gw_diff_pair *compare(struct both *b)
{
	gw_diff_clear(&b->diff);
	assert_int_equal(gw_diff_make(&b->before, &b->after, &b->diff), 0);
	return b->diff.pair;
}

static void end(struct both *b)
{
	gw_diff_clear(&b->diff);
	gw_snapshot_clear(&b->before);
	gw_snapshot_clear(&b->after);
}

/* ---- figures ---- */

static void assert_direction(double before, double after, double noise, enum gw_direction expected)
{
	const struct gw_difference d = {before, after, noise};

	assert_int_equal(gw_difference_direction(&d), expected);
}

static void test_directions(void **state)
{
	(void)state;
	assert_direction(1, 2, 0.5, GW_DIRECTION_MORE);
	assert_direction(2, 1, 0.5, GW_DIRECTION_LESS);
	assert_direction(1, 2, 1, GW_DIRECTION_SAME);
	assert_direction(2, 1, 1, GW_DIRECTION_SAME);
	assert_direction(1, 1, 0, GW_DIRECTION_SAME);
	assert_direction(1, 1000, INFINITY, GW_DIRECTION_UNKNOWN);
	assert_direction(NAN, 1, 0, GW_DIRECTION_UNKNOWN);
	assert_direction(1, NAN, NAN, GW_DIRECTION_UNKNOWN);
}

static void test_shares(void **state)
{
	const struct gw_diff_pair *pair;
	const struct gw_difference *wait;
	struct both b;
	(void)state;

	begin(&b, fixture_contended_uprobe, fixture_idle);
	pair = compare(&b);
	assert_int_equal(pair->compared, 1);
	wait = &pair->state[GW_STATE_GIL_WAIT];
	assert_true(fabs(wait->before - 0.334) < 0.01 && wait->after == 0);
	assert_int_equal(gw_difference_direction(wait), GW_DIRECTION_LESS);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_POLL]), GW_DIRECTION_MORE);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_DISK]), GW_DIRECTION_SAME);
	assert_true(fabs(pair->threads[GW_STATE_GIL_WAIT].before - 1) < 0.01);
	assert_true(fabs(pair->figure[GW_DIFF_THREADS].before - 3) < 0.01);
	assert_true(fabs(pair->figure[GW_DIFF_GIL_HELD].before - 0.995) < 0.01);
	assert_true(isnan(pair->figure[GW_DIFF_HOLD_P50].after));
	end(&b);
}

/* A change within the errors of both is none. */
static void test_noise(void **state)
{
	const struct gw_diff_pair *pair;
	struct gw_process_view *p;
	struct both b;
	(void)state;

	begin(&b, fixture_contended_sched, fixture_contended_sched);
	p = b.after.process;
	p->states.ns[GW_STATE_PYTHON] -= p->threads_wall_ns / 20;
	p->basis[GW_STATE_PYTHON].error_ns = 0;
	b.before.process->basis[GW_STATE_PYTHON].error_ns = 0;
	pair = compare(&b);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_PYTHON]), GW_DIRECTION_LESS);
	p->basis[GW_STATE_PYTHON].error_ns = p->threads_wall_ns / 25;
	b.before.process->basis[GW_STATE_PYTHON].error_ns = p->threads_wall_ns / 25;
	pair = compare(&b);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_PYTHON]), GW_DIRECTION_SAME);
	/* Without an error, a change of less than a point still says nothing. */
	p->basis[GW_STATE_PYTHON].error_ns = b.before.process->basis[GW_STATE_PYTHON].error_ns = 0;
	p->states.ns[GW_STATE_PYTHON] =
		b.before.process->states.ns[GW_STATE_PYTHON] - p->threads_wall_ns / 110;
	pair = compare(&b);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_PYTHON]), GW_DIRECTION_SAME);
	p->basis[GW_STATE_PYTHON].kind = GW_BASIS_ABSENT;
	pair = compare(&b);
	assert_int_equal(gw_difference_direction(&pair->state[GW_STATE_PYTHON]),
			 GW_DIRECTION_UNKNOWN);
	end(&b);
}

/* Rates of few events differ by chance. */
static void test_noise_of_rates(void **state)
{
	static const struct {
		int64_t before, after;
		enum gw_direction expected;
	} rate[] = {
		{4, 9, GW_DIRECTION_SAME},	   {400, 900, GW_DIRECTION_MORE},
		{10000, 10500, GW_DIRECTION_SAME}, {10000, 12000, GW_DIRECTION_MORE},
		{0, 1, GW_DIRECTION_SAME},	   {0, 100, GW_DIRECTION_MORE},
	};
	struct both b;
	(void)state;

	begin(&b, fixture_contended_uprobe, fixture_contended_uprobe);
	for (size_t i = 0; i < sizeof(rate) / sizeof(rate[0]); i++) {
		b.before.process->gil->acquisitions = rate[i].before;
		b.after.process->gil->acquisitions = rate[i].after;
		assert_int_equal(
			gw_difference_direction(&compare(&b)->figure[GW_DIFF_ACQUISITIONS]),
			rate[i].expected);
	}
	end(&b);
}

/* Percentiles are upper edges of buckets, and of few entries they are chance. */
static void test_noise_of_percentiles(void **state)
{
	struct gw_histogram *before, *after;
	struct both b;
	(void)state;

	begin(&b, fixture_contended_uprobe, fixture_contended_uprobe);
	before = &b.before.process->resume.latency;
	after = &b.after.process->resume.latency;
	gw_histogram_clear(before);
	gw_histogram_clear(after);
	before->count = after->count = 1000;
	gw_histogram_set(before, 40, 1000);
	gw_histogram_set(after, 41, 1000);
	assert_int_equal(gw_difference_direction(&compare(&b)->figure[GW_DIFF_RESUME_P99]),
			 GW_DIRECTION_SAME);
	gw_histogram_set(after, 41, 0);
	gw_histogram_set(after, 60, 1000);
	assert_int_equal(gw_difference_direction(&compare(&b)->figure[GW_DIFF_RESUME_P99]),
			 GW_DIRECTION_MORE);
	gw_histogram_set(after, 60, 100);
	after->count = 100;
	assert_int_equal(gw_difference_direction(&compare(&b)->figure[GW_DIFF_RESUME_P99]),
			 GW_DIRECTION_UNKNOWN);
	assert_int_equal(gw_difference_direction(&compare(&b)->figure[GW_DIFF_RESUME_P50]),
			 GW_DIRECTION_MORE);
	end(&b);
}

/* ---- processes ---- */

static void name(struct gw_process_view *p, uint32_t pid, const char *command, int child)
{
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->child = child;
	p->elapsed_ns = p->threads_wall_ns = 10000000000;
	snprintf(p->command, sizeof(p->command), "%s", command);
	snprintf(p->comm, sizeof(p->comm), "%.8s", command);
}

static void make(struct gw_snapshot *s, size_t count)
{
	s->process = calloc(count, sizeof(*s->process));
	s->process_count = count;
}

static void test_processes(void **state)
{
	const struct gw_diff_pair *pair;
	struct both b = {0};
	(void)state;

	make(&b.before, 6);
	name(&b.before.process[0], 1, "python3 web", 0);
	name(&b.before.process[1], 2, "python3 worker", 1);
	name(&b.before.process[2], 3, "python3 worker", 1);
	name(&b.before.process[3], 4, "python3 gone", 1);
	name(&b.before.process[4], 5, "other", 0);
	name(&b.before.process[5], 6, "python3 lost", 1);
	make(&b.after, 5);
	name(&b.after.process[0], 21, "uwsgi", 0);
	name(&b.after.process[1], 3, "python3 worker", 1);
	name(&b.after.process[2], 12, "python3 worker", 1);
	name(&b.after.process[3], 13, "python3 new", 1);
	name(&b.after.process[4], 11, "python3 web", 0);
	pair = compare(&b);
	assert_int_equal(b.diff.pair_count, 6);
	assert_ptr_equal(pair[0].after, &b.after.process[4]); /* the command */
	assert_ptr_equal(pair[1].after, &b.after.process[2]); /* what the next one leaves */
	assert_ptr_equal(pair[2].after, &b.after.process[1]); /* the PID */
	assert_ptr_equal(pair[3].after, &b.after.process[3]); /* the name */
	assert_ptr_equal(pair[4].after, &b.after.process[0]); /* the order */
	assert_null(pair[5].after);
	assert_int_equal(pair[5].compared, 0);
	end(&b);
	make(&b.after, 1);
	name(&b.after.process[0], 1, "python3", 0);
	pair = compare(&b);
	assert_int_equal(b.diff.pair_count, 1);
	assert_null(pair->before);
	end(&b);
}

/* What a process loses and another gains is neither. */
static void test_processes_together(void **state)
{
	const struct gw_diff_pair *together;
	struct both b = {0};
	(void)state;

	make(&b.before, 2);
	name(&b.before.process[0], 1, "python3 web", 0);
	name(&b.before.process[1], 2, "python3 worker", 1);
	make(&b.after, 1);
	name(&b.after.process[0], 1, "python3 web", 0);
	b.before.elapsed_ns = b.after.elapsed_ns = 10000000000;
	b.before.process[1].elapsed_ns = b.before.process[1].threads_wall_ns = 5000000000;
	b.before.process[1].states.ns[GW_STATE_PYTHON] = 5000000000;
	b.before.process[1].parallelism_python = 1;
	b.before.process[0].states.ns[GW_STATE_SLEEP] = 10000000000;
	b.after.process[0].states.ns[GW_STATE_PYTHON] = 5000000000;
	b.after.process[0].states.ns[GW_STATE_SLEEP] = 5000000000;
	b.after.process[0].parallelism_python = 0.5;
	compare(&b);
	together = &b.diff.together;
	assert_non_null(together->before);
	assert_int_equal(gw_difference_direction(&together->threads[GW_STATE_PYTHON]),
			 GW_DIRECTION_SAME);
	assert_int_equal(gw_difference_direction(&together->figure[GW_DIFF_PARALLELISM_PYTHON]),
			 GW_DIRECTION_SAME);
	assert_true(fabs(together->threads[GW_STATE_PYTHON].before - 0.5) < 0.001);
	assert_true(fabs(together->figure[GW_DIFF_THREADS].before - 1.5) < 0.001);
	assert_int_equal(gw_difference_direction(&together->threads[GW_STATE_SLEEP]),
			 GW_DIRECTION_LESS);
	assert_true(isnan(together->figure[GW_DIFF_GIL_HELD].before));
	/* A part that could not be measured is left out, one without GIL facts is not known. */
	strcpy(b.before.process[0].error, "It is no CPython.");
	b.before.process[1].basis[GW_STATE_GIL_WAIT].kind = GW_BASIS_ABSENT;
	compare(&b);
	assert_true(fabs(b.diff.together.figure[GW_DIFF_THREADS].before - 0.5) < 0.001);
	assert_true(isnan(b.diff.together.threads[GW_STATE_GIL_WAIT].before));
	b.before.process_count = 1;
	compare(&b);
	assert_null(b.diff.together.before);
	b.before.process_count = 2;
	end(&b);
}

static void test_too_many_processes(void **state)
{
	struct both b = {0};
	(void)state;

	make(&b.before, GW_DIFF_PROCESSES_MAX + 1);
	compare(&b);
	assert_int_equal(b.diff.pair_count, GW_DIFF_PROCESSES_MAX);
	assert_non_null(strstr(b.diff.remarks.text[0], "Only the first"));
	end(&b);
}

static void test_a_process_that_failed(void **state)
{
	struct both b;
	(void)state;

	begin(&b, fixture_contended_sched, fixture_contended_sched);
	strcpy(b.after.process->error, "It is no CPython.");
	assert_int_equal(compare(&b)->compared, 0);
	end(&b);
}

/* ---- verdicts ---- */

static void give(struct gw_process_view *p, const char *code, enum gw_severity severity)
{
	struct gw_verdict *verdict = &p->verdict[p->verdict_count++];

	memset(verdict, 0, sizeof(*verdict));
	strcpy(verdict->code, code);
	verdict->severity = severity;
}

static void test_verdicts(void **state)
{
	const struct gw_diff_pair *pair;
	struct both b;
	(void)state;

	begin(&b, fixture_idle, fixture_idle);
	b.before.process->verdict_count = b.after.process->verdict_count = 0;
	give(b.before.process, "gil_bound", GW_CRITICAL);
	give(b.before.process, "long_holds", GW_WARNING);
	give(b.after.process, "gil_bound", GW_WARNING);
	give(b.after.process, "io_bound", GW_INFO);
	pair = compare(&b);
	assert_int_equal(pair->verdict_count, 3);
	assert_string_equal(pair->verdict[0].before->code, "long_holds");
	assert_null(pair->verdict[0].after);
	assert_string_equal(pair->verdict[1].after->code, "io_bound");
	assert_null(pair->verdict[1].before);
	assert_int_equal(pair->verdict[2].before->severity, GW_CRITICAL);
	assert_int_equal(pair->verdict[2].after->severity, GW_WARNING);
	end(&b);
}

/* Of a process that is in one summary alone; of all together as well. */
static void test_verdicts_of_one_side(void **state)
{
	const struct gw_diff_pair *pair;
	struct both b = {0};
	(void)state;

	make(&b.before, 2);
	name(&b.before.process[0], 1, "python3 web", 0);
	name(&b.before.process[1], 2, "python3 worker", 1);
	give(&b.before.process[0], "healthy", GW_INFO);
	give(&b.before.process[1], "gil_bound", GW_CRITICAL);
	strcpy(b.before.verdict[b.before.verdict_count++].code, "process_parallel");
	make(&b.after, 1);
	name(&b.after.process[0], 1, "python3 web", 0);
	give(&b.after.process[0], "healthy", GW_INFO);
	pair = compare(&b);
	assert_int_equal(pair[0].verdict_count, 1);
	assert_int_equal(pair[1].compared, 0);
	assert_int_equal(pair[1].verdict_count, 1);
	assert_string_equal(pair[1].verdict[0].before->code, "gil_bound");
	assert_null(pair[1].verdict[0].after);
	assert_int_equal(b.diff.together.verdict_count, 1);
	assert_string_equal(b.diff.together.verdict[0].before->code, "process_parallel");
	assert_null(b.diff.together.verdict[0].after);
	end(&b);
	make(&b.after, 1);
	name(&b.after.process[0], 1, "python3 web", 0);
	give(&b.after.process[0], "io_bound", GW_INFO);
	pair = compare(&b);
	assert_int_equal(pair->verdict_count, 1);
	assert_null(pair->verdict[0].before);
	assert_string_equal(pair->verdict[0].after->code, "io_bound");
	/* Not to be measured is not the same as not to be there. */
	strcpy(b.after.process->error, "It is no CPython.");
	assert_int_equal(compare(&b)->verdict_count, 0);
	end(&b);
}

/* ---- what cannot be compared ---- */

static void assert_remark(const struct gw_diff_remarks *remarks, const char *says)
{
	for (size_t i = 0; i < remarks->count; i++)
		if (strstr(remarks->text[i], says))
			return;
	fail_msg("no remark says \"%s\"", says);
}

static void test_no_remarks(void **state)
{
	struct both b;
	(void)state;

	begin(&b, fixture_contended_sched, fixture_contended_sched);
	assert_int_equal(compare(&b)->remarks.count, 0);
	assert_int_equal(b.diff.remarks.count, 0);
	strcpy(b.after.started, b.before.started);
	compare(&b);
	assert_remark(&b.diff.remarks, "the same summary");
	strcpy(b.after.started, "2026-03-01T11:00:00+01:00");
	compare(&b);
	assert_remark(&b.diff.remarks, "the other way round");
	/* Of times in different zones the texts have another order than the times. */
	strcpy(b.after.started, "2026-03-01T11:30:00+00:00");
	compare(&b);
	assert_int_equal(b.diff.remarks.count, 0);
	end(&b);
}

static void test_remarks(void **state)
{
	const struct gw_diff_remarks *r;
	struct gw_process_view *p;
	struct both b;
	(void)state;

	begin(&b, fixture_contended_sched, fixture_contended_uprobe);
	p = b.after.process;
	strcpy(p->python_version, "3.13.1");
	p->gil_enabled = !p->gil_enabled;
	p->elapsed_ns = 10 * b.before.process->elapsed_ns;
	p->cpus_usable = 8;
	p->lost_events = 3;
	strcpy(b.after.kernel, "6.12.0");
	r = &compare(&b)->remarks;
	assert_remark(r, "Another interpreter");
	assert_remark(r, "only times on and off the CPUs");
	assert_remark(r, "Another engine: sched before, uprobe after");
	assert_remark(r, "different work");
	assert_remark(r, "8 after");
	assert_remark(r, "Events were lost: 0 before, 3 after");
	assert_remark(r, "threads on average");
	assert_remark(&b.diff.remarks, "Another host or kernel");
	p->elapsed_ns = 10 * b.before.process->elapsed_ns - 1;
	p->threads_wall_ns = 9 * b.before.process->threads_wall_ns;
	strcpy(p->python_version, b.before.process->python_version);
	strcpy(p->build_id, "00ff");
	r = &compare(&b)->remarks;
	assert_remark(r, "Another build");
	for (size_t i = 0; i < r->count; i++)
		assert_null(strstr(r->text[i], "different work"));
	p->elapsed_ns = 999999999;
	assert_remark(&compare(&b)->remarks, "less than a second after");
	end(&b);
}

/* ---- renderers ---- */

static char *text_of_diff(const struct gw_diff *diff, int width, int utf8)
{
	static const struct gw_diff_files files = {"before.json", "after\033[2J.json"};
	struct gw_text_options options = {.width = width, .utf8 = utf8};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(width ? gw_diff_text_write(diff, &files, &options, out)
			       : gw_diff_json_write(diff, &files, out),
			 0);
	fclose(out);
	return text;
}

static void assert_goldens(const char *called, const struct gw_diff *diff)
{
	static const int width[] = {80, 120};
	char file[64], *text;

	for (int i = 0; i < 4; i++) {
		text = text_of_diff(diff, width[i / 2], i % 2);
		snprintf(file, sizeof(file), "%s.%d.%s.txt", called, width[i / 2],
			 i % 2 ? "utf8" : "ascii");
		assert_golden(file, text);
		assert_fits(text, (size_t)width[i / 2], i % 2);
		free(text);
	}
	snprintf(file, sizeof(file), "%s.json", called);
	text = text_of_diff(diff, 0, 1);
	assert_golden(file, text);
	free(text);
}

static void test_goldens(void **state)
{
	struct both b;
	(void)state;

	begin(&b, fixture_contended_uprobe, fixture_idle);
	b.after.process->pid = 4711;
	compare(&b);
	assert_goldens("diff_better", &b.diff);
	end(&b);
	begin(&b, fixture_contended_sched, fixture_contended_uprobe);
	compare(&b);
	assert_goldens("diff_engines", &b.diff);
	end(&b);
	begin(&b, fixture_error, fixture_hostile);
	compare(&b);
	assert_goldens("diff_hostile", &b.diff);
	end(&b);
}

/* Whatever two summaries say, the page holds it. */
static void test_any_two(void **state)
{
	struct both b;
	(void)state;

	for (unsigned int i = 0; i < fixture_count * fixture_count; i++) {
		char *text;

		begin(&b, fixture_table[i / fixture_count].make,
		      fixture_table[i % fixture_count].make);
		compare(&b);
		for (int width = 0; width < 160; width += 40) {
			text = text_of_diff(&b.diff, width ? width : 80, i % 2);
			assert_fits(text, width > 80 ? (size_t)width : 80, i % 2);
			free(text);
		}
		end(&b);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_directions),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_noise_of_rates),
		cmocka_unit_test(test_noise_of_percentiles),
		cmocka_unit_test(test_processes),
		cmocka_unit_test(test_processes_together),
		cmocka_unit_test(test_too_many_processes),
		cmocka_unit_test(test_a_process_that_failed),
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_verdicts_of_one_side),
		cmocka_unit_test(test_no_remarks),
		cmocka_unit_test(test_remarks),
		cmocka_unit_test(test_goldens),
		cmocka_unit_test(test_any_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
