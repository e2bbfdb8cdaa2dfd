// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * The sampler: on every tick of a CPU's clock it looks whether the thread that runs there holds the
 * GIL. It tells python from native where no probe does.
 */
#include "alarm.h"
#include "effects.h"
#include "evidence.h"

/* With probes there is something to tell only of threads that have not passed one yet. */
static __always_inline void gw_sample_first(struct task_struct *task, struct gw_process *process,
					    struct gw_thread *t, struct gw_gil_state *gil,
					    struct gw_effects *e)
{
	const struct gw_regime regime = gw_regime_of(process);
	struct gw_out out = {};
	struct pt_regs *regs;

	if (!gw_lacks_evidence(t, &regime))
		return;
	regs = (struct pt_regs *)bpf_task_pt_regs(task);
	gw_look_at_gil(process, gil, t->fs_base, &out);
	if (out.gil_read && !gw_stands_at_site_once(process, regs->ip))
		gw_first_evidence(t, gil, gw_now(), out.holds, &regime, e);
}

/*
 * A sampled thread runs, whatever is believed: a switch-in was missed. (None can be under way: the
 * scheduler switches with interrupts off.) The time until now stays where it was booked.
 */
static __always_inline void gw_sample_switch_in(struct gw_process *process, struct gw_thread *t,
						struct gw_gil_state *gil, struct gw_effects *e)
{
	if (gw_span_where(t->span) == GW_RUNNING)
		return;
	__sync_fetch_and_add(&process->missed_switches, 1);
	gw_switch_in(t, gil, process->engine, gw_now(), e);
}

/* A call that a tick interrupts is still in the registers; one in the program's code is in none. */
static __always_inline void gw_sample_yield(struct task_struct *task, struct gw_thread *t)
{
	struct pt_regs *regs = (struct pt_regs *)bpf_task_pt_regs(task);

	if (gw_call_is_yield((__s64)regs->orig_ax))
		t->tally.yield_ticks++;
}

/* The user side compares counts: it does not matter if two CPUs count one. */
static __always_inline void gw_note_sampled(__u32 slot)
{
	*(volatile __u64 *)&sampled = sampled + 1;
	if (!sampler_rests)
		return;
	sampler_rests = false;
	gw_ring(slot);
}

SEC("perf_event")
int gw_on_sample(void *ctx)
{
	struct task_struct *task = bpf_get_current_task_btf();
	struct gw_process *process;
	struct gw_gil_state *gil;
	struct gw_effects effects = {};
	struct gw_regime regime;
	struct gw_out out = {};
	struct gw_thread *t;

	(void)ctx;
	if (!gw_may_be_watched(task->tgid))
		return 0;
	t = bpf_task_storage_get(&threads, task, NULL, 0);
	if (!t || !gw_is_seeded(t->span))
		return 0;
	process = gw_process_at(t->process);
	if (!process || gw_is_over(process))
		return 0;
	gw_note_sampled(t->process);
	gil = gw_gil_in_use(t, process);
	gw_sample_switch_in(process, t, gil, &effects);
	gw_sample_yield(task, t);
	if (!gil || !gw_has_facts(process->engine))
		return 0;
	gw_learn_self(task, t);
	if (process->engine == GW_ENGINE_UPROBE) {
		gw_sample_first(task, process, t, gil, &effects);
	} else {
		regime = gw_regime_of(process);
		gw_leave_probes(t, gil, &regime, &effects);
		gw_look_at_gils(process, &gil, t, &out);
		if (out.gil_read)
			gw_sample(t, gil, gw_now(), out.holds);
	}
	gw_apply(t, process, &effects);
	return 0;
}
