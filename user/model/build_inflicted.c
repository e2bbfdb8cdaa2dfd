// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>

#include "model/build_parts.h"

static size_t first_by(const struct gw_build *b, uint32_t by)
{
	size_t low = 0, high = b->pair_count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (b->pair[middle].key.by < by)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

int64_t gw_build_inflicted_by(const struct gw_build *b, uint32_t tid)
{
	int64_t sum = 0;

	for (size_t i = first_by(b, tid); i < b->pair_count && b->pair[i].key.by == tid; i++)
		sum += (int64_t)b->pair[i].ns;
	return sum;
}

int gw_build_inflicted(const struct gw_build *b, struct gw_process_view *view)
{
	struct gw_inflicted *pairs = calloc(b->pair_count + 1, sizeof(*pairs));

	if (!pairs)
		return -ENOMEM;
	view->inflicted = pairs;
	view->inflicted_rest_ns = (int64_t)b->process->inflicted_rest_ns;
	for (size_t i = 0; i < b->pair_count; i++) {
		const struct gw_raw_pair *pair = &b->pair[i];

		if (pair->key.on)
			pairs[view->inflicted_count++] = (struct gw_inflicted){
				.by = pair->key.by,
				.on = pair->key.on,
				.wait_ns = (int64_t)pair->ns,
			};
		else
			view->inflicted_rest_ns += (int64_t)pair->ns;
	}
	gw_inflicted_limit(view);
	return 0;
}
