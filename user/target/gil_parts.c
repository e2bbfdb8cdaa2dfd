// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Of which parts a function is made: compilers and BOLT move what runs seldom elsewhere. */
#include <errno.h>

#include "target/gil_finder.h"

static bool is_part(const struct gw_gil_parts *parts, const struct gw_function *function)
{
	size_t i;

	for (i = 0; i < parts->count; i++) {
		if (parts->part[i] == function)
			return true;
	}
	return false;
}

static int jumps_inside(const struct gw_flow *flow, void *data)
{
	const struct gw_gil_parts *parts = data;
	size_t i;

	for (i = 0; flow->kind == GW_FLOW_JUMP && i < parts->count; i++) {
		if (flow->target > parts->part[i]->start && flow->target < parts->part[i]->end)
			return 1;
	}
	return 0;
}

/*
 * A jump to the beginning of another function may be a tail call. It is a jump to another part of
 * the same function if it goes into the middle, if the frame is set up there already, or if a jump
 * there comes back into the middle of this one.
 */
static int add_part(const struct gw_flow *flow, void *data)
{
	struct gw_gil_parts *parts = data;
	const struct gw_function *other;
	int code = 1;

	if (flow->kind != GW_FLOW_JUMP)
		return 0;
	other = gw_functions_at(&parts->finder->functions, flow->target);
	if (!other || is_part(parts, other))
		return 0;
	if (flow->target == other->start && !other->continuation)
		code = gw_gil_decode(parts->finder, other, jumps_inside, parts);
	if (code <= 0)
		return code;
	if (parts->count == GW_GIL_PARTS_MAX)
		return -EINVAL;
	parts->part[parts->count++] = other;
	return 0;
}

int gw_gil_find_parts(struct gw_gil_finder *finder, const struct gw_function *function,
		      struct gw_gil_parts *parts)
{
	size_t before, i;
	int code;

	*parts = (struct gw_gil_parts){.finder = finder, .count = 1, .part = {function}};
	/* Again while it grows: a part may come back into one that was found after it. */
	do {
		before = parts->count;
		for (i = 0; i < parts->count; i++) {
			code = gw_gil_decode(finder, parts->part[i], add_part, parts);
			if (code)
				return code;
		}
	} while (parts->count != before);
	return 0;
}
