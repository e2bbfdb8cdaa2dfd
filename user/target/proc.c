// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/proc.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/proc_parse.h"

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

ssize_t gw_read_text(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t have = 0;
	ssize_t got = 0;

	text[0] = '\0';
	if (fd < 0)
		return -errno;
	while (have < size - 1) {
		got = read(fd, text + have, size - 1 - have);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		have += (size_t)got;
	}
	if (got < 0)
		got = -errno;
	close(fd);
	text[have] = '\0';
	return got < 0 ? got : (ssize_t)have;
}

int gw_proc_parse_stat(const char *text, struct gw_proc_stat *stat)
{
	const char *open = strchr(text, '(');
	/* Only numbers follow the comm, so the last parenthesis of the text ends it. */
	const char *close = strrchr(text, ')');
	size_t length;

	memset(stat, 0, sizeof(*stat));
	if (!open || !close || close < open)
		return -EINVAL;
	length = (size_t)(close - open - 1);
	if (length >= sizeof(stat->comm))
		length = sizeof(stat->comm) - 1;
	memcpy(stat->comm, open + 1, length);
	if (sscanf(close + 1,
		   " %c %d %*d %*d %*d %*d %u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %zu %*d "
		   "%" SCNu64,
		   &stat->state, &stat->ppid, &stat->flags, &stat->threads,
		   &stat->start_ticks) != 5)
		return -EINVAL;
	return 0;
}

/* In maps only the newline is escaped (seq_file_path(…, "\n") in fs/proc/task_mmu.c). */
static void unescape_newlines(char *path)
{
	char *to = path;

	while (*path) {
		if (strncmp(path, "\\012", 4) == 0) {
			*to++ = '\n';
			path += 4;
		} else {
			*to++ = *path++;
		}
	}
	*to = '\0';
}

int gw_proc_parse_mapping(const char *line, struct gw_mapping *m)
{
	unsigned int major, minor;
	size_t length;
	int used = 0;

	memset(m, 0, offsetof(struct gw_mapping, path));
	m->path[0] = '\0';
	if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %4s %" SCNx64 " %x:%x %" SCNu64 "%n", &m->start,
		   &m->end, m->permissions, &m->file_offset, &major, &minor, &m->inode,
		   &used) != 7 ||
	    m->end <= m->start || strlen(m->permissions) != 4)
		return -EINVAL;
	m->device = makedev(major, minor);
	line += used;
	line += strspn(line, " ");
	length = strcspn(line, "\n");
	if (length >= sizeof(m->path))
		return -EINVAL;
	memcpy(m->path, line, length);
	m->path[length] = '\0';
	gw_proc_cut_deleted(m);
	unescape_newlines(m->path);
	return 0;
}

/* Start of the value of a line of /proc/PID/status; the name in it cannot hold a bare newline. */
static const char *status_value(const char *status, const char *key)
{
	size_t length = strlen(key);

	while (status) {
		if (strncmp(status, key, length) == 0)
			return status + length;
		status = strchr(status, '\n');
		if (status)
			status++;
	}
	return NULL;
}

pid_t gw_proc_parse_tgid(const char *status)
{
	const char *value = status_value(status, "Tgid:");

	return value ? (pid_t)strtol(value, NULL, 10) : -1;
}

int gw_proc_parse_foreign(const char *status)
{
	const char *value = status_value(status, "NSpid:");
	int levels = 0;

	if (!value)
		return 0;
	/* One number per namespace, from the reader's inward. */
	while (*value && *value != '\n') {
		if (isdigit((unsigned char)*value)) {
			levels++;
			value += strspn(value, "0123456789");
		} else {
			value++;
		}
	}
	return levels > 1;
}

void gw_proc_join_arguments(char *text, size_t size)
{
	while (size && text[size - 1] == '\0')
		size--;
	for (size_t i = 0; i < size; i++)
		if (text[i] == '\0')
			text[i] = ' ';
	text[size] = '\0';
}

static int read_stat(pid_t pid, struct gw_proc_stat *stat)
{
	char path[64], text[2048];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	got = gw_read_text(path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	return gw_proc_parse_stat(text, stat);
}

pid_t gw_proc_parent(pid_t pid)
{
	struct gw_proc_stat stat;

	return read_stat(pid, &stat) ? 0 : stat.ppid;
}

static int has_memory(const struct gw_proc_stat *stat)
{
	return stat->state != 'Z' && stat->state != 'X';
}

/* The directories of a directory that are named by numbers: processes, threads. */
static int each_number(const char *path, gw_proc_visit_process *visit, void *data)
{
	DIR *directory = opendir(path);
	struct dirent *entry;
	int code = 0;

	if (!directory)
		return -errno;
	while (!code && (entry = readdir(directory))) {
		pid_t number = (pid_t)strtol(entry->d_name, NULL, 10);

		if (number > 0)
			code = visit(number, data);
	}
	closedir(directory);
	return code;
}

int gw_proc_each(gw_proc_visit_process *visit, void *data)
{
	return each_number("/proc", visit, data);
}

/* Returns it, where it is one. */
static int find_live_thread(pid_t tid, void *data)
{
	const pid_t *but = data;
	struct gw_proc_stat stat;

	return tid != *but && !read_stat(tid, &stat) && has_memory(&stat) ? tid : 0;
}

static pid_t other_live_thread(pid_t pid)
{
	char path[64];
	pid_t found;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	found = each_number(path, find_live_thread, &pid);
	return found > 0 ? found : -ESRCH;
}

pid_t gw_proc_live_thread_of(pid_t pid, const struct gw_proc_stat *stat)
{
	return has_memory(stat) ? pid : other_live_thread(pid);
}

pid_t gw_proc_live_thread(pid_t pid)
{
	struct gw_proc_stat stat;

	return read_stat(pid, &stat) ? other_live_thread(pid) : gw_proc_live_thread_of(pid, &stat);
}

static void read_links(pid_t pid, struct gw_proc_info *info)
{
	/* /proc/TID opens for every thread, though only the main ones are listed there. */
	pid_t live = gw_proc_live_thread(pid);
	char path[64];
	ssize_t got;

	if (live < 0)
		return;
	snprintf(path, sizeof(path), "/proc/%d/exe", live);
	got = readlink(path, info->exe, sizeof(info->exe) - 1);
	info->exe[got > 0 ? got : 0] = '\0';
	snprintf(path, sizeof(path), "/proc/%d/cmdline", live);
	got = gw_read_text(path, info->command, sizeof(info->command));
	gw_proc_join_arguments(info->command, got > 0 ? (size_t)got : 0);
}

int gw_proc_read(pid_t pid, struct gw_proc_info *info, struct gw_error *err)
{
	char path[64], status[4096];
	struct gw_proc_stat stat;
	pid_t group;

	memset(info, 0, sizeof(*info));
	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	if (pid <= 0 || gw_read_text(path, status, sizeof(status)) < 0 || read_stat(pid, &stat) < 0)
		return gw_error_set(err, -ESRCH, GW_STATUS_TARGET,
				    "there is no process %d: it has ended, or it is in a PID "
				    "namespace that cannot be seen from here",
				    pid);
	group = gw_proc_parse_tgid(status);
	if (group > 0 && group != pid)
		return gw_error_set(err, -ESRCH, GW_STATUS_TARGET,
				    "%d is a thread of process %d: give the process", pid, group);
	info->pid = pid;
	info->ppid = stat.ppid;
	info->start_ticks = stat.start_ticks;
	memcpy(info->comm, stat.comm, sizeof(info->comm));
	info->threads = stat.threads;
	info->kernel_thread = (stat.flags & PF_KTHREAD) != 0;
	info->foreign_pid_namespace = gw_proc_parse_foreign(status);
	if (!info->kernel_thread)
		read_links(pid, info);
	return 0;
}

/*
 * The path belongs to the target: it is looked at (O_PATH) before it is opened, so that a FIFO or a
 * device put in its place is never touched. same is NULL, or what the file must be.
 */
static int open_regular(const char *path, const struct gw_mapping *same)
{
	int handle = open(path, O_PATH | O_CLOEXEC), fd;
	char self[64];
	struct stat st;

	if (handle < 0)
		return -errno;
	if (fstat(handle, &st) < 0)
		fd = -errno;
	else if (!S_ISREG(st.st_mode))
		fd = -EINVAL;
	else if (same && (st.st_ino != same->inode || st.st_dev != same->device))
		fd = -ESTALE;
	else {
		snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
		fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			fd = -errno;
	}
	close(handle);
	return fd;
}

static int open_and_name(pid_t pid, const struct gw_mapping *m, char *path, size_t size)
{
	pid_t live = gw_proc_live_thread(pid);
	int fd, written;

	if (live < 0)
		return live;
	/*
	 * The link leads to the very file of the mapping, whatever happened to its name; the
	 * numbers are not compared, since overlayfs and btrfs show others in maps than stat does.
	 */
	written = snprintf(path, size, "/proc/%d/map_files/%" PRIx64 "-%" PRIx64, live, m->start,
			   m->end);
	if (written < 0 || (size_t)written >= size)
		return -ENAMETOOLONG;
	fd = open_regular(path, NULL);
	if (fd >= 0)
		return fd;
	/* It takes CAP_CHECKPOINT_RESTORE or CAP_SYS_ADMIN: without, by name, and only the same
	 * file. */
	if (m->path[0] != '/' || m->deleted)
		return fd;
	written = snprintf(path, size, "/proc/%d/root%s", live, m->path);
	if (written < 0 || (size_t)written >= size)
		return -ENAMETOOLONG;
	return open_regular(path, m);
}

int gw_proc_open_mapping(pid_t pid, const struct gw_mapping *m)
{
	char path[sizeof(m->path) + 64];

	return open_and_name(pid, m, path, sizeof(path));
}

int gw_proc_mapping_path(pid_t pid, const struct gw_mapping *m, char *path, size_t size)
{
	int fd = open_and_name(pid, m, path, size);

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

int gw_proc_schedstat(pid_t pid, pid_t tid, uint64_t *run_ns, uint64_t *wait_ns)
{
	char path[80], text[128];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/schedstat", pid, tid);
	got = gw_read_text(path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	if (sscanf(text, "%" SCNu64 " %" SCNu64, run_ns, wait_ns) != 2)
		return -EINVAL;
	return 0;
}

int gw_proc_thread_comm(pid_t pid, pid_t tid, char *comm, size_t size)
{
	char path[80], text[128];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/comm", pid, tid);
	got = gw_read_text(path, text, sizeof(text));
	if (got < 0)
		return (int)got;
	/* Only the last newline is the kernel's: a comm may hold others. */
	if (got > 0 && text[got - 1] == '\n')
		text[got - 1] = '\0';
	snprintf(comm, size, "%s", text);
	return 0;
}
