// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a session is told of its processes while it lives: their GILs, and who holds them. */
#include <errno.h>

#include "probe/session_parts.h"
#include "probe/sums.h"

static void fill_layout(struct gw_layout *layout, const struct gw_python *python)
{
	const struct gw_python_layout *from = &python->layout;

	layout->gil_last_holder = from->gil_last_holder;
	layout->gil_cond = from->gil_cond;
	layout->gil_switch_cond = from->gil_switch_cond;
	layout->gil_size = from->gil_size;
	layout->tstate_interp = from->tstate_interp;
	layout->tstate_thread_id = from->tstate_thread_id;
	layout->interp_drop_request = from->interp_drop_request;
	layout->tstate_eval_breaker = from->tstate_eval_breaker;
	if (from->runtime_drop_request >= 0)
		layout->runtime_drop_request =
			python->runtime_address + (uint64_t)from->runtime_drop_request;
}

/* The BPF side reads last_holder, locked and switch_number at one go. */
static int layout_is_contiguous(const struct gw_python_layout *layout)
{
	return layout->gil_locked == layout->gil_last_holder + 8 &&
	       layout->gil_switch_number == layout->gil_last_holder + 16;
}

/* The place of a GIL; -1: it has none. */
static int find_gil(const struct gw_process *process, uint64_t address)
{
	for (uint32_t i = 0; i < process->gil_count; i++)
		if (process->gil_address[i] == address)
			return (int)i;
	return -1;
}

static void put_gil(struct gw_session *s, uint32_t slot, uint32_t index, uint32_t python,
		    uint64_t address)
{
	struct gw_process *process = &s->processes[slot];

	s->gils[GW_GIL_SLOT(slot, index)] = (struct gw_gil_state){
		.process = slot,
		.python = python,
		.holder = GW_RUNNING,
		.address = address,
		.exact_before_ns = gw_session_exact_ns(s, slot),
	};
	process->gil_python[index] = python;
	process->gil_address[index] = address;
	if (index > 0 && gw_sums_begin(s->bpf->maps.sums, GW_GIL_SLOT(slot, index)))
		__sync_fetch_and_add(&process->lost[GW_LOST_HIST], 1);
}

/* A GIL that is gone keeps its place, as long as no other needs it. */
static void add_gil(struct gw_session *s, uint32_t slot, uint32_t python, uint64_t address)
{
	struct gw_process *process = &s->processes[slot];
	uint32_t index = process->gil_count;

	put_gil(s, slot, index, python, address);
	__atomic_store_n(&process->gil_count, index + 1, __ATOMIC_RELEASE);
}

static void fold_gil(struct gw_gil_state *to, const struct gw_gil_state *from)
{
	for (int i = 0; i < GW_BY_COUNT; i++)
		to->by_holder_ns[i] += from->by_holder_ns[i];
	to->held_ns += from->held_ns;
	to->held_ticks += from->held_ticks;
	to->acquisitions += from->acquisitions;
	to->releases += from->releases;
	to->forced_releases += from->forced_releases;
	to->holder_changes += from->holder_changes;
	for (int i = 0; i < GW_DISTANCE_COUNT; i++)
		to->handovers[i] += from->handovers[i];
}

void gw_session_replace_gil(struct gw_session *s, uint32_t slot, uint64_t gone,
			    const struct gw_python *python, uint64_t come)
{
	struct gw_process *process = &s->processes[slot];
	int index = find_gil(process, gone);

	if (index < 0)
		return;
	fold_gil(&process->ended_gils, &s->gils[GW_GIL_SLOT(slot, index)]);
	process->gils_ended++;
	if (index > 0)
		gw_sums_retire(s->bpf->maps.sums, GW_GIL_SLOT(slot, index));
	put_gil(s, slot, (uint32_t)index, (uint32_t)python->number, come);
}

void gw_session_lose_gils(struct gw_session *s, uint32_t slot, size_t count)
{
	__sync_fetch_and_add(&s->processes[slot].lost[GW_LOST_GIL], count);
}

static int has_engine(const struct gw_process *process, const struct gw_python *python)
{
	if (process->engine == GW_ENGINE_OFF)
		return !python->gil_enabled;
	return process->engine != GW_ENGINE_NONE;
}

int gw_session_describe(struct gw_session *s, uint32_t slot, const struct gw_python *python,
			struct gw_error *err)
{
	struct gw_process *process = &s->processes[slot];

	if (!layout_is_contiguous(&python->layout))
		return gw_error_set(
			err, -EINVAL, GW_STATUS_FAILURE,
			"the GIL of process %u has a layout that gilwatch does not know",
			process->pid);
	fill_layout(&process->layout[python->number], python);
	for (int i = 0; i < python->gil_count; i++) {
		if (find_gil(process, python->gil[i].address) < 0 &&
		    process->gil_count < GW_GILS_PER_PROCESS)
			add_gil(s, slot, (uint32_t)python->number, python->gil[i].address);
	}
	if (!has_engine(process, python))
		gw_session_set_engine(s, slot,
				      python->gil_enabled ? GW_ENGINE_SCHED : GW_ENGINE_OFF);
	return 0;
}

void gw_session_forget(struct gw_session *s, uint32_t slot)
{
	struct gw_process *process = &s->processes[slot];

	gw_session_drop_probes(s, slot);
	gw_session_set_engine(s, slot, GW_ENGINE_NONE);
	__atomic_store_n(&process->gil_count, 0, __ATOMIC_RELEASE);
}

/* Who holds one of a process's GILs; -EAGAIN: it cannot be told. */
static int look_at_gil(const struct gw_process *process, uint32_t index,
		       const struct gw_python *python, uint64_t *holder)
{
	struct gw_gil_view view;

	if (gw_python_view_gil((pid_t)process->pid, python, process->gil_address[index], &view))
		return -EAGAIN;
	if (view.locked > 0 && !view.holder_thread_id)
		return -EAGAIN;
	*holder = view.locked > 0 ? view.holder_thread_id : 0;
	return 0;
}

static int settle_gil(struct gw_session *s, uint32_t slot, uint32_t index, uint64_t holder,
		      int last, struct gw_error *err)
{
	s->bpf->bss->settle_process = slot;
	s->bpf->bss->settle_gil = GW_GIL_SLOT(slot, index);
	s->bpf->bss->settle_holder = holder;
	s->bpf->bss->settle_last = last;
	s->bpf->bss->pass = GW_PASS_SETTLE;
	return gw_session_walk(s->iterator, err);
}

/* Only who holds none of them holds nothing: that is told with the last, if all could be read. */
int gw_session_settle(struct gw_session *s, uint32_t slot, const struct gw_python *const *python,
		      size_t pythons, struct gw_error *err)
{
	const struct gw_process *process = &s->processes[slot];
	uint64_t holder;
	int code = 0, all = 1;

	s->bpf->bss->settle_look_ns = gw_session_now_ns(s);
	for (uint32_t i = 0; !code && i < process->gil_count; i++) {
		int last = i == process->gil_count - 1;

		if (process->gil_python[i] >= pythons ||
		    look_at_gil(process, i, python[process->gil_python[i]], &holder)) {
			all = 0;
			continue;
		}
		if (holder || last)
			code = settle_gil(s, slot, i, holder, last && all, err);
	}
	return code;
}
