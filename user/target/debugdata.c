// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/debugdata.h"

#include <errno.h>
#include <lzma.h>
#include <stdlib.h>

/* python3's is 300 KB, 2 MB when unpacked; xz packs zeros ten thousand times denser than that. */
#define PACKED_MAX   (16u << 20)
#define UNPACKED_MAX (64u << 20)
#define DECODER_MAX  (96u << 20)
#define FIRST_BYTES  (1u << 20)

static int grow(uint8_t **bytes, size_t *room)
{
	size_t larger = *room ? *room * 2 : FIRST_BYTES;
	uint8_t *grown;

	if (larger > UNPACKED_MAX)
		return -EFBIG;
	grown = realloc(*bytes, larger);
	if (!grown)
		return -ENOMEM;
	*bytes = grown;
	*room = larger;
	return 0;
}

static int unpack(lzma_stream *stream, uint8_t **bytes, size_t *size)
{
	size_t room = 0;
	int code = 0;

	for (;;) {
		lzma_ret step;

		if (!stream->avail_out) {
			*size = room;
			code = grow(bytes, &room);
			if (code)
				return code;
			stream->next_out = *bytes + *size;
			stream->avail_out = room - *size;
		}
		step = lzma_code(stream, LZMA_FINISH);
		*size = room - stream->avail_out;
		if (step == LZMA_STREAM_END)
			return 0;
		if (step != LZMA_OK)
			return step == LZMA_MEM_ERROR	     ? -ENOMEM
			       : step == LZMA_MEMLIMIT_ERROR ? -EFBIG
							     : -EINVAL;
	}
}

int gw_debugdata_load(const struct gw_elf *elf, uint8_t **bytes, size_t *size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	struct gw_elf_section section;
	uint8_t *packed;
	int code = gw_elf_section_named(elf, ".gnu_debugdata", &section);

	*bytes = NULL;
	*size = 0;
	if (code)
		return code;
	if (section.size > PACKED_MAX)
		return -EFBIG;
	code = gw_elf_load(elf, section.offset, section.size, &packed);
	if (code)
		return code;
	code = lzma_stream_decoder(&stream, DECODER_MAX, 0) == LZMA_OK ? 0 : -ENOMEM;
	if (!code) {
		stream.next_in = packed;
		stream.avail_in = section.size;
		code = unpack(&stream, bytes, size);
	}
	lzma_end(&stream);
	free(packed);
	if (code) {
		free(*bytes);
		*bytes = NULL;
	}
	return code;
}
