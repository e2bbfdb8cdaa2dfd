// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/json_load.h"

#include <errno.h>
#include <inttypes.h>
#include <jansson.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "model/histogram.h"
#include "render/escape.h"
#include "render/json_fields.h"
#include "render/json_read.h"

#define KEY_SIZE    48
#define REASON_SIZE 96

/* More than any host has; bounds what a small file can make us allocate. */
#define MAX_PROCESSES 65536
#define MAX_ITEMS     1000000

static int read_distances(const struct gw_json_at *at, json_t *object, const char *name,
			  int64_t *count)
{
	json_t *inner = gw_json_member(at, object, name, -1), *value;
	struct gw_json_at here = gw_json_below(at, name, -1);

	if (!inner)
		return -EINVAL;
	for (size_t i = 0; i < GW_DISTANCE_COUNT; i++)
		count[i] = GW_ABSENT_COUNT;
	if (json_is_null(inner))
		return 0;
	if (!json_is_object(inner))
		return gw_json_refuse(at, name, "is not an object");
	for (size_t i = 0; i < GW_DISTANCE_COUNT; i++) {
		const char *key = gw_name(&gw_distance_names, i);

		value = gw_json_member(&here, inner, key, -1);
		if (!value || gw_json_read_integer(&here, key, value, INT64_MAX, &count[i]))
			return -EINVAL;
	}
	return 0;
}

static int no_memory(const struct gw_json_at *at)
{
	return gw_error_set(at->err, -ENOMEM, GW_STATUS_FAILURE, "There is not enough memory.");
}

static int read_bucket(const struct gw_json_at *at, const json_t *pair, struct gw_histogram *h)
{
	const json_t *upper = json_array_get(pair, 0), *count = json_array_get(pair, 1);
	uint32_t index = GW_HIST_BUCKETS - 1;
	int64_t ns, number;

	if (json_array_size(pair) != 2)
		return gw_json_refuse(at, "", "is not a pair");
	if (!json_is_null(upper)) {
		if (gw_json_read_time(at, "upper", upper, &ns))
			return -EINVAL;
		index = gw_hist_index((uint64_t)ns);
		if (gw_hist_upper_ns(index) != (uint64_t)ns)
			return gw_json_refuse(at, "", "is not a bucket of gilwatch's histograms");
	}
	if (gw_json_read_integer(at, "count", count, INT64_MAX, &number))
		return -EINVAL;
	return gw_histogram_set(h, index, (uint64_t)number) ? no_memory(at) : 0;
}

static int read_histogram(const struct gw_json_at *at, json_t *object, struct gw_histogram *h)
{
	json_t *buckets = gw_json_member(at, object, "buckets", JSON_ARRAY), *value;
	int64_t count = 0, sum = 0, most = 0;

	if (!buckets)
		return -EINVAL;
	if (!(value = gw_json_member(at, object, "count", -1)) ||
	    gw_json_read_integer(at, "count", value, INT64_MAX, &count) ||
	    !(value = gw_json_member(at, object, "sum_s", -1)) ||
	    gw_json_read_time(at, "sum_s", value, &sum) ||
	    !(value = gw_json_member(at, object, "max_s", -1)) ||
	    gw_json_read_time(at, "max_s", value, &most))
		return -EINVAL;
	if (sum < 0 || most < 0)
		return gw_json_refuse(at, sum < 0 ? "sum_s" : "max_s", "is null");
	h->count = (uint64_t)count;
	h->sum_ns = (uint64_t)sum;
	h->max_ns = (uint64_t)most;
	for (size_t i = 0; i < json_array_size(buckets); i++) {
		struct gw_json_at here = gw_json_below(at, "buckets", (long)i);

		if (read_bucket(&here, json_array_get(buckets, i), h))
			return -EINVAL;
	}
	return 0;
}

/* A histogram, or null and its reason. */
static int read_histogram_or_null(const struct gw_json_at *at, json_t *object, const char *name,
				  struct gw_histogram *h, json_t **found)
{
	json_t *inner = gw_json_member(at, object, name, -1);
	struct gw_json_at here = gw_json_below(at, name, -1);
	char key[KEY_SIZE], reason[REASON_SIZE];

	*found = NULL;
	if (!inner)
		return -EINVAL;
	if (json_is_object(inner)) {
		*found = inner;
		return read_histogram(&here, inner, h);
	}
	if (!json_is_null(inner))
		return gw_json_refuse(at, name, "is not an object");
	snprintf(key, sizeof(key), "%s_reason", name);
	inner = gw_json_member(at, object, key, JSON_STRING);
	if (!inner || gw_json_read_text(at, key, inner, reason, sizeof(reason)))
		return -EINVAL;
	return gw_histogram_set_absent(h, reason) ? no_memory(at) : 0;
}

static int read_resume(const struct gw_json_at *at, json_t *object, struct gw_resume *resume)
{
	struct gw_json_at here = gw_json_below(at, "resume", -1);
	json_t *inner;
	int err = read_histogram_or_null(at, object, "resume", &resume->latency, &inner);

	resume->delay_ratio = -1;
	if (err || !inner)
		return err;
	return gw_json_read_fields(&here, inner, &gw_fields_resume, resume);
}

/* An array's elements into newly allocated memory; *count is set as soon as there is any. */
static void *read_array(const struct gw_json_at *at, json_t *object, const char *name, size_t size,
			size_t most, size_t *count, json_t **array)
{
	void *items;

	*array = gw_json_member(at, object, name, JSON_ARRAY);
	*count = 0;
	if (!*array)
		return NULL;
	if (json_array_size(*array) > most) {
		gw_json_refuse(at, name, "is longer than any that gilwatch writes");
		return NULL;
	}
	/* One more, so that an empty array is not mistaken for a failure. */
	items = calloc(json_array_size(*array) + 1, size);
	if (!items)
		no_memory(at);
	else
		*count = json_array_size(*array);
	return items;
}

/* An array of objects that are nothing but fields. */
static int read_list(const struct gw_json_at *at, json_t *object, const char *name,
		     const struct gw_fields *fields, size_t size, void *items_at, size_t *count)
{
	json_t *array;
	char *items = read_array(at, object, name, size, MAX_ITEMS, count, &array);

	if (!items)
		return -EINVAL;
	memcpy(items_at, &items, sizeof(items));
	for (size_t i = 0; i < *count; i++) {
		struct gw_json_at here = gw_json_below(at, name, (long)i);

		if (gw_json_read_fields(&here, json_array_get(array, i), fields, items + i * size))
			return -EINVAL;
	}
	return 0;
}

static int by_cpu(const void *a, const void *b)
{
	uint32_t x = ((const struct gw_cpu_time *)a)->cpu, y = ((const struct gw_cpu_time *)b)->cpu;

	return (x > y) - (x < y);
}

static int read_cpus(const struct gw_json_at *at, json_t *object, struct gw_cpu_time **cpu,
		     size_t *count)
{
	json_t *inner = gw_json_member(at, object, "cpus", JSON_OBJECT), *value;
	struct gw_json_at here = gw_json_below(at, "cpus", -1);
	const char *key;
	char *end;

	if (!inner)
		return -EINVAL;
	if (json_object_size(inner) > MAX_ITEMS)
		return gw_json_refuse(at, "cpus", "is longer than any that gilwatch writes");
	*cpu = calloc(json_object_size(inner) + 1, sizeof(**cpu));
	if (!*cpu)
		return no_memory(at);
	json_object_foreach(inner, key, value)
	{
		unsigned long number = strtoul(key, &end, 10);

		if (key[0] < '0' || key[0] > '9' || *end || number > 0xffff)
			return gw_json_refuse(at, "cpus", "has a name that is not a CPU's number");
		(*cpu)[*count].cpu = (uint32_t)number;
		if (gw_json_read_time(&here, "(a time)", value, &(*cpu)[*count].ns))
			return -EINVAL;
		++*count;
	}
	qsort(*cpu, *count, sizeof(**cpu), by_cpu);
	return 0;
}

static int read_thread(const struct gw_json_at *at, json_t *object, struct gw_thread_view *t)
{
	struct gw_json_at gil_at = gw_json_below(at, "gil", -1);
	json_t *gil, *inner;

	if (gw_json_read_fields(at, object, &gw_fields_thread, t) ||
	    gw_json_read_times(at, object, "states", &gw_state_names, 0, t->states.ns) ||
	    gw_json_read_times(at, object, "where", &gw_where_names, 0, t->where_ns) ||
	    gw_json_read_times(at, object, "held_off_by", &gw_where_names, GW_RUNNABLE,
			       t->held_off_by_ns) ||
	    read_cpus(at, object, &t->cpu, &t->cpu_count) ||
	    read_distances(at, object, "migrations", t->migrations) ||
	    read_resume(at, object, &t->resume) ||
	    !(gil = gw_json_member(at, object, "gil", JSON_OBJECT)) ||
	    gw_json_read_fields(&gil_at, gil, &gw_fields_thread_gil, t) ||
	    read_histogram_or_null(&gil_at, gil, "hold", &t->hold, &inner) ||
	    read_histogram_or_null(&gil_at, gil, "wait", &t->wait, &inner) ||
	    !(inner = gw_json_member(at, object, "inflicted_s", -1)))
		return -EINVAL;
	return gw_json_read_time(at, "inflicted_s", inner, &t->inflicted_ns);
}

static int read_threads(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	json_t *array;

	p->thread = read_array(at, object, "threads", sizeof(*p->thread), MAX_ITEMS,
			       &p->thread_count, &array);
	for (size_t i = 0; i < p->thread_count; i++) {
		struct gw_json_at here = gw_json_below(at, "threads", (long)i);

		if (read_thread(&here, json_array_get(array, i), &p->thread[i]))
			return -EINVAL;
	}
	return p->thread ? 0 : -EINVAL;
}

static int read_gil(const struct gw_json_at *at, json_t *object, struct gw_gil_row *row)
{
	json_t *address, *inner, *python = json_object_get(object, "python");
	const char *text;
	char *end;

	if (gw_json_read_fields(at, object, &gw_fields_gil, row) ||
	    !(address = gw_json_member(at, object, "address", JSON_STRING)))
		return -EINVAL;
	text = json_string_value(address);
	row->address = strtoull(text, &end, 16);
	if (strncmp(text, "0x", 2) || end == text || *end)
		return gw_json_refuse(at, "address", "is not an address");
	if (python && gw_json_read_text(at, "python", python, row->python, sizeof(row->python)))
		return -EINVAL;
	if (read_histogram_or_null(at, object, "hold", &row->hold, &inner) ||
	    read_histogram_or_null(at, object, "wait", &row->wait, &inner))
		return -EINVAL;
	return read_distances(at, object, "handovers", row->handovers);
}

static int read_gils(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	json_t *array;

	p->gil = read_array(at, object, "gils", sizeof(*p->gil), MAX_ITEMS, &p->gil_count, &array);
	for (size_t i = 0; i < p->gil_count; i++) {
		struct gw_json_at here = gw_json_below(at, "gils", (long)i);

		if (read_gil(&here, json_array_get(array, i), &p->gil[i]))
			return -EINVAL;
	}
	if (!p->gil)
		return -EINVAL;
	return json_object_get(object, "ended_gils")
		       ? gw_json_read_object(at, object, "ended_gils", &gw_fields_ended_gils, p)
		       : 0;
}

static int read_evidence(const struct gw_json_at *at, json_t *object, struct gw_verdict *v)
{
	json_t *inner = gw_json_member(at, object, "evidence", JSON_OBJECT), *value;
	const char *key;

	if (!inner)
		return -EINVAL;
	json_object_foreach(inner, key, value)
	{
		struct gw_evidence *evidence = &v->evidence[v->evidence_count];

		/* A value that was not finite was written as null and a reason. */
		if (!json_is_number(value))
			continue;
		if (v->evidence_count == GW_VERDICT_EVIDENCE_MAX)
			return gw_json_refuse(at, "evidence", "has too many values");
		gw_escape_utf8(key, strlen(key), evidence->name, sizeof(evidence->name));
		evidence->value = json_number_value(value);
		v->evidence_count++;
	}
	return 0;
}

static int read_verdicts(const struct gw_json_at *at, json_t *object,
			 struct gw_verdict verdicts[GW_VERDICTS_MAX], size_t *count)
{
	json_t *array = gw_json_member(at, object, "verdicts", JSON_ARRAY), *verdict;

	if (!array)
		return -EINVAL;
	if (json_array_size(array) > GW_VERDICTS_MAX)
		return gw_json_refuse(at, "verdicts", "is longer than any that gilwatch writes");
	*count = json_array_size(array);
	for (size_t i = 0; i < *count; i++) {
		struct gw_json_at here = gw_json_below(at, "verdicts", (long)i);

		verdict = json_array_get(array, i);
		if (gw_json_read_fields(&here, verdict, &gw_fields_verdict, &verdicts[i]) ||
		    read_evidence(&here, verdict, &verdicts[i]))
			return -EINVAL;
	}
	return 0;
}

static int read_bases(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	json_t *basis = gw_json_member(at, object, "basis", JSON_OBJECT);
	struct gw_json_at here = gw_json_below(at, "basis", -1);
	char key[KEY_SIZE];

	if (!basis)
		return -EINVAL;
	for (size_t i = 0; i < GW_STATE_COUNT; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(&gw_state_names, i));
		if (gw_json_read_object(&here, basis, key, &gw_fields_basis, &p->basis[i]))
			return -EINVAL;
	}
	if (gw_json_read_object(&here, basis, "gil_wait_by_holder", &gw_fields_basis,
				&p->by_holder_basis))
		return -EINVAL;
	if (gw_json_read_object(&here, basis, "inflicted", &gw_fields_basis, &p->inflicted_basis) ||
	    gw_json_read_object(&here, basis, "wait", &gw_fields_basis, &p->wait_basis))
		return -EINVAL;
	return gw_json_read_object(&here, basis, "hold", &gw_fields_basis, &p->probes_basis);
}

static int read_sums(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	if (gw_json_read_times(at, object, "states", &gw_state_names, 0, p->states.ns) ||
	    gw_json_read_times(at, object, "where", &gw_where_names, 0, p->where_ns) ||
	    gw_json_read_times(at, object, "held_off_by", &gw_where_names, GW_RUNNABLE,
			       p->held_off_by_ns) ||
	    gw_json_read_times(at, object, "gil_wait_by_holder", &gw_holder_names, 0,
			       p->gil_wait_by_holder_ns) ||
	    gw_json_read_object(at, object, "parallelism", &gw_fields_parallelism, p) ||
	    read_cpus(at, object, &p->cpu, &p->cpu_count))
		return -EINVAL;
	return read_distances(at, object, "migrations", p->migrations);
}

static int read_lists(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	if (read_gils(at, object, p) || read_threads(at, object, p) ||
	    read_verdicts(at, object, p->verdict, &p->verdict_count) ||
	    read_list(at, object, "switch_intervals", &gw_fields_phase, sizeof(*p->interval_phase),
		      &p->interval_phase, &p->interval_phase_count) ||
	    read_list(at, object, "engine_changes", &gw_fields_change, sizeof(*p->engine_change),
		      &p->engine_change, &p->engine_change_count) ||
	    read_list(at, object, "open", &gw_fields_open, sizeof(*p->open), &p->open,
		      &p->open_count))
		return -EINVAL;
	return read_list(at, object, "inflicted", &gw_fields_inflicted, sizeof(*p->inflicted),
			 &p->inflicted, &p->inflicted_count);
}

static int read_ended(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	json_t *ended = gw_json_member(at, object, "ended_threads", JSON_OBJECT);
	struct gw_json_at here = gw_json_below(at, "ended_threads", -1);

	if (!ended || gw_json_read_fields(&here, ended, &gw_fields_ended, p))
		return -EINVAL;
	return gw_json_read_times(&here, ended, "states", &gw_state_names, 0, p->ended_states.ns);
}

static int read_process(const struct gw_json_at *at, json_t *object, struct gw_process_view *p)
{
	json_t *rest;

	if (gw_json_read_fields(at, object, &gw_fields_head, p))
		return -EINVAL;
	if (p->error[0])
		return 0;
	if (gw_json_read_object(at, object, "python", &gw_fields_python, p) ||
	    gw_json_read_fields(at, object, &gw_fields_process, p) ||
	    gw_json_read_object(at, object, "overhead", &gw_fields_overhead, p) ||
	    read_sums(at, object, p) || read_bases(at, object, p) ||
	    read_resume(at, object, &p->resume) || read_lists(at, object, p) ||
	    read_ended(at, object, p) ||
	    gw_json_read_object(at, object, "check", &gw_fields_check, p) ||
	    !(rest = gw_json_member(at, object, "inflicted_rest_s", -1)))
		return -EINVAL;
	return gw_json_read_time(at, "inflicted_rest_s", rest, &p->inflicted_rest_ns);
}

static int read_schema(const struct gw_json_at *at, json_t *root)
{
	json_t *schema = json_object_get(root, "schema");
	char name[64];

	if (!json_is_string(schema))
		return gw_json_refuse(at, "", "it has no \"schema\"");
	if (!strcmp(json_string_value(schema), GW_JSON_SCHEMA))
		return 0;
	gw_escape_terminal(json_string_value(schema), json_string_length(schema), name,
			   sizeof(name), 0);
	return gw_error_set(at->err, -EINVAL, GW_STATUS_USAGE,
			    "This file is a \"%s\"; what is read here is a " GW_JSON_SCHEMA
			    ", as \"gilwatch summary --json\" writes it.",
			    name);
}

static int read_total(const struct gw_json_at *at, json_t *root, struct gw_snapshot *s)
{
	json_t *total = gw_json_member(at, root, "total", JSON_OBJECT);
	struct gw_json_at here = gw_json_below(at, "total", -1);

	return total ? read_verdicts(&here, total, s->verdict, &s->verdict_count) : -EINVAL;
}

static int read_root(const struct gw_json_at *at, json_t *root, struct gw_snapshot *s)
{
	json_t *array;

	if (read_schema(at, root) || gw_json_read_fields(at, root, &gw_fields_snapshot, s) ||
	    gw_json_read_object(at, root, "window", &gw_fields_window, s) ||
	    gw_json_read_object(at, root, "host", &gw_fields_host, s) || read_total(at, root, s))
		return -EINVAL;
	if (json_object_get(root, "run") &&
	    gw_json_read_object(at, root, "run", &gw_fields_run, &s->run))
		return -EINVAL;
	s->process = read_array(at, root, "processes", sizeof(*s->process), MAX_PROCESSES,
				&s->process_count, &array);
	for (size_t i = 0; i < s->process_count; i++) {
		struct gw_json_at here = gw_json_below(at, "processes", (long)i);

		if (read_process(&here, json_array_get(array, i), &s->process[i]))
			return -EINVAL;
	}
	return s->process ? 0 : -EINVAL;
}

struct source {
	FILE *in;
	size_t left;
	int failed, too_long, ended;
};

static size_t read_some(void *buffer, size_t size, void *data)
{
	struct source *source = data;
	size_t got;

	got = fread(buffer, 1, size, source->in);
	if (!got && ferror(source->in)) {
		source->failed = errno ? errno : EIO;
		return (size_t)-1;
	}
	if (got > source->left) {
		source->too_long = 1;
		return (size_t)-1;
	}
	source->ended = !got;
	source->left -= got;
	return got;
}

static int refuse_file(const struct source *source, const json_error_t *json, struct gw_error *err)
{
	/* Jansson's own words quote the file, which might speak to the terminal: they stay here. */
	if (source->failed)
		return gw_error_set(err, -source->failed, GW_STATUS_USAGE,
				    "The file cannot be read: %s.", strerror(source->failed));
	if (source->too_long)
		return gw_error_set(
			err, -EFBIG, GW_STATUS_USAGE,
			"The file is longer than %u MiB; gilwatch reads none that long.",
			GW_JSON_MAX_BYTES >> 20);
	if (json_error_code(json) == json_error_out_of_memory)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "There is not enough memory.");
	/* Jansson also says so of a NUL byte. */
	if (source->ended && json_error_code(json) == json_error_premature_end_of_input)
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "The file ends before the summary does: it is empty or was cut "
				    "off.");
	return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
			    "The file is not JSON: line %d, column %d cannot be read.", json->line,
			    json->column);
}

int gw_json_load(FILE *in, struct gw_snapshot *s, struct gw_error *err)
{
	struct source source = {.in = in, .left = GW_JSON_MAX_BYTES};
	struct gw_error ignored = {.text = ""};
	struct gw_json_at at = {.index = -1, .err = err ? err : &ignored};
	json_error_t json;
	json_t *root;
	int status;

	memset(s, 0, sizeof(*s));
	root = json_load_callback(read_some, &source, JSON_REJECT_DUPLICATES, &json);
	if (!root)
		return refuse_file(&source, &json, err);
	status = read_root(&at, root, s);
	json_decref(root);
	if (status)
		gw_snapshot_clear(s);
	return status;
}
