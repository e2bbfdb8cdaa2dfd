// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The probes behind the GIL's acquisition and release sites, calls of
 * pthread_cond_signal(&gil->switch_cond) and pthread_cond_signal(&gil->cond).
 */
#include "effects.h"
#include "evidence.h"

struct gw_hit {
	struct task_struct *task;
	struct gw_thread *thread;
	struct gw_process *process;
	struct gw_gil_state *gil;
};

/* Finds whose hit it is. False: not one of ours, or not a GIL but another condition variable. */
static __always_inline bool gw_hit_find(struct gw_hit *hit, __u64 condition, bool acquires)
{
	struct gw_process *process;
	__u64 address;

	hit->task = bpf_get_current_task_btf();
	hit->thread = bpf_task_storage_get(&threads, hit->task, NULL, 0);
	if (!hit->thread) {
		if (gw_may_be_watched(hit->task->tgid))
			gw_lose_unseen(hit->task->tgid);
		return false;
	}
	process = gw_process_at(hit->thread->process);
	if (!process || gw_is_over(process))
		return false;
	__sync_fetch_and_add(&process->hits, 1);
	if (!gw_is_seeded(hit->thread->span)) {
		gw_unseeded_event(hit->thread);
		return false;
	}
	if (process->engine != GW_ENGINE_UPROBE)
		return false;
	hit->process = process;
	address = condition -
		  (__u64)(acquires ? process->layout.gil_switch_cond : process->layout.gil_cond);
	for (__u32 i = 0; i < GW_GILS_PER_PROCESS; i++) {
		if (i >= process->gil_count)
			break;
		if (process->gil_address[i] != address)
			continue;
		hit->thread->gil = GW_GIL_SLOT(hit->thread->process, i);
		hit->gil = gw_gil_at(hit->thread->gil);
		return hit->gil != NULL;
	}
	return false;
}

/* Whether somebody has asked the holder to give way. Only a waiter can. */
static __always_inline int gw_drop_requested(const struct gw_hit *hit)
{
	const struct gw_layout *layout = &hit->process->layout;
	__u64 address = layout->runtime_drop_request;
	__u64 holder, interpreter;
	__u32 request = 0;

	if (!gw_wait_count(&hit->gil->waiters))
		return 0;
	if (!address) {
		if (bpf_probe_read_user(&holder, sizeof(holder),
					(void *)(hit->gil->address + layout->gil_last_holder)))
			return 0;
		address = holder + layout->tstate_eval_breaker;
		if (layout->tstate_eval_breaker < 0) {
			if (bpf_probe_read_user(&interpreter, sizeof(interpreter),
						(void *)(holder + layout->tstate_interp)))
				return 0;
			address = interpreter + layout->interp_drop_request;
		}
	}
	bpf_probe_read_user(&request, sizeof(request), (void *)address);
	return request & 1;
}

static __always_inline int gw_acquired(__u64 condition)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct gw_effects effects = {};
	struct gw_hit hit = {};
	__u32 distance = 0;

	if (!gw_hit_find(&hit, condition, true))
		return 0;
	if (hit.gil->holder_tid != hit.thread->tid)
		distance = gw_cpu_distance(hit.gil->holder_cpu, cpu);
	gw_acquire(hit.thread, hit.gil, gw_now(), distance, &effects);
	gw_apply(hit.thread, hit.task, hit.process, &effects);
	return 0;
}

static __always_inline int gw_released(__u64 condition)
{
	struct gw_effects effects = {};
	struct gw_hit hit = {};

	if (!gw_hit_find(&hit, condition, false))
		return 0;
	gw_release(hit.thread, hit.gil, gw_now(), bpf_get_smp_processor_id(),
		   gw_drop_requested(&hit), &effects);
	gw_apply(hit.thread, hit.task, hit.process, &effects);
	return 0;
}

SEC("uprobe")
int gw_on_acquire(struct pt_regs *ctx)
{
	return gw_acquired(PT_REGS_PARM1(ctx));
}

SEC("uprobe")
int gw_on_release(struct pt_regs *ctx)
{
	return gw_released(PT_REGS_PARM1(ctx));
}
