// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/file_cache.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "util/clock.h"

/* A host with more different files than this in memory gets slower, and no more than that. */
#define ENTRIES_MAX 8192
#define BUCKETS	    1024
/* Where that is kept: a file that ended its reader is not read again for so long. */
#define UNFIT_NS 600000000000ULL

struct entry {
	struct entry *next;
	/* ctime and not mtime: the owner of a file sets the latter as he likes. */
	dev_t device;
	ino_t inode;
	off_t size;
	struct timespec changed;
	uint64_t until_ns; /* CLOCK_MONOTONIC; 0: as long as the file is what it is */
	int code;
	int plain; /* read, and no Python in it: nothing else of it is of interest */
	struct gw_runtime_symbols symbols[]; /* one where code is 0 and it is not plain */
};

/* Builds of Python whose sites are known; so many there are on few hosts. */
#define SITES_MAX 64

struct known_sites {
	struct stat file;
	uint64_t until_ns; /* as above; only where there are none */
	int code;
	struct gw_error err;
	struct gw_sites sites;
};

struct gw_file_cache {
	pthread_mutex_t
		lock; /* of all but behind, which changes only while nothing is read behind */
	struct gw_behind *behind; /* NULL: whoever asks waits */
	int keeps_unfit;
	struct known_sites *known;
	size_t known_count, known_put;
	size_t count;
	struct entry *bucket[BUCKETS];
};

struct gw_file_cache *gw_file_cache_new(void)
{
	struct gw_file_cache *cache = calloc(1, sizeof(*cache));

	if (cache)
		pthread_mutex_init(&cache->lock, NULL);
	return cache;
}

static void forget_all(struct gw_file_cache *cache)
{
	for (size_t i = 0; i < BUCKETS; i++) {
		struct entry *entry = cache->bucket[i], *next;

		for (; entry; entry = next) {
			next = entry->next;
			free(entry);
		}
		cache->bucket[i] = NULL;
	}
	cache->count = 0;
}

void gw_file_cache_free(struct gw_file_cache *cache)
{
	if (!cache)
		return;
	gw_behind_free(cache->behind);
	forget_all(cache);
	free(cache->known);
	pthread_mutex_destroy(&cache->lock);
	free(cache);
}

struct gw_behind *gw_file_cache_behind(const struct gw_file_cache *cache)
{
	return cache ? cache->behind : NULL;
}

void gw_file_cache_set_behind(struct gw_file_cache *cache, struct gw_behind *behind)
{
	cache->behind = behind;
	cache->keeps_unfit = 1;
}

void gw_file_cache_keep_unfit(struct gw_file_cache *cache)
{
	if (cache)
		cache->keeps_unfit = 1;
}

/* ---- symbols ---- */

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

static int is_over(uint64_t until_ns)
{
	return until_ns && gw_clock_now_ns() >= until_ns;
}

static struct entry **find(struct gw_file_cache *cache, const struct stat *file)
{
	struct entry **entry = &cache->bucket[bucket_of(file)];

	while (*entry && !is_same(*entry, file))
		entry = &(*entry)->next;
	return entry;
}

static int get(struct gw_file_cache *cache, const struct stat *file,
	       struct gw_symbols_request *request)
{
	const struct entry *entry = *find(cache, file);

	if (!entry || is_over(entry->until_ns))
		return 0;
	request->code = entry->code;
	if (entry->plain)
		memset(&request->symbols, 0, sizeof(request->symbols));
	else if (!entry->code)
		request->symbols = entry->symbols[0];
	return 1;
}

int gw_file_cache_get(struct gw_file_cache *cache, const struct stat *file,
		      struct gw_symbols_request *request)
{
	int known;

	if (!cache)
		return 0;
	pthread_mutex_lock(&cache->lock);
	known = get(cache, file, request);
	pthread_mutex_unlock(&cache->lock);
	return known;
}

static void put(struct gw_file_cache *cache, const struct stat *file,
		const struct gw_symbols_request *request, int lasts)
{
	int with_symbols = !request->code && gw_runtime_has_python(&request->symbols);
	struct entry **place, *entry;

	if (cache->count == ENTRIES_MAX)
		forget_all(cache);
	entry = malloc(sizeof(*entry) + (with_symbols ? sizeof(entry->symbols[0]) : 0));
	if (!entry)
		return;
	*entry = (struct entry){
		.device = file->st_dev,
		.inode = file->st_ino,
		.size = file->st_size,
		.changed = file->st_ctim,
		.until_ns = lasts ? 0 : gw_clock_now_ns() + UNFIT_NS,
		.code = request->code,
		.plain = !request->code && !with_symbols,
	};
	if (with_symbols)
		entry->symbols[0] = request->symbols;
	place = find(cache, file);
	if (*place) {
		entry->next = (*place)->next;
		free(*place);
		cache->count--;
	}
	*place = entry;
	cache->count++;
}

void gw_file_cache_put(struct gw_file_cache *cache, const struct stat *file,
		       const struct gw_symbols_request *request)
{
	int code = request->code;
	/* The other codes are of this moment, or of this machine's load. */
	int lasts = gw_file_code_is_final(code);

	if (!cache || (!lasts && !cache->keeps_unfit))
		return;
	pthread_mutex_lock(&cache->lock);
	put(cache, file, request, lasts);
	pthread_mutex_unlock(&cache->lock);
}

/* ---- sites ---- */

static int is_same_file(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_size == b->st_size &&
	       a->st_ctim.tv_sec == b->st_ctim.tv_sec && a->st_ctim.tv_nsec == b->st_ctim.tv_nsec;
}

/* Where it is or, if it is not known, NULL. */
static struct known_sites *find_sites(const struct gw_file_cache *cache, const struct stat *file)
{
	for (size_t i = 0; i < cache->known_count; i++)
		if (is_same_file(&cache->known[i].file, file))
			return &cache->known[i];
	return NULL;
}

int gw_file_cache_get_sites(struct gw_file_cache *cache, const struct stat *file,
			    struct gw_sites *sites, int *code, struct gw_error *err)
{
	const struct known_sites *known;
	int found;

	if (!cache)
		return 0;
	pthread_mutex_lock(&cache->lock);
	known = find_sites(cache, file);
	found = known && !is_over(known->until_ns);
	if (found) {
		*code = known->code;
		*sites = known->sites;
		if (known->code && err && !err->text[0])
			*err = known->err;
	}
	pthread_mutex_unlock(&cache->lock);
	return found;
}

/* Room for one more: where there are as many as are kept, the oldest one's. NULL: out of memory. */
static struct known_sites *room_for_sites(struct gw_file_cache *cache)
{
	struct known_sites *more;

	if (cache->known_count == SITES_MAX)
		return &cache->known[cache->known_put++ % SITES_MAX];
	more = realloc(cache->known, (cache->known_count + 1) * sizeof(*more));
	if (!more)
		return NULL;
	cache->known = more;
	return &more[cache->known_count++];
}

void gw_file_cache_put_sites(struct gw_file_cache *cache, const struct stat *file,
			     const struct gw_sites *sites, int code, const struct gw_error *err)
{
	struct known_sites *known;

	if (!cache || (code && !cache->keeps_unfit))
		return;
	pthread_mutex_lock(&cache->lock);
	known = find_sites(cache, file);
	if (!known)
		known = room_for_sites(cache);
	if (known)
		*known = (struct known_sites){
			.file = *file,
			.until_ns = code ? gw_clock_now_ns() + UNFIT_NS : 0,
			.code = code,
			.err = err ? *err : (struct gw_error){0},
			.sites = *sites,
		};
	pthread_mutex_unlock(&cache->lock);
}
