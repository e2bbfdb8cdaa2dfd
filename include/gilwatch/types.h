/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fixed-width types for code that is compiled both for BPF and natively. */
#ifndef GW_TYPES_H
#define GW_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/*
 * BPF has no calls worth their cost in a context switch, and its verifier follows one path at a
 * time: everything shared is inlined.
 */
#define gw_inline static inline __attribute__((always_inline, unused))

/*
 * Keeps a bounds check that the compiler can prove needless, and the verifier cannot (clang 19
 * drops it otherwise).
 */
#ifdef __bpf__
#define gw_forget_bounds(variable) asm volatile("" : "+r"(variable))
#else
#define gw_forget_bounds(variable) (void)(variable)
#endif

#define gw_static_assert(condition, text) _Static_assert(condition, text)

#endif
