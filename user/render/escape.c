// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/escape.h"

#include <stdio.h>
#include <string.h>

#define REPLACEMENT	 0xfffd
#define REPLACEMENT_UTF8 "\xef\xbf\xbd"

struct range {
	uint32_t first, last;
};

static int within(const struct range *range, size_t count, uint32_t character)
{
	for (size_t i = 0; i < count; i++) {
		if (character >= range[i].first && character <= range[i].last)
			return 1;
	}
	return 0;
}

#define WITHIN(table, character) within(table, sizeof(table) / sizeof((table)[0]), character)

size_t gw_utf8_next(const char *in, size_t length, uint32_t *character)
{
	/* The least character of each length: what is smaller is overlong, and not UTF-8. */
	static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
	const unsigned char *byte = (const unsigned char *)in;
	size_t need = byte[0] < 0x80	       ? 1
		      : (byte[0] >> 5) == 0x6  ? 2
		      : (byte[0] >> 4) == 0xe  ? 3
		      : (byte[0] >> 3) == 0x1e ? 4
					       : 0;
	uint32_t value;

	*character = REPLACEMENT;
	if (!need || need > length)
		return 1;
	value = need == 1 ? byte[0] : byte[0] & (0x7fu >> need);
	for (size_t i = 1; i < need; i++) {
		if ((byte[i] & 0xc0) != 0x80)
			return 1;
		value = value << 6 | (byte[i] & 0x3f);
	}
	if (value < least[need] || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
		return 1;
	*character = value;
	return need;
}

int gw_columns_of(uint32_t character)
{
	/* Kept here rather than asked of wcwidth(3), which depends on the locale. */
	static const struct range combining[] = {
		{0x300, 0x36f},	  {0x483, 0x489},   {0x591, 0x5bd},   {0x610, 0x61a},
		{0x64b, 0x65f},	  {0x1ab0, 0x1aff}, {0x1dc0, 0x1dff}, {0x20d0, 0x20ff},
		{0x302a, 0x302f}, {0xfe00, 0xfe0f}, {0xfe20, 0xfe2f},
	};
	static const struct range wide[] = {
		{0x1100, 0x115f},   {0x2e80, 0x303e},	{0x3041, 0xa4cf},   {0xa960, 0xa97f},
		{0xac00, 0xd7a3},   {0xf900, 0xfaff},	{0xfe30, 0xfe6f},   {0xff00, 0xff60},
		{0xffe0, 0xffe6},   {0x1f300, 0x1f64f}, {0x1f680, 0x1f6ff}, {0x1f900, 0x1faff},
		{0x20000, 0x3fffd},
	};

	/* Nearly all of them. */
	if (character < combining[0].first)
		return 1;
	if (WITHIN(combining, character))
		return 0;
	return WITHIN(wide, character) ? 2 : 1;
}

size_t gw_columns(const char *text)
{
	size_t left = strlen(text), columns = 0, used;
	uint32_t character;

	for (; left; text += used, left -= used) {
		used = gw_utf8_next(text, left, &character);
		columns += (size_t)gw_columns_of(character);
	}
	return columns;
}

/* Characters that are not seen, or that move others: they can make one name look like another. */
static int is_deceptive(uint32_t character)
{
	static const struct range deceptive[] = {
		{0xad, 0xad},	    {0x61c, 0x61c},	{0x115f, 0x1160}, {0x180b, 0x180f},
		{0x200b, 0x200f},   {0x2028, 0x202e},	{0x2060, 0x206f}, {0x3164, 0x3164},
		{0xfeff, 0xfeff},   {0xffa0, 0xffa0},	{0xfff0, 0xfffb}, {0xfffe, 0xffff},
		{0x1d173, 0x1d17a}, {0xe0000, 0xe0fff},
	};

	return WITHIN(deceptive, character);
}

/* What gilwatch itself writes beyond ASCII has a reading in it; other characters have none. */
static const char *ascii_of(uint32_t character)
{
	switch (character) {
	case 0x2248: /* ≈ */
		return "~";
	case 0xb1: /* ± */
		return "+/-";
	case 0xb5: /* µ */
		return "u";
	case 0xb7: /* · */
	case 0xd7: /* × */
		return character == 0xd7 ? "x" : "-";
	case 0x2013: /* – */
	case 0x2014: /* — */
		return "-";
	case 0x2026: /* … */
		return "...";
	case 0x2264: /* ≤ */
		return "<=";
	case 0x2265: /* ≥ */
		return ">=";
	case 0x2018: /* single quotes */
	case 0x2019:
		return "'";
	case 0x201c: /* double quotes */
	case 0x201d:
		return "\"";
	case 0x2192: /* → */
		return "->";
	default:
		return "?";
	}
}

/* One character of used bytes as it may stand on a terminal; text has room for 8 bytes. */
static void escape_one(const char *in, size_t used, uint32_t character, int utf8, char *text)
{
	if (character < 0x20 || (character >= 0x7f && character < 0xa0)) {
		snprintf(text, 8, "\\x%02x", (unsigned int)character);
	} else if (character < 0x7f || (utf8 && !is_deceptive(character))) {
		/* An invalid byte was read as U+FFFD and must be written as that. */
		if (character == REPLACEMENT) {
			in = REPLACEMENT_UTF8;
			used = 3;
		}
		memcpy(text, in, used);
		text[used] = '\0';
	} else {
		snprintf(text, 8, "%s", utf8 ? REPLACEMENT_UTF8 : ascii_of(character));
	}
}

size_t gw_escape_terminal(const char *in, size_t length, char *out, size_t size, int utf8)
{
	size_t put = 0, used;
	uint32_t character;
	char text[8];

	if (!size)
		return 0;
	for (length = strnlen(in, length); length; in += used, length -= used) {
		used = gw_utf8_next(in, length, &character);
		escape_one(in, used, character, utf8, text);
		if (put + strlen(text) >= size)
			break;
		memcpy(out + put, text, strlen(text));
		put += strlen(text);
	}
	out[put] = '\0';
	return put;
}

size_t gw_escape_utf8(const char *in, size_t length, char *out, size_t size)
{
	size_t put = 0, used, wide;
	uint32_t character;

	if (!size)
		return 0;
	for (length = strnlen(in, length); length; in += used, length -= used) {
		used = gw_utf8_next(in, length, &character);
		wide = character == REPLACEMENT ? 3 : used;
		if (put + wide >= size)
			break;
		memcpy(out + put, character == REPLACEMENT ? REPLACEMENT_UTF8 : in, wide);
		put += wide;
	}
	out[put] = '\0';
	return put;
}

void gw_cut_columns(char *text, size_t size, size_t columns, int utf8)
{
	const char *mark = utf8 ? "\xe2\x80\xa6" : "~";
	size_t length = strlen(text), at = 0, taken = 0, used;
	uint32_t character;

	if (gw_columns(text) <= columns)
		return;
	while (at < length) {
		used = gw_utf8_next(text + at, length - at, &character);
		if (taken + (size_t)gw_columns_of(character) + 1 > columns)
			break;
		taken += (size_t)gw_columns_of(character);
		at += used;
	}
	/* The mark may need two bytes more than the character that it replaces. */
	while (at && at + strlen(mark) >= size)
		at--;
	while (at && (text[at] & 0xc0) == 0x80)
		at--;
	snprintf(text + at, size - at, "%s", columns ? mark : "");
}
