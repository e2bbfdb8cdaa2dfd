// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/scan.h"

#include <errno.h>
#include <fnmatch.h>
#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/file_cache.h"
#include "target/proc.h"
#include "target/proc_parse.h"
#include "target/python_search.h"
#include "target/site_searches.h"

#define PF_KTHREAD  0x00200000 /* include/linux/sched.h */
#define CGROUP_MAX  16384
#define COMM_LENGTH 15
#define MAPPED_MAX  8192

/*
 * A mapped file by what maps say of it, so that a known one need not be opened. The path is in it
 * because device and inode alone are not enough: subvolumes of btrfs share their device number.
 */
struct mapped {
	uint64_t device, inode;
	const char *path;
	int python; /* the runtime of some Python is in it, or it is named so and not fit to be read
		     */
	/* Not known yet: its reader, or who mapped it before, had no time for it, or it is being
	 * read: see gw_files_read_behind(). */
	int unread;
};

/* Files that are not known yet, to be read at one go: each reading costs a process. */
#define BATCH_MAX 64

struct batch {
	size_t count;
	struct gw_symbols_request request[BATCH_MAX];
	struct mapped *mapped[BATCH_MAX];
};

struct gw_scanner {
	const struct gw_scan_filter *filter;
	struct gw_site_searches *searches; /* NULL: sites are not looked for */
	struct gw_file_cache *cache;
	struct gw_scan_result *scan;
	size_t room;
	void *mapped; /* a tree of struct mapped */
	size_t mapped_count;
	struct batch batch;
	char cgroup[CGROUP_MAX];	 /* of the process looked at */
	int unread;			 /* some of its files are being read */
	pid_t pid, live;		 /* live: see gw_proc_live_thread() */
	struct gw_sandbox_budget budget; /* for reading its files */
};

static int compare_mapped(const void *one, const void *other)
{
	const struct mapped *a = one, *b = other;

	if (a->inode != b->inode)
		return a->inode < b->inode ? -1 : 1;
	if (a->device != b->device)
		return a->device < b->device ? -1 : 1;
	return strcmp(a->path, b->path);
}

static void free_mapped(void *data)
{
	struct mapped *mapped = data;

	free((char *)mapped->path);
	free(mapped);
}

/* The record of a file that is mapped, a new one if need be; NULL: out of memory. */
static struct mapped *record_of(struct gw_scanner *s, const struct gw_mapping *m, int *is_new)
{
	struct mapped key = {.device = m->device, .inode = m->inode, .path = m->path}, **known;
	struct mapped *mapped;

	*is_new = 0;
	known = tfind(&key, &s->mapped, compare_mapped);
	if (known)
		return *known;
	*is_new = 1;
	mapped = calloc(1, sizeof(*mapped));
	if (!mapped)
		return NULL;
	*mapped = key;
	mapped->path = strdup(m->path);
	if (mapped->path && tsearch(mapped, &s->mapped, compare_mapped)) {
		s->mapped_count++;
		return mapped;
	}
	free_mapped(mapped);
	return NULL;
}

/* A file that ends its reader may be a Python: where it is named as one, that is better said. */
static int may_be_python(const struct gw_symbols_request *request, const char *path)
{
	switch (request->code) {
	case 0:
		return gw_runtime_has_python(&request->symbols);
	case -ETIMEDOUT:
	case -ENOMEM:
	case -EBADMSG:
		return gw_python_named(path);
	default:
		return 0;
	}
}

/* 1: there is a Python in one of the files; others that cannot be read have none, as far as is
 * known.
 */
static int read_batch(struct gw_scanner *s)
{
	struct batch *batch = &s->batch;
	int found = 0, code;

	if (!batch->count)
		return 0;
	code = gw_files_read_symbols(s->cache, batch->request, batch->count, &s->budget, NULL,
				     NULL);
	for (size_t i = 0; i < batch->count; i++) {
		struct mapped *mapped = batch->mapped[i];

		/* Else whoever maps slow files beside others' Pythons would hide these. */
		mapped->unread = !code && !gw_file_code_is_final(batch->request[i].code);
		mapped->python = !code && may_be_python(&batch->request[i], mapped->path);
		found |= mapped->python;
		s->unread |= !code && batch->request[i].code == -EAGAIN;
		close(batch->request[i].fd);
	}
	batch->count = 0;
	return code == -ENOMEM || code == -ENOSYS ? code : found;
}

static int look_at_mapping(const struct gw_mapping *m, void *data)
{
	struct gw_scanner *s = data;
	struct batch *batch = &s->batch;
	struct mapped *mapped;
	int is_new, fd;

	mapped = record_of(s, m, &is_new);
	if (!mapped)
		return -ENOMEM;
	if (!is_new && (!mapped->unread || gw_sandbox_is_spent(&s->budget)))
		return mapped->python;
	fd = gw_proc_open_mapping(s->pid, m);
	if (fd < 0)
		return 0;
	batch->request[batch->count].fd = fd;
	batch->mapped[batch->count++] = mapped;
	return batch->count == BATCH_MAX ? read_batch(s) : 0;
}

/* 1: it maps a Python, 0: it does not, or a negative errno. */
static int maps_python(struct gw_scanner *s)
{
	int found, rest;

	s->budget = GW_SANDBOX_BUDGET;
	s->unread = 0;
	found = s->live < 0 ? s->live : gw_proc_each_code_mapping(s->live, look_at_mapping, s);
	rest = read_batch(s);
	if (found || rest)
		return found ? found : rest;
	return s->unread ? -EAGAIN : 0;
}

/* The kernel keeps 15 bytes of a name (TASK_COMM_LEN): a longer one fits by its beginning. */
static int is_name(const char *wanted, const char *comm)
{
	return !strcmp(wanted, comm) ||
	       (strlen(wanted) > COMM_LENGTH && strlen(comm) == COMM_LENGTH &&
		!strncmp(wanted, comm, COMM_LENGTH));
}

static int is_any_name(const char *const *names, size_t count, const char *comm)
{
	for (size_t i = 0; i < count; i++)
		if (is_name(names[i], comm) || !fnmatch(names[i], comm, 0))
			return 1;
	return 0;
}

int gw_scan_comm_matches(const struct gw_scan_filter *filter, const char *comm)
{
	return is_any_name(filter->comm, filter->comm_count, comm);
}

static void read_cgroup_of(pid_t pid, char cgroup[CGROUP_MAX])
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
	if (gw_read_text(path, cgroup, CGROUP_MAX) < 0)
		cgroup[0] = '\0';
}

static void read_cgroup(struct gw_scanner *s)
{
	read_cgroup_of(s->pid, s->cgroup);
}

int gw_scan_excludes(const struct gw_scan_filter *filter, pid_t pid, const char *comm)
{
	char cgroup[CGROUP_MAX];

	if (is_any_name(filter->exclude_comm, filter->exclude_comm_count, comm))
		return 1;
	if (!filter->exclude_cgroup_count)
		return 0;
	read_cgroup_of(pid, cgroup);
	for (size_t i = 0; i < filter->exclude_cgroup_count; i++)
		if (gw_cgroup_matches(&filter->exclude_cgroup[i], cgroup))
			return 1;
	return 0;
}

static int fits(struct gw_scanner *s, const struct gw_proc_stat *stat)
{
	const struct gw_scan_filter *filter = s->filter;

	if (gw_scan_excludes(filter, s->pid, stat->comm))
		return 0;
	if (!filter->comm_count && !filter->cgroup_count)
		return 1;
	if (gw_scan_comm_matches(filter, stat->comm))
		return 1;
	if (!filter->cgroup_count)
		return 0;
	read_cgroup(s);
	for (size_t i = 0; i < filter->cgroup_count; i++)
		if (gw_cgroup_matches(&filter->cgroup[i], s->cgroup))
			return 1;
	return 0;
}

static void read_identity(struct gw_scan_process *process)
{
	char path[64], text[4096];
	const char *line;
	ssize_t got;

	process->uid = (uid_t)-1;
	snprintf(path, sizeof(path), "/proc/%d/status", process->pid);
	if (gw_read_text(path, text, sizeof(text)) > 0 && (line = strstr(text, "\nUid:")))
		sscanf(line, "\nUid: %*u %u", &process->uid);
	snprintf(path, sizeof(path), "/proc/%d/cmdline", process->pid);
	got = gw_read_text(path, process->command, sizeof(process->command));
	gw_proc_join_arguments(process->command, got > 0 ? (size_t)got : 0);
}

static int wants_sites(const struct gw_scanner *s, const struct gw_scan_process *process)
{
	return s->searches && !process->code && process->python.gil_enabled;
}

static void take_sites(struct gw_scanner *s)
{
	for (size_t i = 0; i < s->scan->count; i++) {
		struct gw_scan_process *process = &s->scan->process[i];

		if (wants_sites(s, process))
			process->sites_code = gw_site_searches_wait(s->searches, &process->python,
								    &process->sites_error);
	}
}

static struct gw_scan_process *add(struct gw_scanner *s)
{
	struct gw_scan_result *scan = s->scan;

	if (scan->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct gw_scan_process *more =
			realloc(scan->process, room * sizeof(*scan->process));

		if (!more)
			return NULL;
		scan->process = more;
		s->room = room;
	}
	memset(&scan->process[scan->count], 0, sizeof(*scan->process));
	return &scan->process[scan->count++];
}

static int describe(struct gw_scanner *s, const struct gw_proc_stat *stat)
{
	struct gw_scan_process *process = add(s);

	if (!process)
		return -ENOMEM;
	process->pid = s->pid;
	process->ppid = stat->ppid;
	process->threads = stat->threads;
	memcpy(process->comm, stat->comm, sizeof(process->comm));
	process->code = gw_python_find_cached(s->pid, s->cache, &s->budget, &process->python,
					      &process->error);
	if (process->code == -ESRCH) { /* it has ended */
		s->scan->count--;
		return 0;
	}
	read_identity(process);
	read_cgroup(s);
	gw_cgroup_path(s->cgroup, process->cgroup, sizeof(process->cgroup));
	gw_cgroup_container(s->cgroup, &process->container);
	process->sites_code = -ENODATA;
	if (wants_sites(s, process))
		gw_site_searches_begin(s->searches, s->pid, &process->python, &s->budget);
	return 0;
}

static int named_as_python(const char *comm)
{
	return !strncmp(comm, "python", 6) || !strncmp(comm, "pypy", 4);
}

/* 1: it is one of those asked for; -ESRCH: it has ended. */
static int is_asked_for(struct gw_scanner *s, struct gw_proc_stat *stat)
{
	char path[64], text[2048];

	snprintf(path, sizeof(path), "/proc/%d/stat", s->pid);
	if (gw_read_text(path, text, sizeof(text)) < 0)
		return -ESRCH;
	if (gw_proc_parse_stat(text, stat) || stat->flags & PF_KTHREAD || !fits(s, stat))
		return 0;
	s->live = gw_proc_live_thread_of(s->pid, stat);
	return 1;
}

static int look_at_process(pid_t pid, void *data)
{
	struct gw_scanner *s = data;
	struct gw_proc_stat stat;
	int found;

	s->pid = pid;
	if (is_asked_for(s, &stat) <= 0)
		return 0;
	found = maps_python(s);
	if (found == -ESRCH) /* a zombie */
		return 0;
	s->scan->seen++;
	if (found == -EACCES || found == -EPERM) {
		s->scan->denied++;
		s->scan->denied_named += (size_t)named_as_python(stat.comm);
		return 0;
	}
	if (found == -ENOMEM || found == -ENOSYS)
		return found;
	return found > 0 ? describe(s, &stat) : 0;
}

static int compare_pids(const void *a, const void *b)
{
	const struct gw_scan_process *one = a, *other = b;

	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

static int look_at_all(struct gw_scanner *s)
{
	int code = gw_proc_each(look_at_process, s);

	take_sites(s);
	if (s->scan->count)
		qsort(s->scan->process, s->scan->count, sizeof(*s->scan->process), compare_pids);
	return code;
}

int gw_scan_processes(const struct gw_scan_filter *filter, int with_sites,
		      struct gw_file_cache *cache, struct gw_scan_result *scan,
		      struct gw_error *err)
{
	struct gw_scanner *s = calloc(1, sizeof(*s));
	struct gw_site_searches *searches = with_sites ? gw_site_searches_new() : NULL;
	int code = !s || (with_sites && !searches) ? -ENOMEM : 0;

	memset(scan, 0, sizeof(*scan));
	if (!code) {
		s->filter = filter;
		s->searches = searches;
		s->cache = cache;
		gw_file_cache_keep_unfit(cache);
		s->scan = scan;
		code = look_at_all(s);
		tdestroy(s->mapped, free_mapped);
	}
	gw_site_searches_free(searches);
	free(s);
	/* Its sentence says why no file can be read. */
	if (code == -ENOSYS && gw_sandbox_check(err))
		return code;
	return code ? gw_error_set(err, code, GW_STATUS_FAILURE,
				   "the processes cannot be listed: %s", strerror(-code))
		    : 0;
}

void gw_scan_free(struct gw_scan_result *scan)
{
	free(scan->process);
	memset(scan, 0, sizeof(*scan));
}

/* ---- one process after the other ---- */

struct gw_scanner *gw_scanner_new(struct gw_file_cache *cache)
{
	struct gw_scanner *s = calloc(1, sizeof(*s));

	if (s)
		s->cache = cache;
	return s;
}

static void forget_files(struct gw_scanner *s)
{
	tdestroy(s->mapped, free_mapped);
	s->mapped = NULL;
	s->mapped_count = 0;
}

int gw_scanner_look(struct gw_scanner *s, const struct gw_scan_filter *filter, pid_t pid)
{
	struct gw_proc_stat stat;
	int asked_for;

	/* Files come and go for as long as the host is up. */
	if (s->mapped_count > MAPPED_MAX)
		forget_files(s);
	s->filter = filter;
	s->pid = pid;
	asked_for = is_asked_for(s, &stat);
	return asked_for > 0 ? maps_python(s) : asked_for;
}

void gw_scanner_free(struct gw_scanner *s)
{
	if (s)
		forget_files(s);
	free(s);
}
