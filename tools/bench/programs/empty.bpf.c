// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Nothing at a context switch: what any program there costs at the least. */
#define SEC(name) __attribute__((section(name), used))

SEC("tp_btf/sched_switch") int empty(void *context)
{
	(void)context;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
