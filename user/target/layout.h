/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How each version of CPython lays out the structures around its GIL. */
#ifndef GW_LAYOUT_H
#define GW_LAYOUT_H

#include <stddef.h>
#include <stdint.h>

#include "target/python.h"
#include "util/error.h"

#define GW_PYTHON_OLDEST 0x0308 /* major << 8 | minor */
#define GW_PYTHON_NEWEST 0x030f

/* From 3.13 on _PyRuntime starts with a struct _Py_DebugOffsets, which has at least these bytes. */
#define GW_DEBUG_OFFSETS_MAX 888

/* By major and minor version; NULL for a version that is not in the table. */
const struct gw_python_layout *gw_layout_for(uint32_t version_hex, int free_threaded);

/* Whether the first bytes of a _PyRuntime start with debug offsets, and what they say of the build.
 */
int gw_debug_offsets_identify(const void *bytes, size_t size, uint32_t *version_hex,
			      int *free_threaded);

/* Bytes of struct _Py_DebugOffsets in that version, 0 if it has none. */
size_t gw_debug_offsets_size(uint32_t version_hex);

/*
 * Checks the debug offsets of the target against the layout from the table and lets them override
 * what they give. 0, or -EINVAL with err set: too short, no cookie, another version or build, an
 * offset outside its structure, or a GIL that is not laid out as the table has it.
 */
int gw_debug_offsets_apply(const void *bytes, size_t size, uint32_t version_hex, int free_threaded,
			   struct gw_python_layout *layout, struct gw_error *err);

/*
 * The same for a version newer than the newest in the table: its layout is taken to be that one's,
 * its debug offsets to begin as that one's do. 0 if they make sense so; only the target's memory
 * can tell whether it is true. -EINVAL else.
 */
int gw_debug_offsets_guess(const void *bytes, size_t size, uint32_t version_hex, int free_threaded,
			   struct gw_python_layout *layout);

#endif
