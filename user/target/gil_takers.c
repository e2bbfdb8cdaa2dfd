// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Which functions of a file are take_gil, by whom they call: all of it that a compiler left. */
#include <errno.h>

#include "target/gil_finder.h"

/* ---- take_gil ---- */

/* Marks the function and its other parts if there is a signal in any of them. */
static int mark_take_gil(struct gw_gil_finder *finder, const struct gw_function *function)
{
	struct gw_gil_parts parts;
	bool signals = false;
	size_t i;
	int code;

	code = gw_gil_find_parts(finder, function, &parts);
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
	struct gw_gil_parts parts;
	size_t i;
	int code = gw_gil_find_parts(finder, function, &parts);

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
	struct gw_gil_parts parts;
	Elf64_Sym symbol;
	size_t i;
	int code;

	if (gw_elf_symbol_find(&finder->dynamic, "PyEval_AcquireLock", &symbol) &&
	    gw_elf_symbol_find(&finder->names.table, "PyEval_AcquireLock", &symbol))
		return 0;
	function = gw_functions_at(&finder->functions, symbol.st_value);
	if (!function)
		return 0;
	code = gw_gil_find_parts(finder, function, &parts);
	for (i = 0; !code && i < parts.count; i++) {
		if (*gw_gil_mark_of(finder, parts.part[i]) & GW_MARK_TAKE_GIL)
			return 0;
		code = gw_gil_decode(finder, parts.part[i], reaches_take_gil, finder);
	}
	if (code < 0)
		return code;
	return code ? 0 : -EEXIST;
}
