// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/exposition.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "render/escape.h"

#define SECOND_NS 1000000000

/* ---- labels ---- */

/*
 * Escapes as both formats want it; what is not UTF-8 becomes U+FFFD. Control characters may stand
 * in a label, but help nobody.
 */
static size_t escape(const char *value, char *out, size_t size)
{
	size_t left = strlen(value), used = 0;

	while (left) {
		uint32_t character;
		size_t length = gw_utf8_next(value, left, &character);
		const char *as = value;
		size_t as_length = length;

		if (character == '"' || character == '\\') {
			as = character == '"' ? "\\\"" : "\\\\";
			as_length = 2;
		} else if (character == '\n') {
			as = "\\n";
			as_length = 2;
		} else if (character < ' ' || character == 0x7f || character == 0xfffd) {
			as = "\xef\xbf\xbd";
			as_length = 3;
		}
		if (used + as_length >= size)
			break;
		memcpy(out + used, as, as_length);
		used += as_length;
		value += length;
		left -= length;
	}
	out[used] = '\0';
	return used;
}

void gw_labels_add(struct gw_labels *l, const char *name, const char *value)
{
	size_t need = strlen(name) + sizeof(",=\"\"");
	char *at = l->text + l->used;
	size_t room = sizeof(l->text) - l->used;
	int used;

	if (need >= room)
		return;
	used = snprintf(at, room, "%s%s=\"", l->used ? "," : "", name);
	used += (int)escape(value, at + used, room - (size_t)used - 1);
	at[used++] = '"';
	at[used] = '\0';
	l->used += (size_t)used;
}

void gw_labels_cut(struct gw_labels *l, size_t used)
{
	l->used = used;
	l->text[used] = '\0';
}

/* ---- families ---- */

static const char *type_name(const struct gw_exposition *x, enum gw_metric_kind kind)
{
	switch (kind) {
	case GW_COUNTER:
		return "counter";
	case GW_HISTOGRAM:
		return "histogram";
	case GW_INFO_METRIC:
		return x->openmetrics ? "info" : "gauge";
	default:
		return "gauge";
	}
}

/* What samples have behind the name of their family. */
static const char *suffix(enum gw_metric_kind kind)
{
	return kind == GW_COUNTER ? "_total" : kind == GW_INFO_METRIC ? "_info" : "";
}

void gw_exposition_family(const struct gw_exposition *x, const struct gw_metric *metric)
{
	/* The text format knows families by the names of their samples. */
	const char *rest = x->openmetrics ? "" : suffix(metric->kind);

	fprintf(x->out, "# HELP %s%s %s\n# TYPE %s%s %s\n", metric->name, rest, metric->help,
		metric->name, rest, type_name(x, metric->kind));
}

/* ---- samples ---- */

static void put_seconds(FILE *out, int64_t ns)
{
	const char *sign = ns < 0 ? "-" : "";
	uint64_t size = ns < 0 ? 0 - (uint64_t)ns : (uint64_t)ns;
	uint64_t whole = size / SECOND_NS, part = size % SECOND_NS;

	if (part)
		fprintf(out, "%s%" PRIu64 ".%09" PRIu64 "\n", sign, whole, part);
	else
		fprintf(out, "%s%" PRIu64 "\n", sign, whole);
}

static void put_word(FILE *out, enum gw_metric_unit unit, const void *word)
{
	switch (unit) {
	case GW_UNIT_NS:
		put_seconds(out, *(const int64_t *)word);
		return;
	case GW_UNIT_RATIO:
		fprintf(out, "%.12g\n", *(const double *)word);
		return;
	case GW_UNIT_COUNT:
		fprintf(out, "%" PRId64 "\n", *(const int64_t *)word);
		return;
	default:
		fputs("1\n", out);
	}
}

static void put_name(const struct gw_exposition *x, const char *name, const char *rest,
		     const struct gw_labels *labels)
{
	fputs(name, x->out);
	fputs(rest, x->out);
	if (labels->used)
		fprintf(x->out, "{%s}", labels->text);
	fputc(' ', x->out);
}

static void put_bucket(const struct gw_exposition *x, const char *name,
		       const struct gw_labels *labels, const char *le, int64_t count)
{
	fprintf(x->out, "%s_bucket{%s%sle=\"%s\"} %" PRId64 "\n", name, labels->text,
		labels->used ? "," : "", le, count);
}

static void put_histogram(const struct gw_exposition *x, const struct gw_metric *metric,
			  const struct gw_labels *labels, const struct gw_edged *edged)
{
	int64_t count = 0;
	char le[32];

	for (int i = 0; i < GW_EDGES; i++) {
		count += edged->bucket[i];
		snprintf(le, sizeof(le), "%.9g", (double)gw_edges_ns[i] / SECOND_NS);
		put_bucket(x, metric->name, labels, le, count);
	}
	count += edged->bucket[GW_EDGES];
	put_bucket(x, metric->name, labels, "+Inf", count);
	put_name(x, metric->name, "_sum", labels);
	put_seconds(x->out, edged->sum_ns);
	put_name(x, metric->name, "_count", labels);
	fprintf(x->out, "%" PRId64 "\n", count);
}

void gw_exposition_sample(const struct gw_exposition *x, const struct gw_metric *metric,
			  const struct gw_labels *labels, const void *word)
{
	if (metric->kind == GW_HISTOGRAM) {
		put_histogram(x, metric, labels, word);
		return;
	}
	put_name(x, metric->name, suffix(metric->kind), labels);
	put_word(x->out, metric->unit, word);
}

void gw_exposition_words(const struct gw_exposition *x, const struct gw_metric *metric,
			 struct gw_labels *labels, const void *base, const void *present)
{
	const int64_t *word = (const int64_t *)((const char *)base + metric->offset);
	const int64_t *flag = metric->present == GW_ALWAYS_PRESENT
				      ? NULL
				      : (const int64_t *)((const char *)present + metric->present);
	size_t used = labels->used;

	if (!metric->label) {
		gw_exposition_sample(x, metric, labels, word);
		return;
	}
	for (size_t i = 0; i < metric->values->count; i++) {
		if (!metric->values->name[i] || (flag && !flag[i]))
			continue;
		gw_labels_add(labels, metric->label, metric->values->name[i]);
		gw_exposition_sample(x, metric, labels, &word[i]);
		gw_labels_cut(labels, used);
	}
}

void gw_exposition_end(const struct gw_exposition *x)
{
	if (x->openmetrics)
		fputs("# EOF\n", x->out);
}

/* ---- which of the two ---- */

/* The quality of one media range, 1 where it says nothing (RFC 9110, 12.4.2). */
static double quality(const char *range, size_t length)
{
	for (size_t i = 0; i + 3 < length; i++)
		if (range[i] == ';' && strspn(range + i + 1, " \t") < length - i) {
			const char *at = range + i + 1 + strspn(range + i + 1, " \t");

			if ((at[0] == 'q' || at[0] == 'Q') && at[1] == '=')
				return strtod(at + 2, NULL);
		}
	return 1;
}

static double best_quality(const char *accept, const char *type)
{
	size_t type_length = strlen(type);
	double best = 0;

	while (*accept) {
		size_t length = strcspn(accept, ",");
		const char *range = accept + strspn(accept, " \t");
		size_t skipped = (size_t)(range - accept);

		if (skipped < length && length - skipped >= type_length &&
		    !strncasecmp(range, type, type_length)) {
			double this = quality(range, length - skipped);

			if (this > best)
				best = this;
		}
		accept += length + (accept[length] == ',');
	}
	return best;
}

int gw_exposition_wants_openmetrics(const char *accept)
{
	double openmetrics, text;

	if (!accept)
		return 0;
	openmetrics = best_quality(accept, "application/openmetrics-text");
	text = best_quality(accept, "text/plain");
	return openmetrics > 0 && openmetrics >= text;
}

const char *gw_exposition_type(int openmetrics)
{
	return openmetrics ? "application/openmetrics-text; version=1.0.0; charset=utf-8"
			   : "text/plain; version=0.0.4; charset=utf-8";
}
