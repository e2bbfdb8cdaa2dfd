// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The GIL's functions are static, inlined in up to a dozen places, and nameless in a stripped file.
 * What is left to see is whom they call. In CPython 3.8 - 3.15 on Linux (Python/ceval_gil.[hc])
 * - only take_gil() waits on a condition variable with a timeout, and nobody inlines it;
 * - every pthread_cond_signal() is the GIL's: of switch_cond in take_gil(), once per acquisition,
 * and of cond in drop_gil() and wherever that is inlined, once per release.
 */
#include "target/sites.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "target/decode_x86.h"
#include "target/elf_image.h"
#include "target/functions.h"
#include "target/plt.h"

enum callee {
	CALLEE_WAIT,
	CALLEE_SIGNAL,
};

/* No CPython so far waits by pthread_cond_clockwait(), but it is what a clock of one's own asks
 * for. */
static const struct gw_callee callees[] = {
	{"pthread_cond_timedwait", CALLEE_WAIT},
	{"pthread_cond_clockwait", CALLEE_WAIT},
	{"pthread_cond_signal", CALLEE_SIGNAL},
};

/* What is known about a function; a set of bits. */
enum mark {
	MARK_SUSPECT = 1, /* bytes in it look like a call of a callee */
	MARK_LOADS = 2,	  /* or like a load of a callee's address */
	MARK_WAITS = 4,
	MARK_SIGNALS = 8,
	MARK_TAKE_GIL = 16,
};

/*
 * An interpreter needs a few hundred kilobytes; a file made to be expensive must not hold us up. At
 * some 20 MB/s this is less than a second.
 */
#define DECODE_BUDGET (16 << 20)

struct call {
	uint64_t address;
	const struct gw_function *in;
	enum callee callee;
	uint8_t cheap;
};

struct finder {
	struct gw_elf *elf;
	struct gw_elf_code code;
	struct gw_elf_symbols dynamic, table;
	struct gw_functions functions;
	struct gw_plt plt;
	struct gw_decoder *decoder;
	uint64_t budget;
	uint8_t *mark; /* of each function */
	struct call *call;
	size_t call_count, call_capacity;
};

static uint8_t *mark_of(struct finder *finder, const struct gw_function *function)
{
	return &finder->mark[function - finder->functions.function];
}

/* -EDOM, which nothing else here returns: the budget is used up. */
static int decode_function(struct finder *finder, const struct gw_function *function,
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
	struct finder *finder = data;
	const struct gw_function *function;

	if (gw_plt_callee(&finder->plt, flow) < 0)
		return 0;
	function = gw_functions_at(&finder->functions, flow->address);
	if (function)
		*mark_of(finder, function) |=
			MARK_SUSPECT | (flow->kind == GW_FLOW_LOAD_SLOT ? MARK_LOADS : 0);
	return 0;
}

static int add_call(struct finder *finder, const struct call *call)
{
	struct call *grown;
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
	*mark_of(finder, call->in) |= call->callee == CALLEE_WAIT ? MARK_WAITS : MARK_SIGNALS;
	return 0;
}

struct walk {
	struct finder *finder;
	const struct gw_function *function;
	int loaded[16]; /* the callee whose address was loaded into each register, or -1 */
};

static int note_load(const struct gw_flow *flow, void *data)
{
	struct walk *walk = data;
	int id = gw_plt_callee(&walk->finder->plt, flow);

	if (flow->kind == GW_FLOW_LOAD_SLOT && id >= 0)
		walk->loaded[flow->reg] = id;
	return 0;
}

static int note_call(const struct gw_flow *flow, void *data)
{
	struct walk *walk = data;
	int id = -1;

	note_load(flow, walk);
	if (flow->kind == GW_FLOW_CALL || flow->kind == GW_FLOW_CALL_SLOT)
		id = gw_plt_callee(&walk->finder->plt, flow);
	else if (flow->kind == GW_FLOW_CALL_REGISTER)
		id = walk->loaded[flow->reg];
	if (id < 0)
		return 0;
	return add_call(walk->finder, &(struct call){
					      .address = flow->address,
					      .in = walk->function,
					      .callee = (enum callee)id,
					      .cheap = flow->emulated,
				      });
}

/*
 * -fno-plt code may load a callee's address once and call it through the register several times.
 * Which calls through that register are meant is not followed: all are taken, since one too many
 * costs a probe that finds another argument there, and one too few would lose releases. A loop can
 * put the load behind the call, hence the walk before the walk.
 */
static int collect_calls_in(struct finder *finder, const struct gw_function *function)
{
	struct walk walk = {.finder = finder, .function = function};
	int code = 0;
	size_t i;

	for (i = 0; i < sizeof(walk.loaded) / sizeof(walk.loaded[0]); i++)
		walk.loaded[i] = -1;
	if (*mark_of(finder, function) & MARK_LOADS)
		code = decode_function(finder, function, note_load, &walk);
	if (!code)
		code = decode_function(finder, function, note_call, &walk);
	return code;
}

static int collect_calls(struct finder *finder)
{
	const struct gw_elf_code_range *range;
	size_t i;
	int code = 0;

	for (i = 0; i < finder->code.count && !code; i++) {
		range = &finder->code.range[i];
		code = gw_scan(range->bytes, range->size, range->address, suspect, finder);
	}
	for (i = 0; i < finder->functions.count && !code; i++) {
		if (finder->mark[i] & MARK_SUSPECT)
			code = collect_calls_in(finder, &finder->functions.function[i]);
	}
	return code;
}

/* ---- the parts of one function ---- */

/* gcc makes two parts, BOLT two or three, or if asked one of each basic block. */
#define PARTS_MAX 64

struct parts {
	struct finder *finder;
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
		code = decode_function(parts->finder, other, jumps_inside, parts);
	if (code <= 0)
		return code;
	if (parts->count == PARTS_MAX)
		return -EINVAL;
	parts->part[parts->count++] = other;
	return 0;
}

static int find_parts(struct finder *finder, const struct gw_function *function,
		      struct parts *parts)
{
	size_t before, i;
	int code;

	*parts = (struct parts){.finder = finder, .count = 1, .part = {function}};
	/* Again while it grows: a part may come back into one that was found after it. */
	do {
		before = parts->count;
		for (i = 0; i < parts->count; i++) {
			code = decode_function(finder, parts->part[i], add_part, parts);
			if (code)
				return code;
		}
	} while (parts->count != before);
	return 0;
}

/* ---- take_gil ---- */

/* Marks the function and its other parts if there is a signal in any of them. */
static int mark_take_gil(struct finder *finder, const struct gw_function *function)
{
	struct parts parts;
	bool signals = false;
	size_t i;
	int code;

	code = find_parts(finder, function, &parts);
	if (code)
		return code;
	for (i = 0; i < parts.count; i++)
		signals |= *mark_of(finder, parts.part[i]) & MARK_SIGNALS;
	for (i = 0; signals && i < parts.count; i++)
		*mark_of(finder, parts.part[i]) |= MARK_TAKE_GIL;
	return signals;
}

static int calls_waiter(const struct gw_flow *flow, void *data)
{
	struct finder *finder = data;
	const struct gw_function *callee;

	if (flow->kind != GW_FLOW_CALL)
		return 0;
	callee = gw_functions_at(&finder->functions, flow->target);
	return callee && callee->start == flow->target && *mark_of(finder, callee) & MARK_WAITS;
}

/* Returns how many there are, or a negative errno. */
static int find_take_gil(struct finder *finder)
{
	const struct gw_function *function = finder->functions.function;
	size_t i;
	int code, found = 0;

	for (i = 0; i < finder->functions.count; i++) {
		if (!(finder->mark[i] & MARK_WAITS) || finder->mark[i] & MARK_TAKE_GIL)
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
		if (!(finder->mark[i] & MARK_SIGNALS))
			continue;
		code = decode_function(finder, &function[i], calls_waiter, finder);
		if (code > 0)
			code = mark_take_gil(finder, &function[i]);
		if (code < 0)
			return code;
		found += code;
	}
	return found;
}

/* Returns 1 if a part of the function is marked, 0 or a negative errno. */
static int has_take_gil_part(struct finder *finder, const struct gw_function *function)
{
	struct parts parts;
	size_t i;
	int code = find_parts(finder, function, &parts);

	for (i = 0; !code && i < parts.count; i++)
		code = !!(*mark_of(finder, parts.part[i]) & MARK_TAKE_GIL);
	return code;
}

static int reaches_take_gil(const struct gw_flow *flow, void *data)
{
	struct finder *finder = data;
	const struct gw_function *target;

	if (flow->kind != GW_FLOW_CALL && flow->kind != GW_FLOW_JUMP)
		return 0;
	target = gw_functions_at(&finder->functions, flow->target);
	/* The part where it begins is not marked if only others can be reached from the wait. */
	return target ? has_take_gil_part(finder, target) : 0;
}

/*
 * PyEval_AcquireLock() is exported by every version, and does nothing but call take_gil(). Returns
 * -EEXIST, which nothing else here returns, if it contradicts.
 */
static int check_acquire_lock(struct finder *finder)
{
	const struct gw_function *function;
	struct parts parts;
	Elf64_Sym symbol;
	size_t i;
	int code;

	if (gw_elf_symbol_find(&finder->dynamic, "PyEval_AcquireLock", &symbol) &&
	    gw_elf_symbol_find(&finder->table, "PyEval_AcquireLock", &symbol))
		return 0;
	function = gw_functions_at(&finder->functions, symbol.st_value);
	if (!function)
		return 0;
	code = find_parts(finder, function, &parts);
	for (i = 0; !code && i < parts.count; i++) {
		if (*mark_of(finder, parts.part[i]) & MARK_TAKE_GIL)
			return 0;
		code = decode_function(finder, parts.part[i], reaches_take_gil, finder);
	}
	if (code < 0)
		return code;
	return code ? 0 : -EEXIST;
}

/*
 * Compares with the symbols that name take_gil or a part or clone of it. Returns 1 if they agree, 0
 * if there are none, -EEXIST if one that signals was not found to be take_gil.
 */
static int check_names(struct finder *finder)
{
	static const char name[] = "take_gil";
	const struct gw_elf_symbols *table = &finder->table;
	const struct gw_function *function;
	const char *symbol;
	size_t i;
	int agree = 0;

	for (i = 0; i < table->count; i++) {
		symbol = gw_elf_symbol_name(table, i);
		if (strncmp(symbol, name, sizeof(name) - 1) != 0 ||
		    (symbol[sizeof(name) - 1] && symbol[sizeof(name) - 1] != '.') ||
		    ELF64_ST_TYPE(table->symbol[i].st_info) != STT_FUNC)
			continue;
		function = gw_functions_at(&finder->functions, table->symbol[i].st_value);
		if (!function || !(*mark_of(finder, function) & MARK_SIGNALS))
			continue;
		if (!(*mark_of(finder, function) & MARK_TAKE_GIL))
			return -EEXIST;
		agree = 1;
	}
	return agree;
}

/* ---- the result ---- */

static int by_offset(const void *a, const void *b)
{
	const struct gw_site *left = a, *right = b;

	return left->file_offset < right->file_offset ? -1 : left->file_offset > right->file_offset;
}

static void drop_duplicates(struct gw_sites *sites)
{
	size_t i, kept = 0;

	for (i = 0; i < sites->count; i++) {
		if (!kept || sites->site[kept - 1].file_offset != sites->site[i].file_offset)
			sites->site[kept++] = sites->site[i];
	}
	sites->count = kept;
}

static int fill_sites(struct finder *finder, struct gw_sites *sites)
{
	const struct call *call;
	uint64_t offset;
	size_t i;

	for (i = 0; i < finder->call_count; i++) {
		call = &finder->call[i];
		if (call->callee != CALLEE_SIGNAL ||
		    gw_elf_offset_of(finder->elf, call->address, &offset))
			continue;
		if (sites->count == GW_SITES_MAX)
			return -E2BIG;
		sites->site[sites->count++] = (struct gw_site){
			.kind = *mark_of(finder, call->in) & MARK_TAKE_GIL ? GW_SITE_ACQUIRE
									   : GW_SITE_RELEASE,
			.file_offset = offset,
			.virtual_address = call->address,
			.cheap = call->cheap,
		};
	}
	qsort(sites->site, sites->count, sizeof(sites->site[0]), by_offset);
	drop_duplicates(sites);
	return 0;
}

static bool has_kind(const struct gw_sites *sites, enum gw_site_kind kind)
{
	size_t i;

	for (i = 0; i < sites->count; i++) {
		if (sites->site[i].kind == kind)
			return true;
	}
	return false;
}

/* ---- from end to end ---- */

static int load_symbols(struct finder *finder)
{
	int code = gw_elf_symbols_load(finder->elf, SHT_DYNSYM, &finder->dynamic);

	if (!code || code == -ENOENT)
		code = gw_elf_symbols_load(finder->elf, SHT_SYMTAB, &finder->table);
	return code == -ENOENT ? 0 : code;
}

static int load(struct finder *finder, int fd, struct gw_error *err)
{
	int code = gw_elf_open(fd, &finder->elf, err);

	if (code)
		return code;
	if (gw_elf_machine(finder->elf) != EM_X86_64)
		return gw_error_set(err, -EOPNOTSUPP, GW_STATUS_TARGET,
				    "The GIL's call sites can be found in x86-64 code only.");
	code = load_symbols(finder);
	if (!code)
		code = gw_elf_code_load(finder->elf, &finder->code);
	if (!code)
		code = gw_functions_load(finder->elf, &finder->functions, err);
	if (!code)
		code = gw_plt_load(finder->elf, &finder->code, &finder->dynamic, &finder->table,
				   callees, sizeof(callees) / sizeof(callees[0]), &finder->plt);
	if (code)
		return code;
	finder->budget = DECODE_BUDGET;
	finder->mark = calloc(finder->functions.count, sizeof(*finder->mark));
	finder->decoder = gw_decoder_new();
	return finder->mark && finder->decoder ? 0 : -ENOMEM;
}

static void unload(struct finder *finder)
{
	free(finder->call);
	free(finder->mark);
	gw_decoder_free(finder->decoder);
	gw_plt_free(&finder->plt);
	gw_functions_free(&finder->functions);
	gw_elf_code_free(&finder->code);
	gw_elf_symbols_free(&finder->table);
	gw_elf_symbols_free(&finder->dynamic);
	gw_elf_close(finder->elf);
}

static int find(struct finder *finder, struct gw_sites *sites, struct gw_error *err)
{
	int code = collect_calls(finder);

	if (!code)
		code = find_take_gil(finder);
	if (code < 0)
		return code;
	if (!code)
		return gw_error_set(err, -ENOENT, GW_STATUS_TARGET,
				    "The file holds no GIL: no function in it waits on a condition "
				    "variable with a timeout and signals one.");
	code = check_acquire_lock(finder);
	if (code == -EEXIST)
		return gw_error_set(
			err, -EINVAL, GW_STATUS_TARGET,
			"The functions that look like take_gil in the file are not what "
			"PyEval_AcquireLock calls, so it is unlike every known CPython.");
	if (code)
		return code;
	code = check_names(finder);
	if (code == -EEXIST)
		return gw_error_set(
			err, -EINVAL, GW_STATUS_TARGET,
			"The functions that look like take_gil in the file are not those "
			"that its symbols call so.");
	if (code < 0)
		return code;
	sites->how = code ? "symbols" : "calls";
	code = fill_sites(finder, sites);
	if (code)
		return code;
	if (!has_kind(sites, GW_SITE_ACQUIRE) || !has_kind(sites, GW_SITE_RELEASE))
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "The file has a take_gil, but no place that releases the GIL.");
	return 0;
}

int gw_sites_find(int fd, struct gw_sites *sites, struct gw_error *err)
{
	struct finder finder = {0};
	int code;

	*sites = (struct gw_sites){.how = ""};
	code = load(&finder, fd, err);
	if (!code)
		code = find(&finder, sites, err);
	unload(&finder);
	if (!code)
		return 0;
	*sites = (struct gw_sites){.how = ""};
	switch (code) {
	case -EDOM:
	case -EFBIG:
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "The file is too large to be looked through.");
	case -E2BIG:
		return gw_error_set(
			err, code, GW_STATUS_TARGET,
			"The file signals condition variables in more than %d places, too "
			"many to tell the GIL's.",
			GW_SITES_MAX);
	case -ENOMEM:
		return gw_error_set(err, code, GW_STATUS_FAILURE, "Out of memory.");
	default:
		/* whoever set a sentence knew better */
		return gw_error_set(err, code, GW_STATUS_TARGET,
				    "The ELF file is cut short or damaged.");
	}
}
