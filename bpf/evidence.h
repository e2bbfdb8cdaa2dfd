/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gathers what the accounting wants to know of a task: its system call, the file behind it, the
 * GIL. */
#ifndef GW_BPF_EVIDENCE_H
#define GW_BPF_EVIDENCE_H

#include "compat.h"
#include "once.h"

#define GW_F_SETLKW	   7  /* fcntl: wait for a lock */
#define GW_F_OFD_SETLKW	   38 /* the same for open file descriptions */
#define GW_TIMER_ABSTIME   1
#define GW_CLOCK_REALTIME  0
#define GW_CLOCK_MONOTONIC 1

/* The head of a GIL in the target's memory, as it lies there from last_holder on. */
struct gw_gil_head {
	__u64 last_holder;
	__s32 locked;
	__u32 padding;
	__u64 switch_number;
};

/* A struct timespec, or a timeval. */
struct gw_request {
	__s64 seconds;
	__s64 fraction; /* nanoseconds; of a timeval: microseconds */
};

/* Which GIL of the process (by its index) a futex word belongs to; -1: none. */
gw_once int gw_gil_of_word_once(const struct gw_process *process, __u64 word)
{
	if (!process)
		return -1;
	for (__u32 i = 0; i < GW_GILS_PER_PROCESS && i < process->gil_count; i++)
		if (word - process->gil_address[i] <
		    (__u64)gw_layout_of(process, process->gil_python[i])->gil_size)
			return (int)i;
	return -1;
}

static __always_inline enum gw_futex gw_futex_kind(const struct gw_process *process, __u64 word,
						   __u32 gil)
{
	const struct gw_layout *layout;

	if (gil >= GW_GILS_PER_PROCESS)
		return GW_FUTEX_OTHER;
	layout = gw_layout_of(process, process->gil_python[gil]);
	return word - process->gil_address[gil] >= (__u64)layout->gil_switch_cond
		       ? GW_FUTEX_HANDOVER
		       : GW_FUTEX_WAIT;
}

/* Where a thread that sleeps has its request. */
static __always_inline __u64 gw_request_address(const struct pt_regs *regs, enum gw_call call)
{
	switch (call) {
	case GW_CALL_SLEEP:
		return regs->di;
	case GW_CALL_CLOCK_SLEEP:
		return regs->dx;
	default: /* GW_CALL_SELECT */
		return regs->r8;
	}
}

/*
 * What was asked of nanosleep, or of select without descriptors (time.sleep up to 3.10). The time
 * that is left of an absolute one; 0: it cannot be read.
 */
static __always_inline __u64 gw_sleep_asked(const struct pt_regs *regs, enum gw_call call)
{
	struct gw_request request;
	__u64 asked, now;

	if (bpf_probe_read_user(&request, sizeof(request), (void *)gw_request_address(regs, call)))
		return 0;
	asked = gw_call_asked_ns(request.seconds, request.fraction,
				 gw_call_asks_us((__s64)regs->orig_ax));
	if (call != GW_CALL_CLOCK_SLEEP || !(regs->si & GW_TIMER_ABSTIME))
		return asked;
	/* Only CLOCK_MONOTONIC is also what BPF reads (time.sleep uses it from 3.11 on). */
	if (regs->di != GW_CLOCK_MONOTONIC)
		return 0;
	now = bpf_ktime_get_ns();
	return asked > now ? asked - now : 0;
}

/* How the memory of the task that is looked at can be read. */
enum gw_reach {
	GW_REACH_CURRENT,  /* it is current */
	GW_REACH_SLEEPING, /* it is another, and the program may sleep (5.18 and later) */
	GW_REACH_NONE,
};

static __always_inline int gw_read_task(void *to, __u32 size, __u64 from, struct task_struct *task,
					enum gw_reach reach)
{
	if (reach == GW_REACH_CURRENT)
		return bpf_probe_read_user(to, size, (void *)from);
	if (reach == GW_REACH_SLEEPING)
		return bpf_copy_from_user_task(to, size, (void *)from, task, 0);
	return -1;
}

/*
 * A plain load is quicker where it counts, in a context switch; and of a pointer the verifier looks
 * the type up among all of the kernel's, by name. From NULL either gives 0.
 */
#define gw_walk(reach, from, member)                                                               \
	((reach) == GW_REACH_CURRENT ? (from)->member : BPF_CORE_READ(from, member))

#define GW_NO_MODE 0xffffffffU /* of no file that is known */

/* The mode of the file behind a descriptor; negative ones are of none. */
static __always_inline __u32 gw_mode_behind(struct task_struct *task, enum gw_reach reach,
					    __s32 descriptor)
{
	struct files_struct *files;
	struct fdtable *fdt;
	struct file *file;

	if (descriptor < 0)
		return GW_NO_MODE;
	files = gw_walk(reach, task, files);
	fdt = gw_walk(reach, files, fdt);
	if ((__u32)descriptor >= gw_walk(reach, fdt, max_fds) ||
	    bpf_probe_read_kernel(&file, sizeof(file), &gw_walk(reach, fdt, fd)[descriptor]) ||
	    !file)
		return GW_NO_MODE;
	return BPF_CORE_READ(file, f_inode, i_mode);
}

/* The only descriptor that is polled; -1: there are others, or none. */
static __always_inline __s32 gw_polled(struct task_struct *task, const struct pt_regs *regs,
				       enum gw_reach reach, struct gw_leave *leave)
{
	__s32 descriptor;

	leave->no_descriptor = regs->si == 0;
	if (regs->si != 1 || gw_read_task(&descriptor, sizeof(descriptor), regs->di, task, reach) ||
	    descriptor < 0)
		return -1;
	leave->one_descriptor = 1;
	return descriptor;
}

static __always_inline void gw_futex_facts(const struct gw_process *process, __u64 word,
					   struct gw_thread *t, struct gw_leave *leave,
					   struct gw_out *out)
{
	__u32 gil = (__u32)gw_gil_of_word_once(process, word);

	out->futex = gw_futex_kind(process, word, gil);
	leave->gil_futex = out->futex != GW_FUTEX_OTHER;
	if (leave->gil_futex)
		t->gil = GW_GIL_SLOT(t->process, gil);
}

/* Returns the mode of the file that the call is about. */
static __always_inline __u32 gw_call_facts(struct task_struct *task, const struct pt_regs *regs,
					   enum gw_call call, const struct gw_process *process,
					   enum gw_reach reach, struct gw_thread *t,
					   struct gw_leave *leave, struct gw_out *out)
{
	__s32 descriptor = -1;

	switch (call) {
	case GW_CALL_FUTEX:
		gw_futex_facts(process, regs->di, t, leave, out);
		break;
	case GW_CALL_FILE:
	case GW_CALL_SENDFILE:
		descriptor = (__s32)regs->di;
		break;
	case GW_CALL_FILE_OUT:
		descriptor = (__s32)regs->dx;
		break;
	case GW_CALL_POLL:
		descriptor = gw_polled(task, regs, reach, leave);
		break;
	case GW_CALL_SELECT:
		leave->no_descriptor = regs->di == 0;
		if (leave->no_descriptor && reach == GW_REACH_CURRENT)
			out->asked_ns = gw_sleep_asked(regs, call);
		break;
	case GW_CALL_FCNTL:
		leave->flock_waits = regs->si == GW_F_SETLKW || regs->si == GW_F_OFD_SETLKW;
		break;
	case GW_CALL_SLEEP:
	case GW_CALL_CLOCK_SLEEP:
		if (reach == GW_REACH_CURRENT)
			out->asked_ns = gw_sleep_asked(regs, call);
		break;
	default:
		break;
	}
	out->sleeps = out->asked_ns != 0;
	return gw_mode_behind(task, reach, descriptor);
}

/*
 * What the call and the file are is written down here, so that the verifier does not follow each of
 * them on its own. A negative number is of no call.
 */
gw_once int gw_cause_once(struct gw_leave *leave, __s64 number, __u32 mode)
{
	if (!leave)
		return GW_BLOCKED_OTHER;
	leave->in_call = number >= 0;
	leave->call = gw_call_classify(number);
	leave->file = gw_file_of_mode(mode);
	return (int)gw_cause(leave);
}

/* Where the task goes, and why. `leave` comes with state and preempted filled in. */
static __always_inline void gw_where_to(struct task_struct *task, const struct gw_process *process,
					enum gw_reach reach, struct gw_thread *t,
					struct gw_leave *leave, struct gw_out *out)
{
	__u32 mode = GW_NO_MODE;
	struct pt_regs *regs;
	__s64 number;

	if (leave->preempted || !leave->state) {
		out->where = GW_RUNNABLE;
		return;
	}
	leave->in_iowait = BPF_CORE_READ_BITFIELD(task, in_iowait);
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	number = (__s64)regs->orig_ax;
	if (number >= 0)
		mode = gw_call_facts(task, regs, gw_call_classify(number), process, reach, t, leave,
				     out);
	out->where = gw_cause_once(leave, number, mode);
	if (out->where != GW_BLOCKED_GIL)
		out->futex = GW_FUTEX_OTHER;
}

/*
 * Looks at a GIL from the context of a thread of its process. Sets holds and switch_number; returns
 * pthread_self() of the holder, 0 if nobody holds it.
 */
static __always_inline __u64 gw_look_at_gil(const struct gw_process *process,
					    const struct gw_gil_state *gil, __u64 fs_base,
					    struct gw_out *out)
{
	const struct gw_layout *layout = gw_layout_of(process, gil->python);
	struct gw_gil_head head;
	__u64 holder;

	if (bpf_probe_read_user(&head, sizeof(head),
				(void *)(gil->address + layout->gil_last_holder)))
		return 0;
	out->gil_read = 1;
	out->switch_number = head.switch_number;
	if (!head.last_holder || (head.locked <= 0 && out->futex == GW_FUTEX_OTHER))
		return 0;
	/* A thread's own state is there as long as it runs: what cannot be read is another's. */
	if (bpf_probe_read_user(&holder, sizeof(holder),
				(void *)(head.last_holder + layout->tstate_thread_id)))
		return 0;
	out->was_last = holder == fs_base;
	if (head.locked <= 0)
		return 0;
	out->holds = out->was_last;
	return holder;
}

gw_once int gw_look_at_gil_once(const struct gw_process *process, const struct gw_gil_state *gil,
				__u64 fs_base, struct gw_out *out)
{
	if (process && gil && out)
		gw_look_at_gil(process, gil, fs_base, out);
	return 0;
}

/* Which GIL of a process (by its index) a thread holds, other than that in `but`; -1: none. */
gw_once int gw_held_gil_once(const struct gw_process *process, __u32 slot, __u32 but, __u64 fs_base,
			     struct gw_out *seen)
{
	if (!process || !seen)
		return -1;
	for (__u32 i = 0; i < GW_GILS_PER_PROCESS && i < process->gil_count; i++) {
		struct gw_gil_state *gil = gw_gil_at(GW_GIL_SLOT(slot, i));

		if (!gil || GW_GIL_SLOT(slot, i) == but || !gil->address)
			continue;
		gw_look_at_gil_once(process, gil, fs_base, seen);
		if (seen->holds)
			return (int)i;
	}
	return -1;
}

/* A thread's pthread_self() and its tid, for those that see it as a holder. */
static __always_inline void gw_know_self(struct gw_thread *t)
{
	struct gw_self_key self = {.fs_base = t->fs_base, .tgid = t->tgid};
	__u32 tid = t->tid;

	if (t->fs_base)
		bpf_map_update_elem(&selves, &self, &tid, BPF_ANY);
}

/* A program sets its main thread's up as it starts: after the exec. */
static __always_inline void gw_learn_self(struct task_struct *task, struct gw_thread *t)
{
	if (t->fs_base)
		return;
	t->fs_base = task->thread.fsbase;
	gw_know_self(t);
}

/*
 * The same for a thread whose process has several GILs: if it does not hold the one it used last,
 * it may hold another by now. Sets t->gil, and returns the holder of that one. The memory of the
 * one that it used last may have gone with its interpreter: then it counts for another.
 */
static __always_inline __u64 gw_look_at_gils(const struct gw_process *process,
					     struct gw_gil_state **gil, struct gw_thread *t,
					     struct gw_out *out)
{
	__u64 holder = gw_look_at_gil(process, *gil, t->fs_base, out);
	struct gw_gil_state *other;
	struct gw_out seen = {};
	int held;

	if (out->holds || process->gil_count < 2 || out->futex != GW_FUTEX_OTHER)
		return holder;
	held = gw_held_gil_once(process, t->process, t->gil, t->fs_base, &seen);
	if (held < 0 && !out->gil_read && seen.gil_read)
		held = 0;
	other = held < 0 ? NULL : gw_gil_at(GW_GIL_SLOT(t->process, (__u32)held));
	if (!other)
		return holder;
	t->gil = GW_GIL_SLOT(t->process, (__u32)held);
	*gil = other;
	out->holds = seen.holds;
	out->was_last = seen.holds;
	out->gil_read = 1;
	out->switch_number = seen.switch_number;
	return seen.holds ? t->fs_base : holder;
}

/* The thread stands at a probed instruction, or just behind its breakpoint's byte. */
gw_once int gw_stands_at_site_once(const struct gw_process *process, __u64 ip)
{
	if (!process)
		return 0;
	for (__u32 i = 0; i < GW_SITES_PER_PROCESS && i < process->site_count; i++)
		if (ip == process->site[i] || ip == process->site[i] + 1)
			return 1;
	return 0;
}

#endif
