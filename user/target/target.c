// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/target.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

static int find_sites(struct gw_target *target, struct gw_error *err)
{
	int fd = gw_proc_open_mapping(target->proc.pid, &target->python.runtime_file);
	int code;

	if (fd < 0)
		return gw_error_set(err, fd, GW_STATUS_TARGET,
				    "the file of process %d's Python cannot be opened (%s)",
				    target->proc.pid, strerror(-fd));
	code = gw_sites_find(fd, &target->sites, err);
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

int gw_target_open(pid_t pid, int with_sites, struct gw_target *target, struct gw_error *err)
{
	int code;

	memset(target, 0, sizeof(*target));
	code = gw_proc_read(pid, &target->proc, err);
	if (code)
		return code;
	code = gw_python_find(pid, &target->python, err);
	if (code)
		return code;
	/* Without a limit that can be read, the verdicts go by the machine's CPUs. */
	gw_host_limits(pid, &target->limits);
	return with_sites ? find_sites(target, err) : 0;
}
