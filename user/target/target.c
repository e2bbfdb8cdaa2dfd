// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/target.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/debug_file.h"
#include "target/file_behind.h"
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

/*
 * "the file /usr/bin/python3 of process 12", or without the latter where the answer is for others
 * too: the path is the target's, so it is cleaned.
 */
static void name_file(const struct part *part, int for_all, char *what, size_t size)
{
	const char *path = part->python->runtime_file.path;
	int used = for_all ? snprintf(what, size, "the file %.200s", path)
			   : snprintf(what, size, "the file %.200s of process %d", path, part->pid);

	for (int i = 0; i < used && (size_t)i < size - 1; i++)
		if (what[i] < ' ' || what[i] > '~')
			what[i] = '?';
}

/* The files to look into: the first one is the caller's. */
static void open_files(const struct part *part, int with_debug_files, struct gw_behind_file *file)
{
	const char *build_id = part->python->build_id;

	file->kind = GW_BEHIND_SITES;
	file->fd[1] = with_debug_files ? gw_debug_file_open(part->pid, build_id) : -1;
	file->fd[2] = with_debug_files ? gw_debug_file_open(0, build_id) : -1;
}

static int find_now(const struct part *part, const struct gw_behind_file *file,
		    struct gw_file_cache *cache, struct gw_error *err)
{
	const struct gw_sites_files files = {.file = file->fd[0],
					     .debug = {file->fd[1], file->fd[2]}};
	int code = gw_file_find_sites(&files, file->what, part->sites, part->budget, NULL, err);

	if (!code)
		gw_file_cache_put_sites(cache, &file->file, part->sites, 0, NULL);
	return code;
}

static int find_in_file(const struct part *part, int fd, int with_debug_files,
			struct gw_file_cache *cache, struct gw_error *err)
{
	struct gw_behind *behind = gw_file_cache_behind(cache);
	struct gw_behind_file file = {.fd = {fd, -1, -1}};
	int code;

	if (fstat(fd, &file.file))
		return gw_error_set(err, -errno, GW_STATUS_TARGET,
				    "the file of process %d's Python cannot be read (%s)",
				    part->pid, strerror(errno));
	if (gw_file_cache_get_sites(cache, &file.file, part->sites, &code, err))
		return code;
	open_files(part, with_debug_files, &file);
	name_file(part, behind != NULL, file.what, sizeof(file.what));
	code = behind ? gw_behind_ask(behind, &file) : find_now(part, &file, cache, err);
	for (int i = 1; i < GW_SANDBOX_FDS_MAX; i++)
		if (file.fd[i] >= 0)
			close(file.fd[i]);
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
