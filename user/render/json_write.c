// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Whole documents: indented ones as one tree, long ones in pieces of which none is large. */
#include <errno.h>
#include <string.h>

#include "render/json.h"
#include "render/json_fields.h"
#include "render/json_parts.h"
#include "render/json_snapshot.h"
#include "render/total.h"

#ifndef GW_VERSION
#define GW_VERSION "0.1.0"
#endif

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

/* ---- in pieces ---- */

static void fail(struct gw_json_stream *stream, int code)
{
	if (!stream->code)
		stream->code = code;
}

static void empty(struct gw_json_stream *stream)
{
	if (fwrite(stream->buffer, 1, stream->used, stream->out) != stream->used)
		fail(stream, -EIO);
	stream->used = 0;
}

static int gather(const char *text, size_t size, void *data)
{
	struct gw_json_stream *stream = data;

	while (size) {
		size_t room = sizeof(stream->buffer) - stream->used;
		size_t part = size < room ? size : room;

		memcpy(stream->buffer + stream->used, text, part);
		stream->used += part;
		text += part;
		size -= part;
		if (stream->used == sizeof(stream->buffer))
			empty(stream);
	}
	return stream->code;
}

void gw_json_stream_text(struct gw_json_stream *stream, const char *text)
{
	gather(text, strlen(text), stream);
}

int gw_json_stream_end(struct gw_json_stream *stream)
{
	gw_json_stream_text(stream, "\n");
	empty(stream);
	if (fflush(stream->out))
		fail(stream, -EIO);
	return stream->code;
}

static void write_value(struct gw_json_stream *stream, json_t *value, size_t flags)
{
	if (!value)
		fail(stream, -ENOMEM);
	else if (!stream->code &&
		 json_dump_callback(value, gather, stream,
				    flags | JSON_COMPACT | JSON_REAL_PRECISION(stream->precision)))
		fail(stream, -ENOMEM); /* -EIO has been noted as it came */
	json_decref(value);
}

void gw_json_stream_members(struct gw_json_stream *stream, json_t *object)
{
	write_value(stream, object, JSON_EMBED);
}

static void write_threads(struct gw_json_stream *stream, const struct gw_process_view *p)
{
	struct gw_json_writer w = {0};

	gw_json_stream_text(stream, ",\"threads\":[");
	for (size_t i = 0; !stream->code && i < p->thread_count; i++) {
		if (i)
			gw_json_stream_text(stream, ",");
		write_value(stream, gw_json_thread(&w, &p->thread[i], p), 0);
		if (w.failed)
			fail(stream, -ENOMEM);
	}
	gw_json_stream_text(stream, "],");
}

static void write_process(struct gw_json_stream *stream, const struct gw_process_view *p)
{
	json_t *head = json_object(), *tail = json_object();
	struct gw_json_writer w = {0};

	gw_json_put_process_head(&w, head, p);
	if (!p->error[0])
		gw_json_put_process_tail(&w, tail, p);
	if (w.failed)
		fail(stream, -ENOMEM);
	gw_json_stream_text(stream, "{");
	gw_json_stream_members(stream, head);
	if (!p->error[0])
		write_threads(stream, p);
	gw_json_stream_members(stream, tail);
	gw_json_stream_text(stream, "}");
}

static void write_snapshot(struct gw_json_stream *stream, json_t *head, const struct gw_snapshot *s)
{
	struct gw_json_writer w = {0};

	gw_json_put_snapshot_head(&w, head, s);
	if (w.failed)
		fail(stream, -ENOMEM);
	gw_json_stream_text(stream, "{");
	gw_json_stream_members(stream, head);
	gw_json_stream_text(stream, ",\"processes\":[");
	for (size_t i = 0; !stream->code && i < s->process_count; i++) {
		if (i)
			gw_json_stream_text(stream, ",");
		write_process(stream, &s->process[i]);
	}
	gw_json_stream_text(stream, "]}");
}

void gw_json_stream_snapshot(struct gw_json_stream *stream, const struct gw_snapshot *s)
{
	write_snapshot(stream, json_object(), s);
}

/* ---- as a whole ---- */

static json_t *process(struct gw_json_writer *w, const struct gw_process_view *p)
{
	json_t *object = json_object(), *threads;

	gw_json_put_process_head(w, object, p);
	if (p->error[0])
		return object;
	threads = json_array();
	for (size_t i = 0; i < p->thread_count; i++) {
		if (json_array_append_new(threads, gw_json_thread(w, &p->thread[i], p)))
			w->failed = 1;
	}
	gw_json_put(w, object, "threads", threads);
	gw_json_put_process_tail(w, object, p);
	return object;
}

/* What tells what the document is. */
static json_t *begin(struct gw_json_writer *w)
{
	json_t *object = json_object();

	gw_json_put(w, object, "schema", json_string(GW_JSON_SCHEMA));
	gw_json_put(w, object, "version", json_string(GW_VERSION));
	return object;
}

static int write_indented(const struct gw_snapshot *s, FILE *out)
{
	struct gw_json_writer w = {0};
	json_t *object = begin(&w), *processes = json_array();
	int err = 0;

	gw_json_put_snapshot_head(&w, object, s);
	for (size_t i = 0; i < s->process_count; i++) {
		if (json_array_append_new(processes, process(&w, &s->process[i])))
			w.failed = 1;
	}
	gw_json_put(&w, object, "processes", processes);
	if (w.failed)
		err = -ENOMEM;
	else if (json_dumpf(object, out,
			    JSON_INDENT(1) | JSON_REAL_PRECISION(gw_json_precision(s))))
		err = -EIO;
	json_decref(object);
	if (!err && (fputc('\n', out) == EOF || fflush(out)))
		err = -EIO;
	return err;
}

static int write_compact(const struct gw_snapshot *s, FILE *out)
{
	struct gw_json_stream stream = {.out = out, .precision = gw_json_precision(s)};
	struct gw_json_writer w = {0};
	json_t *head = begin(&w);

	if (w.failed)
		fail(&stream, -ENOMEM);
	write_snapshot(&stream, head, s);
	return gw_json_stream_end(&stream);
}

/* Indented for people, unless it is so long that only programs will read it. */
static int is_long(const struct gw_snapshot *s)
{
	size_t threads = 0;

	for (size_t i = 0; i < s->process_count; i++)
		threads += s->process[i].thread_count;
	return threads > 200;
}

int gw_json_write(const struct gw_snapshot *s, FILE *out)
{
	return is_long(s) ? write_compact(s, out) : write_indented(s, out);
}
