// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/python.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "target/file_reader.h"
#include "target/gil_belief.h"
#include "target/layout.h"
#include "target/memory.h"
#include "target/python_memory.h"
#include "target/python_search.h"
#include "target/runtime_symbols.h"

#define WHO_MAX 96

/* A process, and what its refusal says. */
struct quest {
	pid_t pid;
	char who[WHO_MAX]; /* "process 123 (nginx)", fit for a sentence */
	struct gw_file_cache *cache;
	struct gw_sandbox_budget *budget;
	struct gw_error *err;
	struct gw_python *python;
	struct gw_python *second; /* NULL: not asked for */
};

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

static int refuse_read(const struct quest *q, int code)
{
	if (code == -EPERM || code == -EACCES)
		return gw_error_set(q->err, code, GW_STATUS_RIGHTS,
				    "reading %s is not permitted: it takes CAP_SYS_PTRACE (run "
				    "gilwatch with sudo)",
				    q->who);
	if (code == -ESRCH || code == -ENOENT)
		return gw_error_set(q->err, -ESRCH, GW_STATUS_TARGET,
				    "%s has ended: there is nothing to measure any more", q->who);
	return gw_error_set(q->err, code, GW_STATUS_FAILURE, "reading %s failed: %s", q->who,
			    strerror(-code));
}

static int refuse_absent(const struct quest *q, const struct gw_python_search *s)
{
	if (s->narrow)
		return gw_error_set(q->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s is a 32-bit program%s%s: gilwatch reads 64-bit ones only",
				    q->who, s->other[0] ? " with " : "", s->other);
	if (strncmp(s->other, "PyPy", 4) == 0)
		return gw_error_set(q->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s is %s, which has no CPython GIL that gilwatch could read: "
				    "run the program under CPython 3.8 - 3.15",
				    q->who, s->other);
	if (s->other[0])
		return gw_error_set(q->err, -ENOTSUP, GW_STATUS_TARGET,
				    "%s runs %s, which is older than what gilwatch reads: run the "
				    "program under CPython 3.8 - 3.15",
				    q->who, s->other);
	if (s->unfit)
		return gw_file_refuse(s->unfit, s->unfit_what, q->err);
	if (s->denied)
		return refuse_read(q, -EACCES);
	return gw_error_set(q->err, -ENOENT, GW_STATUS_TARGET,
			    "%s maps no CPython: give the PID of a Python process", q->who);
}

static int refuse_version(const struct quest *q, uint32_t version)
{
	char text[32];
	int newer = version >> 16 > GW_PYTHON_NEWEST;

	gw_python_format_version(version, text, sizeof(text));
	return gw_error_set(q->err, -ENOTSUP, GW_STATUS_TARGET,
			    "%s runs Python %s, which is %s than what gilwatch reads: %s", q->who,
			    text, newer ? "newer" : "older",
			    newer ? "use a gilwatch that knows it (this one: CPython 3.8 - 3.15)"
				  : "run the program under CPython 3.8 - 3.15");
}

/* One that came after this program: if what it says of itself makes sense, it is worth a try. */
static int use_newer(const struct quest *q, uint32_t version, const void *head, size_t size)
{
	struct gw_python *python = q->python;

	if (gw_debug_offsets_guess(head, size, version, python->free_threaded, &python->layout))
		return refuse_version(q, version);
	python->version_hex = version;
	gw_python_format_version(version, python->version, sizeof(python->version));
	python->untested = 1;
	return 0;
}

/* Takes a version: the layout by the table, corrected by the target where it can say. */
static int use_version(const struct quest *q, uint32_t version, const void *head, size_t size)
{
	struct gw_python *python = q->python;
	const struct gw_python_layout *layout;

	if (version >> 16 > GW_PYTHON_NEWEST)
		return use_newer(q, version, head, size);
	if (version >> 16 < GW_PYTHON_OLDEST)
		return refuse_version(q, version);
	layout = gw_layout_for(version, python->free_threaded);
	if (!layout)
		return gw_error_set(
			q->err, -ENOTSUP, GW_STATUS_TARGET,
			"%s runs a free-threaded Python of a version that has none: it is "
			"not read",
			q->who);
	python->version_hex = version;
	gw_python_format_version(version, python->version, sizeof(python->version));
	python->layout = *layout;
	if (!gw_debug_offsets_size(version))
		return 0;
	return gw_debug_offsets_apply(head, size, version, python->free_threaded, &python->layout,
				      q->err);
}

static int refuse_memory(const struct quest *q, int code)
{
	if (code == -EAGAIN)
		return gw_error_set(
			q->err, code, GW_STATUS_TARGET,
			"the Python %s in %s is not initialised yet, or finished already: "
			"try again while it runs",
			q->python->version, q->who);
	if (code == -EPROTO || code == -EFAULT)
		return gw_error_set(
			q->err, code, GW_STATUS_TARGET,
			"the memory of %s does not look like Python %s: it is a changed "
			"or debug build, or a damaged process, and is not read",
			q->who, q->python->version);
	if (code == -ENOLCK)
		return gw_error_set(
			q->err, code, GW_STATUS_TARGET,
			"threads of %s wait beside what should be the GIL of its Python %s: it is "
			"a changed build, and is not read",
			q->who, q->python->version);
	return refuse_read(q, code);
}

/* The GILs by the memory alone, and then by who waits for them. */
static int read_gils(const struct quest *q)
{
	int ret = gw_python_read_gils(q->pid, q->python);

	return ret ? ret : gw_gil_belief_check(q->pid, q->python);
}

/*
 * Up to 3.10 no version is in memory or in a symbol: the names of the file tell it, else the
 * strings in it that look like one, each tried until the memory looks like that version's.
 */
static int find_old_version(const struct quest *q, const struct gw_runtime_symbols *symbols)
{
	uint32_t named = gw_python_named_version(symbols, q->python->runtime_file.path);
	size_t count = named ? 1 : symbols->strings.count;
	const uint32_t *versions = named ? &named : symbols->strings.hex;
	int ret = -ENOENT;

	for (size_t i = 0; i < count && ret; i++) {
		if (count > 1 &&
		    (versions[i] >> 16 < GW_PYTHON_OLDEST || versions[i] >> 16 > GW_PYTHON_NEWEST))
			continue;
		ret = use_version(q, versions[i], NULL, 0);
		if (!ret)
			ret = read_gils(q);
	}
	if (ret == -ENOENT || !q->python->version_hex)
		return gw_error_set(
			q->err, -ENOTSUP, GW_STATUS_TARGET,
			"%s holds a Python whose version cannot be told: gilwatch takes "
			"CPython 3.8 - 3.15",
			q->who);
	return ret ? refuse_memory(q, ret) : 0;
}

static int find_version(const struct quest *q, const struct gw_runtime_symbols *symbols)
{
	unsigned char head[GW_DEBUG_OFFSETS_MAX] = {0};
	uint32_t version = symbols->version_hex, in_memory;
	int free_threaded, ret;

	ret = gw_memory_read(q->pid, q->python->runtime_address, head, sizeof(head));
	if (ret && ret != -EFAULT) /* the runtime of 3.9 is shorter, and may end with its page */
		return refuse_read(q, ret);
	q->python->free_threaded = symbols->free_threaded;
	if (!version && !ret &&
	    gw_debug_offsets_identify(head, sizeof(head), &in_memory, &free_threaded) == 0) {
		version = in_memory;
		q->python->free_threaded = free_threaded; /* no symbols here: the only witness */
	}
	if (!version)
		return find_old_version(q, symbols);
	ret = use_version(q, version, head, ret ? 0 : sizeof(head));
	if (ret)
		return ret;
	ret = read_gils(q);
	if ((ret == -EPROTO || ret == -ENOLCK) && q->python->untested)
		return refuse_version(q, version);
	return ret ? refuse_memory(q, ret) : 0;
}

/* Tries one runtime: python is filled and err set as by gw_python_find(). */
static int try_candidate(const struct quest *q, const struct gw_python_candidate *candidate,
			 struct gw_python *python, struct gw_error *err)
{
	struct quest own = *q;

	own.python = python;
	own.err = err;
	memset(python, 0, sizeof(*python));
	python->runtime_file = candidate->mapping;
	python->shared = candidate->shared;
	python->load_bias = candidate->load_bias;
	python->runtime_address = candidate->symbols.runtime + candidate->load_bias;
	memcpy(python->build_id, candidate->symbols.build_id, sizeof(python->build_id));
	if (candidate->symbols.libc != GW_LIBC_GLIBC)
		return gw_error_set(
			err, -ENOTSUP, GW_STATUS_TARGET,
			"%s runs a Python that is linked %s, whose locks work in another way: "
			"gilwatch reads CPython linked with glibc only",
			q->who,
			candidate->symbols.libc == GW_LIBC_MUSL
				? "with musl"
				: "statically with another C library than glibc (musl, most "
				  "likely)");
	return find_version(&own, &candidate->symbols);
}

/* What all the runtimes of a process come to. */
struct outcome {
	int initialised;     /* how many; the first of them is the answer */
	int code;	     /* of the first that is not */
	struct gw_error err; /* its sentence */
	char other[32];	     /* the version of the second that is initialised … */
	int other_enabled;   /* … and whether its GIL is on */
};

/* What the file alone says of a build: all there is to tell where its memory is not fit to be read.
 */
static void keep_facts_of_file(struct gw_python *python,
			       const struct gw_python_candidate *candidate)
{
	const struct gw_runtime_symbols *symbols = &candidate->symbols;
	uint32_t version = symbols->version_hex;

	python->runtime_file = candidate->mapping;
	python->shared = candidate->shared;
	python->free_threaded = symbols->free_threaded;
	memcpy(python->build_id, symbols->build_id, sizeof(python->build_id));
	if (!version)
		version = gw_python_named_version(symbols, candidate->mapping.path);
	if (version)
		gw_python_format_version(version, python->version, sizeof(python->version));
}

static void keep(const struct quest *q, const struct gw_python *python, struct outcome *outcome)
{
	if (!outcome->initialised++) {
		*q->python = *python;
		return;
	}
	if (outcome->initialised > 2)
		return;
	snprintf(outcome->other, sizeof(outcome->other), "%s", python->version);
	outcome->other_enabled = python->gil_enabled;
	/* With both off or on there is one engine for them. */
	if (!q->second || !python->gil_enabled || !q->python->gil_enabled)
		return;
	*q->second = *python;
	q->second->number = 1;
}

static int try_candidates(const struct quest *q, const struct gw_python_search *s, size_t from,
			  struct outcome *outcome)
{
	struct gw_python *python = malloc(sizeof(*python));

	if (!python)
		return gw_error_set(q->err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	for (size_t i = from; i < s->candidate_count; i++) {
		struct gw_error err = {0};
		int code = try_candidate(q, &s->candidate[i], python, &err);

		if (!code)
			keep(q, python, outcome);
		if (code && !outcome->code) {
			outcome->code = code;
			outcome->err = err;
		}
	}
	free(python);
	return 0;
}

static void note_several(const struct quest *q, const struct outcome *outcome)
{
	const char *first = q->python->version, *other = outcome->other;
	char *note = q->python->note;
	size_t size = sizeof(q->python->note);

	if (outcome->initialised < 2)
		return;
	if (!outcome->other_enabled || !q->python->gil_enabled)
		snprintf(note, size,
			 "%d Pythons run in this process, and not all of them with a GIL: only the "
			 "first, %s, is measured, and not %s",
			 outcome->initialised, first, other);
	else if (outcome->initialised > 2)
		snprintf(note, size,
			 "%d Pythons run in this process: %s and %s are measured, and no other",
			 outcome->initialised, first, other);
	else
		snprintf(note, size,
			 "2 Pythons run in this process, %s and %s, each with a GIL of its own",
			 first, other);
}

/*
 * A process may map hundreds of libraries: those that are named as a Python, and the program, come
 * first; the others are read only where no runtime is alive in them.
 */
static int find_alive(const struct quest *q, struct gw_python_search *s)
{
	struct outcome outcome = {0};

	for (int likely = 1; likely >= 0 && !outcome.initialised; likely--) {
		size_t from = s->candidate_count;
		int code = gw_python_search_read(s, likely, q->cache, q->err);

		if (!code && s->unread)
			code = gw_error_set(q->err, -EAGAIN, GW_STATUS_TARGET,
					    "the files of %s are being read", q->who);
		if (!code)
			code = try_candidates(q, s, from, &outcome);
		if (code)
			return code;
	}
	if (outcome.initialised) {
		note_several(q, &outcome);
		return 0;
	}
	if (!outcome.code && s->other[0])
		keep_facts_of_file(q->python, &s->other_file);
	memcpy(q->python->other, s->other, sizeof(q->python->other));
	if (!outcome.code)
		return refuse_absent(q, s);
	keep_facts_of_file(q->python, &s->candidate[0]);
	return gw_error_set(q->err, outcome.code, outcome.err.status, "%s", outcome.err.text);
}

static int find_in_files(const struct quest *q, const char *exe)
{
	struct gw_python_search *s = malloc(sizeof(*s));
	int ret;

	if (!s)
		return refuse_read(q, -ENOMEM);
	ret = gw_python_search_begin(s, q->pid, exe, q->budget);
	ret = ret ? refuse_read(q, ret) : find_alive(q, s);
	gw_python_search_end(s);
	free(s);
	return ret;
}

static int find(struct quest *q)
{
	struct gw_proc_info *info = calloc(1, sizeof(*info));
	int ret;

	memset(q->python, 0, sizeof(*q->python));
	if (q->second)
		memset(q->second, 0, sizeof(*q->second));
	if (!info)
		return gw_error_set(q->err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	ret = gw_proc_read(q->pid, info, q->err);
	if (!ret) {
		name_process(info, q->who);
		ret = info->kernel_thread
			      ? gw_error_set(q->err, -ENOTSUP, GW_STATUS_TARGET,
					     "%s is a kernel thread: there is no Python in it",
					     q->who)
			      : find_in_files(q, info->exe);
	}
	free(info);
	return ret;
}

int gw_python_find_cached(pid_t pid, struct gw_file_cache *cache, struct gw_sandbox_budget *budget,
			  struct gw_python *python, struct gw_error *err)
{
	struct quest q = {
		.pid = pid, .cache = cache, .budget = budget, .python = python, .err = err};

	return find(&q);
}

int gw_python_find_two(pid_t pid, struct gw_file_cache *cache, struct gw_sandbox_budget *budget,
		       struct gw_python *python, struct gw_python *second, struct gw_error *err)
{
	struct quest q = {.pid = pid,
			  .cache = cache,
			  .budget = budget,
			  .python = python,
			  .second = second,
			  .err = err};

	return find(&q);
}

int gw_python_find(pid_t pid, struct gw_python *python, struct gw_error *err)
{
	struct gw_sandbox_budget budget = GW_SANDBOX_BUDGET;

	return gw_python_find_cached(pid, NULL, &budget, python, err);
}
