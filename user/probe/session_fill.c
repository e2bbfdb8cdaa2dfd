// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
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

static int fill_gils(struct gw_session *s, struct gw_process *process,
		     const struct gw_python *python, uint32_t slot, uint32_t *next)
{
	if (!layout_is_contiguous(&python->layout) || python->gil_count > GW_GILS_PER_PROCESS)
		return -EINVAL;
	fill_layout(&process->layout, python);
	for (int i = 0; i < python->gil_count; i++, (*next)++) {
		struct gw_gil_state *gil = &s->gils[*next];

		gil->address = python->gil[i].address;
		gil->process = slot;
		gil->holder = GW_RUNNING;
		process->gil_slot[i] = *next;
		process->gil_address[i] = python->gil[i].address;
	}
	process->gil_count = (uint32_t)python->gil_count;
	return 0;
}

static void fill_sites(struct gw_process *process, const struct gw_session_target *target)
{
	for (size_t i = 0; target->sites && i < target->sites->count && i < GW_SITES_PER_PROCESS;
	     i++)
		process->site[process->site_count++] =
			target->sites->site[i].virtual_address + target->python->load_bias;
}

static int fill_processes(struct gw_session *s, struct gw_error *err)
{
	int targets = bpf_map__fd(s->bpf->maps.targets);
	uint32_t next_gil = 0;

	for (uint32_t slot = 0; slot < s->target_count; slot++) {
		const struct gw_session_target *target = &s->target[slot];
		struct gw_process *process = &s->processes[slot];
		uint32_t tgid = (uint32_t)target->pid;

		process->tgid = tgid;
		process->engine = target->engine;
		if (target->python && fill_gils(s, process, target->python, slot, &next_gil))
			return gw_error_set(err, -EINVAL, GW_STATUS_FAILURE,
					    "the GIL of process %d has a layout that gilwatch "
					    "does not know",
					    target->pid);
		fill_sites(process, target);
		if (bpf_map_update_elem(targets, &tgid, &slot, BPF_ANY))
			return gw_error_set(err, -errno, GW_STATUS_KERNEL,
					    "the kernel refuses an entry in a BPF map");
	}
	return 0;
}

static void fill_places(struct gw_session *s)
{
	for (uint32_t cpu = 0; cpu < s->host->cpus; cpu++) {
		struct gw_place place = {
			.core = s->host->place[cpu].core,
			.llc = s->host->place[cpu].llc,
			.node = s->host->place[cpu].node,
		};

		bpf_map_update_elem(bpf_map__fd(s->bpf->maps.places), &cpu, &place, BPF_ANY);
	}
}

int gw_session_fill(struct gw_session *s, struct gw_error *err)
{
	int code = fill_processes(s, err);

	if (!code)
		fill_places(s);
	return code;
}
