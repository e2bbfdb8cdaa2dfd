// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/json_parts.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "model/histogram.h"
#include "render/escape.h"
#include "render/json_fields.h"
#include "render/total.h"

/* Longest key with its suffix; all keys are our own. */
#define KEY_SIZE 48

void gw_json_put(struct gw_json_writer *w, json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new_nocheck(object, name, value))
		w->failed = 1;
}

static void put_null(struct gw_json_writer *w, json_t *object, const char *name, const char *reason)
{
	char key[KEY_SIZE];

	gw_json_put(w, object, name, json_null());
	if (reason && !reason[0])
		return;
	snprintf(key, sizeof(key), "%s_reason", name);
	gw_json_put(w, object, key, json_string(reason ? reason : "it is not known"));
}

static void put_text(struct gw_json_writer *w, json_t *object, const char *name, const char *text,
		     size_t size)
{
	char valid[3 * sizeof(((struct gw_process_view *)0)->command) + 1];

	gw_escape_utf8(text, size, valid, sizeof(valid));
	gw_json_put(w, object, name, json_string(valid));
}

static void put_real(struct gw_json_writer *w, json_t *object, const char *name, double value,
		     const char *reason)
{
	if (isfinite(value))
		gw_json_put(w, object, name, json_real(value));
	else
		put_null(w, object, name, reason);
}

static json_t *seconds(int64_t ns)
{
	return json_real((double)((long double)ns / 1e9L));
}

static void put_time(struct gw_json_writer *w, json_t *object, const char *name, int64_t ns,
		     const char *reason)
{
	if (ns == GW_ABSENT_NS)
		put_null(w, object, name, reason);
	else
		gw_json_put(w, object, name, seconds(ns));
}

static void put_count(struct gw_json_writer *w, json_t *object, const char *name, int64_t count,
		      const char *reason)
{
	if (count == GW_ABSENT_COUNT)
		put_null(w, object, name, reason);
	else
		gw_json_put(w, object, name, json_integer(count));
}

static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void put_field(struct gw_json_writer *w, json_t *object, const struct gw_field *field,
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
		gw_json_put(w, object, field->name, integer(*(const uint64_t *)at));
		break;
	case GW_FIELD_TID:
		if (!*(const uint32_t *)at) {
			put_null(w, object, field->name, GW_NO_REASON);
			break;
		}
		/* fall through */
	case GW_FIELD_U32:
		gw_json_put(w, object, field->name, json_integer(*(const uint32_t *)at));
		break;
	case GW_FIELD_BOOL:
		gw_json_put(w, object, field->name, json_boolean(*(const int *)at));
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
		gw_json_put(w, object, field->name,
			    json_string(gw_name(field->names, *(const int *)at)));
		break;
	}
}

static void put_fields(struct gw_json_writer *w, json_t *object, const struct gw_fields *fields,
		       const void *base, const char *reason)
{
	for (size_t i = 0; i < fields->count; i++)
		put_field(w, object, &fields->field[i], base, reason);
}

static json_t *object_of(struct gw_json_writer *w, const struct gw_fields *fields, const void *base,
			 const char *reason)
{
	json_t *object = json_object();

	put_fields(w, object, fields, base, reason);
	return object;
}

/* Times by name from index first on, as "<name>_s". */
static json_t *times(struct gw_json_writer *w, const struct gw_names *names, size_t first,
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

static json_t *states(struct gw_json_writer *w, const struct gw_states *s,
		      const struct gw_basis *basis)
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
static void put_distances(struct gw_json_writer *w, json_t *object, const char *name,
			  const int64_t *count, const char *reason)
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
	gw_json_put(w, object, name, distances);
}

static json_t *buckets(const struct gw_histogram *h)
{
	json_t *array = json_array();
	struct gw_bucket at = {0};

	while (gw_histogram_next(h, &at)) {
		json_t *pair = json_array();

		json_array_append_new(pair, at.index == GW_HIST_BUCKETS - 1
						    ? json_null()
						    : seconds((int64_t)gw_hist_upper_ns(at.index)));
		json_array_append_new(pair, integer(at.count));
		json_array_append_new(array, pair);
	}
	return array;
}

static int64_t signed_ns(uint64_t ns)
{
	return ns > INT64_MAX ? INT64_MAX : (int64_t)ns;
}

static json_t *histogram(struct gw_json_writer *w, const struct gw_histogram *h)
{
	static const struct {
		const char *name;
		unsigned int permille;
	} percentile[] = {{"p50_s", 500}, {"p90_s", 900}, {"p99_s", 990}};
	json_t *object = json_object();

	gw_json_put(w, object, "count", integer(h->count));
	put_time(w, object, "sum_s", signed_ns(h->sum_ns), NULL);
	put_time(w, object, "max_s", signed_ns(h->max_ns), NULL);
	for (size_t i = 0; i < 3; i++)
		put_time(w, object, percentile[i].name,
			 gw_histogram_percentile_ns(h, percentile[i].permille), "nothing counted");
	gw_json_put(w, object, "buckets", buckets(h));
	return object;
}

static void put_histogram(struct gw_json_writer *w, json_t *object, const char *name,
			  const struct gw_histogram *h)
{
	if (h->absent)
		put_null(w, object, name, gw_histogram_reason(h));
	else
		gw_json_put(w, object, name, histogram(w, h));
}

static void put_resume(struct gw_json_writer *w, json_t *object, const struct gw_resume *resume)
{
	json_t *made;

	if (resume->latency.absent) {
		put_null(w, object, "resume", gw_histogram_reason(&resume->latency));
		return;
	}
	made = histogram(w, &resume->latency);
	put_fields(w, made, &gw_fields_resume, resume, NULL);
	gw_json_put(w, object, "resume", made);
}

static json_t *cpu_times(struct gw_json_writer *w, const struct gw_cpu_time *cpu, size_t count)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < count; i++) {
		snprintf(key, sizeof(key), "%" PRIu32, cpu[i].cpu);
		put_time(w, object, key, cpu[i].ns, NULL);
	}
	return object;
}

json_t *gw_json_thread(struct gw_json_writer *w, const struct gw_thread_view *t,
		       const struct gw_process_view *p)
{
	json_t *object = object_of(w, &gw_fields_thread, t, NULL);
	json_t *gil = object_of(w, &gw_fields_thread_gil, t, gw_histogram_reason(&t->hold));

	gw_json_put(w, object, "states", states(w, &t->states, p->basis));
	gw_json_put(w, object, "where", times(w, &gw_where_names, 0, t->where_ns, NULL));
	gw_json_put(w, object, "held_off_by",
		    times(w, &gw_where_names, GW_RUNNABLE, t->held_off_by_ns, NULL));
	gw_json_put(w, object, "cpus", cpu_times(w, t->cpu, t->cpu_count));
	put_distances(w, object, "migrations", t->migrations, NULL);
	put_histogram(w, gil, "hold", &t->hold);
	put_histogram(w, gil, "wait", &t->wait);
	gw_json_put(w, object, "gil", gil);
	put_resume(w, object, &t->resume);
	put_time(w, object, "inflicted_s", t->inflicted_ns, gw_absence(&p->inflicted_basis, NULL));
	return object;
}

static json_t *gil(struct gw_json_writer *w, const struct gw_gil_row *row)
{
	json_t *object = object_of(w, &gw_fields_gil, row, gw_histogram_reason(&row->hold));
	char address[KEY_SIZE];

	snprintf(address, sizeof(address), "0x%" PRIx64, row->address);
	gw_json_put(w, object, "address", json_string(address));
	if (row->python[0])
		put_text(w, object, "python", row->python, sizeof(row->python));
	put_histogram(w, object, "hold", &row->hold);
	put_histogram(w, object, "wait", &row->wait);
	put_distances(w, object, "handovers", row->handovers, gw_histogram_reason(&row->hold));
	return object;
}

static json_t *verdict(struct gw_json_writer *w, const struct gw_verdict *v)
{
	json_t *object = object_of(w, &gw_fields_verdict, v, NULL);
	json_t *evidence = json_object();
	char name[sizeof(v->evidence[0].name) + 1];

	for (size_t i = 0; i < v->evidence_count && i < GW_VERDICT_EVIDENCE_MAX; i++) {
		gw_escape_utf8(v->evidence[i].name, sizeof(v->evidence[i].name), name,
			       sizeof(name));
		put_real(w, evidence, name, v->evidence[i].value, "it is not a finite number");
	}
	gw_json_put(w, object, "evidence", evidence);
	return object;
}

static json_t *bases(struct gw_json_writer *w, const struct gw_process_view *p)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < GW_STATE_COUNT; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(&gw_state_names, i));
		gw_json_put(w, object, key, object_of(w, &gw_fields_basis, &p->basis[i], NULL));
	}
	gw_json_put(w, object, "gil_wait_by_holder",
		    object_of(w, &gw_fields_basis, &p->by_holder_basis, NULL));
	gw_json_put(w, object, "inflicted",
		    object_of(w, &gw_fields_basis, &p->inflicted_basis, NULL));
	gw_json_put(w, object, "wait", object_of(w, &gw_fields_basis, &p->wait_basis, NULL));
	gw_json_put(w, object, "hold", object_of(w, &gw_fields_basis, &p->probes_basis, NULL));
	gw_json_put(w, object, "forced_releases",
		    object_of(w, &gw_fields_basis, &p->probes_basis, NULL));
	return object;
}

static json_t *array_of(struct gw_json_writer *w, const struct gw_fields *fields, const void *items,
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
static void put_sums(struct gw_json_writer *w, json_t *object, const struct gw_process_view *p)
{
	gw_json_put(w, object, "states", states(w, &p->states, p->basis));
	gw_json_put(w, object, "where", times(w, &gw_where_names, 0, p->where_ns, NULL));
	gw_json_put(w, object, "held_off_by",
		    times(w, &gw_where_names, GW_RUNNABLE, p->held_off_by_ns, NULL));
	gw_json_put(w, object, "gil_wait_by_holder",
		    times(w, &gw_holder_names, 0, p->gil_wait_by_holder_ns,
			  gw_absence(&p->by_holder_basis, GW_ABSENCE_OF_NONE)));
	gw_json_put(w, object, "parallelism", object_of(w, &gw_fields_parallelism, p, NULL));
}

static json_t *verdicts(struct gw_json_writer *w, const struct gw_verdict *v, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count && i < GW_VERDICTS_MAX; i++) {
		if (json_array_append_new(array, verdict(w, &v[i])))
			w->failed = 1;
	}
	return array;
}

static json_t *total(struct gw_json_writer *w, const struct gw_snapshot *s)
{
	json_t *object = json_object();
	struct gw_process_view sum;

	gw_total(s, &sum);
	put_time(w, object, "threads_wall_s", sum.threads_wall_ns, NULL);
	put_sums(w, object, &sum);
	gw_json_put(w, object, "lost_events", integer(sum.lost_events));
	gw_json_put(w, object, "missed_switches", integer(sum.missed_switches));
	gw_json_put(w, object, "corrected", integer(sum.corrected));
	gw_json_put(w, object, "verdicts", verdicts(w, s->verdict, s->verdict_count));
	return object;
}

static void put_gils(struct gw_json_writer *w, json_t *object, const struct gw_process_view *p)
{
	json_t *gils = json_array();

	for (size_t i = 0; i < p->gil_count; i++)
		json_array_append_new(gils, gil(w, &p->gil[i]));
	gw_json_put(w, object, "gils", gils);
	if (p->ended_gil_count)
		gw_json_put(w, object, "ended_gils",
			    object_of(w, &gw_fields_ended_gils, p,
				      gw_histogram_reason(&p->ended_gils.hold)));
}

static void put_lists(struct gw_json_writer *w, json_t *object, const struct gw_process_view *p)
{
	gw_json_put(w, object, "verdicts", verdicts(w, p->verdict, p->verdict_count));
	gw_json_put(w, object, "engine_changes",
		    array_of(w, &gw_fields_change, p->engine_change, sizeof(*p->engine_change),
			     p->engine_change_count));
	gw_json_put(w, object, "switch_intervals",
		    array_of(w, &gw_fields_phase, p->interval_phase, sizeof(*p->interval_phase),
			     p->interval_phase_count));
	gw_json_put(w, object, "open",
		    array_of(w, &gw_fields_open, p->open, sizeof(*p->open), p->open_count));
	gw_json_put(w, object, "inflicted",
		    array_of(w, &gw_fields_inflicted, p->inflicted, sizeof(*p->inflicted),
			     p->inflicted_count));
}

void gw_json_put_process_head(struct gw_json_writer *w, json_t *object,
			      const struct gw_process_view *p)
{
	put_fields(w, object, &gw_fields_head, p, NULL);
	/* Nothing else is known of a process that could not be measured. */
	if (p->error[0])
		return;
	gw_json_put(w, object, "python", object_of(w, &gw_fields_python, p, NULL));
	put_fields(w, object, &gw_fields_process, p, NULL);
	gw_json_put(w, object, "overhead", object_of(w, &gw_fields_overhead, p, NULL));
	put_sums(w, object, p);
	gw_json_put(w, object, "basis", bases(w, p));
	gw_json_put(w, object, "cpus", cpu_times(w, p->cpu, p->cpu_count));
	put_distances(w, object, "migrations", p->migrations, NULL);
	put_resume(w, object, &p->resume);
	put_gils(w, object, p);
}

void gw_json_put_process_tail(struct gw_json_writer *w, json_t *object,
			      const struct gw_process_view *p)
{
	json_t *ended = object_of(w, &gw_fields_ended, p, NULL);

	put_lists(w, object, p);
	gw_json_put(w, ended, "states", states(w, &p->ended_states, p->basis));
	gw_json_put(w, object, "ended_threads", ended);
	put_time(w, object, "inflicted_rest_s", p->inflicted_rest_ns,
		 gw_absence(&p->inflicted_basis, NULL));
	gw_json_put(w, object, "check", object_of(w, &gw_fields_check, p, NULL));
}

void gw_json_put_snapshot_head(struct gw_json_writer *w, json_t *object,
			       const struct gw_snapshot *s)
{
	put_fields(w, object, &gw_fields_snapshot, s, NULL);
	gw_json_put(w, object, "window", object_of(w, &gw_fields_window, s, NULL));
	gw_json_put(w, object, "host", object_of(w, &gw_fields_host, s, NULL));
	if (s->run.pid)
		gw_json_put(w, object, "run", object_of(w, &gw_fields_run, &s->run, NULL));
	gw_json_put(w, object, "total", total(w, s));
}
