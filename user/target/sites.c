// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * From end to end: two witnesses are heard, what the functions call and what they are named, and
 * only what neither contradicts becomes a site.
 */
#include "target/sites.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/gil_finder.h"

/*
 * An interpreter needs a few hundred kilobytes; a file made to be expensive must not hold us up. At
 * some 20 MB/s this is less than a second.
 */
#define DECODE_BUDGET (16 << 20)

/* ---- the two witnesses ---- */

enum opinion {
	OPINION_NONE,
	OPINION_ACQUIRE,
	OPINION_RELEASE,
};

static bool covers(const Elf64_Sym *symbol, const struct gw_gil_call *call)
{
	if (ELF64_ST_TYPE(symbol->st_info) != STT_FUNC || !symbol->st_value)
		return false;
	if (symbol->st_size)
		return call->address - symbol->st_value < symbol->st_size;
	return symbol->st_value == call->in->start; /* written in assembler, without a size */
}

static enum opinion opinion_of_table(const struct gw_elf_symbols *table,
				     const struct gw_gil_call *call)
{
	enum opinion opinion = OPINION_NONE;

	for (size_t i = 0; i < table->count; i++) {
		if (!covers(&table->symbol[i], call))
			continue;
		if (gw_gil_names_is_take_gil(gw_elf_symbol_name(table, i)))
			return OPINION_ACQUIRE;
		opinion = OPINION_RELEASE;
	}
	return opinion;
}

/* Of a function without a name (BOLT leaves old copies of some) the names say nothing. */
static enum opinion opinion_of_names(const struct gw_gil_finder *finder,
				     const struct gw_gil_call *call)
{
	enum opinion opinion;

	if (!finder->names.rung[0])
		return OPINION_NONE;
	opinion = opinion_of_table(&finder->names.table, call);
	/* .gnu_debugdata has only the names that are not exported. */
	return opinion ? opinion : opinion_of_table(&finder->dynamic, call);
}

static enum opinion opinion_of_calls(struct gw_gil_finder *finder, bool heard,
				     const struct gw_gil_call *call)
{
	if (!heard)
		return OPINION_NONE;
	return *gw_gil_mark_of(finder, call->in) & GW_MARK_TAKE_GIL ? OPINION_ACQUIRE
								    : OPINION_RELEASE;
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

static const char *name_of(const struct gw_gil_finder *finder, const struct gw_function *function)
{
	const struct gw_elf_symbols *table = &finder->names.table;

	for (size_t i = 0; finder->names.rung[0] && i < table->count; i++)
		if (table->symbol[i].st_value == function->start &&
		    ELF64_ST_TYPE(table->symbol[i].st_info) == STT_FUNC)
			return gw_elf_symbol_name(table, i);
	return "";
}

static void note_function(const struct gw_gil_finder *finder, const struct gw_function *function,
			  struct gw_sites *sites)
{
	struct gw_sites_function *to = &sites->function[sites->function_count];
	const char *name;
	uint64_t offset;
	size_t i;

	if (sites->function_count == GW_SITES_FUNCTIONS_MAX ||
	    gw_elf_offset_of(finder->elf, function->start, &offset))
		return;
	for (i = 0; i < sites->function_count; i++)
		if (sites->function[i].file_offset == offset)
			return;
	to->file_offset = offset;
	name = name_of(finder, function);
	for (i = 0; name[i] && i < sizeof(to->name) - 1; i++)
		to->name[i] = name[i] > ' ' && name[i] <= '~' ? name[i] : '?';
	sites->function_count++;
}

static int add_site(struct gw_gil_finder *finder, const struct gw_gil_call *call, uint64_t offset,
		    enum gw_site_kind kind, struct gw_sites *sites)
{
	if (sites->count == GW_SITES_MAX)
		return -E2BIG;
	sites->site[sites->count++] = (struct gw_site){
		.kind = kind,
		.file_offset = offset,
		.virtual_address = call->address,
		.cheap = call->cheap,
	};
	if (kind == GW_SITE_ACQUIRE)
		note_function(finder, call->in, sites);
	return 0;
}

static void tell_disagreement(const struct gw_gil_finder *finder, size_t count, uint64_t first,
			      struct gw_sites *sites)
{
	if (count)
		snprintf(sites->disagreement, sizeof(sites->disagreement),
			 "Calls and names (%s) disagree on %zu of the places that signal, the "
			 "first at file offset %#llx: these are not probed.",
			 finder->names.rung, count, (unsigned long long)first);
}

static int fill_sites(struct gw_gil_finder *finder, bool by_calls, struct gw_sites *sites)
{
	size_t disagreed = 0;
	uint64_t first = 0, offset;
	int code = 0;

	for (size_t i = 0; i < finder->call_count && !code; i++) {
		const struct gw_gil_call *call = &finder->call[i];
		enum opinion names, calls;

		if (call->callee != GW_CALLEE_SIGNAL ||
		    gw_elf_offset_of(finder->elf, call->address, &offset))
			continue;
		names = opinion_of_names(finder, call);
		calls = opinion_of_calls(finder, by_calls, call);
		if (names && calls && names != calls) {
			first = disagreed++ ? first : offset;
			continue;
		}
		names = names ? names : calls;
		if (names)
			code = add_site(finder, call, offset,
					names == OPINION_ACQUIRE ? GW_SITE_ACQUIRE
								 : GW_SITE_RELEASE,
					sites);
	}
	tell_disagreement(finder, disagreed, first, sites);
	qsort(sites->site, sites->count, sizeof(sites->site[0]), by_offset);
	drop_duplicates(sites);
	return code;
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

static int load_functions(struct gw_gil_finder *finder, struct gw_error *err)
{
	struct gw_error unwind = {0};
	int code = gw_functions_load(finder->elf, &finder->functions, &unwind);

	if (code == -ENOMEM)
		return code;
	code = gw_functions_add(&finder->functions, &finder->names.table);
	if (code || finder->functions.count)
		return code;
	return gw_error_set(err, -EINVAL, unwind.status, "%s", unwind.text);
}

static int load(struct gw_gil_finder *finder, const struct gw_sites_files *files,
		struct gw_error *err)
{
	int code = gw_elf_open(files->file, &finder->elf, err);

	if (code)
		return code;
	if (gw_elf_machine(finder->elf) != EM_X86_64)
		return gw_error_set(err, -EOPNOTSUPP, GW_STATUS_TARGET,
				    "The GIL's call sites can be found in x86-64 code only.");
	code = gw_elf_symbols_load(finder->elf, SHT_DYNSYM, &finder->dynamic);
	if (!code || code == -ENOENT)
		code = gw_gil_names_load(finder->elf, files->debug, GW_SITES_DEBUG_MAX,
					 &finder->names);
	if (!code)
		code = gw_elf_code_load(finder->elf, &finder->code);
	if (!code)
		code = load_functions(finder, err);
	if (code)
		return code;
	finder->budget = DECODE_BUDGET;
	finder->mark = calloc(finder->functions.count, sizeof(*finder->mark));
	finder->decoder = gw_decoder_new(files->disassembler);
	return finder->mark && finder->decoder ? 0 : -ENOMEM;
}

static void unload(struct gw_gil_finder *finder)
{
	free(finder->call);
	free(finder->mark);
	gw_decoder_free(finder->decoder);
	gw_plt_free(&finder->plt);
	gw_functions_free(&finder->functions);
	gw_elf_code_free(&finder->code);
	gw_gil_names_free(&finder->names);
	gw_elf_symbols_free(&finder->dynamic);
	gw_elf_close(finder->elf);
}

static int refuse_sites(const struct gw_gil_finder *finder, const struct gw_sites *sites,
			struct gw_error *err)
{
	if (sites->disagreement[0])
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "The functions that look like take_gil in the file are not "
				    "those that its names (%s) call so.",
				    finder->names.rung);
	if (!has_kind(sites, GW_SITE_ACQUIRE))
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "The file has a take_gil, but no place that tells of an "
				    "acquisition.");
	return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
			    "The file has a take_gil, but no place that releases the GIL.");
}

static int find(struct gw_gil_finder *finder, struct gw_sites *sites, struct gw_error *err)
{
	const char *rung = finder->names.rung;
	int code = gw_gil_collect_calls(finder), takers;

	if (code)
		return code;
	takers = gw_gil_find_takers(finder);
	if (takers < 0)
		return takers;
	if (!takers && !rung[0])
		return gw_error_set(err, -ENOENT, GW_STATUS_TARGET,
				    "The file holds no GIL: no function in it waits on a condition "
				    "variable with a timeout and signals one.");
	code = takers ? gw_gil_check_acquire_lock(finder) : 0;
	if (code == -EEXIST)
		return gw_error_set(
			err, -EINVAL, GW_STATUS_TARGET,
			"The functions that look like take_gil in the file are not what "
			"PyEval_AcquireLock calls, so it is unlike every known CPython.");
	if (!code)
		code = fill_sites(finder, takers > 0, sites);
	if (code)
		return code;
	snprintf(sites->how, sizeof(sites->how), "%s", rung[0] ? rung : "calls");
	if (!has_kind(sites, GW_SITE_ACQUIRE) || !has_kind(sites, GW_SITE_RELEASE))
		return refuse_sites(finder, sites, err);
	return 0;
}

static int load_and_find(const struct gw_sites_files *files, struct gw_sites *sites,
			 struct gw_error *err)
{
	struct gw_gil_finder finder = {0};
	struct gw_disassembler own = {0};
	struct gw_sites_files with = *files;
	int code = 0;

	if (!files->disassembler) {
		code = gw_disassembler_load(&own, err);
		with.disassembler = &own;
	}
	if (!code)
		code = load(&finder, &with, err);
	if (!code)
		code = find(&finder, sites, err);
	unload(&finder);
	gw_disassembler_unload(&own);
	return code;
}

int gw_sites_find(const struct gw_sites_files *files, struct gw_sites *sites, struct gw_error *err)
{
	int code;

	memset(sites, 0, sizeof(*sites));
	code = load_and_find(files, sites, err);
	if (!code)
		return 0;
	memset(sites, 0, sizeof(*sites));
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
