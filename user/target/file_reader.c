// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/file_reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "target/file_behind.h"
#include "target/file_cache.h"

/* ---- the runtime's symbols ---- */

static int symbols_job(const int fds[GW_SANDBOX_FDS_MAX], const void *in, void *out,
		       struct gw_error *err)
{
	(void)in;
	(void)err;
	return gw_runtime_symbols_read(fds[0], out);
}

static int is_printable(const char *text, size_t size)
{
	size_t i;

	for (i = 0; i < size && text[i]; i++)
		if (text[i] < ' ' || text[i] > '~')
			return 0;
	return i < size;
}

static void check_build_id(char *hex, size_t size)
{
	size_t i = 0;

	while (i < size && strchr("0123456789abcdef", hex[i]) && hex[i])
		i++;
	if (i == size || hex[i])
		hex[0] = '\0';
}

static int check_symbols(struct gw_runtime_symbols *s)
{
	if (s->load_count > GW_RUNTIME_LOADS_MAX || s->strings.count > GW_RUNTIME_VERSIONS_MAX ||
	    s->tails.count > GW_RUNTIME_VERSIONS_MAX)
		return -EBADMSG;
	for (size_t i = 0; i < s->load_count; i++)
		if (s->load[i].offset > INT64_MAX || s->load[i].file_size > INT64_MAX)
			return -EBADMSG;
	s->free_threaded = s->free_threaded != 0;
	s->old_python = s->old_python != 0;
	s->pypy = s->pypy != 0;
	s->narrow = s->narrow != 0;
	if (s->narrow)
		s->runtime = 0;
	if (s->libc < GW_LIBC_GLIBC || s->libc > GW_LIBC_OTHER)
		return -EBADMSG;
	check_build_id(s->build_id, sizeof(s->build_id));
	if (!is_printable(s->soname, sizeof(s->soname)))
		s->soname[0] = '\0'; /* it is only a hint at the version */
	/* Of most files this is all that is kept. */
	if (!gw_runtime_has_python(s))
		memset(s, 0, sizeof(*s));
	return 0;
}

/* The requests that go to the sandbox together, and what their files are known by. */
struct batch {
	struct gw_file_cache *cache;
	struct gw_sandbox_budget *budget;
	struct gw_sandbox_use *use;
	size_t count;
	struct gw_symbols_request *request[GW_SANDBOX_TASKS_MAX];
	struct gw_sandbox_task task[GW_SANDBOX_TASKS_MAX];
	struct stat file[GW_SANDBOX_TASKS_MAX];
};

/* A child can lie about all of its files: whoever can write one could write the others as well. */
static int may_join(const struct batch *batch, const struct stat *file)
{
	const struct stat *first = &batch->file[0];

	return !batch->count ||
	       (batch->count < GW_SANDBOX_TASKS_MAX && first->st_uid == file->st_uid &&
		!((first->st_mode | file->st_mode) & (S_IWGRP | S_IWOTH)));
}

static void add_to_batch(struct batch *batch, struct gw_symbols_request *request,
			 const struct stat *file)
{
	size_t i = batch->count++;

	batch->request[i] = request;
	batch->file[i] = *file;
	batch->task[i] = (struct gw_sandbox_task){.out = &request->symbols};
	for (int n = 0; n < GW_SANDBOX_FDS_MAX; n++)
		batch->task[i].fd[n] = n ? -1 : request->fd;
}

/* Beside others it may be the victim of what is wrong with one of them. */
static int is_doubtful(const struct batch *batch, int code)
{
	return batch->count > 1 && (code == -ETIMEDOUT || code == -ENOMEM || code == -EBADMSG);
}

static int flush(struct batch *batch, struct gw_error *err)
{
	int code;

	if (!batch->count)
		return 0;
	code = gw_sandbox_run(symbols_job, batch->task, batch->count,
			      sizeof(struct gw_runtime_symbols), batch->budget, batch->use, err);
	for (size_t i = 0; !code && i < batch->count; i++) {
		struct gw_symbols_request *request = batch->request[i];

		request->code = batch->task[i].code;
		if (!request->code)
			request->code = check_symbols(&request->symbols);
		if (!is_doubtful(batch, request->code))
			gw_file_cache_put(batch->cache, &batch->file[i], request);
	}
	batch->count = 0;
	return code;
}

static int read_in_batches(struct batch *batch, struct gw_symbols_request *request, size_t count,
			   struct gw_error *err)
{
	int code = 0;

	for (size_t i = 0; i < count && !code; i++) {
		struct stat file;

		if (fstat(request[i].fd, &file)) {
			request[i].code = -errno;
			continue;
		}
		if (gw_file_cache_get(batch->cache, &file, &request[i]))
			continue;
		if (!may_join(batch, &file))
			code = flush(batch, err);
		add_to_batch(batch, &request[i], &file);
	}
	return code ? code : flush(batch, err);
}

/* ---- behind the back of those who ask ---- */

static void ask_for_symbols(struct gw_file_cache *cache, struct gw_symbols_request *request)
{
	struct gw_behind_file file = {.kind = GW_BEHIND_SYMBOLS, .fd = {request->fd, -1, -1}};

	if (fstat(request->fd, &file.file))
		request->code = -errno;
	else if (!gw_file_cache_get(cache, &file.file, request))
		request->code = gw_behind_ask(gw_file_cache_behind(cache), &file);
}

static int read_with_budget(struct batch *batch, struct gw_file_cache *cache,
			    struct gw_symbols_request *request, size_t count)
{
	struct gw_sandbox_budget budget = GW_SANDBOX_PATIENT_BUDGET;

	batch->cache = cache;
	batch->budget = &budget;
	return read_in_batches(batch, request, count, NULL);
}

/* All of them together, and then those alone of which that tells nothing. */
static void read_symbols(struct gw_behind_file *const *file, size_t count,
			 struct gw_file_cache *cache)
{
	struct gw_symbols_request *request = calloc(count, sizeof(*request));
	struct batch *batch = calloc(1, sizeof(*batch));

	for (size_t i = 0; request && i < count; i++)
		request[i].fd = file[i]->fd[0];
	if (batch && request && !read_with_budget(batch, cache, request, count))
		for (size_t i = 0; i < count; i++)
			read_with_budget(batch, cache, &request[i], 1);
	free(batch);
	free(request);
}

static void read_sites(const struct gw_behind_file *file, struct gw_file_cache *cache)
{
	const struct gw_sites_files files = {.file = file->fd[0],
					     .debug = {file->fd[1], file->fd[2]}};
	struct gw_sites *sites = calloc(1, sizeof(*sites));
	struct gw_sandbox_budget budget = GW_SANDBOX_PATIENT_BUDGET;
	struct gw_error err = {0};

	if (sites) {
		int code = gw_file_find_sites(&files, file->what, sites, &budget, NULL, &err);

		gw_file_cache_put_sites(cache, &file->file, sites, code, &err);
	}
	free(sites);
}

static void read_behind(struct gw_behind_file *const *file, size_t count, void *data)
{
	if (file[0]->kind == GW_BEHIND_SYMBOLS) {
		read_symbols(file, count, data);
		return;
	}
	for (size_t i = 0; i < count; i++)
		read_sites(file[i], data);
}

int gw_files_read_behind(struct gw_file_cache *cache)
{
	struct gw_behind *behind = gw_behind_new(read_behind, cache);

	if (!behind)
		return -ENOMEM;
	gw_file_cache_set_behind(cache, behind);
	return 0;
}

/* ---- the requests ---- */

int gw_files_read_symbols(struct gw_file_cache *cache, struct gw_symbols_request *request,
			  size_t count, struct gw_sandbox_budget *budget,
			  struct gw_sandbox_use *use, struct gw_error *err)
{
	struct batch *batch;
	int code;

	if (gw_file_cache_behind(cache)) {
		for (size_t i = 0; i < count; i++)
			ask_for_symbols(cache, &request[i]);
		return 0;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	batch->cache = cache;
	batch->budget = budget;
	batch->use = use;
	code = read_in_batches(batch, request, count, err);
	free(batch);
	return code;
}

int gw_file_code_is_final(int code)
{
	return !code || code == -ENOEXEC || code == -ENOTSUP || code == -EINVAL;
}

/* ---- call sites ---- */

static int sites_job(const int fds[GW_SANDBOX_FDS_MAX], const void *in, void *out,
		     struct gw_error *err)
{
	struct gw_sites_files files = {.file = fds[0], .disassembler = in};

	for (int i = 0; i < GW_SITES_DEBUG_MAX; i++)
		files.debug[i] = fds[1 + i];
	return gw_sites_find(&files, out, err);
}

static int check_site(const struct gw_sites *sites, size_t i, uint64_t file_size)
{
	const struct gw_site *site = &sites->site[i];

	return (site->kind == GW_SITE_ACQUIRE || site->kind == GW_SITE_RELEASE) &&
	       site->cheap <= 1 && site->file_offset < file_size &&
	       (!i || sites->site[i - 1].file_offset < site->file_offset);
}

static int check_sites(struct gw_sites *sites, int fd)
{
	struct stat file;

	if (fstat(fd, &file))
		return -errno;
	if (!sites->count || sites->count > GW_SITES_MAX ||
	    sites->function_count > GW_SITES_FUNCTIONS_MAX ||
	    !is_printable(sites->how, sizeof(sites->how)) ||
	    !is_printable(sites->disagreement, sizeof(sites->disagreement)))
		return -EBADMSG;
	for (size_t i = 0; i < sites->count; i++)
		if (!check_site(sites, i, (uint64_t)file.st_size))
			return -EBADMSG;
	for (size_t i = 0; i < sites->function_count; i++)
		if (!is_printable(sites->function[i].name, sizeof(sites->function[i].name)))
			return -EBADMSG;
	return 0;
}

int gw_file_find_sites(const struct gw_sites_files *files, const char *what, struct gw_sites *sites,
		       struct gw_sandbox_budget *budget, struct gw_sandbox_use *use,
		       struct gw_error *err)
{
	/* The child could not open it any more. */
	struct gw_disassembler disassembler = {0};
	struct gw_sandbox_task task = {.fd = {files->file}, .in = &disassembler, .out = sites};
	int code;

	for (int i = 0; i < GW_SITES_DEBUG_MAX; i++)
		task.fd[1 + i] = files->debug[i];
	memset(sites, 0, sizeof(*sites));
	code = gw_disassembler_load(&disassembler, err);
	if (!code)
		code = gw_sandbox_run(sites_job, &task, 1, sizeof(*sites), budget, use, err);
	gw_disassembler_unload(&disassembler);
	if (code)
		return code;
	code = task.code;
	if (!code)
		code = check_sites(sites, files->file);
	if (!code)
		return 0;
	memset(sites, 0, sizeof(*sites));
	if (code == -ENOMEM || !task.err.text[0])
		return gw_file_refuse(code, what, err);
	return gw_error_set(err, code, task.err.status, "%s", task.err.text);
}

int gw_file_refuse(int code, const char *what, struct gw_error *err)
{
	switch (code) {
	case -ETIMEDOUT:
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "%s takes too long to read: it is not trusted", what);
	case -ENOMEM:
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "%s takes too much memory to read: it is not trusted", what);
	case -EBADMSG:
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "%s made its reader crash: it is not trusted", what);
	default:
		return gw_error_set(err, code, GW_STATUS_TARGET, "%s cannot be read: %s", what,
				    strerror(-code));
	}
}
