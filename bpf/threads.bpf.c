// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The iterator over watched threads: settles what they hold, and reads their records. */
#include "compat.h"

static __always_inline void gw_settle_thread(struct task_struct *task)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);
	struct gw_process *process;
	struct gw_gil_state *gil;
	bool holds;

	if (!t || t->process != settle_process)
		return;
	holds = settle_holder && t->fs_base == settle_holder;
	if (!holds && !settle_last)
		return;
	process = gw_process_at(t->process);
	gil = gw_gil_at(settle_gil);
	if (!process || !gil)
		return;
	if (holds)
		t->gil = settle_gil;
	gw_settle(t, gil, gw_now(), holds, settle_look_ns, process->engine_since_ns);
}

/* Others go on counting meanwhile: what is written is what the head says. */
static __always_inline void gw_write_hist(struct seq_file *seq, struct gw_hist *hist)
{
	struct gw_hist_head head = {
		.sum_ns = hist->sum_ns,
		.max_ns = hist->max_ns,
		.octaves = *(volatile __u32 *)&hist->octaves,
	};

	bpf_seq_write(seq, &head, sizeof(head));
	for (__u32 i = 0; i < GW_HIST_OCTAVES; i++) {
		__u32 buckets = gw_hist_octave_buckets(i);

		if (head.octaves >> i & 1)
			bpf_seq_write(seq, &hist->bucket[i * GW_HIST_OCTAVE],
				      buckets * sizeof(hist->bucket[0]));
	}
}

static __always_inline void gw_read_thread(struct task_struct *task, struct seq_file *seq)
{
	struct gw_books *books = bpf_task_storage_get(&threads, task, NULL, 0);
	__u32 head[2] = {sizeof(struct gw_record)};
	struct gw_thread *t;
	char comm[16];

	if (!books)
		return;
	t = &books->thread;
	if (!gw_is_seeded(t->span) || t->flags & GW_THREAD_DEAD)
		return;
	bpf_probe_read_kernel(comm, sizeof(comm), task->comm);
	/* A record that does not fit is begun anew by the kernel with the next read. */
	bpf_seq_write(seq, head, sizeof(head));
	bpf_seq_write(seq, comm, sizeof(comm));
	bpf_seq_write(seq, t, sizeof(*t));
	gw_write_hist(seq, &books->hold);
	gw_write_hist(seq, &books->wait);
	gw_write_hist(seq, &books->resume);
}

/* The process is not watched any more, and its slot will be another one's. */
static __always_inline void gw_forget_thread(struct task_struct *task)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, task, NULL, 0);

	if (!t || t->process != settle_process)
		return;
	bpf_task_storage_delete(&threads, task);
}

/* The task that reads the iterator is of the user side. */
static __always_inline void gw_name_process(struct task_struct *task, struct seq_file *seq)
{
	struct gw_name name = {.tgid = task->tgid};

	if (task->pid != task->tgid)
		return;
	namespace_level = BPF_CORE_READ(bpf_get_current_task_btf(), thread_pid, level);
	name.pid = gw_pid_of(task);
	bpf_seq_write(seq, &name, sizeof(name));
}

SEC("iter/task")
int gw_on_thread(struct bpf_iter__task *ctx)
{
	struct seq_file *seq = ctx->meta->seq;
	struct task_struct *task = ctx->task;
	__u32 slot;

	if (task && pass == GW_PASS_NAMES)
		gw_name_process(task, seq);
	if (!task || pass == GW_PASS_NAMES || !gw_may_be_watched(task->tgid) ||
	    !gw_process_of(task->tgid, &slot))
		return 0;
	if (pass == GW_PASS_SETTLE)
		gw_settle_thread(task);
	else if (pass == GW_PASS_FORGET)
		gw_forget_thread(task);
	else
		gw_read_thread(task, seq);
	return 0;
}
