// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/place.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "target/proc_parse.h"

#define SECOND_NS   1000000000LL
#define CGROUP_TEXT 16384

static int64_t clock_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return now.tv_sec * SECOND_NS + now.tv_nsec;
}

/* Field 22 of /proc/PID/stat counts from the boot, suspended time included. */
static int64_t start_time_ns(uint64_t start_ticks)
{
	int64_t boot_ns = clock_ns(CLOCK_REALTIME) - clock_ns(CLOCK_BOOTTIME);

	return boot_ns + (int64_t)start_ticks * (SECOND_NS / sysconf(_SC_CLK_TCK));
}

void gw_place_find(struct gw_watched *watched)
{
	char path[64], text[CGROUP_TEXT];
	struct gw_watched_place *place;

	if (watched->place)
		return;
	place = calloc(1, sizeof(*place));
	if (!place)
		return; /* nothing is known then */
	watched->place = place;
	if (watched->target)
		place->start_time_ns = start_time_ns(watched->target->proc.start_ticks);
	snprintf(path, sizeof(path), "/proc/%d/cgroup", watched->pid);
	if (gw_read_text(path, text, sizeof(text)) > 0) {
		gw_cgroup_path(text, place->cgroup, sizeof(place->cgroup));
		gw_cgroup_container(text, &place->container);
	} else if (watched->parent && watched->parent->place) {
		*place = *watched->parent->place;
	}
}
