/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* libcapstone, which is loaded for the moment in which code is looked at. */
#ifndef GW_DISASSEMBLER_H
#define GW_DISASSEMBLER_H

#include <capstone/capstone.h>

#include "util/error.h"

/* Its functions, by their names there. */
struct gw_disassembler {
	void *library;
	__typeof__(cs_open) *open;
	__typeof__(cs_option) *option;
	__typeof__(cs_malloc) *malloc;
	__typeof__(cs_disasm_iter) *disasm_iter;
	__typeof__(cs_free) *free;
	__typeof__(cs_close) *close;
};

/* 0 or a negative errno with err set. A process that is forked off meanwhile can use it, too. */
int gw_disassembler_load(struct gw_disassembler *disassembler, struct gw_error *err);

/* Accepts one that was zeroed and never loaded. */
void gw_disassembler_unload(struct gw_disassembler *disassembler);

#endif
