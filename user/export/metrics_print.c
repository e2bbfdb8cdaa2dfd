// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* docs/metrics.md, out of the table. */
#include <string.h>

#include "export/metrics.h"
#include "export/totals.h"

static const char *kind_name(enum gw_metric_kind kind)
{
	static const char *const names[] = {"counter", "gauge", "histogram", "info"};

	return names[kind];
}

static const char *ending(enum gw_metric_kind kind)
{
	return kind == GW_COUNTER ? "_total" : kind == GW_INFO_METRIC ? "_info" : "";
}

static void print_values(FILE *out, const struct gw_names *values)
{
	const char *between = " = ";

	for (size_t i = 0; i < values->count; i++) {
		if (!values->name[i])
			continue;
		fprintf(out, "%s%s", between, values->name[i]);
		between = ", ";
	}
}

static void print_metric(FILE *out, const struct gw_metric *metric)
{
	fprintf(out, "| `%s%s` | %s | ", metric->name, ending(metric->kind),
		kind_name(metric->kind));
	if (metric->others)
		fprintf(out, "%s%s", metric->others, metric->label ? ", " : "");
	if (metric->label) {
		fputs(metric->label, out);
		/* Numbers explain themselves. */
		if (strcmp(metric->label, "interpreter"))
			print_values(out, metric->values);
	}
	fprintf(out, " | %s |\n", metric->help);
}

static void print_section(FILE *out, const char *text, enum gw_metric_source first,
			  enum gw_metric_source last)
{
	fprintf(out, "\n%s\n\n| metric | type | labels | is |\n|---|---|---|---|\n", text);
	for (size_t i = 0; i < gw_metric_count; i++)
		if (gw_metrics[i].source >= first && gw_metrics[i].source <= last)
			print_metric(out, &gw_metrics[i]);
}

static void print_edges(FILE *out)
{
	fputs("\nThe histograms' edges (`le`, in seconds) are edges of gilwatch's own buckets, so "
	      "that nothing is interpolated:",
	      out);
	for (int i = 0; i < GW_EDGES; i++)
		fprintf(out, "%s %.9g", i ? "," : "", (double)gw_edges_ns[i] / 1e9);
	fputs(".\n", out);
}

void gw_metrics_print(FILE *out)
{
	fputs("# Metrics of `gilwatch export`\n\n"
	      "This page is printed by `gilwatch export --print-metrics`, from the table that the "
	      "exporter itself uses. [exporter.md](exporter.md) says how to run it and what to "
	      "make of the figures.\n\n"
	      "Times are seconds, counters never go backwards while gilwatch runs, and what ended "
	      "stays in its group's totals. The names of counters end in `_total`.\n",
	      out);
	print_section(out,
		      "## Groups\n\nEvery one of these has the label `group`: the systemd unit or "
		      "container of the process, else its command name as first seen, or what the "
		      "configuration's rules make of it.",
		      GW_OF_GROUP_TOTALS, GW_OF_GROUP_LEVELS);
	print_edges(out);
	print_section(out,
		      "## Processes and threads\n\nWith `--per-process` and `--per-thread`, beside "
		      "the groups', with the label `group` too. They end five minutes after the "
		      "process, or when its PID is used again.",
		      GW_OF_PROCESS, GW_OF_THREAD);
	print_section(out, "## gilwatch itself", GW_OF_SELF, GW_OF_NONE);
}
