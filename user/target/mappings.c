// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What a process maps: by the text of /proc/PID/maps, or, of code alone, by a question for each
 * mapping (PROCMAP_QUERY, include/uapi/linux/fs.h of Linux 6.11): most lines are of something else.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "target/proc_parse.h"

#define DELETED	    " (deleted)"
#define MAPS_BUFFER 4096 /* what the kernel gives at a time; it would be 1024 by itself */

/* struct procmap_query */
struct question {
	uint64_t size, flags, address;
	uint64_t start, end, vma_flags, page_size, offset, inode;
	uint32_t major, minor, name_size, build_id_size;
	uint64_t name, build_id;
};

#define ASK	    _IOWR('f', 17, struct question)
#define ASK_READ    0x01 /* also in vma_flags, as the three that follow */
#define ASK_WRITE   0x02
#define ASK_EXECUTE 0x04
#define ASK_SHARED  0x08
#define ASK_NEXT    0x10 /* the mapping at the address, or else the next one */
#define ASK_FILE    0x20 /* only of files */

void gw_proc_cut_deleted(struct gw_mapping *m)
{
	size_t length = strlen(m->path), tail = sizeof(DELETED) - 1;

	m->deleted = m->inode && length > tail && !strcmp(m->path + length - tail, DELETED);
	if (m->deleted)
		m->path[length - tail] = '\0';
}

static int put(int maps, struct question *q)
{
	return ioctl(maps, ASK, q) ? -errno : 0;
}

/* 1: the first mapping of a file's code that ends behind `from`; 0: there is none; or -errno. */
static int ask(int maps, uint64_t from, struct gw_mapping *m)
{
	struct question q = {
		.size = sizeof(q),
		.flags = ASK_NEXT | ASK_EXECUTE | ASK_FILE,
		.address = from,
		.name_size = sizeof(m->path),
		.name = (uintptr_t)m->path,
	};
	int code;

	m->path[0] = '\0';
	code = put(maps, &q);
	if (code == -ENAMETOOLONG) { /* without its name, then: there is its number */
		q.name_size = 0;
		q.name = 0;
		code = put(maps, &q);
		m->path[0] = '\0';
	}
	if (code || q.end <= from)
		return code == -ENOENT ? 0 : code;
	m->start = q.start;
	m->end = q.end;
	m->file_offset = q.offset;
	m->device = makedev(q.major, q.minor);
	m->inode = q.inode;
	m->path[sizeof(m->path) - 1] = '\0';
	snprintf(m->permissions, sizeof(m->permissions), "%c%cx%c",
		 q.vma_flags & ASK_READ ? 'r' : '-', q.vma_flags & ASK_WRITE ? 'w' : '-',
		 q.vma_flags & ASK_SHARED ? 's' : 'p');
	gw_proc_cut_deleted(m);
	return 1;
}

/* -ENOTTY and the like before the first visit: this kernel is not to be asked. */
static int visit_by_asking(int maps, struct gw_mapping *m, gw_proc_visit *visit, void *data)
{
	uint64_t from = 0;
	int code, ret = 0;

	while (!ret && (code = ask(maps, from, m)) == 1) {
		from = m->end;
		ret = visit(m, data);
	}
	return ret ? ret : code;
}

/* Whether a line of maps is of executable memory; a cheap look, for most lines are not. */
static int is_code(const char *line)
{
	const char *permissions = strchr(line, ' ');

	return permissions && strnlen(permissions, 4) == 4 && permissions[3] == 'x';
}

static int visit_lines(FILE *maps, int code_only, struct gw_mapping *m, gw_proc_visit *visit,
		       void *data)
{
	char *line = NULL;
	size_t room = 0;
	int ret = 0;

	while (!ret && (errno = 0, getline(&line, &room, maps)) > 0) {
		/* A line that is not understood can hide nothing but itself: go on. */
		if ((!code_only || is_code(line)) && gw_proc_parse_mapping(line, m) == 0 &&
		    (!code_only || m->inode))
			ret = visit(m, data);
	}
	if (!ret && ferror(maps))
		ret = errno ? -errno : -EIO;
	free(line);
	return ret;
}

/* Closes fd. */
static int visit_text(int fd, int code_only, struct gw_mapping *m, gw_proc_visit *visit, void *data)
{
	char buffer[MAPS_BUFFER];
	FILE *maps = fdopen(fd, "r");
	int ret;

	if (!maps) {
		close(fd);
		return -ENOMEM;
	}
	setvbuf(maps, buffer, _IOFBF, sizeof(buffer));
	ret = visit_lines(maps, code_only, m, visit, data);
	fclose(maps);
	return ret;
}

static int is_refusal(int code)
{
	return code == -ENOTTY || code == -EINVAL || code == -E2BIG || code == -EOPNOTSUPP;
}

static int visit_maps(pid_t live, int code_only, gw_proc_visit *visit, void *data)
{
	struct gw_mapping *m = malloc(sizeof(*m));
	char path[64];
	int fd, ret;

	if (!m)
		return -ENOMEM;
	snprintf(path, sizeof(path), "/proc/%d/maps", live);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0) {
		ret = errno == ENOENT ? -ESRCH : -errno;
		free(m);
		return ret;
	}
	ret = code_only ? visit_by_asking(fd, m, visit, data) : -ENOTTY;
	if (is_refusal(ret))
		ret = visit_text(fd, code_only, m, visit, data);
	else
		close(fd);
	free(m);
	return ret;
}

int gw_proc_each_mapping(pid_t pid, gw_proc_visit *visit, void *data)
{
	pid_t live = gw_proc_live_thread(pid);

	return live < 0 ? live : visit_maps(live, 0, visit, data);
}

int gw_proc_each_code_mapping(pid_t live, gw_proc_visit *visit, void *data)
{
	return visit_maps(live, 1, visit, data);
}
