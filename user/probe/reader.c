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

static int read_hist(FILE *stream, struct gw_raw *raw, struct gw_raw_hist *hist, int there)
{
	struct gw_hist_head head;
	size_t count;
	__u64 *bucket;

	memset(hist, 0, sizeof(*hist));
	if (!there)
		return 0;
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

static int read_thread(FILE *stream, struct gw_raw *raw, struct gw_raw_thread *thread, __u32 has)
{
	int code = 0;

	if (fread(thread->comm, sizeof(thread->comm), 1, stream) != 1 ||
	    fread(&thread->thread, sizeof(thread->thread), 1, stream) != 1)
		return -EIO;
	code = read_hist(stream, raw, &thread->hold, has & GW_HAS_HOLD);
	if (!code)
		code = read_hist(stream, raw, &thread->wait, has & GW_HAS_WAIT);
	return code ? code : read_hist(stream, raw, &thread->resume, has & GW_HAS_RESUME);
}

int gw_reader_threads(const struct bpf_link *iterator, struct gw_raw *raw)
{
	char buffer[BUFFER_SIZE];
	FILE *stream = iterate(iterator, buffer);
	__u32 head[2]; /* gw_record's size and has */
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
			code = read_thread(stream, raw, &raw->thread[raw->thread_count], head[1]);
		if (!code)
			raw->thread_count++;
	}
	if (!code && ferror(stream))
		code = -EIO;
	fclose(stream);
	return code;
}

static void look_up_hist(int fd, const struct gw_kept_key *key, enum gw_record_has which,
			 struct gw_hist *hist)
{
	struct gw_kept_key of = *key;

	of.which = which;
	if (bpf_map_lookup_elem(fd, &of, hist))
		memset(hist, 0, sizeof(*hist));
}

int gw_reader_kept(const struct bpf_map *threads, const struct bpf_map *names,
		   const struct bpf_map *hists, struct gw_raw *raw)
{
	int fd = bpf_map__fd(threads), code;
	struct gw_kept_key key, *at = NULL;

	while (!bpf_map_get_next_key(fd, at, &key)) {
		struct gw_raw_thread *thread;

		code = reserve((void **)&raw->thread, raw->thread_count, &raw->thread_room,
			       sizeof(*raw->thread));
		if (code)
			return code;
		at = &key;
		thread = &raw->thread[raw->thread_count];
		if (bpf_map_lookup_elem(fd, at, &thread->thread))
			continue;
		if (bpf_map_lookup_elem(bpf_map__fd(names), at, thread->comm))
			thread->comm[0] = '\0';
		look_up_hist(bpf_map__fd(hists), at, GW_HAS_HOLD, &thread->hold);
		look_up_hist(bpf_map__fd(hists), at, GW_HAS_WAIT, &thread->wait);
		look_up_hist(bpf_map__fd(hists), at, GW_HAS_RESUME, &thread->resume);
		raw->thread_count++;
	}
	return 0;
}

int gw_reader_cpus(const struct bpf_map *map, struct gw_raw *raw)
{
	int fd = bpf_map__fd(map), code;
	struct gw_cpu_key key, *at = NULL;

	while (!bpf_map_get_next_key(fd, at, &key)) {
		code = gw_raw_reserve((void **)&raw->cpu, raw->cpu_count, &raw->cpu_room,
				      sizeof(*raw->cpu));
		if (code)
			return code;
		at = &key;
		raw->cpu[raw->cpu_count].key = key;
		if (!bpf_map_lookup_elem(fd, at, &raw->cpu[raw->cpu_count].ns))
			raw->cpu_count++;
	}
	return 0;
}

int gw_reader_pairs(const struct bpf_map *map, struct gw_raw *raw)
{
	int fd = bpf_map__fd(map), code;
	struct gw_pair_key key, *at = NULL;

	while (!bpf_map_get_next_key(fd, at, &key)) {
		code = gw_raw_reserve((void **)&raw->pair, raw->pair_count, &raw->pair_room,
				      sizeof(*raw->pair));
		if (code)
			return code;
		at = &key;
		raw->pair[raw->pair_count].key = key;
		if (!bpf_map_lookup_elem(fd, at, &raw->pair[raw->pair_count].ns))
			raw->pair_count++;
	}
	return 0;
}
