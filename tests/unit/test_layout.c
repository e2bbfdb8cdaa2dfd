// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Where CPython keeps what is read: the table of versions, and the debug offsets on bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "target/layout.h"

/* ---- the table ---- */

static void check_layout(uint32_t minor, int free_threaded)
{
	const struct gw_python_layout *l = gw_layout_for(0x030000f0 | minor << 16, free_threaded);
	int base = free_threaded ? 8 : 0;

	assert_non_null(l);
	assert_int_equal(l->gil_interval, base);
	assert_int_equal(l->gil_last_holder, base + 8);
	assert_int_equal(l->gil_locked, base + 16);
	assert_int_equal(l->gil_switch_number, base + 24);
	assert_int_equal(l->gil_cond, base + 32);
	assert_true(l->gil_switch_cond >= base + 120);
	assert_true(l->gil_size >= l->gil_switch_cond + 48 + 40);
	assert_int_equal(l->gil_enabled, free_threaded ? 0 : -1);
	assert_true(l->runtime_interpreters_head > 0);
	assert_int_equal(l->runtime_interpreters_main, l->runtime_interpreters_head + 8);
	assert_int_equal(l->runtime_gil >= 0, minor <= 11);
	assert_int_equal(l->interp_gil >= 0, minor >= 12);
	assert_int_equal(l->runtime_drop_request >= 0, minor == 8);
	assert_int_equal(l->interp_drop_request >= 0, minor >= 9 && minor <= 12);
	assert_int_equal(l->tstate_eval_breaker >= 0, minor >= 13);
	assert_true(l->interp_next >= 0);
	assert_true(l->interp_id > 0);
	assert_true(l->interp_tstate_head > 0);
	assert_int_equal(l->tstate_interp, 16);
	assert_true(l->tstate_thread_id > 0);
}

static void test_layouts(void **state)
{
	(void)state;
	for (uint32_t minor = 8; minor <= 15; minor++)
		check_layout(minor, 0);
	for (uint32_t minor = 13; minor <= 15; minor++)
		check_layout(minor, 1);
	assert_null(gw_layout_for(0x030c01f0, 1));
	assert_null(gw_layout_for(0x030700f0, 0));
	assert_null(gw_layout_for(0x031000f0, 0));
	assert_null(gw_layout_for(0x020712f0, 0));
	assert_null(gw_layout_for(0, 0));
	assert_ptr_equal(gw_layout_for(0x030d00f0, 7), gw_layout_for(0x030d12f0, 1));
}

/* ---- debug offsets ---- */

static void put(unsigned char *bytes, size_t at, uint64_t value)
{
	memcpy(bytes + at, &value, sizeof(value));
}

/* As a 3.13.0 has them, by its headers; 3.13t has a GIL that starts with `enabled`. */
static void make_offsets(unsigned char *bytes, uint32_t version, int free_threaded)
{
	memset(bytes, 0, GW_DEBUG_OFFSETS_MAX);
	memcpy(bytes, "xdebugpy", 8);
	put(bytes, 8, version);
	put(bytes, 16, (uint64_t)free_threaded);
	put(bytes, 24, 283408);
	put(bytes, 40, 640);
	put(bytes, 48, 194984);
	put(bytes, 56, 7280);
	put(bytes, 64, 7288);
	put(bytes, 72, 7352);
	put(bytes, 112, 32);
	put(bytes, 120, 7752);
	put(bytes, 128, 0);
	put(bytes, 136, 7752 + 16 + (free_threaded ? 8 : 0));
	put(bytes, 144, 7752 + 8 + (free_threaded ? 8 : 0));
	put(bytes, 152, 312);
	put(bytes, 176, 24);
	put(bytes, 192, 160);
}

static int apply(const unsigned char *bytes, size_t size, uint32_t version, int free_threaded,
		 struct gw_python_layout *layout)
{
	struct gw_error err = {0};
	int ret;

	*layout = *gw_layout_for(version, free_threaded);
	ret = gw_debug_offsets_apply(bytes, size, version, free_threaded, layout, &err);
	assert_int_equal(ret != 0, err.text[0] != '\0');
	assert_true(!ret || err.status == GW_STATUS_TARGET);
	return ret;
}

static void test_offsets_override(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;

	(void)state;
	for (int free_threaded = 0; free_threaded <= 1; free_threaded++) {
		make_offsets(bytes, 0x030d05f0, free_threaded);
		assert_int_equal(apply(bytes, 584, 0x030d05f0, free_threaded, &layout), 0);
		assert_int_equal(layout.runtime_interpreters_head, 640);
		assert_int_equal(layout.runtime_interpreters_main, 648);
		assert_int_equal(layout.interp_id, 7280);
		assert_int_equal(layout.interp_next, 7288);
		assert_int_equal(layout.interp_tstate_head, 7352);
		assert_int_equal(layout.interp_gil, 32);
		assert_int_equal(layout.tstate_interp, 24);
		assert_int_equal(layout.tstate_thread_id, 160);
		assert_int_equal(layout.gil_interval, free_threaded ? 8 : 0);
	}
}

static void test_offsets_refused(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;
	uint32_t version;
	int free_threaded;
	static const struct {
		size_t at;
		uint64_t value;
	} wrong[] = {
		{0, 0},		  /* no cookie */
		{8, 0x030e00f0},  /* another version */
		{8, 0x1030d05f0}, /* no version */
		{16, 1},	  /* another build */
		{24, 0},	  /* a runtime without members */
		{24, 1ull << 40}, /* one larger than any */
		{40, 283408},	  /* members outside their structures */
		{40, UINT64_MAX}, {56, 194984 - 7},  {64, 7289},
		{72, 1ull << 32}, {112, 1ull << 63}, {176, 312},
		{192, 999},	  {136, 7752 + 24}, /* a GIL that starts with something else */
		{144, 7752 + 16}, {120, 0},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		make_offsets(bytes, 0x030d05f0, 0);
		put(bytes, wrong[i].at, wrong[i].value);
		assert_int_equal(apply(bytes, 584, 0x030d05f0, 0, &layout), -EINVAL);
	}
	make_offsets(bytes, 0x030d05f0, 0);
	assert_int_equal(apply(bytes, 583, 0x030d05f0, 0, &layout), -EINVAL);
	assert_int_equal(apply(bytes, 0, 0x030d05f0, 0, &layout), -EINVAL);
	assert_int_equal(apply(bytes, 584, 0x030d04f0, 0, &layout), -EINVAL);
	assert_int_equal(gw_debug_offsets_identify(bytes, 24, &version, &free_threaded), 0);
	assert_int_equal(version, 0x030d05f0);
	assert_int_equal(gw_debug_offsets_identify(bytes, 23, &version, &free_threaded), -EINVAL);
	bytes[7] = 'Y';
	assert_int_equal(gw_debug_offsets_identify(bytes, 24, &version, &free_threaded), -EINVAL);
	assert_int_equal(gw_debug_offsets_size(0x030d00f0), 584);
	assert_int_equal(gw_debug_offsets_size(0x030e00f0), 760);
	assert_int_equal(gw_debug_offsets_size(0x030f00f0), 888);
	assert_int_equal(gw_debug_offsets_size(0x030c00f0), 0);
	assert_int_equal(gw_debug_offsets_apply(bytes, 584, 0x030c00f0, 0, &layout, NULL), -EINVAL);
}

/* A version that is not known yet is read as the newest that is, if it can be. */
static void test_offsets_guessed(void **state)
{
	unsigned char bytes[GW_DEBUG_OFFSETS_MAX];
	struct gw_python_layout layout;
	const uint32_t future = 0x031000f0;

	(void)state;
	make_offsets(bytes, future, 0);
	put(bytes, 112, 0); /* where 3.13 alone has what follows */
	put(bytes, 120, 16);
	put(bytes, 128, 7752);
	put(bytes, 144, 7752 + 16);
	put(bytes, 152, 7752 + 8);
	put(bytes, 176, 312);
	put(bytes, 200, 16);
	put(bytes, 240, 176);
	put(bytes, 840, 24);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future, 0, &layout), 0);
	assert_int_equal(layout.interp_id, 7280);
	assert_int_equal(layout.tstate_thread_id, 176);
	assert_int_equal(layout.gil_locked, 16);
	/* too short, of another version, older than the newest, of the next major one */
	assert_int_equal(gw_debug_offsets_guess(bytes, 887, future, 0, &layout), -EINVAL);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future + 1, 0, &layout),
			 -EINVAL);
	put(bytes, 8, 0x030e00f0);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), 0x030e00f0, 0, &layout),
			 -EINVAL);
	put(bytes, 8, 0x040000f0);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), 0x040000f0, 0, &layout),
			 -EINVAL);
	/* a GIL that is laid out in another way */
	put(bytes, 8, future);
	put(bytes, 144, 7752 + 24);
	assert_int_equal(gw_debug_offsets_guess(bytes, sizeof(bytes), future, 0, &layout), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_layouts),
		cmocka_unit_test(test_offsets_override),
		cmocka_unit_test(test_offsets_refused),
		cmocka_unit_test(test_offsets_guessed),
	};

	return cmocka_run_group_tests_name("layout", tests, NULL, NULL);
}
