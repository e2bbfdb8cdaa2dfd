// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/json.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"
#include "render/escape.h"
#include "render/json_fields.h"
#include "render/json_snapshot.h"
#include "render/total.h"

#ifndef GW_VERSION
#define GW_VERSION "0.1.0"
#endif

/* Longest key with its suffix; all keys are our own. */
#define KEY_SIZE 48

/*
 * An object that could not be grown is an error of the whole document, told once at the end:
 * jansson's _new functions take NULL and fail, so that nothing needs to be tested in between.
 */
struct writer {
	int failed;
};

static void put(struct writer *w, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object, name, value))
		w->failed = 1;
}

static void put_null(struct writer *w, json_t *object, const char *name, const char *reason)
{
	char key[KEY_SIZE];

	put(w, object, name, json_null());
	if (reason && !reason[0])
		return;
	snprintf(key, sizeof(key), "%s_reason", name);
	put(w, object, key, json_string(reason ? reason : "it is not known"));
}

static void put_text(struct writer *w, json_t *object, const char *name, const char *text,
		     size_t size)
{
	char valid[3 * sizeof(((struct gw_process_view *)0)->command) + 1];

	gw_escape_utf8(text, size, valid, sizeof(valid));
	put(w, object, name, json_string(valid));
}

static void put_real(struct writer *w, json_t *object, const char *name, double value,
		     const char *reason)
{
	if (isfinite(value))
		put(w, object, name, json_real(value));
	else
		put_null(w, object, name, reason);
}

static json_t *seconds(int64_t ns)
{
	return json_real((double)((long double)ns / 1e9L));
}

static void put_time(struct writer *w, json_t *object, const char *name, int64_t ns,
		     const char *reason)
{
	if (ns == GW_ABSENT_NS)
		put_null(w, object, name, reason);
	else
		put(w, object, name, seconds(ns));
}

static void put_count(struct writer *w, json_t *object, const char *name, int64_t count,
		      const char *reason)
{
	if (count == GW_ABSENT_COUNT)
		put_null(w, object, name, reason);
	else
		put(w, object, name, json_integer(count));
}

static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void put_field(struct writer *w, json_t *object, const struct gw_field *field,
		      const void *base, const char *reason)
{
	const void *at = (const char *)base + field->offset;
	double real = field->kind == GW_FIELD_REAL || field->kind == GW_FIELD_REAL_KNOWN ||
				      field->kind == GW_FIELD_REAL_SET
			      ? *(const double *)at
			      : 0;

	if (field->reason)
		reason = field->reason;
	switch (field->kind) {
	case GW_FIELD_TIME:
		put_time(w, object, field->name, *(const int64_t *)at, reason);
		break;
	case GW_FIELD_COUNT:
		put_count(w, object, field->name, *(const int64_t *)at, reason);
		break;
	case GW_FIELD_COUNT_U64:
		put(w, object, field->name, integer(*(const uint64_t *)at));
		break;
	case GW_FIELD_TID:
		if (!*(const uint32_t *)at) {
			put_null(w, object, field->name, GW_NO_REASON);
			break;
		}
		/* fall through */
	case GW_FIELD_U32:
		put(w, object, field->name, json_integer(*(const uint32_t *)at));
		break;
	case GW_FIELD_BOOL:
		put(w, object, field->name, json_boolean(*(const int *)at));
		break;
	case GW_FIELD_TEXT_KNOWN:
		if (!*(const char *)at) {
			put_null(w, object, field->name, reason);
			break;
		}
		/* fall through */
	case GW_FIELD_TEXT:
		put_text(w, object, field->name, at, field->size);
		break;
	case GW_FIELD_REAL_SET:
		put_real(w, object, field->name, real > 0 ? real : NAN, reason);
		break;
	case GW_FIELD_REAL_KNOWN:
		put_real(w, object, field->name, real >= 0 ? real : NAN, reason);
		break;
	case GW_FIELD_REAL:
		put_real(w, object, field->name, real, reason);
		break;
	case GW_FIELD_ENUM:
		put(w, object, field->name, json_string(gw_name(field->names, *(const int *)at)));
		break;
	}
}

static void put_fields(struct writer *w, json_t *object, const struct gw_fields *fields,
		       const void *base, const char *reason)
{
	for (size_t i = 0; i < fields->count; i++)
		put_field(w, object, &fields->field[i], base, reason);
}

static json_t *object_of(struct writer *w, const struct gw_fields *fields, const void *base,
			 const char *reason)
{
	json_t *object = json_object();

	put_fields(w, object, fields, base, reason);
	return object;
}

/* Times by name from index first on, as "<name>_s". */
static json_t *times(struct writer *w, const struct gw_names *names, size_t first,
		     const int64_t *ns, const char *reason)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = first; i < names->count; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(names, i));
		put_time(w, object, key, ns[i], reason);
	}
	return object;
}

static json_t *states(struct writer *w, const struct gw_states *s, const struct gw_basis *basis)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < GW_STATE_COUNT; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(&gw_state_names, i));
		put_time(w, object, key,
			 gw_state_known(s, basis, (enum gw_state)i) ? s->ns[i] : GW_ABSENT_NS,
			 gw_absence(&basis[i], NULL));
	}
	return object;
}

/* Counts by distance; null as a whole without probes. */
static void put_distances(struct writer *w, json_t *object, const char *name, const int64_t *count,
			  const char *reason)
{
	json_t *distances;

	for (size_t i = 0; i < GW_DISTANCE_COUNT; i++) {
		if (count[i] == GW_ABSENT_COUNT) {
			put_null(w, object, name, reason);
			return;
		}
	}
	distances = json_object();
	for (size_t i = 0; i < GW_DISTANCE_COUNT; i++)
		put_count(w, distances, gw_name(&gw_distance_names, i), count[i], NULL);
	put(w, object, name, distances);
}

static json_t *buckets(const struct gw_hist *hist)
{
	json_t *array = json_array();

	for (uint32_t i = 0; i < GW_HIST_BUCKETS; i++) {
		json_t *pair;

		if (!hist->bucket[i])
			continue;
		pair = json_array();
		json_array_append_new(pair, i == GW_HIST_BUCKETS - 1
						    ? json_null()
						    : seconds((int64_t)gw_hist_upper_ns(i)));
		json_array_append_new(pair, integer(hist->bucket[i]));
		json_array_append_new(array, pair);
	}
	return array;
}

static int64_t signed_ns(uint64_t ns)
{
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static json_t *histogram(struct writer *w, const struct gw_histogram *h)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} percentile[] = {{"p50_s", 500}, {"p90_s", 900}, {"p99_s", 990}};
	json_t *object = json_object();

	put(w, object, "count", integer(h->count));
	put_time(w, object, "sum_s", signed_ns(h->data.sum_ns), NULL);
	put_time(w, object, "max_s", signed_ns(h->data.max_ns), NULL);
	for (size_t i = 0; i < 3; i++)
		put_time(w, object, percentile[i].name,
			 gw_histogram_percentile_ns(h, percentile[i].permille), "nothing counted");
	put(w, object, "buckets", buckets(&h->data));
	return object;
}

static const char *why_absent(const struct gw_histogram *h)
{
	return h->absent && h->reason[0] ? h->reason : "it was not measured";
}

static void put_histogram(struct writer *w, json_t *object, const char *name,
			  const struct gw_histogram *h)
{
	if (h->absent)
		put_null(w, object, name, why_absent(h));
	else
		put(w, object, name, histogram(w, h));
}

static void put_resume(struct writer *w, json_t *object, const struct gw_resume *resume)
{
	json_t *made;

	if (resume->latency.absent) {
		put_null(w, object, "resume", why_absent(&resume->latency));
		return;
	}
	made = histogram(w, &resume->latency);
	put_fields(w, made, &gw_fields_resume, resume, NULL);
	put(w, object, "resume", made);
}

static json_t *cpu_times(struct writer *w, const struct gw_cpu_time *cpu, size_t count)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%" PRIu32, cpu[i].cpu);
		put_time(w, object, key, cpu[i].ns, NULL);
	}
	return object;
}

static json_t *thread(struct writer *w, const struct gw_thread_view *t,
		      const struct gw_process_view *p)
{
	json_t *object = object_of(w, &gw_fields_thread, t, NULL);
	json_t *gil = object_of(w, &gw_fields_thread_gil, t, why_absent(&t->hold));

	put(w, object, "states", states(w, &t->states, p->basis));
	put(w, object, "where", times(w, &gw_where_names, 0, t->where_ns, NULL));
	put(w, object, "held_off_by",
	    times(w, &gw_where_names, GW_RUNNABLE, t->held_off_by_ns, NULL));
	put(w, object, "cpus", cpu_times(w, t->cpu, t->cpu_count));
	put_distances(w, object, "migrations", t->migrations, NULL);
	put_histogram(w, gil, "hold", &t->hold);
	put_histogram(w, gil, "wait", &t->wait);
	put(w, object, "gil", gil);
	put_resume(w, object, &t->resume);
	put_time(w, object, "inflicted_s", t->inflicted_ns, gw_absence(&p->inflicted_basis, NULL));
	return object;
}

static json_t *gil(struct writer *w, const struct gw_gil_row *row)
{
	json_t *object = object_of(w, &gw_fields_gil, row, why_absent(&row->hold));
	char address[KEY_SIZE];

	snprintf(address, sizeof(address), "0x%" PRIx64, row->address);
	put(w, object, "address", json_string(address));
	if (row->python[0])
		put_text(w, object, "python", row->python, sizeof(row->python));
	put_histogram(w, object, "hold", &row->hold);
	put_histogram(w, object, "wait", &row->wait);
	put_distances(w, object, "handovers", row->handovers, why_absent(&row->hold));
	return object;
}

static json_t *verdict(struct writer *w, const struct gw_verdict *v)
{
	json_t *object = object_of(w, &gw_fields_verdict, v, NULL);
	json_t *evidence = json_object();
	char name[sizeof(v->evidence[0].name) + 1];

	for (size_t i = 0; i < v->evidence_count && i < GW_VERDICT_EVIDENCE_MAX; i++) {
		gw_escape_utf8(v->evidence[i].name, sizeof(v->evidence[i].name), name,
			       sizeof(name));
		put_real(w, evidence, name, v->evidence[i].value, "it is not a finite number");
	}
	put(w, object, "evidence", evidence);
	return object;
}

static json_t *bases(struct writer *w, const struct gw_process_view *p)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < GW_STATE_COUNT; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(&gw_state_names, i));
		put(w, object, key, object_of(w, &gw_fields_basis, &p->basis[i], NULL));
	}
	put(w, object, "gil_wait_by_holder",
	    object_of(w, &gw_fields_basis, &p->by_holder_basis, NULL));
	put(w, object, "inflicted", object_of(w, &gw_fields_basis, &p->inflicted_basis, NULL));
	put(w, object, "wait", object_of(w, &gw_fields_basis, &p->wait_basis, NULL));
	put(w, object, "hold", object_of(w, &gw_fields_basis, &p->probes_basis, NULL));
	put(w, object, "forced_releases", object_of(w, &gw_fields_basis, &p->probes_basis, NULL));
	return object;
}

static json_t *array_of(struct writer *w, const struct gw_fields *fields, const void *items,
			size_t size, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(
			    array, object_of(w, fields, (const char *)items + i * size, NULL)))
			w->failed = 1;
	}
	return array;
}

/* What a process and the sum over processes have in common. */
static void put_sums(struct writer *w, json_t *object, const struct gw_process_view *p)
{
	put(w, object, "states", states(w, &p->states, p->basis));
	put(w, object, "where", times(w, &gw_where_names, 0, p->where_ns, NULL));
	put(w, object, "held_off_by",
	    times(w, &gw_where_names, GW_RUNNABLE, p->held_off_by_ns, NULL));
	put(w, object, "gil_wait_by_holder",
	    times(w, &gw_holder_names, 0, p->gil_wait_by_holder_ns,
		  gw_absence(&p->by_holder_basis, GW_ABSENCE_OF_NONE)));
	put(w, object, "parallelism", object_of(w, &gw_fields_parallelism, p, NULL));
}

static json_t *verdicts(struct writer *w, const struct gw_verdict *v, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count && i < GW_VERDICTS_MAX; i++) {
		if (json_array_append_new(array, verdict(w, &v[i])))
			w->failed = 1;
	}
	return array;
}

static json_t *total(struct writer *w, const struct gw_snapshot *s)
{
	json_t *object = json_object();
	struct gw_process_view sum;

	gw_total(s, &sum);
	put_time(w, object, "threads_wall_s", sum.threads_wall_ns, NULL);
	put_sums(w, object, &sum);
	put(w, object, "lost_events", integer(sum.lost_events));
	put(w, object, "missed_switches", integer(sum.missed_switches));
	put(w, object, "corrected", integer(sum.corrected));
	put(w, object, "verdicts", verdicts(w, s->verdict, s->verdict_count));
	return object;
}

static void put_lists(struct writer *w, json_t *object, const struct gw_process_view *p)
{
	json_t *threads = json_array(), *gils = json_array();

	for (size_t i = 0; i < p->gil_count; i++)
		json_array_append_new(gils, gil(w, &p->gil[i]));
	for (size_t i = 0; i < p->thread_count; i++) {
		if (json_array_append_new(threads, thread(w, &p->thread[i], p)))
			w->failed = 1;
	}
	put(w, object, "gils", gils);
	if (p->ended_gil_count)
		put(w, object, "ended_gils",
		    object_of(w, &gw_fields_ended_gils, p, why_absent(&p->ended_gils.hold)));
	put(w, object, "threads", threads);
	put(w, object, "verdicts", verdicts(w, p->verdict, p->verdict_count));
	put(w, object, "engine_changes",
	    array_of(w, &gw_fields_change, p->engine_change, sizeof(*p->engine_change),
		     p->engine_change_count));
	put(w, object, "switch_intervals",
	    array_of(w, &gw_fields_phase, p->interval_phase, sizeof(*p->interval_phase),
		     p->interval_phase_count));
	put(w, object, "open",
	    array_of(w, &gw_fields_open, p->open, sizeof(*p->open), p->open_count));
	put(w, object, "inflicted",
	    array_of(w, &gw_fields_inflicted, p->inflicted, sizeof(*p->inflicted),
		     p->inflicted_count));
}

static json_t *process(struct writer *w, const struct gw_process_view *p)
{
	json_t *object = object_of(w, &gw_fields_head, p, NULL);
	json_t *ended;

	/* Nothing else is known of a process that could not be measured. */
	if (p->error[0])
		return object;
	put(w, object, "python", object_of(w, &gw_fields_python, p, NULL));
	put_fields(w, object, &gw_fields_process, p, NULL);
	put(w, object, "overhead", object_of(w, &gw_fields_overhead, p, NULL));
	put_sums(w, object, p);
	put(w, object, "basis", bases(w, p));
	put(w, object, "cpus", cpu_times(w, p->cpu, p->cpu_count));
	put_distances(w, object, "migrations", p->migrations, NULL);
	put_resume(w, object, &p->resume);
	put_lists(w, object, p);
	ended = object_of(w, &gw_fields_ended, p, NULL);
	put(w, ended, "states", states(w, &p->ended_states, p->basis));
	put(w, object, "ended_threads", ended);
	put_time(w, object, "inflicted_rest_s", p->inflicted_rest_ns,
		 gw_absence(&p->inflicted_basis, NULL));
	put(w, object, "check", object_of(w, &gw_fields_check, p, NULL));
	return object;
}

static void put_snapshot(struct writer *w, json_t *object, const struct gw_snapshot *s)
{
	json_t *processes = json_array();

	put_fields(w, object, &gw_fields_snapshot, s, NULL);
	put(w, object, "window", object_of(w, &gw_fields_window, s, NULL));
	put(w, object, "host", object_of(w, &gw_fields_host, s, NULL));
	if (s->run.pid)
		put(w, object, "run", object_of(w, &gw_fields_run, &s->run, NULL));
	put(w, object, "total", total(w, s));
	for (size_t i = 0; i < s->process_count; i++) {
		if (json_array_append_new(processes, process(w, &s->process[i])))
			w->failed = 1;
	}
	put(w, object, "processes", processes);
}

json_t *gw_json_snapshot(const struct gw_snapshot *s)
{
	struct writer w = {0};
	json_t *object = json_object();

	put_snapshot(&w, object, s);
	if (!w.failed)
		return object;
	json_decref(object);
	return NULL;
}

static json_t *document(struct writer *w, const struct gw_snapshot *s)
{
	json_t *object = json_object();

	put(w, object, "schema", json_string(GW_JSON_SCHEMA));
	put(w, object, "version", json_string(GW_VERSION));
	put_snapshot(w, object, s);
	return object;
}

/*
 * Fifteen digits print every time below a million seconds to the nanosecond and 0.1 as 0.1. Longer
 * times need seventeen, which print 0.1 as 0.10000000000000001.
 */
size_t gw_json_precision(const struct gw_snapshot *s)
{
	int64_t longest = s->elapsed_ns;

	for (size_t i = 0; i < s->process_count; i++)
		longest = gw_sum(longest, s->process[i].threads_wall_ns);
	return longest < 1000000 * INT64_C(1000000000) ? 15 : 17;
}

/* Indented for people, unless it is so long that only programs will read it. */
static size_t layout(const struct gw_snapshot *s)
{
	size_t threads = 0;

	for (size_t i = 0; i < s->process_count; i++)
		threads += s->process[i].thread_count;
	return threads > 200 ? JSON_COMPACT : JSON_INDENT(1);
}

int gw_json_write(const struct gw_snapshot *s, FILE *out)
{
	struct writer w = {0};
	json_t *object = document(&w, s);
	int err = 0;

	if (!object || w.failed)
		err = -ENOMEM;
	else if (json_dumpf(object, out, layout(s) | JSON_REAL_PRECISION(gw_json_precision(s))) ||
		 fputc('\n', out) == EOF || fflush(out))
		err = -EIO;
	json_decref(object);
	return err;
}
