/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The capabilities that measuring takes, and which of them this process has. */
#ifndef GW_RIGHTS_H
#define GW_RIGHTS_H

#include <stddef.h>
#include <stdint.h>

struct gw_capability {
	int bit;
	const char *name;
	const char *needed_for;
};

extern const struct gw_capability gw_capabilities[];
extern const size_t gw_capability_count;

/* include/uapi/linux/capability.h; the C library's headers may be older. */
enum {
	GW_CAP_SYS_PTRACE_BIT = 19,
	GW_CAP_SYS_ADMIN_BIT = 21,
	GW_CAP_SYS_RESOURCE_BIT = 24,
	GW_CAP_PERFMON_BIT = 38,
	GW_CAP_BPF_BIT = 39,
};

/* The effective capabilities as a set of bits. 0 or a negative errno. */
int gw_rights_effective(uint64_t *bits);

/* Whether bits hold a capability, or CAP_SYS_ADMIN in its place where the kernel takes that. */
int gw_rights_have(uint64_t bits, int bit);

#endif
