// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/layout.h"
#include "target/memory.h"
#include "target/python_memory.h"
#include "target/runtime_symbols.h"

#define FILES_MAX 4096
#define WHO_MAX	  96

struct file {
	uint64_t start, end, file_offset, device, inode;
	char permissions[5];
	int deleted;
	int likely; /* the executable, or named as a Python */
	char *path;
};

/* The search through the files of one process. */
struct search {
	pid_t pid;
	char who[WHO_MAX]; /* "process 123 (nginx)", fit for a sentence */
	const char *exe;
	struct file *files;
	size_t count, room;
	int denied;	/* a file could not be opened for want of rights */
	int narrow;	/* the executable is a 32-bit program */
	char other[32]; /* "PyPy 3.9", "Python 2.7.18": found, but not what is looked for */
	struct gw_error *err;
	struct gw_python *python;
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/* The comm belongs to the target: it must not write to the terminal through a sentence. */
static void name_process(const struct gw_proc_info *info, char *who)
{
	char comm[sizeof(info->comm)];
	size_t i;

	for (i = 0; info->comm[i] && i < sizeof(comm) - 1; i++)
		comm[i] = info->comm[i] >= ' ' && info->comm[i] < 0x7f ? info->comm[i] : '?';
	comm[i] = '\0';
	snprintf(who, WHO_MAX, "process %d (%s)", info->pid, comm);
}

static int starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

static int named_as_python(const char *path)
{
	const char *name = base_name(path);

	return starts_with(name, "python") || starts_with(name, "libpython") ||
	       starts_with(name, "pypy") || starts_with(name, "libpypy");
}

static int note_file(const struct gw_mapping *m, void *data)
{
	struct search *s = data;
	struct file *file;

	if (!m->inode || !strchr(m->permissions, 'x') || s->count == FILES_MAX)
		return 0;
	for (size_t i = 0; i < s->count; i++)
		if (s->files[i].inode == m->inode && s->files[i].device == m->device)
			return 0;
	if (s->count == s->room) {
		size_t room = s->room ? 2 * s->room : 64;
		struct file *more = realloc(s->files, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		s->files = more;
		s->room = room;
	}
	file = &s->files[s->count];
	*file = (struct file){.start = m->start,
			      .end = m->end,
			      .file_offset = m->file_offset,
			      .device = m->device,
			      .inode = m->inode,
			      .deleted = m->deleted,
			      .likely = named_as_python(m->path) ||
					(starts_with(s->exe, m->path) && m->path[0]),
			      .path = strdup(m->path)};
	memcpy(file->permissions, m->permissions, sizeof(file->permissions));
	if (!file->path)
		return -ENOMEM;
	s->count++;
	return 0;
}

static void to_mapping(const struct file *file, struct gw_mapping *m)
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

static int refuse_read(const struct search *s, int code)
{
	if (code == -EPERM || code == -EACCES)
		return gw_error_set(s->err, code, GW_STATUS_RIGHTS,
				    "reading %s is not permitted: it takes CAP_SYS_PTRACE (run "
				    "gilwatch with sudo)",
				    s->who);
	if (code == -ESRCH || code == -ENOENT)
		return gw_error_set(s->err, -ESRCH, GW_STATUS_TARGET,
				    "%s has ended: there is nothing to measure any more", s->who);
	return gw_error_set(s->err, code, GW_STATUS_FAILURE, "reading %s failed: %s", s->who,
			    strerror(-code));
}

static void format_version(uint32_t hex, char *text, size_t size)
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

	if (!named_as_python(name))
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
static uint32_t named_version(const struct gw_runtime_symbols *symbols, const char *path)
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

/* What a file without _PyRuntime may hold all the same, for the refusal. */
static void note_other(struct search *s, const struct gw_runtime_symbols *symbols, const char *path)
{
	const char *kind = symbols->pypy ? "PyPy" : "Python";
	uint32_t version = named_version(symbols, path);
	char text[16] = "";

	if ((!symbols->pypy && !symbols->old_python) || s->other[0])
		return;
	if (!version && symbols->strings.count == 1 && !symbols->pypy)
		version = symbols->strings.hex[0];
	if (version)
		format_version(version, text, sizeof(text));
	snprintf(s->other, sizeof(s->other), "%s%s%s", kind, version ? " " : "", text);
}

static int open_file(struct search *s, const struct file *file)
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

/* 1: the file has the runtime, and symbols are its; 0: it has not; or a negative errno. */
static int look_into(struct search *s, const struct file *file, struct gw_runtime_symbols *symbols)
{
	struct gw_python *python = s->python;
	int fd = open_file(s, file), ret;

	if (fd < 0)
		return fd == -ENOMEM ? fd : 0;
	ret = gw_runtime_symbols_read(fd, symbols);
	if (ret == -ENOTSUP && is_executable(s->pid, fd))
		s->narrow = 1;
	if (!ret && symbols->runtime) {
		to_mapping(file, &python->runtime_file);
		python->shared = !is_executable(s->pid, fd);
		memcpy(python->build_id, symbols->build_id, sizeof(python->build_id));
		if (gw_runtime_load_bias(symbols, file->start, file->file_offset,
					 &python->load_bias) == 0) {
			python->runtime_address = symbols->runtime + python->load_bias;
			ret = 1;
		}
	} else if (!ret) {
		note_other(s, symbols, file->path);
	}
	close(fd);
	return ret == 1 || ret == -ENOMEM ? ret : 0;
}

static int find_runtime(struct search *s, struct gw_runtime_symbols *symbols)
{
	/* A process may map hundreds of libraries: those that may well hold a Python come first. */
	for (int likely = 1; likely >= 0; likely--) {
		for (size_t i = 0; i < s->count; i++) {
			int ret = 0;

			if (s->files[i].likely == likely)
				ret = look_into(s, &s->files[i], symbols);
			if (ret)
				return ret;
		}
	}
	return 0;
}

static int refuse_absent(const struct search *s)
{
	if (starts_with(s->other, "PyPy"))
		return gw_error_set(s->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s is %s, which has no CPython GIL that gilwatch could read: "
				    "run the program under CPython 3.8 - 3.15",
				    s->who, s->other);
	if (s->other[0])
		return gw_error_set(s->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s runs %s, which is older than what gilwatch reads: run the "
				    "program under CPython 3.8 - 3.15",
				    s->who, s->other);
	if (s->narrow)
		return gw_error_set(s->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s is a 32-bit program: gilwatch reads 64-bit ones only",
				    s->who);
	if (s->denied)
		return refuse_read(s, -EACCES);
	return gw_error_set(s->err, -ENOENT, GW_STATUS_TARGET,
			    "%s maps no CPython: give the PID of a Python process", s->who);
}

static int refuse_version(const struct search *s, uint32_t version)
{
	char text[32];
	int newer = version >> 16 > GW_PYTHON_NEWEST;

	format_version(version, text, sizeof(text));
	return gw_error_set(s->err, -ENOTSUP, GW_STATUS_TARGET,
			    "%s runs Python %s, which is %s than what gilwatch reads: %s", s->who,
			    text, newer ? "newer" : "older",
			    newer ? "use a gilwatch that knows it (this one: CPython 3.8 - 3.15)"
				  : "run the program under CPython 3.8 - 3.15");
}

/* Takes a version: the layout by the table, corrected by the target where it can say. */
static int use_version(const struct search *s, uint32_t version, const void *head, size_t size)
{
	struct gw_python *python = s->python;
	const struct gw_python_layout *layout;

	if (version >> 16 < GW_PYTHON_OLDEST || version >> 16 > GW_PYTHON_NEWEST)
		return refuse_version(s, version);
	layout = gw_layout_for(version, python->free_threaded);
	if (!layout)
		return gw_error_set(
			s->err, -ENOTSUP, GW_STATUS_TARGET,
			"%s runs a free-threaded Python of a version that has none: it is "
			"not read",
			s->who);
	python->version_hex = version;
	format_version(version, python->version, sizeof(python->version));
	python->layout = *layout;
	if (!gw_debug_offsets_size(version))
		return 0;
	return gw_debug_offsets_apply(head, size, version, python->free_threaded, &python->layout,
				      s->err);
}

static int refuse_memory(const struct search *s, int code)
{
	if (code == -EAGAIN)
		return gw_error_set(
			s->err, code, GW_STATUS_TARGET,
			"the Python %s in %s is not initialised yet, or finished already: "
			"try again while it runs",
			s->python->version, s->who);
	if (code == -EPROTO || code == -EFAULT)
		return gw_error_set(
			s->err, code, GW_STATUS_TARGET,
			"the memory of %s does not look like Python %s: it is a changed "
			"or debug build, or a damaged process, and is not read",
			s->who, s->python->version);
	return refuse_read(s, code);
}

/*
 * Up to 3.10 no version is in memory or in a symbol: the names of the file tell it, else the
 * strings in it that look like one, each tried until the memory looks like that version's.
 */
static int find_old_version(const struct search *s, const struct gw_runtime_symbols *symbols)
{
	uint32_t named = named_version(symbols, s->python->runtime_file.path);
	size_t count = named ? 1 : symbols->strings.count;
	const uint32_t *versions = named ? &named : symbols->strings.hex;
	int ret = -ENOENT;

	for (size_t i = 0; i < count && ret; i++) {
		if (count > 1 &&
		    (versions[i] >> 16 < GW_PYTHON_OLDEST || versions[i] >> 16 > GW_PYTHON_NEWEST))
			continue;
		ret = use_version(s, versions[i], NULL, 0);
		if (!ret)
			ret = gw_python_read_gils(s->pid, s->python);
	}
	if (ret == -ENOENT || !s->python->version_hex)
		return gw_error_set(
			s->err, -ENOTSUP, GW_STATUS_TARGET,
			"%s holds a Python whose version cannot be told: gilwatch takes "
			"CPython 3.8 - 3.15",
			s->who);
	return ret ? refuse_memory(s, ret) : 0;
}

static int find_version(const struct search *s, const struct gw_runtime_symbols *symbols)
{
	unsigned char head[GW_DEBUG_OFFSETS_MAX] = {0};
	uint32_t version = symbols->version_hex, in_memory;
	int free_threaded, ret;

	ret = gw_memory_read(s->pid, s->python->runtime_address, head, sizeof(head));
	if (ret && ret != -EFAULT) /* the runtime of 3.9 is shorter, and may end with its page */
		return refuse_read(s, ret);
	s->python->free_threaded = symbols->free_threaded;
	if (!version && !ret &&
	    gw_debug_offsets_identify(head, sizeof(head), &in_memory, &free_threaded) == 0) {
		version = in_memory;
		s->python->free_threaded = free_threaded; /* no symbols here: the only witness */
	}
	if (!version)
		return find_old_version(s, symbols);
	ret = use_version(s, version, head, ret ? 0 : sizeof(head));
	if (ret)
		return ret;
	ret = gw_python_read_gils(s->pid, s->python);
	return ret ? refuse_memory(s, ret) : 0;
}

static int find_in_files(struct search *s)
{
	struct gw_runtime_symbols *symbols = malloc(sizeof(*symbols));
	int ret;

	if (!symbols)
		return refuse_read(s, -ENOMEM);
	ret = gw_proc_each_mapping(s->pid, note_file, s);
	if (!ret && !s->count)
		ret = -ESRCH; /* no code at all: it is on its way out */
	if (ret)
		ret = refuse_read(s, ret);
	else
		ret = find_runtime(s, symbols);
	if (ret == 0)
		ret = refuse_absent(s);
	else if (ret == 1)
		ret = find_version(s, symbols);
	free(symbols);
	return ret;
}

int gw_python_find(pid_t pid, struct gw_python *python, struct gw_error *err)
{
	struct gw_proc_info *info = calloc(1, sizeof(*info));
	struct search s = {.pid = pid, .python = python, .err = err};
	int ret;

	memset(python, 0, sizeof(*python));
	if (!info)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	ret = gw_proc_read(pid, info, err);
	if (!ret) {
		name_process(info, s.who);
		s.exe = info->exe;
		ret = info->kernel_thread
			      ? gw_error_set(err, -ENOTSUP, GW_STATUS_TARGET,
					     "%s is a kernel thread: there is no Python in it",
					     s.who)
			      : find_in_files(&s);
	}
	for (size_t i = 0; i < s.count; i++)
		free(s.files[i].path);
	free(s.files);
	free(info);
	return ret;
}
