// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The GIL's call sites in files that BOLT has rewritten: functions in as many parts as they have
 * blocks, in sections of their own, and the old code left behind in .bolt.org.text, of which other
 * builds go on using some.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sites_bed.h"

static const char *find_bolt(void)
{
	static const char *const names[] = {"llvm-bolt", "llvm-bolt-16", "llvm-bolt-19",
					    "llvm-bolt-22"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (have(names[i]))
			return names[i];
	return NULL;
}

static void run(const char *command)
{
	if (system(command) != 0)
		fail_msg("cannot run: %s", command);
}

/*
 * The old code lies where it lay before: it has no symbols any more, but the file before it has.
 * (What calls through a register that another part has loaded is not in the truth of the new code.)
 */
static void read_both_truths(const char *before, const char *after, struct truth *old,
			     struct truth *truth)
{
	struct truth all;
	size_t n;

	read_truth(before, "take_gil", old);
	read_truth(after, "take_gil", &all);
	*truth = *old;
	for (size_t i = 0; i < all.count; i++) {
		for (n = 0; n < old->count; n++)
			if (old->site[n].address == all.site[i].address)
				break;
		if (n == old->count)
			add_truth(truth, all.site[i].address, all.site[i].kind);
	}
	assert_true(old->count && truth->count > old->count);
}

/* Stripped, its parts lie elsewhere in the file and follow each other as before. */
static void check_stripped(const char *path, const struct gw_sites *sites)
{
	struct gw_sites stripped;
	struct gw_error err;
	char command[1024];

	snprintf(command, sizeof(command), "llvm-strip %s", path);
	run(command);
	assert_int_equal(find_in(path, &stripped, &err), 0);
	assert_string_equal(stripped.how, "calls");
	assert_int_equal(stripped.count, sites->count);
	for (size_t i = 0; i < sites->count; i++) {
		assert_int_equal(stripped.site[i].kind, sites->site[i].kind);
		assert_true(stripped.site[i].virtual_address == sites->site[i].virtual_address);
	}
}

static size_t count_acquire(const struct truth *truth)
{
	size_t count = 0;

	for (size_t i = 0; i < truth->count; i++)
		count += truth->site[i].kind == GW_SITE_ACQUIRE;
	return count;
}

static void check_rewritten(struct fixture *fixture, const char *compiler, const char *options)
{
	char before[512], after[600], command[2048];
	const char *bolt = find_bolt();
	struct truth old, truth;
	struct gw_sites sites;
	struct gw_error err;

	build(fixture, compiler, "gil.c", options, before);
	snprintf(after, sizeof(after), "%s.bolt", before);
	snprintf(command, sizeof(command),
		 "%s %s -o %s -split-functions -split-all-cold -split-strategy=all "
		 "-reorder-blocks=reverse -lite=0 >/dev/null 2>&1",
		 bolt, before, after);
	run(command);
	read_both_truths(before, after, &old, &truth);
	if (find_in(after, &sites, &err))
		fail_msg("%s %s: %s", compiler, options, err.text);
	/* Each is there twice, and of the same kind. */
	assert_int_equal(sites.count, 2 * old.count);
	assert_int_equal(count_kind(&sites, GW_SITE_ACQUIRE), 2 * count_acquire(&old));
	if (!strstr(options, "-fno-plt"))
		check_against(after, &sites, &truth);
	assert_string_equal(sites.how, "symbols");
	check_stripped(after, &sites);
}

static void test_rewritten(void **state)
{
	NEED_TOOLCHAIN();
	if (!find_bolt() || !have("clang") || !have("llvm-strip"))
		skip();
	check_rewritten(*state, "cc", "-pie -fPIE -Wl,--emit-relocs");
	check_rewritten(*state, "cc", "-no-pie -fno-pie -fcf-protection=none -Wl,--emit-relocs");
	check_rewritten(*state, "clang", "-pie -fPIE -Wl,--emit-relocs");
	check_rewritten(*state, "clang", "-flto=thin -pie -fPIE -Wl,--emit-relocs");
	check_rewritten(*state, "clang", "-shared -fPIC -fno-plt -Wl,--emit-relocs");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rewritten),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
