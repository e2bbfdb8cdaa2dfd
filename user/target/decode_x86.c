// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/decode_x86.h"

#include <stdlib.h>
#include <string.h>

struct gw_decoder {
	const struct gw_disassembler *library;
	csh handle;
	cs_insn *instruction;
};

struct gw_decoder *gw_decoder_new(const struct gw_disassembler *library)
{
	struct gw_decoder *decoder = calloc(1, sizeof(*decoder));

	if (!decoder)
		return NULL;
	decoder->library = library;
	if (library->open(CS_ARCH_X86, CS_MODE_64, &decoder->handle) != CS_ERR_OK) {
		free(decoder);
		return NULL;
	}
	/* Data between instructions, or an instruction newer than the library: go on behind it. */
	library->option(decoder->handle, CS_OPT_SKIPDATA, CS_OPT_ON);
	decoder->instruction = library->malloc(decoder->handle);
	if (decoder->instruction)
		return decoder;
	gw_decoder_free(decoder);
	return NULL;
}

void gw_decoder_free(struct gw_decoder *decoder)
{
	if (!decoder)
		return;
	if (decoder->instruction)
		decoder->library->free(decoder->instruction, 1);
	decoder->library->close(&decoder->handle);
	free(decoder);
}

static int64_t signed32(const uint8_t *bytes)
{
	int32_t value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static bool legacy_prefix(uint8_t byte)
{
	switch (byte) {
	case 0x26:
	case 0x2e:
	case 0x36:
	case 0x3e:
	case 0x64:
	case 0x65:
	case 0x66:
	case 0x67:
	case 0xf2:
	case 0xf3:
		return true;
	default:
		return false;
	}
}

/* Is it `modrm` with a displacement from %rip? */
static bool rip_relative(uint8_t modrm)
{
	return (modrm & 0xc7) == 0x05;
}

/* A relative jump; at is the index of its opcode. */
static bool classify_jump(const uint8_t *bytes, size_t size, size_t at, struct gw_flow *flow)
{
	uint8_t opcode = bytes[at];
	size_t left = size - at;
	int64_t distance;

	if (opcode == 0xe9 && left == 5)
		distance = signed32(bytes + at + 1);
	else if (opcode == 0x0f && left == 6 && (bytes[at + 1] & 0xf0) == 0x80)
		distance = signed32(bytes + at + 2);
	else if (left == 2 &&
		 (opcode == 0xeb || (opcode & 0xf0) == 0x70 || (opcode & 0xfc) == 0xe0))
		distance = (int8_t)bytes[at + 1];
	else
		return false;
	flow->kind = GW_FLOW_JUMP;
	flow->target = flow->address + size + (uint64_t)distance;
	return true;
}

/* A group 5 instruction (opcode FF); at is the index of its opcode. */
static bool classify_indirect(const uint8_t *bytes, size_t size, size_t at, uint8_t rex,
			      struct gw_flow *flow)
{
	uint8_t modrm, operation;

	if (size - at < 2)
		return false;
	modrm = bytes[at + 1];
	operation = (modrm >> 3) & 7;
	if (operation == 2 && modrm >= 0xc0) {
		flow->kind = GW_FLOW_CALL_REGISTER;
		flow->reg = (uint8_t)((modrm & 7) | (rex & 1) << 3);
		return true;
	}
	if ((operation != 2 && operation != 4) || !rip_relative(modrm) || size - at != 6)
		return false;
	flow->kind = operation == 2 ? GW_FLOW_CALL_SLOT : GW_FLOW_JUMP_SLOT;
	flow->target = flow->address + size + (uint64_t)signed32(bytes + at + 2);
	return true;
}

/* What kind of flow an instruction of exactly that size is; false: none. */
static bool classify(const uint8_t *bytes, size_t size, struct gw_flow *flow)
{
	size_t at = 0;
	bool word = false;
	uint8_t rex = 0;

	for (; at < size && legacy_prefix(bytes[at]); at++)
		word |= bytes[at] == 0x66;
	if (at < size && (bytes[at] & 0xf0) == 0x40)
		rex = bytes[at++];
	if (at >= size)
		return false;
	if (bytes[at] == 0xe8 && size - at == 5) {
		flow->kind = GW_FLOW_CALL;
		flow->target = flow->address + size + (uint64_t)signed32(bytes + at + 1);
		/*
		 * branch_setup_xol_ops() in the kernel's arch/x86/kernel/uprobes.c emulates E8, but
		 * for one with the 16-bit prefix.
		 */
		flow->emulated = !word;
		return true;
	}
	if (bytes[at] == 0xff)
		return classify_indirect(bytes, size, at, rex, flow);
	if (bytes[at] == 0x8b && rex & 8 && size - at == 6 && rip_relative(bytes[at + 1])) {
		flow->kind = GW_FLOW_LOAD_SLOT;
		flow->reg = (uint8_t)(((bytes[at + 1] >> 3) & 7) | (rex & 4) << 1);
		flow->target = flow->address + size + (uint64_t)signed32(bytes + at + 2);
		return true;
	}
	return classify_jump(bytes, size, at, flow);
}

int gw_decode(struct gw_decoder *decoder, const uint8_t *bytes, size_t size, uint64_t address,
	      gw_flow_visit *visit, void *data)
{
	cs_insn *instruction = decoder->instruction;
	struct gw_flow flow;
	int code;

	while (size && decoder->library->disasm_iter(decoder->handle, &bytes, &size, &address,
						     instruction)) {
		/* id 0 is a byte that was skipped as data */
		if (!instruction->id)
			continue;
		flow = (struct gw_flow){.address = instruction->address};
		if (!classify(instruction->bytes, instruction->size, &flow))
			continue;
		code = visit(&flow, data);
		if (code)
			return code;
	}
	return 0;
}

/* Does something of interest have its opcode here? Sets where it would start and its length. */
static bool looks_like_flow(const uint8_t *bytes, size_t at, size_t size, size_t *start,
			    size_t *length)
{
	*start = at;
	*length = 6;
	switch (bytes[at]) {
	case 0xe8:
		*length = 5;
		break;
	case 0xff:
		if (size - at < 2 || (bytes[at + 1] != 0x15 && bytes[at + 1] != 0x25))
			return false;
		break;
	case 0x8b:
		if (size - at < 2 || !at || (bytes[at - 1] & 0xf8) != 0x48 ||
		    !rip_relative(bytes[at + 1]))
			return false;
		*start = at - 1;
		*length = 7;
		break;
	default:
		return false;
	}
	return *length <= size - *start;
}

int gw_scan(const uint8_t *bytes, size_t size, uint64_t address, gw_flow_visit *visit, void *data)
{
	struct gw_flow flow;
	size_t at, start, length;
	int code;

	for (at = 0; at < size; at++) {
		if (!looks_like_flow(bytes, at, size, &start, &length))
			continue;
		flow = (struct gw_flow){.address = address + start};
		if (!classify(bytes + start, length, &flow))
			continue;
		code = visit(&flow, data);
		if (code)
			return code;
	}
	return 0;
}

bool gw_decode_stub(const uint8_t *bytes, size_t size, uint64_t address, uint64_t *slot)
{
	static const uint8_t landing_pad[] = {0xf3, 0x0f, 0x1e, 0xfa}; /* endbr64 */
	struct gw_flow flow;
	size_t at = 0, length;

	if (size >= sizeof(landing_pad) && !memcmp(bytes, landing_pad, sizeof(landing_pad)))
		at += sizeof(landing_pad);
	/* mov $number, %r11d: so the linker mold numbers its stubs */
	if (size - at >= 6 && bytes[at] == 0x41 && bytes[at + 1] == 0xbb)
		at += 6;
	/* An MPX-aware linker puts the prefix F2 (bnd) before the jump. */
	length = size > at && bytes[at] == 0xf2 ? 7 : 6;
	if (size - at < length)
		return false;
	flow = (struct gw_flow){.address = address + at};
	if (!classify(bytes + at, length, &flow) || flow.kind != GW_FLOW_JUMP_SLOT)
		return false;
	*slot = flow.target;
	return true;
}
