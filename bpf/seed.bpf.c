// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The iterator that begins to watch the threads that are there already. There are two of it: one
 * that may sleep, and so reads the threads' memory (5.18 and later), and one that cannot.
 */
#include "birth.h"

#define GW_SEED_TRIES 8

/* One look at a thread that is not current. */
static __always_inline void gw_seed_look(struct task_struct *task, struct gw_process *process,
					 struct gw_thread *t, enum gw_reach reach,
					 struct gw_out *out)
{
	struct gw_leave leave = {.state = gw_task_state(task)};

	if (gw_task_on_cpu(task) && !leave.state)
		out->where = GW_RUNNING;
	else
		gw_where_to(task, process, reach, t, &leave, out);
	/* The holder is not known yet; the GIL's number of changes neither: 0 ends such a wait. */
	out->engine = process->engine;
}

static __always_inline void gw_seed_task(struct task_struct *task, __u32 slot,
					 struct gw_process *process, enum gw_reach reach)
{
	struct gw_thread *t;

	if (task->exit_state || bpf_task_storage_get(&threads, task, NULL, 0))
		return;
	t = gw_thread_make(task, slot, process);
	if (!t)
		return;
	gw_cpu_begin(t, gw_task_cpu(task));
	for (int i = 0; i < GW_SEED_TRIES; i++) {
		gw_span seen = *(volatile gw_span *)&t->span;
		struct gw_effects effects = {};
		struct gw_out out = {};

		gw_seed_look(task, process, t, reach, &out);
		if (gw_seed(t, gw_gil_at(t->gil), seen, gw_now(), &out, &effects)) {
			if (effects.lost_waiter)
				gw_lose(process, GW_LOST_WAITER);
			gw_overlap_update(process, t);
			return;
		}
	}
	gw_lose(process, GW_LOST_STORAGE);
}

static __always_inline int gw_seed_if_watched(struct task_struct *task, enum gw_reach reach)
{
	struct gw_process *process;
	__u32 slot;

	if (!task || !gw_may_be_watched(task->tgid))
		return 0;
	process = gw_process_of(task->tgid, &slot);
	if (process)
		gw_seed_task(task, slot, process, reach);
	return 0;
}

SEC("iter/task")
int gw_on_seed(struct bpf_iter__task *ctx)
{
	return gw_seed_if_watched(ctx->task, GW_REACH_NONE);
}

SEC("iter.s/task")
int gw_on_seed_sleeping(struct bpf_iter__task *ctx)
{
	return gw_seed_if_watched(ctx->task, GW_REACH_SLEEPING);
}
