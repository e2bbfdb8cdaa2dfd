// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The iterator over all threads: begins to watch those that are there, settles what they hold, and
 * reads their records.
 */
#include "effects.h"
#include "evidence.h"

#define GW_SEED_TRIES 8

static __always_inline void gw_seed_init(struct gw_thread *t, struct task_struct *task, __u32 slot,
					 const struct gw_process *process)
{
	t->tgid = task->tgid;
	t->tid = task->pid;
	t->process = slot;
	t->gil = process->gil_count ? process->gil_slot[0] : GW_NO_SLOT;
	t->cpu = gw_task_cpu(task);
	t->fs_base = task->thread.fsbase;
}

/* One look at a thread that is not current: its memory cannot be read from here. */
static __always_inline void gw_seed_look(struct task_struct *task, struct gw_process *process,
					 struct gw_thread *t, struct gw_out *out)
{
	struct gw_leave leave = {.state = gw_task_state(task)};

	if (task->on_cpu && !leave.state)
		out->where = GW_RUNNING;
	else
		gw_where_to(task, process, false, t, &leave, out);
	/* The holder is not known yet; the GIL's number of changes neither: 0 ends such a wait. */
	out->engine = process->engine;
}

static __always_inline void gw_seed_task(struct task_struct *task, __u32 slot,
					 struct gw_process *process)
{
	struct gw_self_key self = {};
	struct gw_thread *t;
	__u32 tid = task->pid;

	if (task->exit_state || bpf_task_storage_get(&threads, task, NULL, 0))
		return;
	t = bpf_task_storage_get(&threads, task, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
	if (!t) {
		gw_lose(process, GW_LOST_STORAGE);
		return;
	}
	gw_seed_init(t, task, slot, process);
	self.fs_base = t->fs_base;
	self.tgid = t->tgid;
	bpf_map_update_elem(&selves, &self, &tid, BPF_ANY);
	for (int i = 0; i < GW_SEED_TRIES; i++) {
		gw_span seen = *(volatile gw_span *)&t->span;
		struct gw_effects effects = {};
		struct gw_out out = {};

		gw_seed_look(task, process, t, &out);
		if (gw_seed(t, gw_gil_at(t->gil), seen, gw_now(), &out, &effects))
			return;
	}
	gw_lose(process, GW_LOST_STORAGE);
}

static __always_inline void gw_settle_task(struct task_struct *task)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct gw_gil_state *gil;

	if (!t || t->process != settle_process || t->start_ns >= settle_before_ns)
		return;
	gil = gw_gil_at(settle_gil);
	if (gil)
		gw_settle(t, gil, gw_now(), settle_holder && t->fs_base == settle_holder);
}

static __always_inline void gw_read_task(struct task_struct *task, struct seq_file *seq)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct gw_hist *hold, *wait, *resume;
	__u32 size = sizeof(struct gw_record);
	char comm[16];
	__u32 has;

	if (!t || !gw_is_seeded(t->span) || t->flags & GW_THREAD_DEAD)
		return;
	hold = bpf_task_storage_get(&hold_hist, task, NULL, 0);
	wait = bpf_task_storage_get(&wait_hist, task, NULL, 0);
	resume = bpf_task_storage_get(&resume_hist, task, NULL, 0);
	has = (hold ? GW_HAS_HOLD : 0) | (wait ? GW_HAS_WAIT : 0) | (resume ? GW_HAS_RESUME : 0);
	bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
	/* A record that does not fit is begun anew by the kernel with the next read. */
	bpf_seq_write(seq, &size, sizeof(size));
	bpf_seq_write(seq, &has, sizeof(has));
	bpf_seq_write(seq, comm, sizeof(comm));
	bpf_seq_write(seq, t, sizeof(*t));
	if (hold)
		bpf_seq_write(seq, hold, sizeof(*hold));
	if (wait)
		bpf_seq_write(seq, wait, sizeof(*wait));
	if (resume)
		bpf_seq_write(seq, resume, sizeof(*resume));
}

SEC("iter/task")
int gw_on_thread(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	struct gw_process *process;
	__u32 slot;

	if (!task || !gw_may_be_watched(task->tgid))
		return 0;
	process = gw_process_of(task->tgid, &slot);
	if (!process)
		return 0;
	if (pass == GW_PASS_SEED)
		gw_seed_task(task, slot, process);
	else if (pass == GW_PASS_SETTLE)
		gw_settle_task(task);
	else
		gw_read_task(task, seq);
	return 0;
}
