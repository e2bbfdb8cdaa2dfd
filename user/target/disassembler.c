// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/disassembler.h"

#include "util/library.h"

#define FUNCTION(member)                                                                           \
	{                                                                                          \
		"cs_" #member, offsetof(struct gw_disassembler, member)                            \
	}

int gw_disassembler_load(struct gw_disassembler *disassembler, struct gw_error *err)
{
	static const struct gw_library_function functions[] = {
		FUNCTION(open),	       FUNCTION(option), FUNCTION(malloc),
		FUNCTION(disasm_iter), FUNCTION(free),	 FUNCTION(close),
	};

	return gw_library_load(GW_CAPSTONE, functions, sizeof(functions) / sizeof(functions[0]),
			       disassembler, &disassembler->library, err);
}

void gw_disassembler_unload(struct gw_disassembler *disassembler)
{
	gw_library_unload(disassembler->library);
	disassembler->library = NULL;
}
