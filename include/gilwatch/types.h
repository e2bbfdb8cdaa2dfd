/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Fixed-width types for code that is compiled both for BPF and natively. */
#ifndef GW_TYPES_H
#define GW_TYPES_H

#ifdef __bpf__
#include "vmlinux.h"
#else
#include <linux/types.h>
#endif

/* In BPF what is small, or on the way of every event, is inlined: a call costs some 10 ns. */
#define gw_inline static inline __attribute__((always_inline, unused))

/*
 * For what is large, or has loops. The verifier follows inlined code anew on each path that leads
 * to it; a global function it checks once a program, by the types of its arguments. It takes
 * pointers for possibly NULL (5.13 and later), wants a number returned (void came with 6.8), and a
 * function that several objects define has to be weak. Where there is seldom anything to do, ask
 * before the call.
 */
#ifdef __bpf__
#define gw_once __attribute__((weak, noinline))
#else
#define gw_once static inline __attribute__((unused))
#endif

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
