// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/debug_file.h"
#include "target/file_cache.h"
#include "target/file_reader.h"

/* What belongs to one of the process's Pythons. */
struct part {
	pid_t pid;
	const struct gw_python *python;
	struct gw_sites *sites;
	char *path;
	size_t path_size;
	struct gw_sandbox_budget *budget;
};

/* "the file /usr/bin/python3 of process 12": the path is the target's, so it is cleaned. */
static void name_file(const struct part *part, char *what, size_t size)
{
	const char *path = part->python->runtime_file.path;
	int used = snprintf(what, size, "the file %.200s of process %d", path, part->pid);

	for (int i = 0; i < used && (size_t)i < size - 1; i++)
		if (what[i] < ' ' || what[i] > '~')
			what[i] = '?';
}

static int find_in_files(const struct part *part, int fd, int with_debug_files,
			 struct gw_error *err)
{
	const char *build_id = part->python->build_id;
	struct gw_sites_files files = {.file = fd, .debug = {-1, -1}};
	char what[256];
	int code;

	if (with_debug_files) {
		files.debug[0] = gw_debug_file_open(part->pid, build_id);
		files.debug[1] = gw_debug_file_open(0, build_id);
	}
	name_file(part, what, sizeof(what));
	code = gw_file_find_sites(&files, what, part->sites, part->budget, NULL, err);
	for (int i = 0; i < GW_SITES_DEBUG_MAX; i++)
		if (files.debug[i] >= 0)
			close(files.debug[i]);
	return code;
}

static int find_in_file(const struct part *part, int fd, int with_debug_files,
			struct gw_file_cache *files, struct gw_error *err)
{
	struct stat file;
	int known = !fstat(fd, &file), code;

	if (known && gw_file_cache_get_sites(files, &file, part->sites))
		return 0;
	code = find_in_files(part, fd, with_debug_files, err);
	if (!code && known)
		gw_file_cache_put_sites(files, &file, part->sites);
	return code;
}

static int find_sites(const struct part *part, int with_debug_files, struct gw_file_cache *files,
		      struct gw_error *err)
{
	const struct gw_mapping *file = &part->python->runtime_file;
	int fd = gw_proc_open_mapping(part->pid, file);
	int code;

	if (fd < 0)
		return gw_error_set(err, fd, GW_STATUS_TARGET,
				    "the file of process %d's Python cannot be opened (%s)",
				    part->pid, strerror(-fd));
	code = find_in_file(part, fd, with_debug_files, files, err);
	close(fd);
	if (code)
		return code;
	code = gw_proc_mapping_path(part->pid, file, part->path, part->path_size);
	if (code)
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "no path leads to the file of process %d's Python (%s)",
				    part->pid, strerror(-code));
	return 0;
}

int gw_target_find_sites(struct gw_target *target, int with_debug_files,
			 struct gw_file_cache *files, struct gw_error *err)
{
	struct gw_second_python *second = &target->second;
	const struct part first = {target->proc.pid,
				   &target->python,
				   &target->sites,
				   target->runtime_path,
				   sizeof(target->runtime_path),
				   &target->reading};
	const struct part other = {target->proc.pid,
				   &second->python,
				   &second->sites,
				   second->runtime_path,
				   sizeof(second->runtime_path),
				   &target->reading};
	int code = find_sites(&first, with_debug_files, files, err);

	if (!code && second->python.gil_count)
		code = find_sites(&other, with_debug_files, files, err);
	return code;
}

int gw_target_open(pid_t pid, int with_sites, struct gw_file_cache *files, struct gw_target *target,
		   struct gw_error *err)
{
	int code;

	memset(target, 0, sizeof(*target));
	target->reading = GW_SANDBOX_BUDGET;
	code = gw_proc_read(pid, &target->proc, err);
	if (code)
		return code;
	code = gw_python_find_two(pid, files, &target->reading, &target->python,
				  &target->second.python, err);
	if (code)
		return code;
	/* Without a limit that can be read, the verdicts go by the machine's CPUs. */
	gw_host_limits(pid, &target->limits);
	return with_sites ? gw_target_find_sites(target, 1, files, err) : 0;
}
