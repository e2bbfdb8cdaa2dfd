// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where a file calls the functions that the GIL is made with. */
#include <errno.h>
#include <stdlib.h>

#include "target/gil_finder.h"

/* No CPython so far waits by pthread_cond_clockwait(), but it is what a clock of one's own asks
 * for. */
static const struct gw_callee callees[] = {
	{"pthread_cond_timedwait", GW_CALLEE_WAIT},
	{"pthread_cond_clockwait", GW_CALLEE_WAIT},
	{"pthread_cond_signal", GW_CALLEE_SIGNAL},
};

int gw_gil_decode(struct gw_gil_finder *finder, const struct gw_function *function,
		  gw_flow_visit *visit, void *data)
{
	uint64_t available, size = function->end - function->start;
	const uint8_t *bytes = gw_elf_code_at(&finder->code, function->start, &available);

	if (!bytes)
		return 0;
	if (size > available)
		size = available;
	if (size > finder->budget)
		return -EDOM;
	finder->budget -= size;
	return gw_decode(finder->decoder, bytes, size, function->start, visit, data);
}

/* ---- the calls of the callees ---- */

static int suspect(const struct gw_flow *flow, void *data)
{
	struct gw_gil_finder *finder = data;
	const struct gw_function *function;

	if (gw_plt_callee(&finder->plt, flow) < 0)
		return 0;
	function = gw_functions_at(&finder->functions, flow->address);
	if (function)
		*gw_gil_mark_of(finder, function) |=
			GW_MARK_SUSPECT | (flow->kind == GW_FLOW_LOAD_SLOT ? GW_MARK_LOADS : 0);
	return 0;
}

static bool is_known(const struct gw_gil_finder *finder, const struct gw_gil_call *call)
{
	for (size_t i = 0; i < finder->call_count; i++)
		if (finder->call[i].address == call->address &&
		    finder->call[i].callee == call->callee)
			return true;
	return false;
}

static int add_call(struct gw_gil_finder *finder, const struct gw_gil_call *call)
{
	struct gw_gil_call *grown;
	size_t capacity;

	if (finder->call_count == finder->call_capacity) {
		capacity = finder->call_capacity ? finder->call_capacity * 2 : 64;
		grown = realloc(finder->call, capacity * sizeof(*grown));
		if (!grown)
			return -ENOMEM;
		finder->call = grown;
		finder->call_capacity = capacity;
	}
	finder->call[finder->call_count++] = *call;
	*gw_gil_mark_of(finder, call->in) |=
		call->callee == GW_CALLEE_WAIT ? GW_MARK_WAITS : GW_MARK_SIGNALS;
	return 0;
}

struct walk {
	struct gw_gil_finder *finder;
	const struct gw_function *function;
	uint8_t loaded[16]; /* into each register: the callees, a set of bits */
};

static int note_load(const struct gw_flow *flow, void *data)
{
	struct walk *walk = data;
	int id = gw_plt_callee(&walk->finder->plt, flow);

	if (flow->kind == GW_FLOW_LOAD_SLOT && id >= 0)
		walk->loaded[flow->reg] |= (uint8_t)(1 << id);
	return 0;
}

static struct gw_gil_call call_of(const struct walk *walk, const struct gw_flow *flow, int id)
{
	return (struct gw_gil_call){
		.address = flow->address,
		.in = walk->function,
		.callee = (enum gw_gil_callee)id,
		.cheap = flow->emulated,
	};
}

static int note_call(const struct gw_flow *flow, void *data)
{
	struct walk *walk = data;
	struct gw_gil_call call;
	int id = gw_plt_callee(&walk->finder->plt, flow);

	if (id < 0 || (flow->kind != GW_FLOW_CALL && flow->kind != GW_FLOW_CALL_SLOT))
		return 0;
	call = call_of(walk, flow, id);
	return add_call(walk->finder, &call);
}

static int note_register_call(const struct gw_flow *flow, void *data)
{
	struct walk *walk = data;
	int code = 0;

	if (flow->kind != GW_FLOW_CALL_REGISTER)
		return 0;
	for (int id = GW_CALLEE_WAIT; id <= GW_CALLEE_SIGNAL && !code; id++) {
		struct gw_gil_call call = call_of(walk, flow, id);

		if (walk->loaded[flow->reg] >> id & 1 && !is_known(walk->finder, &call))
			code = add_call(walk->finder, &call);
	}
	return code;
}

/*
 * -fno-plt code may load a callee's address once and call it through the register several times, in
 * any part of the function. Which calls through that register are meant is not followed: all are
 * taken, since one too many costs a probe that finds another argument there, and one too few would
 * lose releases. A loop can put the load behind the call, hence the walk before the walk.
 */
static int collect_register_calls(struct gw_gil_finder *finder, const struct gw_function *function)
{
	struct walk walk = {.finder = finder};
	struct gw_gil_parts parts;
	int code = gw_gil_find_parts(finder, function, &parts);

	for (size_t i = 0; i < parts.count && !code; i++)
		code = gw_gil_decode(finder, parts.part[i], note_load, &walk);
	for (size_t i = 0; i < parts.count && !code; i++) {
		walk.function = parts.part[i];
		code = gw_gil_decode(finder, parts.part[i], note_register_call, &walk);
	}
	return code;
}

static int collect_calls_in(struct gw_gil_finder *finder, const struct gw_function *function)
{
	struct walk walk = {.finder = finder, .function = function};
	int code = gw_gil_decode(finder, function, note_call, &walk);

	if (!code && *gw_gil_mark_of(finder, function) & GW_MARK_LOADS)
		code = collect_register_calls(finder, function);
	return code;
}

int gw_gil_collect_calls(struct gw_gil_finder *finder)
{
	const struct gw_elf_code_range *range;
	size_t i;
	int code = gw_plt_load(finder->elf, &finder->code, &finder->dynamic, &finder->names.table,
			       callees, sizeof(callees) / sizeof(callees[0]), &finder->plt);

	for (i = 0; i < finder->code.count && !code; i++) {
		range = &finder->code.range[i];
		code = gw_scan(range->bytes, range->size, range->address, suspect, finder);
	}
	for (i = 0; i < finder->functions.count && !code; i++) {
		if (finder->mark[i] & GW_MARK_SUSPECT)
			code = collect_calls_in(finder, &finder->functions.function[i]);
	}
	return code;
}
