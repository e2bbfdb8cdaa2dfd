// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sampler: on every tick of a CPU's clock it looks whether the thread that runs there holds the
 * GIL. It tells python from native where no probe does.
 */
#include "evidence.h"

/* With probes there is something to tell only of threads that have not passed one yet. */
static __always_inline void gw_sample_unknown(struct task_struct *task, struct gw_process *process,
					      struct gw_thread *t, struct gw_gil_state *gil)
{
	struct gw_out out = {};
	struct pt_regs *regs;

	if (gw_span_gil(t->span) != GW_GIL_UNKNOWN)
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	gw_look_at_gil(process, gil, t->fs_base, &out);
	if (out.gil_read && !gw_stands_at_site(process, regs->ip))
		gw_first_evidence(t, gil, gw_now(), out.holds);
}

SEC("perf_event")
int gw_on_sample(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct gw_process *process;
	struct gw_gil_state *gil;
	struct gw_effects effects = {};
	struct gw_out out = {};
	struct gw_thread *t;

	(void)ctx;
	if (!gw_may_be_watched(task->tgid))
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !gw_is_seeded(t->span))
		return 0;
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process))
		return 0;
	gil = gw_gil_at(t->gil);
	if (!gil || process->engine == GW_ENGINE_NONE)
		return 0;
	if (process->engine == GW_ENGINE_UPROBE) {
		gw_sample_unknown(task, process, t, gil);
		return 0;
	}
	gw_leave_probes(t, gil, process->engine_since_ns, &effects);
	if (effects.lost_waiter)
		gw_lose(process, GW_LOST_WAITER);
	gw_look_at_gil(process, gil, t->fs_base, &out);
	if (out.gil_read)
		t->slice_samples[out.holds ? GW_SAMPLE_HELD : GW_SAMPLE_RELEASED]++;
	return 0;
}
