// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The difference of two snapshots: what is subtracted, matched, new, gone, and not known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fixtures.h"
#include "model/histogram.h"
#include "model/interval.h"

#define MS(x)  ((int64_t)(x)*1000000)
#define SEC(x) ((int64_t)(x)*1000000000)

/* ---- small snapshots of one process ---- */

static void begin(struct gw_snapshot *s, int64_t elapsed_ns, size_t threads)
{
	memset(s, 0, sizeof(*s));
	s->elapsed_ns = elapsed_ns;
	s->start_monotonic_ns = 1000;
	s->end_monotonic_ns = 1000 + (uint64_t)elapsed_ns;
	s->process = calloc(1, sizeof(*s->process));
	s->process_count = 1;
	s->process->pid = 42;
	s->process->elapsed_ns = elapsed_ns;
	s->process->thread = calloc(threads + 1, sizeof(*s->process->thread));
	s->process->gil = calloc(1, sizeof(*s->process->gil));
	s->process->gil_count = 1;
	s->process->gil->address = 0x1000;
}

static struct gw_thread_view *add(struct gw_snapshot *s, uint32_t tid, uint64_t start_ns)
{
	struct gw_thread_view *thread = &s->process->thread[s->process->thread_count++];

	thread->tid = tid;
	thread->start_ns = start_ns;
	thread->resume.delay_ratio = -1;
	return thread;
}

static void spend(struct gw_thread_view *thread, enum gw_state state, enum gw_where where,
		  int64_t ns)
{
	thread->states.ns[state] += ns;
	thread->where_ns[where] += ns;
	thread->wall_ns += ns;
	thread->cells_ns += ns;
}

static void spend_ended(struct gw_process_view *p, enum gw_state state, enum gw_where where,
			int64_t ns)
{
	p->ended_states.ns[state] += ns;
	p->ended_wall_ns += ns;
	p->states.ns[state] += ns;
	p->where_ns[where] += ns;
	p->threads_wall_ns += ns;
	p->cells_ns += ns;
}

static void sum(struct gw_snapshot *s)
{
	struct gw_process_view *p = s->process;

	for (size_t i = 0; i < p->thread_count; i++) {
		for (int j = 0; j < GW_STATE_COUNT; j++)
			p->states.ns[j] += p->thread[i].states.ns[j];
		for (int j = 0; j < GW_WHERE_COUNT; j++)
			p->where_ns[j] += p->thread[i].where_ns[j];
		p->threads_wall_ns += p->thread[i].wall_ns;
		p->cells_ns += p->thread[i].cells_ns;
	}
}

static const struct gw_thread_view *thread_of(const struct gw_snapshot *s, uint32_t tid)
{
	for (size_t i = 0; i < s->process->thread_count; i++)
		if (s->process->thread[i].tid == tid)
			return &s->process->thread[i];
	fail_msg("no thread %u", tid);
	return NULL;
}

static void assert_laws(const struct gw_snapshot *s)
{
	const struct gw_process_view *p = s->process;
	int64_t states_ns = 0, threads_ns = p->ended_wall_ns;

	for (int i = 0; i < GW_STATE_COUNT; i++) {
		int64_t parts_ns = p->ended_states.ns[i];

		for (size_t j = 0; j < p->thread_count; j++)
			parts_ns += p->thread[j].states.ns[i];
		assert_int_equal(parts_ns, p->states.ns[i]);
		states_ns += p->states.ns[i];
	}
	for (size_t j = 0; j < p->thread_count; j++)
		threads_ns += p->thread[j].wall_ns;
	assert_int_equal(threads_ns, p->threads_wall_ns);
	assert_int_equal(states_ns, p->threads_wall_ns);
	assert_int_equal(p->cells_ns, p->threads_wall_ns);
}

static void make(struct gw_snapshot *before, struct gw_snapshot *after, struct gw_snapshot *between)
{
	memset(between, 0, sizeof(*between));
	assert_int_equal(gw_interval_make(before, after, between), 0);
	gw_snapshot_clear(before);
	gw_snapshot_clear(after);
}

/* ---- tests ---- */

static void times_are_those_of_the_interval(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(10), 1);
	spend(add(&before, 42, 5), GW_STATE_SLEEP, GW_BLOCKED_SLEEP, SEC(10));
	sum(&before);
	begin(&after, SEC(11), 1);
	add(&after, 42, 5);
	spend(&after.process->thread[0], GW_STATE_SLEEP, GW_BLOCKED_SLEEP, SEC(10) + MS(400));
	spend(&after.process->thread[0], GW_STATE_PYTHON, GW_RUNNING, MS(600));
	sum(&after);
	make(&before, &after, &between);

	assert_int_equal(between.elapsed_ns, SEC(1));
	assert_int_equal(between.end_monotonic_ns - between.start_monotonic_ns, SEC(1));
	assert_int_equal(between.process->elapsed_ns, SEC(1));
	assert_int_equal(thread_of(&between, 42)->states.ns[GW_STATE_PYTHON], MS(600));
	assert_int_equal(thread_of(&between, 42)->states.ns[GW_STATE_SLEEP], MS(400));
	assert_int_equal(between.process->gil->holding_ns, MS(600));
	assert_true(between.process->parallelism_python > 0.599 &&
		    between.process->parallelism_python < 0.601);
	assert_laws(&between);
	gw_snapshot_clear(&between);
}

static void a_new_thread_counts_from_its_beginning(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 1);
	spend(add(&before, 42, 5), GW_STATE_SLEEP, GW_BLOCKED_SLEEP, SEC(1));
	sum(&before);
	begin(&after, SEC(2), 2);
	spend(add(&after, 42, 5), GW_STATE_SLEEP, GW_BLOCKED_SLEEP, SEC(2));
	spend(add(&after, 43, 99), GW_STATE_PYTHON, GW_RUNNING, MS(300));
	sum(&after);
	make(&before, &after, &between);

	assert_int_equal(thread_of(&between, 43)->wall_ns, MS(300));
	assert_int_equal(between.process->thread[0].tid, 43); /* the busiest first */
	assert_laws(&between);
	gw_snapshot_clear(&between);
}

static void a_thread_that_ended_counts_what_it_did_since(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 1);
	spend(add(&before, 43, 5), GW_STATE_PYTHON, GW_RUNNING, SEC(1));
	spend_ended(before.process, GW_STATE_LOCK, GW_BLOCKED_LOCK, SEC(7));
	before.process->ended_count = 3;
	sum(&before);
	begin(&after, SEC(2), 0);
	spend_ended(after.process, GW_STATE_LOCK, GW_BLOCKED_LOCK, SEC(7));
	spend_ended(after.process, GW_STATE_PYTHON, GW_RUNNING, SEC(1) + MS(250));
	after.process->ended_count = 4;
	make(&before, &after, &between);

	assert_int_equal(between.process->ended_count, 1);
	assert_int_equal(between.process->ended_wall_ns, MS(250));
	assert_int_equal(between.process->ended_states.ns[GW_STATE_PYTHON], MS(250));
	assert_int_equal(between.process->ended_states.ns[GW_STATE_LOCK], 0);
	assert_laws(&between);
	gw_snapshot_clear(&between);
}

static void a_tid_used_again_is_another_thread(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 1);
	spend(add(&before, 43, 5), GW_STATE_PYTHON, GW_RUNNING, SEC(1));
	sum(&before);
	begin(&after, SEC(2), 1);
	spend(add(&after, 43, 6), GW_STATE_PYTHON, GW_RUNNING, MS(500));
	spend_ended(after.process, GW_STATE_PYTHON, GW_RUNNING, SEC(1) + MS(500));
	after.process->ended_count = 1;
	sum(&after);
	make(&before, &after, &between);

	assert_int_equal(thread_of(&between, 43)->wall_ns, MS(500));
	assert_int_equal(between.process->ended_wall_ns, MS(500));
	assert_laws(&between);
	gw_snapshot_clear(&between);
}

static void sample(struct gw_thread_view *thread, uint64_t held, uint64_t released)
{
	struct gw_sampled *sampled = &thread->sampled;
	struct gw_split split;

	sampled->taken = (struct gw_samples){held, released, held + released};
	sampled->ns = MS(held + released);
	split = gw_split_pool(sampled->ns, &sampled->taken, 0.5);
	sampled->held_ns = split.held_ns;
	thread->python_error_ns = split.error_ns;
	spend(thread, GW_STATE_PYTHON, GW_RUNNING, split.held_ns);
	spend(thread, GW_STATE_NATIVE, GW_RUNNING, split.released_ns);
}

static void sampled_time_is_split_by_the_samples_of_the_interval(void **state)
{
	struct gw_snapshot before, after, between;
	const struct gw_thread_view *thread;

	(void)state;
	begin(&before, SEC(10), 1);
	sample(add(&before, 42, 5), 10000, 0);
	sum(&before);
	begin(&after, SEC(11), 1);
	sample(add(&after, 42, 5), 10000, 1000);
	sum(&after);
	make(&before, &after, &between);

	thread = thread_of(&between, 42);
	assert_int_equal(thread->states.ns[GW_STATE_PYTHON], 0);
	assert_int_equal(thread->states.ns[GW_STATE_NATIVE], SEC(1));
	assert_true(thread->python_error_ns > 0 && thread->python_error_ns < MS(10));
	assert_int_equal(between.process->basis[GW_STATE_PYTHON].error_ns, thread->python_error_ns);
	assert_laws(&between);
	gw_snapshot_clear(&between);
}

static void put(struct gw_histogram *histogram, int64_t ns, unsigned int times)
{
	assert_int_equal(gw_histogram_add(histogram, (uint64_t)ns, times), 0);
}

static void histograms_are_subtracted(void **state)
{
	struct gw_snapshot before, after, between;
	struct gw_gil_row *gil;

	(void)state;
	begin(&before, SEC(1), 0);
	put(&before.process->gil->wait, MS(900), 1);
	put(&before.process->gil->wait, MS(5), 99);
	begin(&after, SEC(2), 0);
	put(&after.process->gil->wait, MS(900), 1);
	put(&after.process->gil->wait, MS(5), 99);
	put(&after.process->gil->wait, MS(20), 10);
	make(&before, &after, &between);

	gil = between.process->gil;
	assert_int_equal(gil->wait.count, 10);
	assert_int_equal(gil->wait.sum_ns, MS(200));
	/* The greatest of all was before; of the interval, the bucket is known. */
	assert_in_range(gil->wait.max_ns, MS(20), MS(22) + MS(1) / 2);
	assert_int_equal(gw_histogram_percentile_ns(&gil->wait, 500), gil->wait.max_ns);
	gw_snapshot_clear(&between);
}

/* Its place was given to another: what it did before is no part of the interval. */
static void a_gil_that_lost_its_row_counts_what_it_did_since(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 0);
	before.process->gil->interpreter = 7;
	before.process->gil->acquisitions = 10;
	before.process->gil->holding_ns = MS(100);
	begin(&after, SEC(2), 0);
	after.process->gil->interpreter = 8;
	after.process->gil->address = 0x2000;
	after.process->gil->acquisitions = 3;
	after.process->gil->holding_ns = MS(30);
	after.process->ended_gil_count = 1;
	after.process->ended_gils.acquisitions = 14;
	after.process->ended_gils.holding_ns = MS(140);
	make(&before, &after, &between);

	assert_int_equal(between.process->gil->acquisitions, 3);
	assert_int_equal(between.process->ended_gil_count, 1);
	assert_int_equal(between.process->ended_gils.acquisitions, 4);
	assert_int_equal(between.process->ended_gils.holding_ns, MS(40));
	gw_snapshot_clear(&between);
}

static void a_maximum_that_grew_is_exact(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 0);
	put(&before.process->gil->hold, MS(1), 1);
	begin(&after, SEC(2), 0);
	put(&after.process->gil->hold, MS(1), 1);
	put(&after.process->gil->hold, MS(7) + 123, 1);
	make(&before, &after, &between);

	assert_int_equal(between.process->gil->hold.max_ns, MS(7) + 123);
	gw_snapshot_clear(&between);
}

/* A maximum has no difference: it is told look by look. */
static void most_waiters_are_those_since_the_look_that_was_kept(void **state)
{
	struct gw_snapshot kept, next, last, between;

	(void)state;
	begin(&kept, SEC(1), 0);
	kept.process->gil->most_waiting = 9;
	kept.process->gil->most_since = GW_ABSENT_COUNT;
	begin(&next, SEC(2), 0);
	next.process->gil->most_waiting = 9;
	next.process->gil->most_lately = 4;
	begin(&last, SEC(3), 0);
	last.process->gil->most_waiting = 9;
	last.process->gil->most_lately = 2;
	gw_interval_note(&kept, &next);
	gw_interval_note(&kept, &last);
	make(&kept, &last, &between);
	assert_int_equal(between.process->gil->most_waiting, 4);
	gw_snapshot_clear(&between);

	gw_snapshot_clear(&next);
}

static void most_waiters_are_absent_unless_told_and_all_of_a_new_gil(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 0);
	before.process->gil->most_since = GW_ABSENT_COUNT;
	begin(&after, SEC(2), 0);
	after.process->gil->most_waiting = 5;
	make(&before, &after, &between);
	assert_true(between.process->gil->most_waiting == GW_ABSENT_COUNT);
	gw_snapshot_clear(&between);

	begin(&before, SEC(1), 0);
	begin(&after, SEC(2), 0);
	after.process->gil->address = 0x2000;
	after.process->gil->most_waiting = 5;
	make(&before, &after, &between);
	assert_int_equal(between.process->gil->most_waiting, 5);
	gw_snapshot_clear(&between);
}

static void what_is_absent_stays_absent_and_what_came_counts_from_nothing(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 2);
	add(&before, 1, 1)->acquisitions = GW_ABSENT_COUNT;
	add(&before, 2, 1)->acquisitions = GW_ABSENT_COUNT;
	before.process->gil->hold.absent = 1;
	begin(&after, SEC(2), 2);
	add(&after, 1, 1)->acquisitions = GW_ABSENT_COUNT;
	add(&after, 2, 1)->acquisitions = 17;
	put(&after.process->gil->hold, MS(1), 3);
	make(&before, &after, &between);

	assert_int_equal(thread_of(&between, 1)->acquisitions, GW_ABSENT_COUNT);
	assert_int_equal(thread_of(&between, 2)->acquisitions, 17);
	assert_int_equal(between.process->gil->hold.count, 3);
	gw_snapshot_clear(&between);
}

static void waiting_for_nobody_goes_where_it_is_counted_without_probes(void **state)
{
	struct gw_snapshot before, after, between;
	int64_t *by;

	(void)state;
	begin(&before, SEC(1), 0);
	by = before.process->gil_wait_by_holder_ns;
	by[GW_RUNNING] = MS(100);
	by[GW_HOLDER_NONE] = MS(30);
	begin(&after, SEC(2), 1);
	add(&after, 1, 1);
	by = after.process->gil_wait_by_holder_ns;
	by[GW_RUNNING] = MS(150);
	by[GW_HOLDER_NONE] = GW_ABSENT_NS;
	after.process->inflicted_basis.kind = GW_BASIS_SAMPLED;
	make(&before, &after, &between);

	by = between.process->gil_wait_by_holder_ns;
	assert_int_equal(by[GW_RUNNING], MS(20));
	assert_int_equal(by[GW_HOLDER_NONE], GW_ABSENT_NS);
	assert_int_equal(between.process->inflicted_basis.kind, GW_BASIS_ABSENT);
	assert_int_equal(thread_of(&between, 1)->inflicted_ns, GW_ABSENT_NS);
	assert_true(between.process->inflicted_basis.reason[0]);
	gw_snapshot_clear(&between);
}

static void add_pairs(struct gw_process_view *p, uint32_t count, int64_t ns, int64_t rest_ns)
{
	p->inflicted = calloc(count, sizeof(*p->inflicted));
	for (uint32_t i = 0; i < count; i++)
		p->inflicted[i] = (struct gw_inflicted){.by = 1, .on = i, .wait_ns = ns + i};
	p->inflicted_count = count;
	p->inflicted_rest_ns = rest_ns;
	gw_inflicted_limit(p);
}

static void pairs_beyond_those_shown_are_matched_as_well(void **state)
{
	struct gw_snapshot before, after, between;
	int64_t sum_ns = 0;

	(void)state;
	begin(&before, SEC(1), 0);
	add_pairs(before.process, 150, MS(1), 1000);
	begin(&after, SEC(2), 0);
	add_pairs(after.process, 160, MS(3), 1500);
	assert_int_equal(after.process->inflicted_count, 100);
	make(&before, &after, &between);

	assert_int_equal(between.process->inflicted_count, 100);
	assert_int_equal(between.process->inflicted_beyond, 60);
	for (size_t i = 0; i < 160; i++)
		sum_ns += between.process->inflicted[i].wait_ns;
	/* 150 that grew by 2 ms, and ten new ones of 3 ms and their number. */
	assert_int_equal(sum_ns, 150 * MS(2) + 10 * MS(3) + 1545);
	for (size_t i = 0; i < 100; i++)
		sum_ns -= between.process->inflicted[i].wait_ns;
	assert_int_equal(between.process->inflicted_rest_ns, 500 + sum_ns);
	gw_snapshot_clear(&between);
}

static void add_cpu(struct gw_process_view *p, uint32_t cpu, int64_t ns)
{
	p->cpu = realloc(p->cpu, (p->cpu_count + 1) * sizeof(*p->cpu));
	p->cpu[p->cpu_count++] = (struct gw_cpu_time){.cpu = cpu, .ns = ns};
}

static void cpus_are_matched_by_number(void **state)
{
	struct gw_snapshot before, after, between;

	(void)state;
	begin(&before, SEC(1), 0);
	add_cpu(before.process, 1, MS(10));
	add_cpu(before.process, 7, MS(20));
	begin(&after, SEC(2), 0);
	add_cpu(after.process, 0, MS(5));
	add_cpu(after.process, 1, MS(10));
	add_cpu(after.process, 7, MS(50));
	make(&before, &after, &between);

	assert_int_equal(between.process->cpu_count, 2);
	assert_int_equal(between.process->cpu[0].cpu, 0);
	assert_int_equal(between.process->cpu[0].ns, MS(5));
	assert_int_equal(between.process->cpu[1].cpu, 7);
	assert_int_equal(between.process->cpu[1].ns, MS(30));
	gw_snapshot_clear(&between);
}

/* A change of the switch interval is told once: in the interval in which it came. */
static void a_change_of_the_switch_interval_is_of_its_interval(void **state)
{
	static const struct gw_interval_phase phase[] = {
		{.interval_ns = MS(5), .from_ns = 0, .to_ns = MS(1500)},
		{.interval_ns = MS(50), .from_ns = MS(1750), .to_ns = MS(3000)},
	};
	struct gw_snapshot before = {0}, after = {0}, between;

	(void)state;
	for (int late = 0; late < 2; late++) {
		begin(&before, late ? SEC(2) : SEC(1), 0);
		begin(&after, SEC(3), 0);
		before.process->io_any_ns = MS(10);
		after.process->io_any_ns = MS(30);
		after.process->interval_phase = malloc(sizeof(phase));
		memcpy(after.process->interval_phase, phase, sizeof(phase));
		after.process->interval_phase_count = 2;
		make(&before, &after, &between);
		assert_int_equal(between.process->interval_phase_count, late ? 0 : 2);
		assert_int_equal(between.process->io_any_ns, MS(20));
		gw_snapshot_clear(&between);
	}
}

static void nothing_happens_between_two_equal_looks(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < fixture_count; i++) {
		struct gw_snapshot before = {0}, after = {0}, between;

		fixture_table[i].make(&before);
		fixture_table[i].make(&after);
		make(&before, &after, &between);
		for (size_t j = 0; j < between.process_count; j++) {
			const struct gw_process_view *p = &between.process[j];

			if (p->error[0])
				continue;
			assert_int_equal(p->elapsed_ns, 0);
			assert_int_equal(p->threads_wall_ns, 0);
			assert_true(p->states.ns[GW_STATE_GIL_WAIT] <= 0);
			assert_int_equal(p->inflicted_count, 0);
		}
		gw_snapshot_clear(&between);
	}
}

/* Loops, overlap, and what happened once. */
static void test_events(void **state)
{
	struct gw_snapshot before, after, between;
	struct gw_process_view *was, *is;
	(void)state;

	begin(&before, SEC(10), 1);
	add(&before, 1, 7);
	begin(&after, SEC(11), 1);
	add(&after, 1, 7);
	was = before.process;
	is = after.process;
	was->io_any_ns = SEC(4);
	is->io_any_ns = SEC(5);
	was->thread->polls = 10;
	is->thread->polls = 15;
	was->thread->stalls = is->thread->stalls = 2;
	was->thread->stalled_ns = is->thread->stalled_ns = MS(500);
	was->thread->stretch_longest_ns = is->thread->stretch_longest_ns = MS(300);
	is->gil_enabled_at_ns = SEC(9);
	is->interval_phase = calloc(2, sizeof(*is->interval_phase));
	is->interval_phase_count = 2;
	is->interval_phase[1].from_ns = SEC(10);
	assert_int_equal(gw_interval_make(&before, &after, &between), 0);
	assert_int_equal(between.process->io_any_ns, SEC(1));
	assert_int_equal(between.process->thread->polls, 5);
	assert_int_equal(between.process->thread->stalls, 0);
	assert_int_equal(between.process->thread->stretch_longest_ns, 0);
	assert_true(between.process->gil_enabled_at_ns == GW_ABSENT_NS);
	assert_int_equal(between.process->interval_phase_count, 0);
	gw_snapshot_clear(&between);

	is->thread->stalls = 3;
	is->thread->stalled_ns = MS(900);
	is->thread->stretch_longest_ns = MS(400);
	is->gil_enabled_at_ns = SEC(10) + 1;
	is->interval_phase[1].from_ns = SEC(10) + 1;
	assert_int_equal(gw_interval_make(&before, &after, &between), 0);
	assert_int_equal(between.process->thread->stretch_longest_ns, MS(400));
	assert_int_equal(between.process->gil_enabled_at_ns, SEC(10) + 1);
	assert_int_equal(between.process->interval_phase_count, 2);
	gw_snapshot_clear(&between);
	gw_snapshot_clear(&before);
	gw_snapshot_clear(&after);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_events),
		cmocka_unit_test(times_are_those_of_the_interval),
		cmocka_unit_test(a_new_thread_counts_from_its_beginning),
		cmocka_unit_test(a_thread_that_ended_counts_what_it_did_since),
		cmocka_unit_test(a_tid_used_again_is_another_thread),
		cmocka_unit_test(sampled_time_is_split_by_the_samples_of_the_interval),
		cmocka_unit_test(histograms_are_subtracted),
		cmocka_unit_test(a_gil_that_lost_its_row_counts_what_it_did_since),
		cmocka_unit_test(a_maximum_that_grew_is_exact),
		cmocka_unit_test(most_waiters_are_those_since_the_look_that_was_kept),
		cmocka_unit_test(most_waiters_are_absent_unless_told_and_all_of_a_new_gil),
		cmocka_unit_test(what_is_absent_stays_absent_and_what_came_counts_from_nothing),
		cmocka_unit_test(waiting_for_nobody_goes_where_it_is_counted_without_probes),
		cmocka_unit_test(pairs_beyond_those_shown_are_matched_as_well),
		cmocka_unit_test(cpus_are_matched_by_number),
		cmocka_unit_test(a_change_of_the_switch_interval_is_of_its_interval),
		cmocka_unit_test(nothing_happens_between_two_equal_looks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
