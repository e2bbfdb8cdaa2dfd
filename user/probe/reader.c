// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/reader.h"

#include <bpf/bpf.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/*
 * What the iterators write. The kernel gives whole records, 32 KiB of them at a time if there is
 * room for that, for it begins one that does not fit anew (bpf_seq_read() of 5.8 to 6.18).
 */
struct records {
	int fd;
	size_t at, end;
	char buffer[64 << 10];
};

/* Entries of a map that are read at once, and how large the largest key is. */
#define BATCH	     2048
#define KEY_SIZE_MAX sizeof(struct gw_cpu_key)

static int begin(const struct bpf_link *iterator, struct records *records)
{
	records->fd = bpf_iter_create(bpf_link__fd(iterator));
	records->at = records->end = 0;
	return records->fd < 0 ? records->fd : 0;
}

/* 1: there is another record; 0: that was the last; or a negative errno. */
static int next(struct records *records)
{
	ssize_t count;

	if (records->at < records->end)
		return 1;
	do
		count = read(records->fd, records->buffer, sizeof(records->buffer));
	while (count < 0 && (errno == EINTR || errno == EAGAIN));
	if (count < 0)
		return -errno;
	records->at = 0;
	records->end = (size_t)count;
	return count > 0;
}

/* The next part of a record; -EIO: it is cut short. */
static int take(struct records *records, void *to, size_t size)
{
	if (records->end - records->at < size)
		return -EIO;
	memcpy(to, records->buffer + records->at, size);
	records->at += size;
	return 0;
}

int gw_reader_run(const struct bpf_link *iterator)
{
	struct records records;
	int code = begin(iterator, &records);

	if (code)
		return code;
	while ((code = next(&records)) > 0)
		records.at = records.end;
	close(records.fd);
	return code;
}

int gw_reader_tgid(const struct bpf_link *iterator, __u32 pid, __u32 *tgid)
{
	struct records records;
	struct gw_name name;
	int code = begin(iterator, &records), found = 0;

	if (code)
		return code;
	while ((code = next(&records)) > 0) {
		code = take(&records, &name, sizeof(name));
		if (code)
			break;
		if (name.pid != pid)
			continue;
		*tgid = name.tgid;
		found = 1;
	}
	close(records.fd);
	return code ? code : found ? 0 : -ESRCH;
}

static int read_hist(struct records *records, struct gw_raw *raw, struct gw_raw_hist *hist)
{
	struct gw_hist_head head;
	int code = take(records, &head, sizeof(head));
	size_t count;
	__u64 *bucket;

	if (code)
		return code;
	*hist = (struct gw_raw_hist){
		.sum_ns = head.sum_ns,
		.max_ns = head.max_ns,
		.octaves = head.octaves,
	};
	bucket = gw_raw_buckets(raw, hist, &count);
	return bucket ? take(records, bucket, count * sizeof(*bucket)) : -ENOMEM;
}

static int read_thread(struct records *records, struct gw_raw *raw, struct gw_raw_thread *thread)
{
	__u32 head[2]; /* gw_record's size, and padding */
	int code = take(records, head, sizeof(head));

	if (!code && head[0] != sizeof(struct gw_record))
		code = -EPROTO;
	if (!code)
		code = take(records, thread->comm, sizeof(thread->comm));
	if (!code)
		code = take(records, &thread->thread, sizeof(thread->thread));
	if (!code)
		code = read_hist(records, raw, &thread->hold);
	if (!code)
		code = read_hist(records, raw, &thread->wait);
	return code ? code : read_hist(records, raw, &thread->resume);
}

int gw_reader_threads(const struct bpf_link *iterator, struct gw_raw *raw)
{
	struct records records;
	int code = begin(iterator, &records);

	if (code)
		return code;
	while ((code = next(&records)) > 0) {
		code = gw_raw_reserve((void **)&raw->thread, raw->thread_count, &raw->thread_room,
				      sizeof(*raw->thread));
		if (!code)
			code = read_thread(&records, raw, &raw->thread[raw->thread_count]);
		if (code)
			break;
		raw->thread_count++;
	}
	close(records.fd);
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
