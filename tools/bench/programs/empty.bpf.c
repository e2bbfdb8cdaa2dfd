// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Nothing at context switches, wake-ups and ticks: what any program there costs at the least. */
#define SEC(name) __attribute__((section(name), used))

SEC("tp_btf/sched_switch") int at_switch(void *context)
{
	(void)context;
	return 0;
}

SEC("tp_btf/sched_wakeup") int at_wakeup(void *context)
{
	(void)context;
	return 0;
}

SEC("perf_event") int at_tick(void *context)
{
	(void)context;
	return 0;
}

char LICENSE[] SEC("license") = "Dual BSD/GPL";
