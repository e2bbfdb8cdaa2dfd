// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The probes of a session's processes: they come, stay or not, and go. */
#include <bpf/bpf.h>
#include <errno.h>
#include <poll.h>

#include "probe/session_parts.h"

void gw_session_set_engine(struct gw_session *s, uint32_t slot, uint32_t engine)
{
	struct gw_process *process = &s->processes[slot];

	process->exact_ns = gw_session_exact_ns(s, slot);
	process->engine_since_ns = s->start_ns ? gw_session_now_ns(s) : 0;
	__atomic_store_n(&process->engine, engine, __ATOMIC_RELEASE);
}

uint64_t gw_session_exact_ns(const struct gw_session *s, uint32_t slot)
{
	const struct gw_process *process = &s->processes[slot];
	uint64_t since_ns = process->engine_since_ns, now;

	if (process->engine != GW_ENGINE_UPROBE || !s->start_ns)
		return process->exact_ns;
	now = process->flags ? process->ended_at_ns : gw_session_now_ns(s);
	return process->exact_ns + (now > since_ns ? now - since_ns : 0);
}

/* ---- coming and going ---- */

static struct gw_uprobe_program hit_program(const struct gw_session *s)
{
	struct gw_uprobe_program program = {.program = s->bpf->progs.gw_on_hit, .multi = s->multi};

	return program;
}

static void fill_sites(struct gw_process *process, const struct gw_session_part *part, size_t parts)
{
	size_t count = 0;

	for (size_t n = 0; n < parts; n++) {
		const struct gw_sites *sites = part[n].sites;

		for (size_t i = 0; i < sites->count && count < GW_SITES_PER_PROCESS; i++)
			process->site[count++] =
				sites->site[i].virtual_address + part[n].python->load_bias;
	}
	process->site_count = (uint32_t)count;
}

static void let_go(struct gw_session *s, uint32_t slot)
{
	for (int n = 0; n < GW_PYTHONS_PER_PROCESS; n++) {
		if (s->uprobes[slot][n])
			gw_uprobes_free_later(s->uprobes[slot][n], s->closer, &s->closing[slot]);
		s->uprobes[slot][n] = NULL;
	}
}

void gw_session_release_probes(struct gw_session *s)
{
	for (uint32_t slot = 0; s->uprobes && slot < s->slots; slot++)
		let_go(s, slot);
}

/* With two links to the same sites each hit would be two. 0 or -EBUSY. */
static int wait_for_old_ones(struct gw_session *s, uint32_t slot, enum gw_probing probing)
{
	let_go(s, slot);
	if (!__atomic_load_n(&s->closing[slot], __ATOMIC_ACQUIRE))
		return 0;
	if (probing == GW_PROBING_WINDOW)
		return -EBUSY;
	gw_closer_drain(s->closer);
	return 0;
}

int gw_session_probe(struct gw_session *s, uint32_t slot, enum gw_probing probing,
		     const struct gw_session_part *part, size_t parts, struct gw_error *err)
{
	const struct gw_uprobe_program program = hit_program(s);
	struct gw_process *process = &s->processes[slot];
	int code = wait_for_old_ones(s, slot, probing);

	if (code)
		return gw_error_set(err, code, GW_STATUS_FAILURE,
				    "the last probes of process %u are not gone yet", process->pid);
	fill_sites(process, part, parts);
	for (size_t n = 0; !code && n < parts; n++)
		code = gw_uprobes_attach(&program, (pid_t)process->pid, part[n].path, part[n].sites,
					 &s->uprobes[slot][n], err);
	if (code) {
		let_go(s, slot); /* half of the probes are none */
		return code;
	}
	process->probed = 1;
	process->windows += probing == GW_PROBING_WINDOW;
	process->pooled = probing == GW_PROBING_WINDOW;
	gw_session_set_engine(s, slot, GW_ENGINE_UPROBE);
	return 0;
}

void gw_session_keep_probes(struct gw_session *s, uint32_t slot)
{
	__atomic_store_n(&s->processes[slot].pooled, 0, __ATOMIC_RELEASE);
}

void gw_session_drop_probes(struct gw_session *s, uint32_t slot)
{
	if (!s->uprobes[slot][0])
		return;
	gw_session_set_engine(s, slot, GW_ENGINE_SCHED);
	let_go(s, slot);
}

/* ---- what they cost ---- */

static int on_alarm(void *context, void *data, size_t size)
{
	(void)context;
	(void)data;
	(void)size;
	return 0;
}

void gw_session_calibrate(struct gw_session *s)
{
	const struct gw_uprobe_program program = hit_program(s);

	if (s->probes)
		gw_calibrate(&program, s->closer, &s->cost);
}

int gw_session_hear_alarms(struct gw_session *s, struct gw_error *err)
{
	s->alarms = ring_buffer__new(bpf_map__fd(s->bpf->maps.alarms), on_alarm, NULL, NULL);
	if (s->alarms)
		return 0;
	return gw_error_set(err, -errno, GW_STATUS_KERNEL,
			    "the kernel's ring buffer cannot be read (%s)", strerror(errno));
}

int gw_session_windows(const struct gw_session *s)
{
	return s->multi;
}

const struct gw_probe_cost *gw_session_cost(const struct gw_session *s)
{
	return &s->cost;
}

void gw_session_set_alarm(struct gw_session *s, uint32_t slot, uint64_t hits)
{
	__atomic_store_n(&s->processes[slot].hits_alarm, hits, __ATOMIC_RELAXED);
}

int gw_session_alarm(const struct gw_session *s)
{
	return ring_buffer__epoll_fd(s->alarms);
}

int gw_session_alarmed(const struct gw_session *s)
{
	struct pollfd alarm = {.fd = gw_session_alarm(s), .events = POLLIN};

	return poll(&alarm, 1, 0) == 1 && alarm.revents;
}

void gw_session_silence(struct gw_session *s)
{
	ring_buffer__consume(s->alarms);
}

int gw_session_has_news(const struct gw_session *s)
{
	return __atomic_load_n(&s->bpf->bss->news, __ATOMIC_ACQUIRE);
}

void gw_session_take_news(struct gw_session *s)
{
	__atomic_store_n(&s->bpf->bss->news, 0, __ATOMIC_RELEASE);
}
