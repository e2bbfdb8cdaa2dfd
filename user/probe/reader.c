// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/reader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* The kernel writes 32 KiB at a time. */
#define BUFFER_SIZE (64 << 10)

/* Entries of a map that are read at once, and how large the largest key is. */
#define BATCH	     2048
#define KEY_SIZE_MAX sizeof(struct gw_cpu_key)

static FILE *iterate(const struct bpf_link *iterator, char *buffer)
{
	int fd = bpf_iter_create(bpf_link__fd(iterator));
	FILE *stream;

	if (fd < 0) {
		errno = -fd;
		return NULL;
	}
	stream = fdopen(fd, "r");
	if (stream)
		setvbuf(stream, buffer, _IOFBF, BUFFER_SIZE);
	else
		close(fd);
	return stream;
}

int gw_reader_run(const struct bpf_link *iterator)
{
	char buffer[BUFFER_SIZE];
	int code = 0;
	FILE *stream = iterate(iterator, buffer);

	if (!stream)
		return -errno;
	while (fgetc(stream) != EOF)
		;
	if (ferror(stream))
		code = -EIO;
	fclose(stream);
	return code;
}

int gw_reader_tgid(const struct bpf_link *iterator, __u32 pid, __u32 *tgid)
{
	char buffer[BUFFER_SIZE];
	FILE *stream = iterate(iterator, buffer);
	struct gw_name name;
	int code = -ESRCH;

	if (!stream)
		return -errno;
	while (fread(&name, sizeof(name), 1, stream) == 1) {
		if (name.pid != pid)
			continue;
		*tgid = name.tgid;
		code = 0;
	}
	if (ferror(stream))
		code = -EIO;
	fclose(stream);
	return code;
}

static int read_hist(FILE *stream, struct gw_raw *raw, struct gw_raw_hist *hist)
{
	struct gw_hist_head head;
	size_t count;
	__u64 *bucket;

	memset(hist, 0, sizeof(*hist));
	if (fread(&head, sizeof(head), 1, stream) != 1)
		return -EIO;
	hist->sum_ns = head.sum_ns;
	hist->max_ns = head.max_ns;
	hist->octaves = head.octaves;
	bucket = gw_raw_buckets(raw, hist, &count);
	if (!bucket)
		return -ENOMEM;
	return fread(bucket, sizeof(*bucket), count, stream) == count ? 0 : -EIO;
}

static int read_thread(FILE *stream, struct gw_raw *raw, struct gw_raw_thread *thread)
{
	int code = 0;

	if (fread(thread->comm, sizeof(thread->comm), 1, stream) != 1 ||
	    fread(&thread->thread, sizeof(thread->thread), 1, stream) != 1)
		return -EIO;
	code = read_hist(stream, raw, &thread->hold);
	if (!code)
		code = read_hist(stream, raw, &thread->wait);
	return code ? code : read_hist(stream, raw, &thread->resume);
}

int gw_reader_threads(const struct bpf_link *iterator, struct gw_raw *raw)
{
	char buffer[BUFFER_SIZE];
	FILE *stream = iterate(iterator, buffer);
	__u32 head[2]; /* gw_record's size, and padding */
	int code = 0;

	if (!stream)
		return -errno;
	while (!code && fread(head, sizeof(head), 1, stream) == 1) {
		if (head[0] != sizeof(struct gw_record))
			code = -EPROTO;
		else
			code = gw_raw_reserve((void **)&raw->thread, raw->thread_count,
					      &raw->thread_room, sizeof(*raw->thread));
		if (!code)
			code = read_thread(stream, raw, &raw->thread[raw->thread_count]);
		if (!code)
			raw->thread_count++;
	}
	if (!code && ferror(stream))
		code = -EIO;
	fclose(stream);
	return code;
}

/* 0 or -ENOMEM. */
static int keep_books(const struct gw_books *books, struct gw_raw *raw,
		      struct gw_raw_thread *thread)
{
	int code;

	thread->thread = books->thread;
	code = gw_raw_pack(raw, &books->hold, &thread->hold);
	if (!code)
		code = gw_raw_pack(raw, &books->wait, &thread->wait);
	return code ? code : gw_raw_pack(raw, &books->resume, &thread->resume);
}

int gw_reader_kept(const struct bpf_map *threads, const struct bpf_map *names, struct gw_raw *raw)
{
	int fd = bpf_map__fd(threads), code = 0;
	struct gw_kept_key key, *at = NULL;
	struct gw_books books;

	while (!code && !bpf_map_get_next_key(fd, at, &key)) {
		struct gw_raw_thread *thread;

		code = gw_raw_reserve((void **)&raw->thread, raw->thread_count, &raw->thread_room,
				      sizeof(*raw->thread));
		if (code)
			break;
		at = &key;
		thread = &raw->thread[raw->thread_count];
		if (bpf_map_lookup_elem(fd, at, &books))
			continue;
		if (bpf_map_lookup_elem(bpf_map__fd(names), at, thread->comm))
			thread->comm[0] = '\0';
		code = keep_books(&books, raw, thread);
		raw->thread_count += !code;
	}
	return code;
}

/* Where the parts of an entry of a hash map of counters go. */
struct entries {
	void **array;
	size_t *count, *room;
	size_t size, key_size, ns_at;
};

static int keep_entries(const struct entries *to, const char *keys, const __u64 *values,
			size_t count)
{
	for (size_t i = 0; i < count; i++) {
		int code = gw_raw_reserve(to->array, *to->count, to->room, to->size);
		char *entry;

		if (code)
			return code;
		entry = (char *)*to->array + *to->count * to->size;
		memcpy(entry, keys + i * to->key_size, to->key_size);
		memcpy(entry + to->ns_at, &values[i], sizeof(*values));
		++*to->count;
	}
	return 0;
}

/* Many entries a system call, by lookups in batches (5.6). */
static int read_entries(const struct bpf_map *map, const struct entries *to)
{
	char keys[BATCH * KEY_SIZE_MAX];
	__u64 values[BATCH];
	__u32 batch = 0, *from = NULL, count;
	int code = 0;

	while (!code) {
		count = BATCH;
		code = bpf_map_lookup_batch(bpf_map__fd(map), from, &batch, keys, values, &count,
					    NULL);
		/* The last batch comes with -ENOENT. */
		if (!code || code == -ENOENT) {
			int kept = keep_entries(to, keys, values, count);

			code = kept ? kept : code;
		}
		from = &batch;
	}
	return code == -ENOENT ? 0 : code;
}

int gw_reader_cpus(const struct bpf_map *map, struct gw_raw *raw)
{
	const struct entries to = {
		.array = (void **)&raw->cpu,
		.count = &raw->cpu_count,
		.room = &raw->cpu_room,
		.size = sizeof(*raw->cpu),
		.key_size = sizeof(raw->cpu->key),
		.ns_at = offsetof(struct gw_raw_cpu, ns),
	};

	return read_entries(map, &to);
}

int gw_reader_pairs(const struct bpf_map *map, struct gw_raw *raw)
{
	const struct entries to = {
		.array = (void **)&raw->pair,
		.count = &raw->pair_count,
		.room = &raw->pair_room,
		.size = sizeof(*raw->pair),
		.key_size = sizeof(raw->pair->key),
		.ns_at = offsetof(struct gw_raw_pair, ns),
	};

	return read_entries(map, &to);
}
