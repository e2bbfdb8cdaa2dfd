// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * What gilwatch's finder says of a file: a line with the way that take_gil was found, then one a
 * site, "acquire" or "release" and its file offset.
 */
#include "target/sites.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct gw_sites_files files = {.debug = {-1, -1}};
	struct gw_error err = {0};
	struct gw_sites sites;
	int code;

	if (argc != 2) {
		fprintf(stderr, "Usage: sites FILE\n");
		return 2;
	}
	files.file = open(argv[1], O_RDONLY | O_CLOEXEC);
	if (files.file < 0) {
		perror(argv[1]);
		return 1;
	}
	code = gw_sites_find(&files, &sites, &err);
	close(files.file);
	if (code) {
		fprintf(stderr, "%s: %s\n", argv[1], err.text);
		return 1;
	}
	printf("%s\n", sites.how);
	for (size_t i = 0; i < sites.count; i++)
		printf("%s %" PRIu64 "\n",
		       sites.site[i].kind == GW_SITE_ACQUIRE ? "acquire" : "release",
		       sites.site[i].file_offset);
	return 0;
}
