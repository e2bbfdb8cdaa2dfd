/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The answers about files that gw_files_read_symbols() keeps; see target/file_reader.h. */
#ifndef GW_FILE_CACHE_H
#define GW_FILE_CACHE_H

#include <sys/stat.h>

#include "target/file_reader.h"
#include "target/sites.h"

/* Returns 1 with the request answered if the file is known. A NULL cache knows nothing. */
int gw_file_cache_get(const struct gw_file_cache *cache, const struct stat *file,
		      struct gw_symbols_request *request);
/* Keeps the answer, if it is one that stays true as long as the file does. */
void gw_file_cache_put(struct gw_file_cache *cache, const struct stat *file,
		       const struct gw_symbols_request *request);

/*
 * The same for the instructions to probe that were found in a file; where there were none, they are
 * looked for again. 1: they are known.
 */
int gw_file_cache_get_sites(const struct gw_file_cache *cache, const struct stat *file,
			    struct gw_sites *sites);
void gw_file_cache_put_sites(struct gw_file_cache *cache, const struct stat *file,
			     const struct gw_sites *sites);

#endif
