// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The scheduler's side: switches and wake-ups. All tasks of the machine come through here: those of
 * no interest leave after two look-ups in a bitmap.
 */
#include "effects.h"
#include "evidence.h"

static __always_inline void gw_out_gil(struct task_struct *task, const struct gw_process *process,
				       struct gw_thread *t, struct gw_gil_state *gil,
				       struct gw_out *out)
{
	__u64 holder = gw_look_at_gil(process, gil, t->fs_base, out);
	bool believed = gw_span_gil(t->span) == GW_GIL_HOLDING;

	if (out->engine == GW_ENGINE_UPROBE) {
		if (out->gil_read && believed != out->holds) {
			struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

			out->at_site = gw_stands_at_site(process, regs->ip);
		}
		out->holder = gil->holder == GW_BY_NOBODY ? 0 : gil->holder_tid;
	} else if (out->futex == GW_FUTEX_WAIT) {
		out->holder = gw_tid_of_self(t->tgid, holder);
	}
}

/* In an exec the old memory is gone before anybody is told of the new program. */
static __always_inline bool gw_in_exec(struct task_struct *task)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	return gw_call_is_exec((__s64)regs->orig_ax);
}

static __always_inline void gw_leaves(struct task_struct *task, bool preempt, __u32 state)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct gw_leave leave = {.state = state, .preempted = preempt};
	struct gw_effects effects = {};
	struct gw_out out = {};
	struct gw_process *process;
	struct gw_gil_state *gil;

	if (!t) {
		gw_lose_unseen(task->tgid);
		return;
	}
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process) || t->flags & GW_THREAD_DEAD)
		return;
	if (!gw_is_seeded(t->span)) {
		gw_unseeded_event(t);
		return;
	}
	out.engine = process->engine;
	out.engine_since_ns = process->engine_since_ns;
	gw_where_to(task, process, GW_REACH_CURRENT, t, &leave, &out);
	gil = gw_gil_at(t->gil);
	if (gil && out.engine != GW_ENGINE_NONE) {
		gw_out_gil(task, process, t, gil, &out);
		if (!out.gil_read && !gw_in_exec(task))
			gw_lose(process, GW_LOST_MEMORY);
	}
	gw_switch_out_once(t, gil, gw_now(), &out, &effects);
	gw_apply(t, task, process, &effects);
}

static __always_inline void gw_enters(struct task_struct *task)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	__u32 cpu = bpf_get_smp_processor_id();
	struct gw_effects effects = {};
	struct gw_process *process;
	__u32 distance = 0;

	if (!t) {
		gw_lose_unseen(task->tgid);
		return;
	}
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process) || t->flags & GW_THREAD_DEAD)
		return;
	if (!gw_is_seeded(t->span)) {
		gw_unseeded_event(t);
		return;
	}
	gw_switch_in(t, gw_gil_at(t->gil), process->engine, gw_now(), &effects);
	if (cpu != t->cpu) {
		distance = gw_cpu_distance(t->cpu, cpu);
		gw_switch_in_cpu(t, cpu, distance, &effects);
	}
	gw_apply(t, task, process, &effects);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(gw_on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool leaves = gw_may_be_watched(prev->tgid);
	bool enters = gw_may_be_watched(next->tgid);

	if (!leaves && !enters)
		return 0;
	if (leaves)
		gw_leaves(prev, preempt, switch_has_state ? (__u32)ctx[3] : gw_task_state(prev));
	if (enters)
		gw_enters(next);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(gw_on_wakeup, struct task_struct *task)
{
	struct gw_process *process;
	struct gw_thread *t;

	if (!gw_may_be_watched(task->tgid))
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t) {
		gw_lose_unseen(task->tgid);
		return 0;
	}
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process) || t->flags & GW_THREAD_DEAD)
		return 0;
	if (gw_is_seeded(t->span))
		gw_wakeup(t, gw_gil_at(t->gil), gw_now());
	else
		gw_unseeded_event(t);
	return 0;
}

char LICENSE[] __weak SEC("license") = "Dual BSD/GPL";
