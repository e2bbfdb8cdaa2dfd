// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/file_cache.h"

#include <stdlib.h>

/* A host with more different files than this in memory gets slower, and no more than that. */
#define ENTRIES_MAX 8192
#define BUCKETS	    1024

struct entry {
	struct entry *next;
	/* ctime and not mtime: the owner of a file sets the latter as he likes. */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	int code;
	struct gw_runtime_symbols symbols[]; /* one where code is 0, else none */
};

/* Builds of Python whose sites are known; so many there are on few hosts. */
#define SITES_MAX 64

struct known_sites {
	struct stat file;
	struct gw_sites sites;
};

struct gw_file_cache {
	struct known_sites *known;
	size_t known_count;
	size_t count;
	struct entry *bucket[BUCKETS];
};

struct gw_file_cache *gw_file_cache_new(void)
{
	return calloc(1, sizeof(struct gw_file_cache));
}

void gw_file_cache_free(struct gw_file_cache *cache)
{
	for (size_t i = 0; cache && i < BUCKETS; i++) {
		struct entry *entry = cache->bucket[i], *next;

		for (; entry; entry = next) {
			next = entry->next;
			free(entry);
		}
	}
	if (cache)
		free(cache->known);
	free(cache);
}

static size_t bucket_of(const struct stat *file)
{
	return (file->st_ino ^ file->st_dev) % BUCKETS;
}

static int is_same(const struct entry *entry, const struct stat *file)
{
	return entry->inode == file->st_ino && entry->device == file->st_dev &&
	       entry->size == file->st_size && entry->changed.tv_sec == file->st_ctim.tv_sec &&
	       entry->changed.tv_nsec == file->st_ctim.tv_nsec;
}

int gw_file_cache_get(const struct gw_file_cache *cache, const struct stat *file,
		      struct gw_symbols_request *request)
{
	const struct entry *entry = cache ? cache->bucket[bucket_of(file)] : NULL;

	while (entry && !is_same(entry, file))
		entry = entry->next;
	if (!entry)
		return 0;
	request->code = entry->code;
	if (!entry->code)
		request->symbols = entry->symbols[0];
	return 1;
}

void gw_file_cache_put(struct gw_file_cache *cache, const struct stat *file,
		       const struct gw_symbols_request *request)
{
	int code = request->code;
	struct entry *entry;

	if (!cache || cache->count == ENTRIES_MAX || !gw_file_code_is_final(code))
		return;
	entry = malloc(sizeof(*entry) + (code ? 0 : sizeof(entry->symbols[0])));
	if (!entry)
		return;
	*entry = (struct entry){
		.next = cache->bucket[bucket_of(file)],
		.device = file->st_dev,
		.inode = file->st_ino,
		.size = file->st_size,
		.changed = file->st_ctim,
		.code = code,
	};
	if (!code)
		entry->symbols[0] = request->symbols;
	cache->bucket[bucket_of(file)] = entry;
	cache->count++;
}

/* ---- sites ---- */

static int is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

int gw_file_cache_get_sites(const struct gw_file_cache *cache, const struct stat *file,
			    struct gw_sites *sites)
{
	for (size_t i = 0; cache && i < cache->known_count; i++) {
		if (!is_same_file(&cache->known[i].file, file))
			continue;
		*sites = cache->known[i].sites;
		return 1;
	}
	return 0;
}

void gw_file_cache_put_sites(struct gw_file_cache *cache, const struct stat *file,
			     const struct gw_sites *sites)
{
	struct known_sites *more;

	if (!cache || cache->known_count == SITES_MAX)
		return;
	more = realloc(cache->known, (cache->known_count + 1) * sizeof(*more));
	if (!more)
		return;
	cache->known = more;
	more[cache->known_count].file = *file;
	more[cache->known_count++].sites = *sites;
}
