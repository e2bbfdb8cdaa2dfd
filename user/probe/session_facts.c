// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a session is told of its processes while it lives: their GILs, and who holds them. */
#include <errno.h>

#include "probe/session_parts.h"

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

static int find_gil(const struct gw_process *process, uint64_t address)
{
	for (uint32_t i = 0; i < process->gil_count; i++)
		if (process->gil_address[i] == address)
			return 1;
	return 0;
}

/* A GIL that is gone keeps its place: what was measured of it is shown. */
static void add_gil(struct gw_session *s, uint32_t slot, uint64_t address)
{
	struct gw_process *process = &s->processes[slot];
	uint32_t index = process->gil_count;
	struct gw_gil_state *gil = &s->gils[GW_GIL_SLOT(slot, index)];

	*gil = (struct gw_gil_state){
		.process = slot,
		.holder = GW_RUNNING,
		.address = address,
		.exact_before_ns = gw_session_exact_ns(s, slot),
	};
	process->gil_address[index] = address;
	__atomic_store_n(&process->gil_count, index + 1, __ATOMIC_RELEASE);
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
	if (!process->gil_count)
		fill_layout(&process->layout, python);
	for (int i = 0; i < python->gil_count; i++) {
		if (find_gil(process, python->gil[i].address))
			continue;
		if (process->gil_count == GW_GILS_PER_PROCESS)
			__sync_fetch_and_add(&process->lost[GW_LOST_GIL], 1);
		else
			add_gil(s, slot, python->gil[i].address);
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

static int settle_gil(struct gw_session *s, uint32_t slot, uint32_t index,
		      const struct gw_python *python, struct gw_error *err)
{
	const struct gw_process *process = &s->processes[slot];
	struct gw_gil_view view;

	s->bpf->bss->settle_look_ns = gw_session_now_ns(s);
	if (gw_python_view_gil((pid_t)process->pid, python, process->gil_address[index], &view))
		return 0;
	if (view.locked > 0 && !view.holder_thread_id)
		return 0;
	s->bpf->bss->settle_process = slot;
	s->bpf->bss->settle_gil = GW_GIL_SLOT(slot, index);
	s->bpf->bss->settle_holder = view.locked > 0 ? view.holder_thread_id : 0;
	s->bpf->bss->pass = GW_PASS_SETTLE;
	return gw_session_walk(s->iterator, err);
}

int gw_session_settle(struct gw_session *s, uint32_t slot, const struct gw_python *python,
		      struct gw_error *err)
{
	const struct gw_process *process = &s->processes[slot];
	int code = 0;

	for (uint32_t i = 0; !code && i < process->gil_count; i++)
		code = settle_gil(s, slot, i, python, err);
	return code;
}
