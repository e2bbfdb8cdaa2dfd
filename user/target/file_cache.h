/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answers about files that gw_files_read_symbols() keeps; see target/file_reader.h. */
#ifndef GW_FILE_CACHE_H
#define GW_FILE_CACHE_H

#include <sys/stat.h>

#include "target/file_behind.h"
#include "target/file_reader.h"
#include "target/sites.h"

/* What reads files behind the back of those who ask; NULL: they wait for the answers. */
struct gw_behind *gw_file_cache_behind(const struct gw_file_cache *cache);
void gw_file_cache_set_behind(struct gw_file_cache *cache, struct gw_behind *behind);

/* From now on what ended its reader is known for some minutes: who looks once needs one answer. */
void gw_file_cache_keep_unfit(struct gw_file_cache *cache);

/* Returns 1 with the request answered if the file is known. A NULL cache knows nothing. */
int gw_file_cache_get(struct gw_file_cache *cache, const struct stat *file,
		      struct gw_symbols_request *request);
/*
 * Keeps the answer, if it is one that stays true as long as the file does; the others too, for some
 * minutes, where files are read behind or that was asked for.
 */
void gw_file_cache_put(struct gw_file_cache *cache, const struct stat *file,
		       const struct gw_symbols_request *request);

/*
 * The same for the instructions to probe that were found in a file. 1: what gw_file_find_sites()
 * said is known: code, and sites or err.
 */
int gw_file_cache_get_sites(struct gw_file_cache *cache, const struct stat *file,
			    struct gw_sites *sites, int *code, struct gw_error *err);
void gw_file_cache_put_sites(struct gw_file_cache *cache, const struct stat *file,
			     const struct gw_sites *sites, int code, const struct gw_error *err);

#endif
