// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "rendered.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "render/json.h"
#include "render/json_load.h"
#include "render/text.h"

char *text_of(const struct gw_snapshot *s, int rows, int width, bool colour, bool utf8)
{
	struct gw_text_options options = {rows, width, colour, utf8};
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_text_write(s, &options, out), 0);
	fclose(out);
	return text;
}

char *json_of(const struct gw_snapshot *s)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	assert_int_equal(gw_json_write(s, out), 0);
	fclose(out);
	return text;
}

int load(const char *text, size_t length, struct gw_snapshot *s, struct gw_error *err)
{
	/* fmemopen takes no empty buffer; one byte more is never read. */
	FILE *in = length ? fmemopen((void *)text, length, "r") : fopen("/dev/null", "r");
	int status;

	assert_non_null(in);
	*err = (struct gw_error){.text = ""};
	status = gw_json_load(in, s, err);
	fclose(in);
	return status;
}

/* Nothing that a terminal would act on or that is not UTF-8, or not ASCII. */
void assert_safe(const char *text, int utf8)
{
	size_t left = strlen(text), used;
	uint32_t character;

	for (; left; text += used, left -= used) {
		used = gw_utf8_next(text, left, &character);
		assert_true(character == '\n' || character >= 0x20);
		assert_true(character < (utf8 ? 0x110000u : 0x7fu));
		assert_false(character >= 0x7f && character < 0xa0);
		assert_int_not_equal(character, 0x202e);
		assert_false(character == 0xfffd && used == 1);
	}
}

/* Every line is no wider than the page, and has no spaces at its end. */
void assert_fits(const char *text, size_t width, int utf8)
{
	char line[1024];
	size_t length;

	assert_safe(text, utf8);
	for (; *text; text += length + (text[length] == '\n')) {
		length = strcspn(text, "\n");
		assert_true(length < sizeof(line));
		snprintf(line, sizeof(line), "%.*s", (int)length, text);
		if (gw_columns(line) > width)
			fail_msg("wider than %zu columns: %s", width, line);
		if (length && line[length - 1] == ' ')
			fail_msg("spaces at the end: %s", line);
	}
}
