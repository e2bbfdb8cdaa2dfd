// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Threads and processes that begin and end while they are watched. */
#include "compat.h"
#include "effects.h"
#include "once.h"

/* CPUs whose times an ending thread can hand over; more than any kernel here supports. */
#define GW_CPUS_MAX 8192

SEC("tp_btf/task_newtask")
int BPF_PROG(gw_on_new_task, struct task_struct *task)
{
	struct gw_process *process;
	struct gw_self_key self = {};
	struct gw_thread *t;
	__u32 slot, tid;

	if (!gw_may_be_watched(task->tgid))
		return 0;
	process = gw_process_of(task->tgid, &slot);
	if (!process || gw_is_over(process))
		return 0;
	t = gw_storage_make(&threads, task);
	if (!t) {
		gw_lose(process, GW_LOST_STORAGE);
		return 0;
	}
	gw_hists_make(task, process);
	tid = task->pid;
	t->tgid = task->tgid;
	t->tid = tid;
	t->process = slot;
	t->gil = process->gil_count ? process->gil_slot[0] : GW_NO_SLOT;
	t->cpu = bpf_get_smp_processor_id();
	t->fs_base = task->thread.fsbase;
	t->start_ns = gw_now();
	__sync_fetch_and_add(&process->threads_started, 1);
	self.fs_base = t->fs_base;
	self.tgid = t->tgid;
	if (self.fs_base)
		bpf_map_update_elem(&selves, &self, &tid, BPF_ANY);
	/* It has not run yet: it cannot hold the GIL. */
	t->span = gw_span_make(t->start_ns,
			       process->engine == GW_ENGINE_NONE ? GW_GIL_UNKNOWN : GW_GIL_NONE,
			       GW_RUNNABLE);
	return 0;
}

static __always_inline void gw_fold_hist(struct gw_hist *to, void *map, struct task_struct *task)
{
	struct gw_hist *from = bpf_task_storage_get(map, task, NULL, 0);

	if (from)
		gw_hist_fold_once(to, from);
}

/* Hands a thread's times by CPU over to those of all that ended (tid 0). */
static __always_inline void gw_fold_cpus(struct gw_thread *t, struct gw_process *process)
{
	for (__u32 cpu = 0; cpu < GW_CPUS_MAX && cpu < cpu_count; cpu++) {
		struct gw_cpu_key key = gw_cpu_key_of(t, cpu);
		__u64 *ns;

		if (!(t->cpu_seen >> (cpu % 64) & 1))
			continue;
		ns = bpf_map_lookup_elem(&cpu_times, &key);
		if (!ns)
			continue;
		key.tid = 0;
		key.start = 0;
		if (!gw_counter_add(&cpu_times, &key, *ns))
			gw_lose(process, GW_LOST_CPU);
		key = gw_cpu_key_of(t, cpu);
		bpf_map_delete_elem(&cpu_times, &key);
	}
}

static __always_inline void gw_fold_thread(struct gw_thread *t, struct task_struct *task,
					   struct gw_process *process, __u64 now)
{
	__u64 *to = (__u64 *)&process->ended, *from = (__u64 *)&t->tally;

	for (__u32 i = 0; i < GW_TALLY_WORDS; i++)
		if (from[i])
			__sync_fetch_and_add(&to[i], from[i]);
	gw_fold_hist(&process->ended_hold, &hold_hist, task);
	gw_fold_hist(&process->ended_wait, &wait_hist, task);
	gw_fold_hist(&process->ended_resume, &resume_hist, task);
	gw_fold_cpus(t, process);
	__sync_fetch_and_add(&process->ended_wall_ns, now - t->start_ns);
	__sync_fetch_and_add(&process->threads_ended, 1);
}

SEC("tp_btf/sched_process_exit")
int BPF_PROG(gw_on_exit, struct task_struct *task)
{
	struct gw_effects effects = {};
	struct gw_process *process;
	struct gw_self_key self = {};
	struct gw_thread *t;
	__u64 now, stopped;

	if (!gw_may_be_watched(task->tgid))
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t) {
		gw_lose_unseen(task->tgid);
		return 0;
	}
	process = gw_process_at(t->process);
	if (!process || t->flags & GW_THREAD_DEAD || !gw_is_seeded(t->span))
		return 0;
	now = gw_now();
	stopped = process->flags ? process->ended_at_ns : stop_ns;
	if (stopped && now > stopped)
		now = stopped;
	gw_exit(t, gw_gil_at(t->gil), now, &effects);
	gw_apply(t, task, process, &effects);
	gw_fold_thread(t, task, process, now);
	self.fs_base = t->fs_base;
	self.tgid = t->tgid;
	/* A younger thread may have the address by now. */
	if (gw_tid_of_self(t->tgid, t->fs_base) == t->tid)
		bpf_map_delete_elem(&selves, &self);
	return 0;
}

/* The process becomes another program: what was seen of it until now stays. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(gw_on_exec, struct task_struct *task)
{
	struct gw_process *process;
	__u32 slot;

	if (!gw_may_be_watched(task->tgid))
		return 0;
	process = gw_process_of(task->tgid, &slot);
	if (!process || gw_is_over(process))
		return 0;
	process->ended_at_ns = gw_now();
	process->flags |= GW_PROCESS_EXECED;
	return 0;
}
