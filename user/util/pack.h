/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Records that are mostly zeros, kept in little memory: runs of zero words are left out. */
#ifndef GW_UTIL_PACK_H
#define GW_UTIL_PACK_H

#include <stddef.h>
#include <stdint.h>

struct gw_packed {
	uint64_t *word;
	size_t count; /* of words */
	size_t size;  /* of the original, in bytes */
};

/* Packs size bytes, a multiple of 8, at 8-byte aligned data. 0 or -ENOMEM. */
int gw_pack(const void *data, size_t size, struct gw_packed *packed);

/* The original, which the caller frees. NULL: out of memory. */
void *gw_unpack(const struct gw_packed *packed);

/* Accepts a zeroed one. */
void gw_packed_free(struct gw_packed *packed);

#endif
