// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Threads and processes that begin and end while they are watched. */
#include "birth.h"

/* CPUs whose times an ending thread can hand over; more than any kernel here supports. */
#define GW_CPUS_MAX 8192

/* include/uapi/linux/sched.h */
#define GW_CLONE_VM	0x00000100
#define GW_CLONE_THREAD 0x00010000

static __always_inline void gw_thread_begin(struct task_struct *task, __u32 slot,
					    struct gw_process *process, enum gw_gil belief,
					    __u32 gil)
{
	struct gw_thread *t = gw_thread_make(task, slot, process);

	if (!t)
		return;
	if (gil < process->gil_count)
		t->gil = GW_GIL_SLOT(slot, gil);
	gw_cpu_begin(t, bpf_get_smp_processor_id());
	t->start_ns = gw_now();
	__sync_fetch_and_add(&process->threads_started, 1);
	t->span = gw_span_make(t->start_ns, belief, GW_RUNNABLE);
}

/* A copy of its parent's memory has the same GILs at the same addresses. */
static __always_inline void gw_copy_facts(struct gw_process *to, __u32 slot,
					  const struct gw_process *from)
{
	for (__u32 i = 0; i < GW_PYTHONS_PER_PROCESS; i++)
		to->layout[i] = from->layout[i];
	for (__u32 i = 0; i < GW_GILS_PER_PROCESS; i++) {
		struct gw_gil_state *gil = gw_gil_at(GW_GIL_SLOT(slot, i));

		if (!gil || i >= from->gil_count)
			break;
		to->gil_address[i] = from->gil_address[i];
		to->gil_python[i] = from->gil_python[i];
		gil->address = from->gil_address[i];
		gil->python = from->gil_python[i];
		gil->process = slot;
		gil->holder = GW_RUNNING;
	}
	to->gil_count = from->gil_count;
	to->engine_since_ns = to->start_ns;
	/* Probes are its parent's; the user side attaches its own. */
	to->engine = from->engine == GW_ENGINE_UPROBE ? GW_ENGINE_SCHED : from->engine;
}

/*
 * What the only thread of a copied process begins as: the one that made it, which is current,
 * seldom without the GIL.
 */
static __always_inline enum gw_gil gw_fork_belief(struct task_struct *parent,
						  struct gw_process *process,
						  const struct gw_process *child, __u32 *gil)
{
	struct gw_thread *t = bpf_task_storage_get(&threads, parent, NULL, 0);
	struct gw_gil_state *state = t ? gw_gil_in_use(t, process) : NULL;
	struct gw_out out = {};

	if (!state || !gw_has_facts(child->engine))
		return gw_belief_without(child->engine);
	gw_look_at_gils(process, &state, t, &out);
	*gil = t->gil % GW_GILS_PER_PROCESS;
	if (!out.gil_read)
		return GW_GIL_UNKNOWN;
	return out.holds ? GW_GIL_HOLDING : GW_GIL_NONE;
}

static __always_inline void gw_fork(struct task_struct *parent, struct task_struct *task,
				    struct gw_process *process, __u32 parent_slot, bool own_memory)
{
	enum gw_gil belief = GW_GIL_UNKNOWN;
	struct gw_process *child;
	__u32 slot, gil = 0;

	child = gw_process_make(task, &slot, parent_slot, process);
	if (!child)
		return;
	child->parent_pid = process->pid;
	child->parent_execs = process->execs;
	if (own_memory) {
		gw_copy_facts(child, slot, process);
		belief = gw_fork_belief(parent, process, child, &gil);
	}
	gw_process_begin(child, slot, own_memory ? GW_ORIGIN_FORK : GW_ORIGIN_SPAWN);
	gw_thread_begin(task, slot, child, belief, gil);
}

SEC("tp_btf/task_newtask")
int BPF_PROG(gw_on_new_task, struct task_struct *task, __u64 flags)
{
	struct task_struct *parent = bpf_get_current_task_btf();
	struct gw_process *process;
	__u32 slot;

	if (!gw_may_be_watched(parent->tgid))
		return 0;
	process = gw_process_of(parent->tgid, &slot);
	if (!process || gw_is_over(process))
		return 0;
	if (!(flags & GW_CLONE_THREAD)) {
		if (follow && !childless)
			gw_fork(parent, task, process, slot, !(flags & GW_CLONE_VM));
		return 0;
	}
	/* It has not run yet: it cannot hold the GIL. */
	gw_thread_begin(task, slot, process,
			gw_has_facts(process->engine) ? GW_GIL_NONE
						      : gw_belief_without(process->engine),
			0);
	return 0;
}

/* The first one that ends leaves its own as the sum. */
static __always_inline void gw_fold_hist(const struct gw_thread *t, enum gw_sum which,
					 const struct gw_hist *from, struct gw_process *process)
{
	struct gw_sum_key key = {.which = which, .slot = t->process};
	struct gw_hist *to;

	if (!from->octaves)
		return;
	to = bpf_map_lookup_elem(&sums, &key);
	if (!to) {
		if (!bpf_map_update_elem(&sums, &key, from, BPF_NOEXIST))
			return;
		to = bpf_map_lookup_elem(&sums, &key); /* made by another, in between */
	}
	if (to)
		gw_hist_fold_once(to, from);
	else
		gw_lose(process, GW_LOST_HIST);
}

/* Adds to the times by CPU of all threads that ended (tid 0). */
static __always_inline void gw_fold_cpu(const struct gw_thread *t, struct gw_process *process,
					__u32 cpu, __u64 ns)
{
	struct gw_cpu_key key = {.process = t->process, .cpu = cpu};

	if (ns && !gw_counter_add(&cpu_times, &key, ns))
		gw_lose(process, GW_LOST_CPU);
}

static __always_inline void gw_fold_cpus(struct gw_thread *t, struct gw_process *process)
{
	for (__u32 place = 0; place < GW_CPUS_KEPT; place++)
		gw_fold_cpu(t, process, t->cpu_kept[place], t->cpu_ns[place]);
	for (__u32 cpu = 0; t->cpu_seen && cpu < GW_CPUS_MAX && cpu < cpu_count; cpu++) {
		struct gw_cpu_key key = gw_cpu_key_of(t, cpu);
		__u64 *ns;

		if (!(t->cpu_seen >> (cpu % 64) & 1))
			continue;
		ns = bpf_map_lookup_elem(&cpu_times, &key);
		if (!ns)
			continue;
		gw_fold_cpu(t, process, cpu, *ns);
		bpf_map_delete_elem(&cpu_times, &key);
	}
}

/* What it made others wait that have no entry of their own is nobody's in particular any more. */
static __always_inline void gw_fold_pairs(const struct gw_thread *t, struct gw_process *process)
{
	struct gw_pair_key key = {.process = t->process, .by = t->tid};
	__u32 at = __sync_fetch_and_add(&process->dead_next, 1) % GW_DEAD_KEPT;
	__u64 *ns;

	process->dead[at] = t->tid;
	if (process->pair_count < GW_PAIRS_PER_PROCESS)
		return;
	ns = bpf_map_lookup_elem(&pair_sums, &key);
	if (!ns)
		return;
	__sync_fetch_and_add(&process->inflicted_rest_ns, *ns);
	bpf_map_delete_elem(&pair_sums, &key);
}

static __always_inline void gw_fold_thread(struct gw_thread *t, struct gw_process *process,
					   __u64 now)
{
	const struct gw_books *books = gw_books_of(t);

	gw_tally_fold_once(&process->ended, &t->tally);
	gw_fold_hist(t, GW_SUM_ENDED_HOLD, &books->hold, process);
	gw_fold_hist(t, GW_SUM_ENDED_WAIT, &books->wait, process);
	gw_fold_hist(t, GW_SUM_ENDED_RESUME, &books->resume, process);
	gw_fold_cpus(t, process);
	gw_fold_pairs(t, process);
	__sync_fetch_and_add(&process->ended_wall_ns, now - t->start_ns);
	__sync_fetch_and_add(&process->threads_ended, 1);
}

/* The books of a thread that has ended stay its own, where there is room for them. */
static __always_inline bool gw_keep_thread(struct gw_thread *t, struct task_struct *task,
					   struct gw_process *process)
{
	struct gw_kept_key key = {
		.process = t->process,
		.tid = t->tid,
		.start = (__u32)t->start_ns,
	};
	struct gw_comm comm;

	if (!kept_per_process ||
	    (process->threads_kept >= kept_per_process && task->pid != task->tgid))
		return false;
	if (bpf_map_update_elem(&kept_threads, &key, gw_books_of(t), BPF_NOEXIST))
		return false;
	bpf_probe_read_kernel(&comm, sizeof(comm), task->comm);
	bpf_map_update_elem(&kept_names, &key, &comm, BPF_ANY);
	__sync_fetch_and_add(&process->threads_kept, 1);
	__sync_fetch_and_add(&process->threads_ended, 1);
	return true;
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
	gw_overlap_update(process, t);
	gw_apply(t, process, &effects);
	if (!gw_keep_thread(t, task, process))
		gw_fold_thread(t, process, now);
	if (!process->flags && task->signal->live.counter == 0) {
		process->ended_at_ns = now;
		process->flags = GW_PROCESS_EXITED;
		gw_tell_news(t->process);
	}
	self.fs_base = t->fs_base;
	self.tgid = t->tgid;
	/* A younger thread may have the address by now. */
	if (gw_tid_of_self(t->tgid, t->fs_base) == t->tid)
		bpf_map_delete_elem(&selves, &self);
	return 0;
}

/* The thread's books are closed with its old process; new ones begin in another slot. */
static __always_inline void gw_move_thread(struct gw_thread *t, struct gw_process *process,
					   __u32 slot, __u64 now)
{
	struct gw_books *books = gw_books_of(t);

	gw_fold_thread(t, process, now);
	__builtin_memset(&t->tally, 0, sizeof(t->tally));
	gw_hist_clear_once(&books->hold);
	gw_hist_clear_once(&books->wait);
	gw_hist_clear_once(&books->resume);
	t->process = slot;
	t->start_ns = gw_span_since_ns(t->span);
	__builtin_memset(t->cpu_ns, 0, sizeof(t->cpu_ns));
	t->cpu_seen = 0;
}

/*
 * A process that was asked for ends where it becomes another program, which goes on in a slot of
 * its own. A child keeps its slot: most become another program soon.
 */
static __always_inline void gw_exec_process(struct task_struct *task, struct gw_process *process,
					    __u32 old_slot, struct gw_thread *t, __u64 now)
{
	struct gw_process *next;
	__u32 slot;

	if (process->origin != GW_ORIGIN_SELECTED) {
		if (process->engine == GW_ENGINE_UPROBE)
			process->exact_ns += now - process->engine_since_ns;
		process->engine = GW_ENGINE_NONE;
		process->gil_count = 0;
		__sync_fetch_and_add(&process->execs, 1);
		gw_tell_news(old_slot);
		return;
	}
	next = follow ? gw_process_make(task, &slot, old_slot, process) : NULL;
	if (next) {
		gw_move_thread(t, process, slot, now);
		next->parent_pid = process->parent_pid;
		gw_process_begin(next, slot, GW_ORIGIN_EXEC);
	}
	process->ended_at_ns = now;
	process->flags = GW_PROCESS_EXECED;
	gw_tell_news(old_slot);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(gw_on_exec, struct task_struct *task)
{
	struct gw_effects effects = {};
	struct gw_process *process;
	struct gw_thread *t;
	__u32 slot;
	__u64 now;

	if (!gw_may_be_watched(task->tgid))
		return 0;
	process = gw_process_of(task->tgid, &slot);
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!process || gw_is_over(process) || !t || !gw_is_seeded(t->span))
		return 0;
	now = gw_now();
	/* A thread that does this becomes the main one. */
	t->tid = gw_pid_of(task);
	gw_exec(t, gw_gil_at(t->gil), now, &effects);
	gw_overlap_update(process, t);
	gw_apply(t, process, &effects);
	gw_exec_process(task, process, slot, t, now);
	return 0;
}
