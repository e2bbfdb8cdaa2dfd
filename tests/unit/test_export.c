// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The exporter: totals that never fall and still sum, groups, own series, and the exposition. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "export/exporter.h"
#include "fixtures.h"
#include "golden.h"
#include "model/histogram.h"
#include "verdict/codes.h"
#include "verdict/verdict.h"

#define SEC(x) ((int64_t)(x)*1000000000)

static int64_t sum(const int64_t *part, size_t count)
{
	int64_t total = 0;

	for (size_t i = 0; i < count; i++)
		total += part[i];
	return total;
}

/* ---- totals ---- */

static void each_edge_is_one_of_the_internal_buckets(void **state)
{
	(void)state;
	for (int i = 0; i < GW_EDGES; i++) {
		uint32_t index = gw_hist_index(gw_edges_ns[i]);

		assert_int_equal(gw_hist_upper_ns(index), gw_edges_ns[i]);
		assert_true(i == 0 || gw_edges_ns[i] > gw_edges_ns[i - 1]);
	}
}

static void a_duration_is_counted_below_its_edge(void **state)
{
	struct gw_process_view process = {.threads_wall_ns = 1};
	struct gw_histogram *latency = &process.resume.latency;
	struct gw_totals totals;

	(void)state;
	gw_histogram_add(latency, gw_edges_ns[3], 1);	  /* inclusive */
	gw_histogram_add(latency, gw_edges_ns[3] + 1, 1); /* the next */
	gw_histogram_add(latency, 1ULL << 40, 1);
	gw_totals_of(&process, &totals);
	assert_int_equal(totals.resume.bucket[3], 1);
	assert_int_equal(totals.resume.bucket[4], 1);
	assert_int_equal(totals.resume.bucket[GW_EDGES], 1);
	assert_int_equal(sum(totals.resume.bucket, GW_EDGES + 1), 3);
	gw_histogram_clear(latency);
}

static void the_totals_of_a_snapshot_keep_its_laws(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot s;
		struct gw_totals totals;

		fixture_table[i].make(&s);
		for (size_t j = 0; j < s.process_count; j++) {
			const struct gw_process_view *p = &s.process[j];

			gw_totals_of(p, &totals);
			assert_int_equal(sum(totals.state_ns, GW_STATE_COUNT), totals.wall_ns);
			assert_int_equal(sum(totals.by_holder_ns, GW_HOLDER_COUNT),
					 totals.state_ns[GW_STATE_GIL_WAIT]);
			if (!p->error[0])
				assert_int_equal(sum(totals.oncpu_ns, GW_ONCPU_COUNT),
						 p->where_ns[GW_RUNNING]);
		}
		gw_snapshot_clear(&s);
	}
}

/* Books that were read at different times. */
static void who_held_sums_to_waiting(void **state)
{
	struct gw_process_view process = {.threads_wall_ns = 1001};
	int64_t *by_ns = process.gil_wait_by_holder_ns;
	struct gw_totals totals;

	(void)state;
	process.states.ns[GW_STATE_GIL_WAIT] = 1001;
	by_ns[GW_RUNNING] = 300;
	by_ns[GW_RUNNABLE] = 100;
	by_ns[GW_HOLDER_NONE] = GW_ABSENT_NS;
	gw_totals_of(&process, &totals);
	assert_int_equal(totals.by_holder_ns[GW_RUNNING], 750);
	assert_int_equal(totals.by_holder_ns[GW_RUNNABLE], 251);
	assert_int_equal(sum(totals.by_holder_ns, GW_HOLDER_COUNT), 1001);
	by_ns[GW_RUNNING] = 3000;
	by_ns[GW_HOLDER_HANDOVER] = 7;
	gw_totals_of(&process, &totals);
	assert_int_equal(sum(totals.by_holder_ns, GW_HOLDER_COUNT), 1001);
	assert_true(totals.by_holder_ns[GW_RUNNING] > 900 &&
		    totals.by_holder_ns[GW_HOLDER_HANDOVER] > 0);
	memset(by_ns, 0, sizeof(process.gil_wait_by_holder_ns));
	gw_totals_of(&process, &totals);
	assert_int_equal(totals.by_holder_ns[GW_RUNNING], 1001);
}

static void what_falls_waits_and_the_rest_still_sums(void **state)
{
	struct gw_totals last = {.wall_ns = 100}, now = {.wall_ns = 110};

	(void)state;
	last.state_ns[GW_STATE_PYTHON] = 60;
	last.state_ns[GW_STATE_NATIVE] = 40;
	now.state_ns[GW_STATE_PYTHON] = 55; /* an estimate, corrected */
	now.state_ns[GW_STATE_NATIVE] = 50;
	now.state_ns[GW_STATE_GIL_WAIT] = 5;
	gw_totals_ratchet(&last, &now);
	assert_int_equal(now.state_ns[GW_STATE_PYTHON], 60);
	assert_int_equal(sum(now.state_ns, GW_STATE_COUNT), 110);
	assert_true(now.state_ns[GW_STATE_NATIVE] >= 40);
	assert_int_equal(now.oncpu_ns[GW_ONCPU_HELD], 60);
}

static void totals_never_fall_whatever_the_estimates_do(void **state)
{
	struct gw_totals last = {0};

	(void)state;
	srand(7);
	for (int round = 0; round < 2000; round++) {
		struct gw_totals now = {.wall_ns = last.wall_ns + rand() % 100};
		int64_t left = now.wall_ns;

		for (int i = 0; i < GW_STATE_COUNT - 1; i++) {
			now.state_ns[i] = left ? rand() % (left + 1) : 0;
			left -= now.state_ns[i];
		}
		now.state_ns[GW_STATE_COUNT - 1] = left;
		left = now.state_ns[GW_STATE_GIL_WAIT];
		now.by_holder_ns[GW_RUNNING] = rand() % (left + 1);
		now.by_holder_ns[GW_HOLDER_NONE] = left - now.by_holder_ns[GW_RUNNING];
		gw_totals_ratchet(&last, &now);
		for (int i = 0; i < GW_STATE_COUNT; i++)
			assert_true(now.state_ns[i] >= last.state_ns[i]);
		for (int i = 0; i < GW_HOLDER_COUNT; i++)
			assert_true(now.by_holder_ns[i] >= last.by_holder_ns[i]);
		assert_int_equal(sum(now.state_ns, GW_STATE_COUNT), now.wall_ns);
		assert_int_equal(sum(now.by_holder_ns, GW_HOLDER_COUNT),
				 now.state_ns[GW_STATE_GIL_WAIT]);
		last = now;
	}
}

static void high_interpreters_share_one_series(void **state)
{
	(void)state;
	assert_int_equal(gw_interpreter_slot(0), 0);
	assert_int_equal(gw_interpreter_slot(15), 15);
	assert_int_equal(gw_interpreter_slot(16), 16);
	assert_int_equal(gw_interpreter_slot(100000), 16);
	assert_int_equal(gw_interpreter_slot(-1), 16);
}

/* ---- groups ---- */

static void set_up(struct gw_exporter *e)
{
	memset(e, 0, sizeof(*e));
	e->options.groups_max = 3;
	e->options.processes_max = 10;
	e->options.threads_max = 10;
	e->kernel = "6.1.0-18-amd64";
}

static void process_of(struct gw_process_view *p, uint32_t pid, const char *comm, int64_t wall_ns)
{
	memset(p, 0, sizeof(*p));
	p->pid = pid;
	p->gil_enabled = 1;
	snprintf(p->comm, sizeof(p->comm), "%s", comm);
	strcpy(p->engine, "sched");
	p->threads_wall_ns = wall_ns;
	p->states.ns[GW_STATE_SLEEP] = wall_ns;
}

static const struct gw_group *group_of(const struct gw_exporter *e, const char *name)
{
	for (size_t i = 0; i < e->groups.count; i++)
		if (!strcmp(e->groups.group[i]->name, name))
			return e->groups.group[i];
	return NULL;
}

static void the_dead_stay_in_their_group(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p[2];
	struct gw_snapshot s = {.process = p, .process_count = 2};

	(void)state;
	set_up(&e);
	process_of(&p[0], 1, "web", 100);
	process_of(&p[1], 2, "web", 10);
	assert_int_equal(gw_exporter_update(&e, &s, 1), 0);
	assert_int_equal(group_of(&e, "web")->now.wall_ns, 110);
	assert_int_equal(group_of(&e, "web")->levels.processes, 2);
	p[1].threads_wall_ns = p[1].states.ns[GW_STATE_SLEEP] = 15;
	assert_int_equal(gw_exporter_fold(&e, &p[1], 2), 0);
	s.process_count = 1;
	assert_int_equal(gw_exporter_update(&e, &s, 3), 0);
	assert_int_equal(group_of(&e, "web")->now.wall_ns, 115);
	assert_int_equal(group_of(&e, "web")->levels.processes, 1);
	/* Its PID is used again, by another one. */
	process_of(&p[1], 2, "web", 1);
	p[1].began_ns = 5;
	s.process_count = 2;
	assert_int_equal(gw_exporter_update(&e, &s, 6), 0);
	assert_int_equal(group_of(&e, "web")->now.wall_ns, 116);
	gw_exporter_free(&e);
}

static void one_that_was_never_looked_at_counts_too(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p;
	struct gw_snapshot none = {0};

	(void)state;
	set_up(&e);
	process_of(&p, 7, "brief", 42);
	assert_int_equal(gw_exporter_fold(&e, &p, 1), 0);
	assert_int_equal(gw_exporter_update(&e, &none, 2), 0);
	assert_int_equal(group_of(&e, "brief")->now.wall_ns, 42);
	assert_int_equal(e.groups.refused, 0);
	assert_int_equal(e.subjects.count, 0); /* nothing of it is kept */
	gw_exporter_free(&e);
}

static void groups_are_limited_and_old_empty_ones_give_way(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p;
	struct gw_totals all;
	char name[16];

	(void)state;
	set_up(&e);
	for (int i = 0; i < 5; i++) {
		snprintf(name, sizeof(name), "g%d", i);
		process_of(&p, (uint32_t)i, name, 10);
		p.overhead_hits = 1;
		assert_int_equal(gw_exporter_fold(&e, &p, i + 1), 0);
	}
	assert_int_equal(e.groups.count, 4);
	assert_int_equal(e.groups.refused, 2);
	assert_int_equal(group_of(&e, GW_GROUP_OTHER)->dead.wall_ns, 20);
	gw_exporter_update(&e, &(struct gw_snapshot){0}, 10);
	process_of(&p, 9, "late", 1);
	assert_int_equal(gw_exporter_fold(&e, &p, GW_GROUP_EMPTY_NS + 10), 0);
	assert_null(group_of(&e, "g0"));
	assert_int_equal(e.groups.count, 4);
	/* What gilwatch says of itself does not fall for that. */
	gw_groups_sum(&e.groups, &all);
	assert_int_equal(all.probe_hits, 5);
	gw_exporter_free(&e);
}

static void processes_of_one_cgroup_are_throttled_together(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p[3];
	struct gw_snapshot s = {.process = p, .process_count = 3};

	(void)state;
	set_up(&e);
	for (uint32_t i = 0; i < 3; i++) {
		process_of(&p[i], i + 1, "web", 10);
		strcpy(p[i].cgroup, i < 2 ? "/a" : "/b");
		p[i].throttled_ns = 100 + i;
	}
	gw_exporter_update(&e, &s, 1);
	assert_int_equal(group_of(&e, "web")->now.throttled_ns, 101 + 102);
	for (int i = 0; i < 3; i++)
		p[i].throttled_ns += 50;
	gw_exporter_update(&e, &s, 2);
	assert_int_equal(group_of(&e, "web")->now.throttled_ns, 203 + 100);
	gw_exporter_free(&e);
}

/* In place of the rules: it is not they that are tested here. */
static void find_it_bound(struct gw_snapshot *part)
{
	for (size_t i = 0; i < part->process_count; i++) {
		part->process[i].verdict_count = 1;
		strcpy(part->process[i].verdict[0].code, "gil_bound");
	}
	part->verdict_count = part->process_count > 1;
	strcpy(part->verdict[0].code, "process_parallel");
}

static void find_nothing(struct gw_snapshot *part)
{
	(void)part;
}

static void verdicts_hold_for_the_group_until_the_next(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p;
	struct gw_snapshot s = {.process = &p, .process_count = 1};
	size_t bound = gw_verdict_code_find("gil_bound");

	(void)state;
	set_up(&e);
	process_of(&p, 1, "web", 10);
	gw_exporter_update(&e, &s, 1);
	assert_int_equal(group_of(&e, "web")->levels.judged[bound], 0);
	assert_int_equal(gw_exporter_judge(&e, &s, find_it_bound), 0);
	assert_int_equal(group_of(&e, "web")->levels.verdict[bound], 1);
	gw_exporter_update(&e, &s, 2);
	assert_int_equal(group_of(&e, "web")->levels.verdict[bound], 1);
	assert_int_equal(gw_exporter_judge(&e, &s, find_nothing), 0);
	assert_int_equal(group_of(&e, "web")->levels.verdict[bound], 0);
	assert_int_equal(group_of(&e, "web")->levels.judged[bound], 1);
	gw_exporter_free(&e);
}

static void processes_of_different_groups_are_not_judged_together(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p[3];
	struct gw_snapshot s = {.process = p, .process_count = 3};
	size_t parallel = gw_verdict_code_find("process_parallel");

	(void)state;
	set_up(&e);
	for (uint32_t i = 0; i < 3; i++)
		process_of(&p[i], i + 1, i < 2 ? "pool" : "web", 10);
	gw_exporter_update(&e, &s, 1);
	assert_int_equal(gw_exporter_judge(&e, &s, find_it_bound), 0);
	assert_int_equal(group_of(&e, "pool")->levels.verdict[parallel], 1);
	assert_int_equal(group_of(&e, "web")->levels.verdict[parallel], 0);
	gw_exporter_free(&e);
}

static void every_rule_has_its_code_in_the_list(void **state)
{
	const char *code;

	(void)state;
	for (size_t i = 0; (code = gw_verdict_rule_code(i)); i++)
		if (strcmp(code, "ended") && gw_verdict_code_find(code) == GW_VERDICT_CODE_COUNT)
			fail_msg("%s is not in verdict/codes.c", code);
}

/* ---- own series ---- */

static char *exposition(struct gw_exporter *e, int openmetrics)
{
	struct gw_exposition x = {.openmetrics = openmetrics};
	size_t length;
	char *text;

	x.out = open_memstream(&text, &length);
	gw_exporter_write(e, &x);
	fclose(x.out);
	return text;
}

static void assert_has(const char *text, const char *line)
{
	if (!strstr(text, line))
		fail_msg("there is no %s in\n%s", line, text);
}

static void own_series_end_five_minutes_later_or_with_the_pid(void **state)
{
	struct gw_exporter e;
	struct gw_process_view p;
	struct gw_snapshot s = {.process = &p, .process_count = 1}, none = {0};
	char *text;

	(void)state;
	set_up(&e);
	e.options.per_process = 1;
	process_of(&p, 77, "web", SEC(3));
	gw_exporter_update(&e, &s, 0);
	gw_exporter_fold(&e, &p, SEC(1));
	gw_exporter_update(&e, &none, SEC(300));
	text = exposition(&e, 0);
	assert_has(text, "gilwatch_process_wall_seconds_total{group=\"web\",pid=\"77\"} 3\n");
	free(text);
	gw_exporter_update(&e, &none, SEC(302));
	text = exposition(&e, 0);
	assert_null(strstr(text, "pid=\"77\""));
	free(text);
	/* Another one has the PID: the old one's end at once, the new one's begin. */
	gw_exporter_update(&e, &s, SEC(400));
	gw_exporter_fold(&e, &p, SEC(401));
	p.began_ns = 5;
	p.threads_wall_ns = p.states.ns[GW_STATE_SLEEP] = SEC(1);
	gw_exporter_update(&e, &s, SEC(402));
	text = exposition(&e, 0);
	assert_has(text, "gilwatch_process_wall_seconds_total{group=\"web\",pid=\"77\"} 1\n");
	assert_null(strstr(text, "pid=\"77\"} 3\n"));
	free(text);
	gw_exporter_free(&e);
}

static void own_series_are_limited_and_what_is_cut_is_counted(void **state)
{
	struct gw_exporter e;
	struct gw_snapshot s;
	char *text;

	(void)state;
	set_up(&e);
	e.options.per_process = e.options.per_thread = 1;
	e.options.threads_max = 2;
	fixture_contended_sched(&s);
	gw_exporter_update(&e, &s, 1);
	text = exposition(&e, 0);
	assert_has(text, "gilwatch_series_suppressed 1\n");
	free(text);
	gw_snapshot_clear(&s);
	gw_exporter_free(&e);
}

/* ---- the exposition ---- */

static void golden_of(void (*make)(struct gw_snapshot *), int openmetrics, const char *file)
{
	struct gw_exporter e;
	struct gw_snapshot s;
	char *text;

	set_up(&e);
	e.options.per_process = e.options.per_thread = 1;
	e.self.overhead_budget = 0.02;
	make(&s);
	gw_exporter_update(&e, &s, 1);
	assert_int_equal(gw_exporter_judge(&e, &s, find_it_bound), 0);
	text = exposition(&e, openmetrics);
	assert_golden(file, text);
	free(text);
	gw_snapshot_clear(&s);
	gw_exporter_free(&e);
}

static void the_exposition_is_golden(void **state)
{
	(void)state;
	golden_of(fixture_contended_uprobe, 0, "metrics_uprobe.prom");
	golden_of(fixture_contended_uprobe, 1, "metrics_uprobe.openmetrics");
	golden_of(fixture_contended_sched, 0, "metrics_sched.prom");
}

static void names_cannot_break_out_of_a_label(void **state)
{
	struct gw_labels labels = {.used = 0};

	(void)state;
	gw_labels_add(&labels, "a", "x\"} 1\ny\\");
	gw_labels_add(&labels, "b", "\xff\xc3\xa9\xe2\x82\x1b[31m");
	assert_string_equal(labels.text, "a=\"x\\\"} 1\\ny\\\\\",b=\"\xef\xbf\xbd\xc3\xa9"
					 "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd[31m\"");
	gw_labels_cut(&labels, 0);
	assert_string_equal(labels.text, "");
}

static void a_label_that_is_too_long_is_cut_whole(void **state)
{
	struct gw_labels labels = {.used = 0};
	char value[3 * GW_LABELS_MAX];

	(void)state;
	for (size_t i = 0; i + 2 < sizeof(value); i += 2)
		memcpy(value + i, "\xc3\xa9", 3);
	gw_labels_add(&labels, "long", value);
	assert_true(labels.used < sizeof(labels.text));
	assert_int_equal(labels.text[labels.used - 1], '"');
	assert_int_equal((unsigned char)labels.text[labels.used - 2], 0xa9);
	gw_labels_add(&labels, "more", "x"); /* no room: left out, and still whole */
	assert_int_equal(labels.text[labels.used - 1], '"');
}

static void the_scraper_says_which_format_it_wants(void **state)
{
	(void)state;
	assert_false(gw_exposition_wants_openmetrics(NULL));
	assert_false(gw_exposition_wants_openmetrics(""));
	assert_false(gw_exposition_wants_openmetrics("*/*"));
	assert_false(gw_exposition_wants_openmetrics("text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
	assert_true(gw_exposition_wants_openmetrics(
		"application/openmetrics-text;version=1.0.0,application/openmetrics-text;"
		"version=0.0.1;q=0.75,text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
	assert_true(gw_exposition_wants_openmetrics("Application/OpenMetrics-Text"));
	assert_false(gw_exposition_wants_openmetrics(
		"application/openmetrics-text; q=0.1, text/plain; q=0.9"));
	assert_false(gw_exposition_wants_openmetrics("application/openmetrics-text;q=0"));
	assert_false(gw_exposition_wants_openmetrics(",,;;q=,"));
}

static void the_documentation_is_what_the_table_says(void **state)
{
	size_t length;
	char *text;
	FILE *out = open_memstream(&text, &length);

	(void)state;
	gw_metrics_print(out);
	fclose(out);
	assert_golden("../../docs/metrics.md", text);
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_edge_is_one_of_the_internal_buckets),
		cmocka_unit_test(a_duration_is_counted_below_its_edge),
		cmocka_unit_test(the_totals_of_a_snapshot_keep_its_laws),
		cmocka_unit_test(who_held_sums_to_waiting),
		cmocka_unit_test(what_falls_waits_and_the_rest_still_sums),
		cmocka_unit_test(totals_never_fall_whatever_the_estimates_do),
		cmocka_unit_test(high_interpreters_share_one_series),
		cmocka_unit_test(the_dead_stay_in_their_group),
		cmocka_unit_test(one_that_was_never_looked_at_counts_too),
		cmocka_unit_test(groups_are_limited_and_old_empty_ones_give_way),
		cmocka_unit_test(processes_of_one_cgroup_are_throttled_together),
		cmocka_unit_test(verdicts_hold_for_the_group_until_the_next),
		cmocka_unit_test(processes_of_different_groups_are_not_judged_together),
		cmocka_unit_test(every_rule_has_its_code_in_the_list),
		cmocka_unit_test(own_series_end_five_minutes_later_or_with_the_pid),
		cmocka_unit_test(own_series_are_limited_and_what_is_cut_is_counted),
		cmocka_unit_test(the_exposition_is_golden),
		cmocka_unit_test(names_cannot_break_out_of_a_label),
		cmocka_unit_test(a_label_that_is_too_long_is_cut_whole),
		cmocka_unit_test(the_scraper_says_which_format_it_wants),
		cmocka_unit_test(the_documentation_is_what_the_table_says),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
