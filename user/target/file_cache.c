// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/file_cache.h"

#include <errno.h>
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

struct gw_file_cache {
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

	/* The other codes are of this moment, or of this machine's load. */
	if (!cache || cache->count == ENTRIES_MAX ||
	    (code && code != -ENOEXEC && code != -ENOTSUP && code != -EINVAL))
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
