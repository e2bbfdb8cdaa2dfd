/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Differences between kernels, each with the version that made it. */
#ifndef GW_BPF_COMPAT_H
#define GW_BPF_COMPAT_H

#include "maps.h"

/*
 * In the branch that is dead on this kernel, a relocation has no answer. barrier_var keeps the
 * compiler from computing the address before the branch.
 */

/* task_struct.state became __state in 5.14 (2f064a59a11f). */
static __always_inline __u32 gw_task_state(struct task_struct *task)
{
	struct task_struct___before_514 *old = (void *)task;

	if (bpf_core_field_exists(task->__state))
		return BPF_CORE_READ(task, __state);
	barrier_var(old);
	return (__u32)BPF_CORE_READ(old, state);
}

/* task_struct.on_cpu is an int, and a single byte from 7.2 on: a read of whatever size it has. */
static __always_inline bool gw_task_on_cpu(struct task_struct *task)
{
	return BPF_CORE_READ_BITFIELD_PROBED(task, on_cpu);
}

/* task_struct.cpu moved into thread_info in 5.16 (bcf9033e5449). */
static __always_inline __u32 gw_task_cpu(struct task_struct *task)
{
	struct task_struct___before_516 *old = (void *)task;

	if (bpf_core_field_exists(task->thread_info.cpu))
		return BPF_CORE_READ(task, thread_info.cpu);
	barrier_var(old);
	return BPF_CORE_READ(old, cpu);
}

#endif
