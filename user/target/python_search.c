// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/python_search.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define FILES_MAX 4096

struct gw_python_file {
	uint64_t start, end, file_offset, device, inode;
	char permissions[5];
	int deleted;
	int likely; /* the executable, or named as a Python */
	char *path;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

int gw_python_named(const char *path)
{
	const char *name = base_name(path);

	return starts_with(name, "python") || starts_with(name, "libpython") ||
	       starts_with(name, "pypy") || starts_with(name, "libpypy");
}

static int note_file(const struct gw_mapping *m, void *data)
{
	struct gw_python_search *s = data;
	struct gw_python_file *file;

	if (s->count == FILES_MAX)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].inode == m->inode && s->files[i].device == m->device)
			return 0;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct gw_python_file *more = realloc(s->files, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->files = more;
		s->room = room;
	}
	file = &s->files[s->count];
	*file = (struct gw_python_file){.start = m->start,
					.end = m->end,
					.file_offset = m->file_offset,
					.device = m->device,
					.inode = m->inode,
					.deleted = m->deleted,
					.likely = gw_python_named(m->path) ||
						  (starts_with(s->exe, m->path) && m->path[0]),
					.path = strdup(m->path)};
	memcpy(file->permissions, m->permissions, sizeof(file->permissions));
	if (!file->path)
		return -ENOMEM;
	s->count++;
	return 0;
}

static void to_mapping(const struct gw_python_file *file, struct gw_mapping *m)
{
	memset(m, 0, sizeof(*m));
	m->start = file->start;
	m->end = file->end;
	m->file_offset = file->file_offset;
	m->device = file->device;
	m->inode = file->inode;
	m->deleted = file->deleted;
	memcpy(m->permissions, file->permissions, sizeof(m->permissions));
	snprintf(m->path, sizeof(m->path), "%s", file->path);
}

void gw_python_format_version(uint32_t hex, char *text, size_t size)
{
	unsigned int level = hex >> 4 & 0xf, serial = hex & 0xf;
	const char *name = level == 0xa ? "a" : level == 0xb ? "b" : level == 0xc ? "rc" : "";
	int used;

	if (!(hex & 0xffff)) { /* no release has 0 here: level is never 0 */
		snprintf(text, size, "%u.%u", hex >> 24, hex >> 16 & 0xff);
		return;
	}
	used = snprintf(text, size, "%u.%u.%u", hex >> 24, hex >> 16 & 0xff, hex >> 8 & 0xff);
	if (*name && used > 0 && (size_t)used < size)
		snprintf(text + used, size - (size_t)used, "%s%u", name, serial);
}

/* "3.9" out of libpython3.9.so.1.0, python3.9, libpython3.7m.so.1.0, libpypy3.9-c.so; else 0. */
static uint32_t version_in_name(const char *name)
{
	unsigned int major, minor;
	const char *digits;

	if (!gw_python_named(name))
		return 0;
	digits = strpbrk(base_name(name), "0123456789");
	if (!digits || sscanf(digits, "%1u.%2u", &major, &minor) != 2)
		return 0;
	return major << 24 | minor << 16;
}

/* The version among those with the same major and minor, if there is just one; else 0. */
static uint32_t only_match(const struct gw_runtime_versions *versions, uint32_t version)
{
	uint32_t found = 0;

	for (size_t i = 0; i < versions->count; i++) {
		if (versions->hex[i] >> 16 != version >> 16)
			continue;
		if (found)
			return 0;
		found = versions->hex[i];
	}
	return found;
}

/* The version that the file's names say, with the micro part if a string in it completes that. */
uint32_t gw_python_named_version(const struct gw_runtime_symbols *symbols, const char *path)
{
	uint32_t version = version_in_name(symbols->soname), full;

	if (!version)
		version = version_in_name(path);
	if (!version)
		return 0;
	full = only_match(&symbols->strings, version);
	if (!full)
		full = only_match(&symbols->tails, version);
	return full ? full : version;
}

/* Whether fd is the program itself and not a library. */
static int is_executable(pid_t pid, int fd)
{
	pid_t live = gw_proc_live_thread(pid);
	struct stat file, exe;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", live);
	return fstat(fd, &file) == 0 && stat(path, &exe) == 0 && file.st_ino == exe.st_ino &&
	       file.st_dev == exe.st_dev;
}

static int open_file(struct gw_python_search *s, const struct gw_python_file *file)
{
	struct gw_mapping *m = malloc(sizeof(*m));
	int fd = -ENOMEM;

	if (m) {
		to_mapping(file, m);
		fd = gw_proc_open_mapping(s->pid, m);
	}
	free(m);
	if (fd == -EACCES || fd == -EPERM)
		s->denied = 1;
	return fd;
}

/* What a file without _PyRuntime may hold all the same, for the refusal. */
static void note_other(struct gw_python_search *s, const struct gw_python_file *file, int fd,
		       const struct gw_runtime_symbols *symbols)
{
	const char *path = file->path;
	const char *kind = symbols->pypy ? "PyPy" : "Python";
	uint32_t version = symbols->version_hex ? symbols->version_hex
						: gw_python_named_version(symbols, path);
	char text[16] = "";

	s->narrow |= symbols->narrow;
	if ((!symbols->pypy && !symbols->old_python) || s->other[0])
		return;
	to_mapping(file, &s->other_file.mapping);
	s->other_file.shared = !is_executable(s->pid, fd);
	s->other_file.symbols = *symbols;
	if (!version && symbols->strings.count == 1 && !symbols->pypy)
		version = symbols->strings.hex[0];
	if (version)
		gw_python_format_version(version, text, sizeof(text));
	snprintf(s->other, sizeof(s->other), "%s%s%s", kind, version ? " " : "", text);
}

/* A file that is named as a Python, and that cannot be read: better said than left out. */
static void note_unfit(struct gw_python_search *s, const struct gw_python_file *file, int code)
{
	int used;

	if (s->unfit || !file->likely || code == -ENOEXEC || code == -ENOTSUP)
		return;
	s->unfit = code;
	used = snprintf(s->unfit_what, sizeof(s->unfit_what), "the file %.200s of process %d",
			file->path, s->pid);
	for (int i = 0; i < used; i++)
		if (s->unfit_what[i] < ' ' || s->unfit_what[i] > '~')
			s->unfit_what[i] = '?';
}

static void note_answer(struct gw_python_search *s, const struct gw_python_file *file,
			const struct gw_symbols_request *request)
{
	struct gw_python_candidate *candidate = &s->candidate[s->candidate_count];
	const struct gw_runtime_symbols *symbols = &request->symbols;

	if (request->code == -EAGAIN) {
		s->unread = 1;
		return;
	}
	if (request->code == -ENOTSUP && is_executable(s->pid, request->fd))
		s->narrow = 1;
	if (request->code) {
		note_unfit(s, file, request->code);
		return;
	}
	if (!symbols->runtime) {
		note_other(s, file, request->fd, symbols);
		return;
	}
	if (s->candidate_count == GW_PYTHON_CANDIDATES_MAX ||
	    gw_runtime_load_bias(symbols, file->start, file->file_offset, &candidate->load_bias))
		return;
	to_mapping(file, &candidate->mapping);
	candidate->shared = !is_executable(s->pid, request->fd);
	candidate->symbols = *symbols;
	s->candidate_count++;
}

/* A target can map thousands of files that are each just not too slow. */
static void note_late(struct gw_python_search *s)
{
	if (!gw_sandbox_is_spent(s->budget) || s->unfit)
		return;
	s->unfit = -ETIMEDOUT;
	snprintf(s->unfit_what, sizeof(s->unfit_what), "what process %d maps", s->pid);
}

/* The files that are open at a time. */
struct chunk {
	size_t count;
	const struct gw_python_file *file[GW_SANDBOX_TASKS_MAX];
	struct gw_symbols_request request[GW_SANDBOX_TASKS_MAX];
};

static int read_chunk(struct gw_python_search *s, struct chunk *chunk, struct gw_file_cache *cache,
		      struct gw_error *err)
{
	int code = 0;

	if (chunk->count)
		code = gw_files_read_symbols(cache, chunk->request, chunk->count, s->budget, NULL,
					     err);
	for (size_t i = 0; i < chunk->count; i++) {
		if (!code)
			note_answer(s, chunk->file[i], &chunk->request[i]);
		close(chunk->request[i].fd);
	}
	chunk->count = 0;
	return code;
}

int gw_python_search_read(struct gw_python_search *s, int likely, struct gw_file_cache *cache,
			  struct gw_error *err)
{
	struct chunk *chunk = calloc(1, sizeof(*chunk));
	int code = 0, fd;

	if (!chunk)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	for (size_t i = 0; i < s->count && !code; i++) {
		if (s->files[i].likely != likely)
			continue;
		fd = open_file(s, &s->files[i]);
		if (fd == -EMFILE && chunk->count) { /* a low limit, or a busy gilwatch */
			code = read_chunk(s, chunk, cache, err);
			fd = open_file(s, &s->files[i]);
		}
		if (fd < 0)
			continue;
		chunk->file[chunk->count] = &s->files[i];
		chunk->request[chunk->count++].fd = fd;
		if (chunk->count == GW_SANDBOX_TASKS_MAX)
			code = read_chunk(s, chunk, cache, err);
	}
	if (!code)
		code = read_chunk(s, chunk, cache, err);
	note_late(s);
	free(chunk);
	return code;
}

int gw_python_search_begin(struct gw_python_search *s, pid_t pid, const char *exe,
			   struct gw_sandbox_budget *budget)
{
	pid_t live = gw_proc_live_thread(pid);
	int code;

	*s = (struct gw_python_search){.pid = pid, .exe = exe, .budget = budget};
	code = live < 0 ? live : gw_proc_each_code_mapping(live, note_file, s);
	return code || s->count ? code : -ESRCH; /* no code at all: it is on its way out */
}

void gw_python_search_end(struct gw_python_search *s)
{
	for (size_t i = 0; i < s->count; i++)
		free(s->files[i].path);
	free(s->files);
}
