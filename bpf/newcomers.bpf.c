// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Programs that begin anywhere on the host, told to the user side: one of them may be a Python. */
#include "compat.h"

SEC("tp_btf/sched_process_exec")
int BPF_PROG(gw_on_newcomer, struct task_struct *task)
{
	struct gw_newcomer_event event = {.pid = gw_pid_of(task)};

	if (!event.pid)
		return 0;
	bpf_probe_read_kernel(event.comm, sizeof(event.comm), task->comm);
	if (bpf_ringbuf_output(&newcomers, &event, sizeof(event), 0))
		__sync_fetch_and_add(&newcomers_lost, 1);
	return 0;
}
