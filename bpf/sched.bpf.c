// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The scheduler's side: switches and wake-ups. All tasks of the machine come through here: those of
 * no interest leave after two look-ups in a bitmap.
 */
#include "effects.h"
#include "evidence.h"

/* A thread whose event is to be accounted. */
struct gw_subject {
	struct gw_thread *thread;
	struct gw_process *process;
};

/* False: it has no record, is not seeded yet, or nothing is counted for it any more. */
static __always_inline bool gw_subject_find(struct task_struct *task, struct gw_subject *s)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct gw_process *process;

	if (!t) {
		gw_lose_unseen(task->tgid);
		return false;
	}
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process) || t->flags & GW_THREAD_DEAD)
		return false;
	if (!gw_is_seeded(t->span)) {
		gw_unseeded_event(t);
		return false;
	}
	s->thread = t;
	s->process = process;
	return true;
}

static __always_inline void gw_out_gil(struct task_struct *task, const struct gw_process *process,
				       struct gw_thread *t, struct gw_gil_state **gil,
				       struct gw_out *out)
{
	__u64 holder;
	bool believed;

	gw_learn_self(task, t);
	holder = gw_look_at_gils(process, gil, t, out);
	believed = gw_span_gil(t->span) == GW_GIL_HOLDING;
	if (out->engine == GW_ENGINE_UPROBE) {
		if (out->gil_read && believed != out->holds) {
			struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

			out->at_site = gw_stands_at_site_once(process, regs->ip);
		}
		out->holder = (*gil)->holder == GW_BY_NOBODY ? 0 : (*gil)->holder_tid;
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

/*
 * The thread called sched_yield. One that is made to give way in a system call is preempted, and
 * on its way back to the program's code it is in no call any more.
 */
static __always_inline bool gw_yields(struct task_struct *task, const struct gw_leave *leave)
{
	struct pt_regs *regs;

	if (leave->preempted || leave->state)
		return false;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	return gw_call_is_yield((__s64)regs->orig_ax);
}

/*
 * A thread waits for a GIL that was off: it has been switched on, which the user side would notice
 * only later.
 */
static __always_inline void gw_gil_is_on(struct gw_process *process, struct gw_out *out)
{
	out->engine_since_ns = gw_now();
	out->engine = GW_ENGINE_SCHED;
	process->engine_since_ns = out->engine_since_ns;
	process->engine = out->engine;
}

/* Returns the time of the switch; 0: it was not accounted. */
static __always_inline __u64 gw_leaves(struct task_struct *task, bool preempt, __u32 state)
{
	struct gw_leave leave = {.state = state, .preempted = preempt};
	struct gw_effects effects = {};
	struct gw_subject s;
	struct gw_out out = {};
	struct gw_gil_state *gil;
	__u64 now;

	if (!gw_subject_find(task, &s))
		return 0;
	out.engine = s.process->engine;
	out.engine_since_ns = s.process->engine_since_ns;
	out.pooled = (__u8)s.process->pooled;
	gw_where_to(task, s.process, GW_REACH_CURRENT, s.thread, &leave, &out);
	out.yields = gw_yields(task, &leave);
	if (out.engine == GW_ENGINE_OFF && out.futex == GW_FUTEX_WAIT)
		gw_gil_is_on(s.process, &out);
	gil = gw_gil_in_use(s.thread, s.process);
	if (gil && gw_has_facts(out.engine)) {
		gw_out_gil(task, s.process, s.thread, &gil, &out);
		if (!out.gil_read && !gw_in_exec(task))
			gw_lose(s.process, GW_LOST_MEMORY);
	}
	now = gw_now();
	gw_switch_out(s.thread, gil, now, &out, &effects);
	gw_overlap_update(s.process, s.thread);
	gw_apply(s.thread, s.process, &effects);
	return now;
}

/* now: the time of the switch if it is known; else 0. */
static __always_inline void gw_enters(struct task_struct *task, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gw_effects effects = {};
	struct gw_subject s;
	__u32 distance = 0;

	if (!gw_subject_find(task, &s))
		return;
	gw_switch_in(s.thread, gw_gil_in_use(s.thread, s.process), s.process->engine,
		     now ? now : gw_now(), &effects);
	gw_overlap_update(s.process, s.thread); /* if nobody told of the wake-up */
	if (!s.process->first_run_ns)
		s.process->first_run_ns = gw_span_since_ns(s.thread->span);
	if (cpu != s.thread->cpu) {
		distance = gw_cpu_distance(s.thread->cpu, cpu);
		gw_switch_in_cpu(s.thread, cpu, distance, &effects);
	}
	gw_apply(s.thread, s.process, &effects);
}

SEC("tp_btf/sched_switch")
int BPF_PROG(gw_on_switch, bool preempt, struct task_struct *prev, struct task_struct *next)
{
	bool leaves = gw_may_be_watched(prev->tgid);
	bool enters = gw_may_be_watched(next->tgid);
	__u64 now = 0;

	if (!leaves && !enters)
		return 0;
	if (leaves)
		now = gw_leaves(prev, preempt,
				switch_has_state ? (__u32)ctx[3] : gw_task_state(prev));
	if (enters)
		gw_enters(next, now);
	return 0;
}

SEC("tp_btf/sched_wakeup")
int BPF_PROG(gw_on_wakeup, struct task_struct *task)
{
	struct gw_subject s;

	if (!gw_may_be_watched(task->tgid) || !gw_subject_find(task, &s))
		return 0;
	gw_wakeup(s.thread, gw_gil_in_use(s.thread, s.process), gw_now());
	gw_overlap_update(s.process, s.thread);
	return 0;
}

char LICENSE[] __weak SEC("license") = "Dual BSD/GPL";
