// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "target/debug_file.h"
#include "target/file_reader.h"

/* "the file /usr/bin/python3 of process 12": the path is the target's, so it is cleaned. */
static void name_file(const struct gw_target *target, char *what, size_t size)
{
	const char *path = target->python.runtime_file.path;
	int used = snprintf(what, size, "the file %.200s of process %d", path, target->proc.pid);

	for (int i = 0; i < used && (size_t)i < size - 1; i++)
		if (what[i] < ' ' || what[i] > '~')
			what[i] = '?';
}

static int find_in_files(struct gw_target *target, int fd, int with_debug_files,
			 struct gw_error *err)
{
	const char *build_id = target->python.build_id;
	struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};
	char what[256];
	int code;

	if (with_debug_files) {
		files.debug[0] = gw_debug_file_open(target->proc.pid, build_id);
		files.debug[1] = gw_debug_file_open(0, build_id);
	}
	name_file(target, what, sizeof(what));
	code = gw_file_find_sites(&files, what, &target->sites, NULL, err);
	for (int i = 0; i < GW_SITES_DEBUG_MAX; i++)
		if (files.debug[i] >= 0)
			close(files.debug[i]);
	return code;
}

int gw_target_find_sites(struct gw_target *target, int with_debug_files, struct gw_error *err)
{
	int fd = gw_proc_open_mapping(target->proc.pid, &target->python.runtime_file);
	int code;

	if (fd < 0)
		return gw_error_set(err, fd, GW_STATUS_TARGET,
				    "the file of process %d's Python cannot be opened (%s)",
				    target->proc.pid, strerror(-fd));
	code = find_in_files(target, fd, with_debug_files, err);
	close(fd);
	if (code)
		return code;
	code = gw_proc_mapping_path(target->proc.pid, &target->python.runtime_file,
				    target->runtime_path, sizeof(target->runtime_path));
	if (code)
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "no path leads to the file of process %d's Python (%s)",
				    target->proc.pid, strerror(-code));
	return 0;
}

int gw_target_open(pid_t pid, int with_sites, struct gw_file_cache *files, struct gw_target *target,
		   struct gw_error *err)
{
	int code;

	memset(target, 0, sizeof(*target));
	code = gw_proc_read(pid, &target->proc, err);
	if (code)
		return code;
	code = gw_python_find_cached(pid, files, &target->python, err);
	if (code)
		return code;
	/* Without a limit that can be read, the verdicts go by the machine's CPUs. */
	gw_host_limits(pid, &target->limits);
	return with_sites ? gw_target_find_sites(target, 1, err) : 0;
}
