/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The section .gnu_debugdata: an ELF file of symbols alone, compressed by xz. */
#ifndef GW_DEBUGDATA_H
#define GW_DEBUGDATA_H

#include <stddef.h>
#include <stdint.h>

#include "target/elf_image.h"

/*
 * Decompresses it into memory that the caller frees. 0, -ENOENT the file has none, -EINVAL it is
 * damaged, -EFBIG it is larger than a table of symbols is, -ENOMEM.
 */
int gw_debugdata_load(const struct gw_elf *elf, uint8_t **bytes, size_t *size);

#endif
