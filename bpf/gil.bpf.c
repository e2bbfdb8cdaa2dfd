// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The probe behind the GIL's acquisition and release sites, calls of
 * pthread_cond_signal(&gil->switch_cond) and pthread_cond_signal(&gil->cond): the argument tells
 * the one from the other.
 */
#include "alarm.h"
#include "effects.h"
#include "evidence.h"

struct gw_hit {
	struct gw_thread *thread;
	struct gw_process *process;
	struct gw_gil_state *gil;
};

static __always_inline void gw_count_hit(struct gw_process *process, __u32 slot)
{
	__u64 before = __sync_fetch_and_add(&process->hits, 1);

	if (before == process->hits_alarm)
		gw_ring(slot);
}

/* Finds whose hit it is. False: not one of ours, or nothing is counted for it. */
static __always_inline bool gw_hit_find(struct gw_hit *hit)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct gw_process *process;

	hit->thread = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!hit->thread) {
		if (gw_may_be_watched(task->tgid))
			gw_lose_unseen(task->tgid);
		return false;
	}
	process = gw_process_at(hit->thread->process);
	if (!process || gw_is_over(process))
		return false;
	gw_count_hit(process, hit->thread->process);
	if (!gw_is_seeded(hit->thread->span)) {
		gw_unseeded_event(hit->thread);
		return false;
	}
	hit->process = process;
	return process->engine == GW_ENGINE_UPROBE;
}

enum gw_passing {
	GW_PASSING_NOTHING, /* not a GIL but another condition variable */
	GW_PASSING_ACQUIRE,
	GW_PASSING_RELEASE,
};

/* Which GIL's condition variable is signalled, and which of its two. */
static __always_inline enum gw_passing gw_hit_classify(struct gw_hit *hit, __u64 condition)
{
	const struct gw_process *process = hit->process;
	bool acquires;

	for (__u32 i = 0; i < GW_GILS_PER_PROCESS; i++) {
		const struct gw_layout *layout;
		__u64 offset;

		if (i >= process->gil_count)
			break;
		offset = condition - process->gil_address[i];
		layout = gw_layout_of(process, process->gil_python[i]);
		acquires = offset == (__u64)layout->gil_switch_cond;
		if (!acquires && offset != (__u64)layout->gil_cond)
			continue;
		hit->thread->gil = GW_GIL_SLOT(hit->thread->process, i);
		hit->gil = gw_gil_at(hit->thread->gil);
		if (!hit->gil)
			break;
		return acquires ? GW_PASSING_ACQUIRE : GW_PASSING_RELEASE;
	}
	return GW_PASSING_NOTHING;
}

/* Whether somebody has asked the holder to give way. Only a waiter can. */
static __always_inline int gw_drop_requested(const struct gw_hit *hit)
{
	const struct gw_layout *layout = gw_layout_of(hit->process, hit->gil->python);
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

static __always_inline void gw_acquired(struct gw_hit *hit, const struct gw_regime *regime,
					struct gw_effects *effects)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u32 distance = 0;

	if (hit->gil->holder_tid != hit->thread->tid)
		distance = gw_cpu_distance(hit->gil->holder_cpu, cpu);
	gw_acquire(hit->thread, hit->gil, gw_now(), distance, regime, effects);
}

static __always_inline void gw_released(struct gw_hit *hit, const struct gw_regime *regime,
					struct gw_effects *effects)
{
	gw_release(hit->thread, hit->gil, gw_now(), bpf_get_smp_processor_id(),
		   gw_drop_requested(hit), regime, effects);
}

SEC("uprobe")
int gw_on_hit(struct pt_regs *ctx)
{
	struct gw_effects effects = {};
	struct gw_regime regime;
	struct gw_hit hit = {};
	enum gw_passing what;

	if (!gw_hit_find(&hit))
		return 0;
	what = gw_hit_classify(&hit, PT_REGS_PARM1(ctx));
	if (what == GW_PASSING_NOTHING)
		return 0;
	regime = gw_regime_of(hit.process);
	if (what == GW_PASSING_ACQUIRE)
		gw_acquired(&hit, &regime, &effects);
	else
		gw_released(&hit, &regime, &effects);
	gw_apply(hit.thread, hit.process, &effects);
	return 0;
}
