// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/select.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc_parse.h"
#include "target/scan.h"

#define MOUNTINFO_MAX (1024 * 1024)

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

static int parse_cgroups(const struct gw_options *options, struct gw_cgroup_selector *selector,
			 struct gw_error *err)
{
	char *mountinfo = malloc(MOUNTINFO_MAX);
	int code = 0;

	if (!mountinfo)
		return no_memory(err);
	gw_read_text("/proc/self/mountinfo", mountinfo, MOUNTINFO_MAX);
	for (size_t i = 0; !code && i < options->cgroup_count; i++)
		code = gw_cgroup_selector_parse(options->cgroup[i], mountinfo, &selector[i], err);
	free(mountinfo);
	return code;
}

/* What was asked for, as "--comm web --cgroup /web.slice". */
static void name_selection(const struct gw_options *options, char *text, size_t size)
{
	size_t used = 0;

	text[0] = '\0';
	for (size_t i = 0; i < options->comm_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s--comm %.40s",
					 used ? " " : "", options->comm[i]);
	for (size_t i = 0; i < options->cgroup_count && used < size; i++)
		used += (size_t)snprintf(text + used, size - used, "%s--cgroup %.100s",
					 used ? " " : "", options->cgroup[i]);
}

static int refuse_none(const struct gw_options *options, const struct gw_scan_result *scan,
		       struct gw_error *err)
{
	char asked[240];

	name_selection(options, asked, sizeof(asked));
	if (scan->denied)
		return gw_error_set(err, -EPERM, GW_STATUS_RIGHTS,
				    "no Python process is seen that fits %s, but %zu that fit may "
				    "not be looked into: run gilwatch with sudo",
				    asked, scan->denied);
	if (scan->seen)
		return gw_error_set(err, -ESRCH, GW_STATUS_TARGET,
				    "no Python process fits %s, only %zu that run%s no Python: "
				    "gilwatch list shows those there are",
				    asked, scan->seen, scan->seen == 1 ? "s" : "");
	return gw_error_set(err, -ESRCH, GW_STATUS_TARGET,
			    "no process fits %s: gilwatch list shows the Python processes there "
			    "are",
			    asked);
}

/*
 * A program that has libpython mapped but no interpreter running in it (an editor, a debugger) is
 * not what was asked for; any other that cannot be measured is, and summary will say why.
 */
static int is_wanted(const struct gw_scan_process *process)
{
	return process->code != -EAGAIN;
}

static int take(const struct gw_scan_result *scan, struct gw_options *options, struct gw_error *err)
{
	size_t fit = 0;

	for (size_t i = 0; i < scan->count; i++) {
		if (!is_wanted(&scan->process[i]))
			continue;
		fit++;
		if (gw_options_add_pid(options, scan->process[i].pid, err))
			return -E2BIG;
	}
	return fit ? 0 : refuse_none(options, scan, err);
}

static int scan_and_take(const struct gw_scan_filter *filter, struct gw_options *options,
			 struct gw_error *err)
{
	struct gw_file_cache *cache = gw_file_cache_new();
	struct gw_scan_result scan;
	int code = gw_scan_processes(filter, 0, cache, &scan, err);

	if (!code)
		code = take(&scan, options, err);
	gw_scan_free(&scan);
	gw_file_cache_free(cache);
	return code;
}

int gw_select_targets(struct gw_options *options, struct gw_error *err)
{
	struct gw_cgroup_selector *selector;
	struct gw_scan_filter filter = {
		.comm = options->comm,
		.comm_count = options->comm_count,
		.cgroup_count = options->cgroup_count,
	};
	int code;

	if (!options->comm_count && !options->cgroup_count)
		return 0;
	selector = calloc(options->cgroup_count + 1, sizeof(*selector));
	if (!selector)
		return no_memory(err);
	filter.cgroup = selector;
	code = parse_cgroups(options, selector, err);
	if (!code)
		code = scan_and_take(&filter, options, err);
	free(selector);
	return code;
}
