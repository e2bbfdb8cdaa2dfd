// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which functions of a file are take_gil, by whom they call: all of it that a compiler left. */
#include <errno.h>

#include "target/gil_finder.h"

/* ---- the parts of one function ---- */

/* gcc makes two parts, BOLT two or three, or if asked one of each basic block. */
#define PARTS_MAX 64

struct parts {
	struct gw_gil_finder *finder;
	size_t count;
	const struct gw_function *part[PARTS_MAX];
};

static bool is_part(const struct parts *parts, const struct gw_function *function)
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
	const struct parts *parts = data;
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
	struct parts *parts = data;
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
	if (parts->count == PARTS_MAX)
		return -EINVAL;
	parts->part[parts->count++] = other;
	return 0;
}

static int find_parts(struct gw_gil_finder *finder, const struct gw_function *function,
		      struct parts *parts)
{
	size_t before, i;
	int code;

	*parts = (struct parts){.finder = finder, .count = 1, .part = {function}};
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

/* ---- take_gil ---- */

/* Marks the function and its other parts if there is a signal in any of them. */
static int mark_take_gil(struct gw_gil_finder *finder, const struct gw_function *function)
{
	struct parts parts;
	bool signals = false;
	size_t i;
	int code;

	code = find_parts(finder, function, &parts);
	if (code)
		return code;
	for (i = 0; i < parts.count; i++)
		signals |= *gw_gil_mark_of(finder, parts.part[i]) & GW_MARK_SIGNALS;
	for (i = 0; signals && i < parts.count; i++)
		*gw_gil_mark_of(finder, parts.part[i]) |= GW_MARK_TAKE_GIL;
	return signals;
}

static int calls_waiter(const struct gw_flow *flow, void *data)
{
	struct gw_gil_finder *finder = data;
	const struct gw_function *callee;

	if (flow->kind != GW_FLOW_CALL)
		return 0;
	callee = gw_functions_at(&finder->functions, flow->target);
	return callee && callee->start == flow->target &&
	       *gw_gil_mark_of(finder, callee) & GW_MARK_WAITS;
}

int gw_gil_find_takers(struct gw_gil_finder *finder)
{
	const struct gw_function *function = finder->functions.function;
	size_t i;
	int code, found = 0;

	for (i = 0; i < finder->functions.count; i++) {
		if (!(finder->mark[i] & GW_MARK_WAITS) || finder->mark[i] & GW_MARK_TAKE_GIL)
			continue;
		code = mark_take_gil(finder, &function[i]);
		if (code < 0)
			return code;
		found += code;
	}
	if (found)
		return found;
	/* Builds without optimisation (Debian's libpython3.Xd) wait in PyCOND_TIMEDWAIT(). */
	for (i = 0; i < finder->functions.count; i++) {
		if (!(finder->mark[i] & GW_MARK_SIGNALS))
			continue;
		code = gw_gil_decode(finder, &function[i], calls_waiter, finder);
		if (code > 0)
			code = mark_take_gil(finder, &function[i]);
		if (code < 0)
			return code;
		found += code;
	}
	return found;
}

/* Returns 1 if a part of the function is marked, 0 or a negative errno. */
static int has_take_gil_part(struct gw_gil_finder *finder, const struct gw_function *function)
{
	struct parts parts;
	size_t i;
	int code = find_parts(finder, function, &parts);

	for (i = 0; !code && i < parts.count; i++)
		code = !!(*gw_gil_mark_of(finder, parts.part[i]) & GW_MARK_TAKE_GIL);
	return code;
}

static int reaches_take_gil(const struct gw_flow *flow, void *data)
{
	struct gw_gil_finder *finder = data;
	const struct gw_function *target;

	if (flow->kind != GW_FLOW_CALL && flow->kind != GW_FLOW_JUMP)
		return 0;
	target = gw_functions_at(&finder->functions, flow->target);
	/* The part where it begins is not marked if only others can be reached from the wait. */
	return target ? has_take_gil_part(finder, target) : 0;
}

int gw_gil_check_acquire_lock(struct gw_gil_finder *finder)
{
	const struct gw_function *function;
	struct parts parts;
	Elf64_Sym symbol;
	size_t i;
	int code;

	if (gw_elf_symbol_find(&finder->dynamic, "PyEval_AcquireLock", &symbol) &&
	    gw_elf_symbol_find(&finder->names.table, "PyEval_AcquireLock", &symbol))
		return 0;
	function = gw_functions_at(&finder->functions, symbol.st_value);
	if (!function)
		return 0;
	code = find_parts(finder, function, &parts);
	for (i = 0; !code && i < parts.count; i++) {
		if (*gw_gil_mark_of(finder, parts.part[i]) & GW_MARK_TAKE_GIL)
			return 0;
		code = gw_gil_decode(finder, parts.part[i], reaches_take_gil, finder);
	}
	if (code < 0)
		return code;
	return code ? 0 : -EEXIST;
}
