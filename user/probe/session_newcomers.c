// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* What a watch needs that lasts: programs that begin, and processes that it is done with. */
#include <errno.h>

#include "probe/session_parts.h"

static int on_newcomer(void *context, void *data, size_t size)
{
	const struct gw_session *s = context;

	if (size >= sizeof(struct gw_newcomer_event))
		s->on_newcomer(data, s->on_newcomer_data);
	return 0;
}

int gw_session_listen(struct gw_session *s, struct gw_error *err)
{
	s->newcomers = ring_buffer__new(bpf_map__fd(s->bpf->maps.newcomers), on_newcomer, s, NULL);
	return s->newcomers ? 0
			    : gw_error_set(err, -errno, GW_STATUS_KERNEL,
					   "the kernel does not let gilwatch read its ring buffer");
}

uint64_t gw_session_newcomers(struct gw_session *s, gw_session_visit *visit, void *data)
{
	uint64_t lost, before = s->newcomers_lost;

	if (!s->newcomers)
		return 0;
	s->on_newcomer = visit;
	s->on_newcomer_data = data;
	ring_buffer__consume(s->newcomers);
	lost = __atomic_load_n(&s->bpf->bss->newcomers_lost, __ATOMIC_RELAXED);
	s->newcomers_lost = lost;
	return lost - before;
}

int gw_session_newcomers_fd(const struct gw_session *s)
{
	return s->newcomers ? ring_buffer__epoll_fd(s->newcomers) : -1;
}

int gw_session_watches(const struct gw_session *s, pid_t pid)
{
	for (size_t slot = 0; slot < s->slots; slot++) {
		const volatile struct gw_process *process = &s->processes[slot];

		if (process->pid == (uint32_t)pid && process->origin != GW_ORIGIN_NONE &&
		    !process->flags)
			return 1;
	}
	return 0;
}

int gw_session_abandon(struct gw_session *s, uint32_t slot, struct gw_error *err)
{
	gw_session_mark_exited(s, slot);
	gw_session_drop_probes(s, slot);
	s->bpf->bss->settle_process = slot;
	s->bpf->bss->pass = GW_PASS_FORGET;
	return gw_session_walk(s->iterator, err);
}

size_t gw_session_map_room(const struct gw_session *s, enum gw_session_map map)
{
	return map == GW_SESSION_CPU_TIMES ? bpf_map__max_entries(s->bpf->maps.cpu_times)
					   : s->slots;
}
