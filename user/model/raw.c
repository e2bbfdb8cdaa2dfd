// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int gw_raw_reserve(void **array, size_t count, size_t *room, size_t size)
{
	size_t more = *room + *room / 2 + 64;
	void *grown;

	if (*array && count < *room)
		return 0;
	/* As many as it had before it was emptied. */
	if (!*array && *room)
		more = *room;
	grown = realloc(*array, more * size);
	if (!grown)
		return -ENOMEM;
	*array = grown;
	*room = more;
	return 0;
}

__u64 *gw_raw_buckets(struct gw_raw *raw, struct gw_raw_hist *hist, size_t *count)
{
	/* There is room for all of them, so that there is for those that are used. */
	size_t last = raw->bucket_count + GW_HIST_BUCKETS - 1;

	*count = 0;
	for (__u32 i = 0; i < GW_HIST_OCTAVES; i++)
		if (hist->octaves >> i & 1)
			*count += gw_hist_octave_buckets(i);
	while (!raw->bucket || last >= raw->bucket_room)
		if (gw_raw_reserve((void **)&raw->bucket, raw->bucket_room, &raw->bucket_room,
				   sizeof(*raw->bucket)))
			return NULL;
	hist->at = raw->bucket_count;
	raw->bucket_count += *count;
	return raw->bucket + hist->at;
}

int gw_raw_pack(struct gw_raw *raw, const struct gw_hist *from, struct gw_raw_hist *to)
{
	size_t count;
	__u64 *bucket;

	*to = (struct gw_raw_hist){
		.sum_ns = from->sum_ns,
		.max_ns = from->max_ns,
		.octaves = from->octaves,
	};
	bucket = gw_raw_buckets(raw, to, &count);
	if (!bucket)
		return -ENOMEM;
	for (__u32 i = 0; i < GW_HIST_OCTAVES; i++) {
		__u32 buckets = gw_hist_octave_buckets(i);

		if (!(from->octaves >> i & 1))
			continue;
		memcpy(bucket, from->bucket + i * GW_HIST_OCTAVE, buckets * sizeof(*bucket));
		bucket += buckets;
	}
	return 0;
}

int gw_raw_add_sum(struct gw_raw *raw, const struct gw_sum_key *key, const struct gw_hist *hist)
{
	struct gw_raw_sum *sum;
	int code = gw_raw_reserve((void **)&raw->sum, raw->sum_count, &raw->sum_room,
				  sizeof(*raw->sum));

	if (code)
		return code;
	sum = &raw->sum[raw->sum_count];
	sum->key = *key;
	code = gw_raw_pack(raw, hist, &sum->hist);
	raw->sum_count += !code;
	return code;
}

static int by_key(const void *a, const void *b)
{
	const struct gw_sum_key *left = &((const struct gw_raw_sum *)a)->key;
	const struct gw_sum_key *right = &((const struct gw_raw_sum *)b)->key;

	if (left->slot != right->slot)
		return left->slot < right->slot ? -1 : 1;
	return left->which < right->which ? -1 : left->which > right->which;
}

void gw_raw_sort_sums(struct gw_raw *raw)
{
	if (raw->sum_count)
		qsort(raw->sum, raw->sum_count, sizeof(*raw->sum), by_key);
}

const struct gw_raw_hist *gw_raw_sum(const struct gw_raw *raw, enum gw_sum which, size_t slot)
{
	const struct gw_raw_sum wanted = {.key = {.which = which, .slot = (__u32)slot}};
	const struct gw_raw_sum *found = NULL;

	if (raw->sum_count)
		found = bsearch(&wanted, raw->sum, raw->sum_count, sizeof(wanted), by_key);
	return found ? &found->hist : NULL;
}

/* A few more the next time need no larger piece of memory. */
static size_t room_after(const void *array, size_t count, size_t room)
{
	return array ? count + count / 16 + 1 : room;
}

void gw_raw_reset(struct gw_raw *raw)
{
	const struct gw_raw empty = {
		.thread_room = room_after(raw->thread, raw->thread_count, raw->thread_room),
		.bucket_room = room_after(raw->bucket, raw->bucket_count, raw->bucket_room),
		.cpu_room = room_after(raw->cpu, raw->cpu_count, raw->cpu_room),
		.pair_room = room_after(raw->pair, raw->pair_count, raw->pair_room),
		.sum_room = room_after(raw->sum, raw->sum_count, raw->sum_room),
	};

	gw_raw_clear(raw);
	*raw = empty;
}

void gw_raw_clear(struct gw_raw *raw)
{
	if (!raw)
		return;
	free(raw->process);
	free(raw->gil);
	free(raw->thread);
	free(raw->sum);
	free(raw->bucket);
	free(raw->cpu);
	free(raw->pair);
	memset(raw, 0, sizeof(*raw));
}
