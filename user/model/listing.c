// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/listing.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HASH_LENGTH  64
#define SHOWN_LENGTH 12 /* as docker shows its ids */

void gw_listing_clear(struct gw_listing *listing)
{
	free(listing->process);
	memset(listing, 0, sizeof(*listing));
}

void gw_listed_place(const struct gw_listed *process, char *text, size_t size)
{
	const char *slash = strrchr(process->cgroup, '/');
	size_t length = strlen(process->container_id);

	if (process->container_runtime[0])
		snprintf(text, size, "%s:%.*s",
			 strcmp(process->container_runtime, "kubernetes")
				 ? process->container_runtime
				 : "k8s",
			 (int)(length == HASH_LENGTH ? SHOWN_LENGTH : length),
			 process->container_id);
	else
		snprintf(text, size, "%s", slash && slash[1] ? slash + 1 : "-");
}
