// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/pack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A word that says how many zero words follow, and how many others after those, which follow it. */
#define ZEROS(head)	    ((size_t)((head) >> 32))
#define OTHERS(head)	    ((size_t)((head)&0xffffffffU))
#define HEAD(zeros, others) ((uint64_t)(zeros) << 32 | (uint64_t)(others))

/* Writes into out, or only counts where that is NULL. Returns the words that it takes. */
static size_t pack(const uint64_t *word, size_t count, uint64_t *out)
{
	size_t at = 0, used = 0;

	while (at < count) {
		size_t zeros = 0, others = 0;

		while (at + zeros < count && !word[at + zeros])
			zeros++;
		at += zeros;
		while (at + others < count && word[at + others])
			others++;
		if (out) {
			out[used] = HEAD(zeros, others);
			memcpy(out + used + 1, word + at, others * sizeof(*word));
		}
		used += 1 + others;
		at += others;
	}
	return used;
}

int gw_pack(const void *data, size_t size, struct gw_packed *packed)
{
	size_t count = size / sizeof(uint64_t);

	packed->count = pack(data, count, NULL);
	packed->size = size;
	packed->word = malloc((packed->count + 1) * sizeof(*packed->word));
	if (!packed->word)
		return -ENOMEM;
	pack(data, count, packed->word);
	return 0;
}

void *gw_unpack(const struct gw_packed *packed)
{
	uint64_t *data = calloc(1, packed->size ? packed->size : 1);
	size_t to = 0;

	for (size_t at = 0; data && at < packed->count;) {
		uint64_t head = packed->word[at++];

		to += ZEROS(head);
		memcpy(data + to, packed->word + at, OTHERS(head) * sizeof(*data));
		to += OTHERS(head);
		at += OTHERS(head);
	}
	return data;
}

void gw_packed_free(struct gw_packed *packed)
{
	free(packed->word);
	memset(packed, 0, sizeof(*packed));
}
