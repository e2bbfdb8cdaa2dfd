// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "util/clock.h"

#include <stdio.h>
#include <time.h>

uint64_t gw_clock_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000ULL + (uint64_t)now.tv_nsec;
}

void gw_clock_write(char *text, size_t size)
{
	time_t now = time(NULL);
	struct tm local;
	size_t used;
	char zone[8];

	localtime_r(&now, &local);
	used = strftime(text, size, "%Y-%m-%dT%H:%M:%S", &local);
	strftime(zone, sizeof(zone), "%z", &local); /* +hhmm; RFC 3339 has a colon in it */
	snprintf(text + used, size - used, "%.3s:%s", zone, zone + 3);
}
