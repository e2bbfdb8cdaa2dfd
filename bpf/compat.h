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

/* The thread's id as the user side sees it, in whose PID namespace all thread ids are given. */
static __always_inline __u32 gw_pid_of(struct task_struct *task)
{
	__u32 level = namespace_level;
	struct pid *pid;
	int number = 0;
	char *at;

	if (!level)
		return task->pid;
	pid = BPF_CORE_READ(task, thread_pid);
	if (!pid || BPF_CORE_READ(pid, level) < level)
		return 0; /* it is outside */
	at = (char *)pid + bpf_core_field_offset(struct pid, numbers) +
	     level * bpf_core_type_size(struct upid) + bpf_core_field_offset(struct upid, nr);
	bpf_probe_read_kernel(&number, sizeof(number), at);
	/* Merged with the load above it would be one of two kinds of memory, which is refused. */
	return (__u32) * (volatile int *)&number;
}

#endif
