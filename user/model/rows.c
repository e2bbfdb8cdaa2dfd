// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/rows.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "util/text.h"

/* Ranks are in thousandths of the interval; by less than this, or a tenth, they do not move. */
#define RANK_STEP 15

/* ---- memory ---- */

static int by_identity(const void *a, const void *b)
{
	const struct gw_row_memory *left = a, *right = b;

	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

static size_t count_threads(const struct gw_snapshot *snapshot)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->process_count; i++)
		count += snapshot->process[i].thread_count + 1;
	return count;
}

static void remember(struct gw_row_memory *memory, uint32_t pid, uint32_t tid, uint64_t start_ns,
		     const char *name, uint64_t refresh)
{
	*memory = (struct gw_row_memory){
		.pid = pid,
		.tid = tid,
		.start_ns = start_ns,
		.first = refresh,
		.last = refresh,
		.rank = INT64_MIN,
	};
	gw_text_copy(memory->name, sizeof(memory->name), name);
}

/* All that is there now. Processes are remembered too, as thread 0. */
static size_t note_present(const struct gw_snapshot *snapshot, struct gw_row_memory *memory,
			   uint64_t refresh)
{
	size_t count = 0;

	for (size_t i = 0; i < snapshot->process_count; i++) {
		const struct gw_process_view *p = &snapshot->process[i];

		remember(&memory[count++], p->pid, 0, (uint64_t)p->began_ns, p->comm, refresh);
		for (size_t j = 0; j < p->thread_count; j++)
			remember(&memory[count++], p->pid, p->thread[j].tid, p->thread[j].start_ns,
				 p->thread[j].name, refresh);
	}
	qsort(memory, count, sizeof(*memory), by_identity);
	return count;
}

/* Present ones keep what is known of them; of the others, those that ended lately stay. */
static size_t merge(const struct gw_rows *rows, struct gw_row_memory *memory, size_t present,
		    uint64_t refresh)
{
	size_t count = present, at = 0;

	for (size_t i = 0; i < rows->memory_count; i++) {
		const struct gw_row_memory *old = &rows->memory[i];

		while (at < present && by_identity(&memory[at], old) < 0)
			at++;
		if (at < present && !by_identity(&memory[at], old)) {
			memory[at].first = old->first;
			memory[at].rank = old->rank;
		} else if (old->last + GW_ROWS_MARKED > refresh) {
			memory[count++] = *old;
		}
	}
	qsort(memory, count, sizeof(*memory), by_identity);
	return count;
}

static int update_memory(struct gw_rows *rows, const struct gw_snapshot *snapshot)
{
	size_t room = count_threads(snapshot) + rows->memory_count + 1;
	struct gw_row_memory *memory = malloc(room * sizeof(*memory));
	uint64_t refresh = rows->refreshes + 1;
	size_t present;

	if (!memory)
		return -ENOMEM;
	present = note_present(snapshot, memory, refresh);
	rows->memory_count = merge(rows, memory, present, refresh);
	free(rows->memory);
	rows->memory = memory;
	rows->refreshes = refresh;
	return 0;
}

static struct gw_row_memory *find(const struct gw_rows *rows, uint32_t pid, uint32_t tid,
				  uint64_t start_ns)
{
	struct gw_row_memory key = {.pid = pid, .tid = tid, .start_ns = start_ns};

	return bsearch(&key, rows->memory, rows->memory_count, sizeof(key), by_identity);
}

/* ---- ranks ---- */

static int64_t known(int64_t value)
{
	return value > 0 ? value : 0;
}

static int64_t sum(const int64_t *value, size_t count)
{
	int64_t all = 0;

	for (size_t i = 0; i < count; i++)
		all += known(value[i]);
	return all;
}

/* A time of states in thousandths of the interval. */
static int64_t state_value(enum gw_sort sort, const struct gw_states *states, int64_t running_ns,
			   int64_t inflicted_ns)
{
	switch (sort) {
	case GW_SORT_GIL_WAIT:
		return known(states->ns[GW_STATE_GIL_WAIT]);
	case GW_SORT_PYTHON:
		return known(states->ns[GW_STATE_PYTHON]);
	case GW_SORT_NATIVE:
		return known(states->ns[GW_STATE_NATIVE]);
	case GW_SORT_HELD_OFF:
		return known(states->ns[GW_STATE_HELD_OFF]);
	case GW_SORT_INFLICTED:
		return known(inflicted_ns);
	default:
		return known(states->ns[GW_STATE_GIL_WAIT]) + known(states->ns[GW_STATE_HELD_OFF]) +
		       known(running_ns);
	}
}

static int64_t value_of(const struct gw_row *row, enum gw_sort sort)
{
	const struct gw_process_view *p = row->process;
	const struct gw_thread_view *t = row->thread;
	int64_t elapsed_ns = p ? p->elapsed_ns : 0, ns, inflicted_ns = 0;

	if (sort == GW_SORT_ID)
		return row->tid ? row->tid : row->pid;
	if (!p || (row->tid && !t) || elapsed_ns <= 0)
		return -1;
	if (sort == GW_SORT_MIGRATIONS)
		return sum(t ? t->migrations : p->migrations, GW_DISTANCE_COUNT) * 1000000000 /
		       elapsed_ns;
	if (!t && sort == GW_SORT_INFLICTED)
		for (size_t i = 0; i < p->thread_count; i++)
			inflicted_ns += known(p->thread[i].inflicted_ns);
	ns = t ? state_value(sort, &t->states, t->where_ns[GW_RUNNING], t->inflicted_ns)
	       : state_value(sort, &p->states, p->where_ns[GW_RUNNING], inflicted_ns);
	return ns / (elapsed_ns / 1000 ? elapsed_ns / 1000 : 1);
}

/* A rank follows its value only by steps that are worth a change of place. */
static int64_t settle(int64_t rank, int64_t value)
{
	int64_t step = rank / 10 > RANK_STEP ? rank / 10 : RANK_STEP;

	if (rank == INT64_MIN || value > rank + step || value < rank - step || value < 0)
		return value;
	return rank;
}

static void rank(struct gw_rows *rows, struct gw_row *row, const struct gw_rows_options *options)
{
	struct gw_row_memory *memory = find(rows, row->pid, row->tid, row->start_ns);
	int64_t value = value_of(row, options->sort);
	int64_t was = memory && rows->sorted_by == options->sort ? memory->rank : INT64_MIN;

	row->rank = value;
	row->mark = GW_ROW_PLAIN;
	if (!memory)
		return;
	/* What has ended stays for a while where it was. */
	if (memory->last != rows->refreshes) {
		row->mark = GW_ROW_ENDED;
		row->rank = was;
		return;
	}
	if (options->sort != GW_SORT_ID)
		row->rank = settle(was, value);
	memory->rank = row->rank;
	/* What was there at the first look is not new. */
	if (memory->first > 1 && memory->first + GW_ROWS_MARKED > rows->refreshes)
		row->mark = GW_ROW_NEW;
}

/* ---- order ---- */

static int by_rank(const struct gw_row *left, const struct gw_row *right,
		   const struct gw_rows_options *options)
{
	int order;

	if (options->sort == GW_SORT_NAME) {
		order = strncasecmp(left->name, right->name, 64);
	} else {
		order = left->rank < right->rank ? 1 : left->rank > right->rank ? -1 : 0;
		if (options->sort == GW_SORT_ID)
			order = -order;
	}
	if (options->reverse)
		order = -order;
	if (order)
		return order;
	if (left->tid != right->tid)
		return left->tid < right->tid ? -1 : 1;
	if (left->pid != right->pid)
		return left->pid < right->pid ? -1 : 1;
	return left->start_ns < right->start_ns ? -1 : left->start_ns > right->start_ns;
}

static int compare(const void *a, const void *b, void *options)
{
	return by_rank(a, b, options);
}

static void sort(struct gw_row *row, size_t count, const struct gw_rows_options *options)
{
	struct gw_rows_options copy = *options;

	if (count)
		qsort_r(row, count, sizeof(*row), compare, &copy);
}

/* ---- rows ---- */

static int contains(const char *text, size_t size, const char *part)
{
	size_t length = strlen(part), left = strnlen(text, size);

	for (; left >= length; text++, left--)
		if (!strncasecmp(text, part, length))
			return 1;
	return 0;
}

static int id_begins(uint32_t id, const char *part)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", id);
	return !strncmp(text, part, strlen(part));
}

static int process_fits(const struct gw_process_view *p, const char *filter)
{
	return contains(p->command, sizeof(p->command), filter) ||
	       contains(p->comm, sizeof(p->comm), filter) || id_begins(p->pid, filter);
}

static int thread_fits(const char *name, uint32_t tid, const char *filter)
{
	return contains(name, 64, filter) || id_begins(tid, filter);
}

static int is_open(const struct gw_rows_options *options, uint32_t pid)
{
	for (size_t i = 0; i < options->opened_count; i++)
		if (options->opened[i] == pid)
			return 1;
	return 0;
}

static void append_threads(struct gw_rows *rows, const struct gw_process_view *p,
			   const struct gw_rows_options *options, int all)
{
	size_t first = rows->count;

	for (size_t i = 0; i < p->thread_count; i++) {
		const struct gw_thread_view *t = &p->thread[i];

		if (all || thread_fits(t->name, t->tid, options->filter))
			rows->row[rows->count++] = (struct gw_row){
				.process = p,
				.thread = t,
				.pid = p->pid,
				.tid = t->tid,
				.start_ns = t->start_ns,
				.name = t->name,
			};
	}
	for (size_t i = 0; i < rows->memory_count; i++) {
		const struct gw_row_memory *m = &rows->memory[i];

		if (m->pid == p->pid && m->tid && m->last != rows->refreshes &&
		    (all || thread_fits(m->name, m->tid, options->filter)))
			rows->row[rows->count++] = (struct gw_row){
				.process = p,
				.pid = m->pid,
				.tid = m->tid,
				.start_ns = m->start_ns,
				.name = m->name,
			};
	}
	for (size_t i = first; i < rows->count; i++)
		rank(rows, &rows->row[i], options);
	sort(rows->row + first, rows->count - first, options);
}

/*
 * A child that had ended before this time began has nothing to tell of it: servers that renew their
 * workers would fill the table.
 */
static int is_past(const struct gw_process_view *p)
{
	return p->child && p->ended == GW_ENDED_TARGET_EXIT && p->elapsed_ns == 0 && !p->error[0];
}

static struct gw_row process_row(const struct gw_process_view *p)
{
	return (struct gw_row){
		.process = p,
		.pid = p->pid,
		.start_ns = (uint64_t)p->began_ns,
		.name = p->comm,
	};
}

/* A process that does not fit itself is there for the sake of its threads that do. */
static void append_process(struct gw_rows *rows, const struct gw_row *process,
			   const struct gw_rows_options *options)
{
	const struct gw_process_view *p = process->process;
	int fits = process_fits(p, options->filter), filtered = options->filter[0] != 0;
	size_t at = rows->count;

	rows->row[rows->count++] = *process;
	if (options->threads && (is_open(options, p->pid) || (filtered && !fits)))
		append_threads(rows, p, options, fits);
	if (!fits && rows->count == at + 1)
		rows->count = at;
}

static int append_processes(struct gw_rows *rows, const struct gw_snapshot *snapshot,
			    const struct gw_rows_options *options)
{
	struct gw_row *process = malloc((snapshot->process_count + 1) * sizeof(*process));
	size_t count = 0;

	if (!process)
		return -ENOMEM;
	for (size_t i = 0; i < snapshot->process_count; i++) {
		if (is_past(&snapshot->process[i]))
			continue;
		process[count] = process_row(&snapshot->process[i]);
		rank(rows, &process[count++], options);
	}
	sort(process, count, options);
	for (size_t i = 0; i < count; i++)
		append_process(rows, &process[i], options);
	free(process);
	return 0;
}

int gw_rows_make(struct gw_rows *rows, const struct gw_snapshot *snapshot,
		 const struct gw_rows_options *options, int refresh)
{
	int code = refresh ? update_memory(rows, snapshot) : 0;
	struct gw_row *row;

	if (code)
		return code;
	row = realloc(rows->row, (count_threads(snapshot) + rows->memory_count + 1) * sizeof(*row));
	if (!row)
		return -ENOMEM;
	rows->row = row;
	rows->count = 0;
	/* One process needs no row of its own above its threads. */
	if (snapshot->process_count == 1 && options->threads && !snapshot->process[0].error[0])
		append_threads(rows, &snapshot->process[0], options, 0);
	else
		code = append_processes(rows, snapshot, options);
	rows->sorted_by = options->sort;
	return code;
}

void gw_rows_free(struct gw_rows *rows)
{
	free(rows->row);
	free(rows->memory);
	*rows = (struct gw_rows){.count = 0};
}
