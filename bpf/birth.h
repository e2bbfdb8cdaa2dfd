/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* How the records of threads and processes begin. */
#ifndef GW_BPF_BIRTH_H
#define GW_BPF_BIRTH_H

#include "alarm.h"
#include "effects.h"
#include "evidence.h"

/*
 * Makes a thread's books where memory is to be had. In sched_switch it is not: up to 6.3 storage
 * comes from kmalloc, which may wake a thread while the run queue is locked, and from 6.4 on from a
 * reserve of a single element a CPU, which is filled up again only with interrupts enabled.
 */
static __always_inline struct gw_thread *gw_books_make(struct task_struct *task)
{
	/* The reserve is filled up again by an interrupt, which the next try finds done. */
	for (int i = 0; i < 3; i++) {
		struct gw_books *made =
			bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);

		if (made)
			return &made->thread;
	}
	return NULL;
}

/* Begins a thread's record, and says which it is; its span is still to be set. NULL: a loss. */
static __always_inline struct gw_thread *gw_thread_make(struct task_struct *task, __u32 slot,
							struct gw_process *process)
{
	struct gw_thread *t = gw_books_make(task);

	if (!t) {
		gw_lose(process, GW_LOST_STORAGE);
		return NULL;
	}
	t->tgid = task->tgid;
	t->tid = gw_pid_of(task);
	t->process = slot;
	t->gil = process->gil_count ? GW_GIL_SLOT(slot, 0) : GW_NO_SLOT;
	t->fs_base = task->thread.fsbase;
	gw_know_self(t);
	return t;
}

/* Takes a free slot for a process that is watched from now on. NULL: a loss of its parent's. */
static __always_inline struct gw_process *
gw_process_make(struct task_struct *task, __u32 *slot, __u32 parent_slot, struct gw_process *parent)
{
	struct gw_process *process = NULL;

	if (!bpf_map_pop_elem(&free_slots, slot))
		process = gw_process_at(*slot);
	if (!process) {
		gw_lose(parent, GW_LOST_PROCESS);
		return NULL;
	}
	process->tgid = task->tgid;
	process->pid = gw_pid_of(task);
	process->parent_slot = parent_slot;
	process->start_ns = gw_now();
	process->engine = GW_ENGINE_NONE;
	process->seeded = 1; /* its threads get their records as they are made */
	return process;
}

/* From now on the process's tasks are found, and the user side sees it. */
static __always_inline void gw_process_begin(struct gw_process *process, __u32 slot,
					     enum gw_origin origin)
{
	__u32 tgid = process->tgid;

	bpf_map_update_elem(&targets, &tgid, &slot, BPF_ANY);
	__sync_fetch_and_or(&filter[tgid % GW_FILTER_BITS / 64], 1ULL << (tgid % 64));
	process->origin = origin;
	gw_tell_news(slot);
}

#endif
