// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/own_code.h"

#include <errno.h>
#include <stdio.h>

int gw_own_code_offset(uintptr_t address, uint64_t *offset)
{
	unsigned long long start, end, file_offset;
	char line[512];
	int found = 0;
	FILE *maps = fopen("/proc/self/maps", "re");

	if (!maps)
		return -errno;
	while (!found && fgets(line, sizeof(line), maps)) {
		if (sscanf(line, "%llx-%llx %*4s %llx", &start, &end, &file_offset) != 3)
			continue;
		found = address >= start && address < end;
	}
	fclose(maps);
	if (!found)
		return -ENOENT;
	*offset = address - start + file_offset;
	return 0;
}
