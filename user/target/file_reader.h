/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the files of a target say, read in the sandbox: the only way for the rest of gilwatch to
 * look into one. Every answer is checked before it is handed on: counts within their arrays, text
 * that ends and is printable, places that lie in the file.
 */
#ifndef GW_FILE_READER_H
#define GW_FILE_READER_H

#include <stddef.h>

#include "target/runtime_symbols.h"
#include "target/sandbox.h"
#include "target/sites.h"
#include "util/error.h"

/*
 * What is known of files already, by device, inode, time of the last change and size: for whoever
 * looks at all processes of a host, most of which map the same files. It is never written to disk
 * and lives as long as its owner wants; files that end their reader are not kept in it.
 */
struct gw_file_cache;

struct gw_file_cache *gw_file_cache_new(void); /* NULL: out of memory, which is no harm */
void gw_file_cache_free(struct gw_file_cache *cache);

/*
 * From now on a file that the cache does not know is read by a thread, and who asks for it is
 * answered -EAGAIN until that is done: a file of somebody who means harm keeps nobody. One that
 * ended its reader is not read again for ten minutes. 0 or -ENOMEM.
 */
int gw_files_read_behind(struct gw_file_cache *cache);

struct gw_symbols_request {
	int fd;	  /* opened by the caller, who closes it */
	int code; /* as gw_runtime_symbols_read(), or as gw_sandbox_run(); -EAGAIN: see above */
	struct gw_runtime_symbols symbols; /* where code is 0 */
};

/*
 * Answers all the requests. cache, budget (NULL: a full one) and use may be NULL. Returns 0, or a
 * negative errno with err set where there is no sandbox, so that nothing was read.
 */
int gw_files_read_symbols(struct gw_file_cache *cache, struct gw_symbols_request *request,
			  size_t count, struct gw_sandbox_budget *budget,
			  struct gw_sandbox_use *use, struct gw_error *err);

/*
 * Whether a request's code is an answer about the file, and not of the moment: one that ended its
 * reader, or came after such files, may be fit to be read the next time.
 */
int gw_file_code_is_final(int code);

/*
 * As gw_sites_find(). budget and use as above; what names the file in a sentence ("the file
 * /usr/bin/python3 of process 12"): printable.
 */
int gw_file_find_sites(const struct gw_sites_files *files, const char *what, struct gw_sites *sites,
		       struct gw_sandbox_budget *budget, struct gw_sandbox_use *use,
		       struct gw_error *err);

/* Sets the sentence for a code by which gw_sandbox_run() says that a file is not fit to be read. */
int gw_file_refuse(int code, const char *what, struct gw_error *err);

#endif
