/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * x86-64 machine code, as far as it goes somewhere else: calls, jumps and the loads of function
 * addresses from the GOT. Everything that knows the encoding is here.
 */
#ifndef GW_DECODE_X86_H
#define GW_DECODE_X86_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "target/disassembler.h"

enum gw_flow_kind {
	GW_FLOW_CALL,	       /* call rel32 */
	GW_FLOW_CALL_SLOT,     /* call *slot(%rip) */
	GW_FLOW_CALL_REGISTER, /* call *%reg */
	GW_FLOW_JUMP,	       /* jmp or jcc, rel8 or rel32 */
	GW_FLOW_JUMP_SLOT,     /* jmp *slot(%rip) */
	GW_FLOW_LOAD_SLOT,     /* mov slot(%rip), %reg */
};

struct gw_flow {
	enum gw_flow_kind kind;
	uint64_t address; /* of the instruction, prefixes included */
	uint64_t target;  /* where it goes; for the _SLOT kinds the address of the slot */
	uint8_t reg;	  /* 0 - 15, for the kinds that have a register */
	bool emulated; /* the kernel emulates a probed one (uprobes), and does not single-step it */
};

/* Stops the walk if it returns non-zero. */
typedef int gw_flow_visit(const struct gw_flow *flow, void *data);

struct gw_decoder;

/* NULL: out of memory, or the library knows no x86. It is used until the decoder is freed. */
struct gw_decoder *gw_decoder_new(const struct gw_disassembler *library);
void gw_decoder_free(struct gw_decoder *decoder);

/*
 * Disassembles linearly and visits each instruction of the above kinds. Returns what visit did, or
 * 0. The visitor may use the decoder itself.
 */
int gw_decode(struct gw_decoder *decoder, const uint8_t *bytes, size_t size, uint64_t address,
	      gw_flow_visit *visit, void *data);

/*
 * Visits everything that looks like a GW_FLOW_CALL, _CALL_SLOT, _JUMP_SLOT or _LOAD_SLOT at any
 * byte, without regard to where instructions begin: thousands of times cheaper than gw_decode, and
 * to be confirmed by it. The addresses are those of the opcode (for a load of its REX prefix).
 */
int gw_scan(const uint8_t *bytes, size_t size, uint64_t address, gw_flow_visit *visit, void *data);

/*
 * Is a PLT stub at this address: a jump through a GOT slot, with nothing but a landing pad and the
 * setting of the scratch register r11 before it?
 */
bool gw_decode_stub(const uint8_t *bytes, size_t size, uint64_t address, uint64_t *slot);

/* How far before its jump a stub may begin. */
#define GW_STUB_HEAD_MAX 12

#endif
