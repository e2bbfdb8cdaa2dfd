// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The texts among Python's objects; see target/python_objects.h. */
#include <errno.h>
#include <string.h>

#include "target/python_objects.h"

#define TEXT_LENGTH_MAX (1u << 20)

struct text {
	unsigned int kind; /* bytes of a character: 1, 2 or 4 */
	uint64_t length;   /* in characters */
	uint64_t data;	   /* its address */
};

/* Only what is compact, as all are that are not made by the calls that 3.12 removed. */
static int look_at_text(struct gw_object_reader *r, uint64_t object, struct text *text)
{
	const struct gw_object_layout *l = r->layout;
	unsigned char bytes[24];
	uint32_t state;
	int ret = gw_object_bytes(r, object + (uint64_t)l->head, bytes, sizeof(bytes));

	if (ret)
		return ret;
	memcpy(&text->length, bytes, sizeof(text->length));
	memcpy(&state, bytes + 16, sizeof(state));
	text->kind = state >> 2 & 7;
	if (text->length > TEXT_LENGTH_MAX || !(state >> 5 & 1) ||
	    (text->kind != 1 && text->kind != 2 && text->kind != 4) ||
	    ((state >> 6 & 1) && text->kind != 1))
		return -EPROTO;
	text->data = object + (uint64_t)(state >> 6 & 1 ? l->ascii : l->compact);
	return 0;
}

static size_t put_utf8(uint32_t c, char *to)
{
	if (c >= 0xd800 && c < 0xe000)
		c = 0xfffd;
	if (c < 0x80) {
		to[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		to[0] = (char)(0xc0 | c >> 6);
		to[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		to[0] = (char)(0xe0 | c >> 12);
		to[1] = (char)(0x80 | (c >> 6 & 0x3f));
		to[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	to[0] = (char)(0xf0 | c >> 18);
	to[1] = (char)(0x80 | (c >> 12 & 0x3f));
	to[2] = (char)(0x80 | (c >> 6 & 0x3f));
	to[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static int to_utf8(const unsigned char *bytes, size_t count, unsigned int kind, char *text)
{
	size_t used = 0;

	for (size_t i = 0; i < count; i++) {
		char one[4];
		uint32_t c = 0;
		size_t size;

		memcpy(&c, bytes + i * kind, kind);
		if (c > 0x10ffff)
			return -EPROTO;
		size = put_utf8(c, one);
		if (used + size >= GW_OBJECT_TEXT_MAX)
			break;
		memcpy(text + used, one, size);
		used += size;
	}
	text[used] = '\0';
	return 0;
}

int gw_object_text(struct gw_object_reader *r, uint64_t object, char text[GW_OBJECT_TEXT_MAX])
{
	unsigned char bytes[4 * GW_OBJECT_TEXT_MAX];
	struct text found;
	size_t count;
	int ret = look_at_text(r, object, &found);

	if (ret)
		return ret;
	count = found.length < GW_OBJECT_TEXT_MAX ? (size_t)found.length : GW_OBJECT_TEXT_MAX;
	if (count) {
		ret = gw_object_bytes(r, found.data, bytes, count * found.kind);
		if (ret)
			return ret;
	}
	return to_utf8(bytes, count, found.kind, text);
}

int gw_object_is_text(struct gw_object_reader *r, uint64_t object, const char *wanted)
{
	char text[GW_OBJECT_TEXT_MAX];
	struct text found;
	int ret = look_at_text(r, object, &found);

	if (!ret && (found.length != strlen(wanted) || found.kind != 1))
		return 0;
	if (!ret)
		ret = gw_object_text(r, object, text);
	if (ret)
		return ret == -EPROTO ? 0 : ret;
	return !strcmp(text, wanted);
}
