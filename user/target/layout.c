// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/layout.h"

#include <errno.h>
#include <string.h>

/*
 * struct _gil_runtime_state (Include/internal/pycore_gil.h) has had the same members in the same
 * order in 3.8 - 3.15: interval, last_holder, locked, switch_number, cond, mutex, switch_cond,
 * switch_mutex. Seen by DWARF on x86_64: 0, 8, 16, 24, 32, 80, 120, 168, size 208. Where the C
 * library's mutex is larger (glibc on arm64: 48 bytes) what follows it moves. Free-threaded builds
 * put `int enabled` first.
 */
#if defined(__aarch64__) && defined(__GLIBC__)
#define MUTEX 48
#else
#define MUTEX 40
#endif
#define COND 48

#define GIL_AT(base)                                                                               \
	.gil_interval = (base), .gil_last_holder = (base) + 8, .gil_locked = (base) + 16,          \
	.gil_switch_number = (base) + 24, .gil_cond = (base) + 32,                                 \
	.gil_switch_cond = (base) + 32 + COND + MUTEX,                                             \
	.gil_size = (base) + 32 + 2 * (COND + MUTEX)
#define GIL_DEFAULT	  GIL_AT(0), .gil_enabled = -1
#define GIL_FREE_THREADED GIL_AT(8), .gil_enabled = 0

struct row {
	uint16_t version;
	uint8_t free_threaded;
	struct gw_python_layout layout;
};

/* Offsets on x86_64; the comment of each row names where they were read. */
static const struct row rows[] = {
	/* 3.8.18: DWARF of a libpython3.8.so built from source */
	{0x0308,
	 0,
	 {GIL_DEFAULT, .runtime_gil = 1152, .runtime_interpreters_head = 32,
	  .runtime_interpreters_main = 40, .runtime_drop_request = 596, .interp_next = 0,
	  .interp_id = 16, .interp_modules = 56, .interp_tstate_head = 8, .interp_gil = -1,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 176,
	  .tstate_eval_breaker = -1, .runtime_size = 1464}},
	/* 3.9.2: DWARF of Debian 11's python3.9-dbg, build-id f902f8a5 */
	{0x0309,
	 0,
	 {GIL_DEFAULT, .runtime_gil = 352, .runtime_interpreters_head = 32,
	  .runtime_interpreters_main = 40, .runtime_drop_request = -1, .interp_next = 0,
	  .interp_id = 24, .interp_modules = 856, .interp_tstate_head = 8, .interp_gil = -1,
	  .interp_drop_request = 76, .tstate_interp = 16, .tstate_thread_id = 176,
	  .tstate_eval_breaker = -1, .runtime_size = 656}},
	/* 3.10.13: DWARF of a libpython3.10.so built from source */
	{0x030a,
	 0,
	 {GIL_DEFAULT, .runtime_gil = 352, .runtime_interpreters_head = 32,
	  .runtime_interpreters_main = 40, .runtime_drop_request = -1, .interp_next = 0,
	  .interp_id = 24, .interp_modules = 856, .interp_tstate_head = 8, .interp_gil = -1,
	  .interp_drop_request = 72, .tstate_interp = 16, .tstate_thread_id = 176,
	  .tstate_eval_breaker = -1, .runtime_size = 672}},
	/* 3.11.2: DWARF of Debian 12's python3.11-dbg, build-id 2dd439c6 */
	{0x030b,
	 0,
	 {GIL_DEFAULT, .runtime_gil = 360, .runtime_interpreters_head = 40,
	  .runtime_interpreters_main = 48, .runtime_drop_request = -1, .interp_next = 0,
	  .interp_id = 48, .interp_modules = 888, .interp_tstate_head = 16, .interp_gil = -1,
	  .interp_drop_request = 104, .tstate_interp = 16, .tstate_thread_id = 152,
	  .tstate_eval_breaker = -1, .runtime_size = 166688}},
	/* 3.12.1: DWARF of a libpython3.12.so built from source */
	{0x030c,
	 0,
	 {GIL_DEFAULT, .runtime_gil = -1, .runtime_interpreters_head = 40,
	  .runtime_interpreters_main = 48, .runtime_drop_request = -1, .interp_next = 0,
	  .interp_id = 8, .interp_modules = 944, .interp_tstate_head = 72, .interp_gil = 384,
	  .interp_drop_request = 372, .tstate_interp = 16, .tstate_thread_id = 136,
	  .tstate_eval_breaker = -1}},
	/* 3.13.18: DWARF of Debian's python3.13-dbg, build-id f9de766c */
	{0x030d,
	 0,
	 {GIL_DEFAULT, .runtime_gil = -1, .runtime_interpreters_head = 632,
	  .runtime_interpreters_main = 640, .runtime_drop_request = -1, .interp_next = 7264,
	  .interp_id = 7272, .interp_modules = 7656, .interp_tstate_head = 7344, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 152,
	  .tstate_eval_breaker = 24}},
	/* 3.13.15: DWARF of a free-threaded build from Debian's source */
	{0x030d,
	 1,
	 {GIL_FREE_THREADED, .runtime_gil = -1, .runtime_interpreters_head = 632,
	  .runtime_interpreters_main = 640, .runtime_drop_request = -1, .interp_next = 7264,
	  .interp_id = 7272, .interp_modules = 7664, .interp_tstate_head = 7344, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 152,
	  .tstate_eval_breaker = 24}},
	/* 3.14.10: DWARF of Debian's python3.14-dbg, build-id cccda113 */
	{0x030e,
	 0,
	 {GIL_DEFAULT, .runtime_gil = -1, .runtime_interpreters_head = 808,
	  .runtime_interpreters_main = 816, .runtime_drop_request = -1, .interp_next = 7272,
	  .interp_id = 7280, .interp_modules = 7688, .interp_tstate_head = 7344, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 152,
	  .tstate_eval_breaker = 24}},
	/* 3.14.7: DWARF of a free-threaded build from Debian's source */
	{0x030e,
	 1,
	 {GIL_FREE_THREADED, .runtime_gil = -1, .runtime_interpreters_head = 808,
	  .runtime_interpreters_main = 816, .runtime_drop_request = -1, .interp_next = 7272,
	  .interp_id = 7280, .interp_modules = 7712, .interp_tstate_head = 7344, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 152,
	  .tstate_eval_breaker = 24}},
	/* 3.15.2: DWARF of Debian's python3.15-dbg, build-id d41ac9e2 */
	{0x030f,
	 0,
	 {GIL_DEFAULT, .runtime_gil = -1, .runtime_interpreters_head = 936,
	  .runtime_interpreters_main = 944, .runtime_drop_request = -1, .interp_next = 7264,
	  .interp_id = 7272, .interp_modules = 7592, .interp_tstate_head = 7336, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 176,
	  .tstate_eval_breaker = 24}},
	/* 3.15.2: headers of Debian's libpython3.15-dev with Py_GIL_DISABLED; a free-threaded build
	 * of 3.15.0rc1 has them, too */
	{0x030f,
	 1,
	 {GIL_FREE_THREADED, .runtime_gil = -1, .runtime_interpreters_head = 936,
	  .runtime_interpreters_main = 944, .runtime_drop_request = -1, .interp_next = 7264,
	  .interp_id = 7272, .interp_modules = 7592, .interp_tstate_head = 7336, .interp_gil = 16,
	  .interp_drop_request = -1, .tstate_interp = 16, .tstate_thread_id = 176,
	  .tstate_eval_breaker = 24}},
};

#define COOKIE	       "xdebugpy"
#define VERSION_AT     8
#define FREE_AT	       16
#define HEAD_SIZE      24
#define RUNTIME_SIZE   24
#define RUNTIME_HEAD   40
#define STRUCT_LARGEST (64u << 20)

/*
 * Where struct _Py_DebugOffsets (Include/internal/pycore_debug_offsets.h; in 3.13 pycore_runtime.h)
 * has its members. Members were inserted in the middle, so there is one map per minor version. The
 * sources are those of the rows above. 0: the version has no such member.
 */
struct map {
	uint16_t version;
	uint16_t size;
	uint16_t interp_size, interp_id, interp_next, interp_threads, interp_modules, interp_gil;
	uint16_t gil_state, gil_locked, gil_holder;
	uint16_t tstate_size, tstate_interp, tstate_thread_id, eval_breaker;
};

static const struct map maps[] = {
	{.version = 0x030d,
	 .size = 584,
	 .interp_size = 48,
	 .interp_id = 56,
	 .interp_next = 64,
	 .interp_threads = 72,
	 .interp_modules = 88,
	 .interp_gil = 112,
	 .gil_state = 120,
	 .gil_locked = 136,
	 .gil_holder = 144,
	 .tstate_size = 152,
	 .tstate_interp = 176,
	 .tstate_thread_id = 192},
	{.version = 0x030e,
	 .size = 760,
	 .interp_size = 48,
	 .interp_id = 56,
	 .interp_next = 64,
	 .interp_threads = 72,
	 .interp_modules = 96,
	 .interp_gil = 120,
	 .gil_state = 128,
	 .gil_locked = 144,
	 .gil_holder = 152,
	 .tstate_size = 176,
	 .tstate_interp = 200,
	 .tstate_thread_id = 216,
	 .eval_breaker = 712},
	{.version = 0x030f,
	 .size = 888,
	 .interp_size = 48,
	 .interp_id = 56,
	 .interp_next = 64,
	 .interp_threads = 72,
	 .interp_modules = 96,
	 .interp_gil = 120,
	 .gil_state = 128,
	 .gil_locked = 144,
	 .gil_holder = 152,
	 .tstate_size = 176,
	 .tstate_interp = 200,
	 .tstate_thread_id = 240,
	 .eval_breaker = 840},
};

const struct gw_python_layout *gw_layout_for(uint32_t version_hex, int free_threaded)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].version == version_hex >> 16 &&
		    rows[i].free_threaded == (free_threaded != 0))
			return &rows[i].layout;
	return NULL;
}

static const struct map *map_for(uint32_t version_hex)
{
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		if (maps[i].version == version_hex >> 16)
			return &maps[i];
	return NULL;
}

size_t gw_debug_offsets_size(uint32_t version_hex)
{
	const struct map *map = map_for(version_hex);

	return map ? map->size : 0;
}

static uint64_t member(const void *bytes, size_t at)
{
	uint64_t value;

	memcpy(&value, (const char *)bytes + at, sizeof(value));
	return value;
}

int gw_debug_offsets_identify(const void *bytes, size_t size, uint32_t *version_hex,
			      int *free_threaded)
{
	if (size < HEAD_SIZE || memcmp(bytes, COOKIE, sizeof(COOKIE) - 1) ||
	    member(bytes, VERSION_AT) > UINT32_MAX || member(bytes, FREE_AT) > 1)
		return -EINVAL;
	*version_hex = (uint32_t)member(bytes, VERSION_AT);
	*free_threaded = (int)member(bytes, FREE_AT);
	return 0;
}

static int check_head(const struct map *map, const void *bytes, size_t size, uint32_t version_hex,
		      int free_threaded, struct gw_error *err)
{
	uint32_t version;
	int free;

	if (size < map->size || gw_debug_offsets_identify(bytes, size, &version, &free))
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "the Python runtime does not start with its debug offsets, as "
				    "every %u.%u does: it is damaged or changed, and is not read",
				    version_hex >> 24, version_hex >> 16 & 0xff);
	if (version != version_hex || free != (free_threaded != 0))
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "the Python runtime contradicts itself: version %#x%s by its "
				    "file, %#x%s by its debug offsets; it is not read",
				    version_hex, free_threaded ? " free-threaded" : "", version,
				    free ? " free-threaded" : "");
	return 0;
}

/* Overrides *field by the member at `at`, which must be aligned and inside a structure of limit
 * bytes. */
static int override(const void *bytes, size_t at, uint64_t limit, int32_t *field)
{
	uint64_t value = member(bytes, at);

	if (limit > STRUCT_LARGEST || limit < 8 || value > limit - 8 || value % 8)
		return -EINVAL;
	*field = (int32_t)value;
	return 0;
}

static int apply(const struct map *map, const void *bytes, size_t size, uint32_t version_hex,
		 int free_threaded, struct gw_python_layout *layout, struct gw_error *err)
{
	uint64_t runtime, interp, tstate, gil;
	int ret = check_head(map, bytes, size, version_hex, free_threaded, err);

	if (ret)
		return ret;
	runtime = member(bytes, RUNTIME_SIZE);
	interp = member(bytes, map->interp_size);
	tstate = member(bytes, map->tstate_size);
	ret |= override(bytes, RUNTIME_HEAD, runtime, &layout->runtime_interpreters_head);
	ret |= override(bytes, map->interp_next, interp, &layout->interp_next);
	ret |= override(bytes, map->interp_id, interp, &layout->interp_id);
	ret |= override(bytes, map->interp_threads, interp, &layout->interp_tstate_head);
	ret |= override(bytes, map->interp_modules, interp, &layout->interp_modules);
	ret |= override(bytes, map->interp_gil, interp, &layout->interp_gil);
	ret |= override(bytes, map->tstate_interp, tstate, &layout->tstate_interp);
	ret |= override(bytes, map->tstate_thread_id, tstate, &layout->tstate_thread_id);
	if (map->eval_breaker)
		ret |= override(bytes, map->eval_breaker, tstate, &layout->tstate_eval_breaker);
	/* interpreters.main has no member; it follows head in the structure. */
	layout->runtime_interpreters_main = layout->runtime_interpreters_head + 8;
	/*
	 * locked and holder are counted from the interpreter, gil_runtime_state being the GIL in
	 * it; gil_runtime_state_enabled alone is counted from the GIL. The rest of the GIL is known
	 * only from the table, so the table must agree where it can be compared.
	 */
	gil = member(bytes, map->gil_state);
	if (ret || member(bytes, map->gil_locked) - gil != (uint64_t)layout->gil_locked ||
	    member(bytes, map->gil_holder) - gil != (uint64_t)layout->gil_last_holder)
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "the debug offsets of this Python %u.%u do not fit that "
				    "version: it is a changed build, and is not read",
				    version_hex >> 24, version_hex >> 16 & 0xff);
	return 0;
}

int gw_debug_offsets_apply(const void *bytes, size_t size, uint32_t version_hex, int free_threaded,
			   struct gw_python_layout *layout, struct gw_error *err)
{
	const struct map *map = map_for(version_hex);

	if (!map)
		return gw_error_set(err, -EINVAL, GW_STATUS_TARGET,
				    "the debug offsets of Python %u.%u are not known",
				    version_hex >> 24, version_hex >> 16 & 0xff);
	return apply(map, bytes, size, version_hex, free_threaded, layout, err);
}

int gw_debug_offsets_guess(const void *bytes, size_t size, uint32_t version_hex, int free_threaded,
			   struct gw_python_layout *layout)
{
	const uint32_t newest = GW_PYTHON_NEWEST << 16;
	const struct gw_python_layout *known = gw_layout_for(newest, free_threaded);
	const struct map *map = map_for(newest);

	if (!known || !map || version_hex >> 24 != newest >> 24 || version_hex < newest)
		return -EINVAL;
	*layout = *known;
	return apply(map, bytes, size, version_hex, free_threaded, layout, NULL);
}
