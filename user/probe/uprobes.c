// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/uprobes.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "probe/multi.h"
#include "target/proc.h"

struct gw_uprobes {
	int multi_fd; /* -1: none */
	size_t link_count;
	struct bpf_link *link[GW_SITES_MAX];
	unsigned int *closing;
};

/*
 * A breakpoint installed in a page that is not in the page cache makes ext4 print a warning (seen
 * on 6.18): read the pages first.
 */
static void read_pages(const char *path, const struct gw_sites *sites)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char byte;

	if (fd < 0)
		return; /* attaching will say why */
	for (size_t i = 0; i < sites->count; i++)
		if (pread(fd, &byte, 1, (off_t)sites->site[i].file_offset) != 1)
			break;
	close(fd);
}

static int attach_multi(struct gw_uprobes *u, const struct gw_uprobe_program *program, pid_t pid,
			const char *path, const struct gw_sites *sites)
{
	uint64_t offsets[GW_SITES_MAX];

	for (size_t i = 0; i < sites->count; i++)
		offsets[i] = sites->site[i].file_offset;
	u->multi_fd = gw_multi_attach(bpf_program__fd(program->program), path, offsets,
				      sites->count, pid);
	return u->multi_fd < 0 ? u->multi_fd : 0;
}

static int attach_perf(struct gw_uprobes *u, const struct gw_uprobe_program *program, pid_t pid,
		       const char *path, const struct gw_sites *sites)
{
	for (size_t i = 0; i < sites->count; i++) {
		u->link[i] = bpf_program__attach_uprobe(program->program, false, pid, path,
							sites->site[i].file_offset);
		if (!u->link[i])
			return -errno;
		u->link_count = i + 1;
	}
	return 0;
}

/* It has no memory any more, whether or not its parent has heard of its end. */
static int has_ended(pid_t pid)
{
	pid_t live = gw_proc_live_thread(pid);
	char path[64], exe[8];

	snprintf(path, sizeof(path), "/proc/%d/exe", live);
	return live < 0 || readlink(path, exe, sizeof(exe)) < 0;
}

static int refused(int code, pid_t pid, const struct gw_uprobe_program *program,
		   struct gw_error *err)
{
	/* The path to the file leads through its /proc directory. */
	if (code == -ESRCH || (code == -ENOENT && has_ended(pid)))
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "process %d ended while probes were attached to it", pid);
	if (code == -EACCES || code == -EPERM)
		return gw_error_set(err, code, GW_STATUS_RIGHTS,
				    "the kernel refuses uprobes%s: give gilwatch CAP_SYS_ADMIN, or "
				    "use --engine=sched, which needs no probes",
				    program->multi ? "" : " by perf events");
	return gw_error_set(err, code, GW_STATUS_KERNEL,
			    "the kernel does not attach uprobes to process %d (%s): use "
			    "--engine=sched, which needs none",
			    pid, strerror(-code));
}

int gw_uprobes_attach(const struct gw_uprobe_program *program, pid_t pid, const char *path,
		      const struct gw_sites *sites, struct gw_uprobes **uprobes,
		      struct gw_error *err)
{
	struct gw_uprobes *u = calloc(1, sizeof(*u));
	int code;

	if (!u)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	u->multi_fd = -1;
	read_pages(path, sites);
	if (program->multi)
		code = attach_multi(u, program, pid, path, sites);
	else
		code = attach_perf(u, program, pid, path, sites);
	if (code) {
		gw_uprobes_free(u);
		return refused(code, pid, program, err);
	}
	*uprobes = u;
	return 0;
}

void gw_uprobes_free(struct gw_uprobes *u)
{
	if (!u)
		return;
	if (u->multi_fd >= 0)
		close(u->multi_fd);
	for (size_t i = 0; i < u->link_count; i++)
		bpf_link__destroy(u->link[i]);
	if (u->closing)
		__atomic_sub_fetch(u->closing, 1, __ATOMIC_RELEASE);
	free(u);
}

static void close_uprobes(void *what)
{
	gw_uprobes_free(what);
}

void gw_uprobes_free_later(struct gw_uprobes *u, struct gw_closer *closer, unsigned int *closing)
{
	u->closing = closing;
	if (closing)
		__atomic_add_fetch(closing, 1, __ATOMIC_RELAXED);
	gw_closer_give(closer, close_uprobes, u);
}
