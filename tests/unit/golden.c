// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "golden.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#ifndef GW_GOLDEN_DIR
#define GW_GOLDEN_DIR "tests/golden"
#endif

static char *read_golden(const char *path)
{
	FILE *in = fopen(path, "r");
	char *text;
	size_t length;

	if (!in)
		return NULL;
	text = calloc(1, 1 << 20);
	length = fread(text, 1, (1 << 20) - 1, in);
	text[length] = '\0';
	fclose(in);
	return text;
}

void assert_golden(const char *name, const char *text)
{
	char path[512];
	char *golden;

	snprintf(path, sizeof(path), "%s/%s", GW_GOLDEN_DIR, name);
	if (getenv("GW_GOLDEN_UPDATE")) {
		FILE *out = fopen(path, "w");

		assert_non_null(out);
		fputs(text, out);
		assert_int_equal(fclose(out), 0);
	}
	golden = read_golden(path);
	if (!golden)
		fail_msg("%s cannot be read; GW_GOLDEN_UPDATE=1 writes it", path);
	if (strcmp(golden, text))
		fail_msg("%s differs; now it is:\n%s", path, text);
	free(golden);
}
