// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <errno.h>
#include <string.h>

#include "probe/features.h"
#include "probe/reader.h"
#include "probe/session_parts.h"
#include "probe/sums.h"

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

static int refuse_entry(int code, struct gw_error *err)
{
	return gw_error_set(err, code, GW_STATUS_KERNEL,
			    "the kernel refuses an entry in a BPF map");
}

int gw_session_fill(struct gw_session *s, const struct gw_session_options *options,
		    struct gw_error *err)
{
	int free_slots = bpf_map__fd(s->bpf->maps.free_slots);

	fill_places(s);
	/* A stack: the lowest is taken first. */
	for (size_t i = s->slots; i > options->selected; i--) {
		uint32_t slot = (uint32_t)i - 1;

		if (bpf_map_update_elem(free_slots, NULL, &slot, BPF_ANY))
			return refuse_entry(-errno, err);
	}
	return 0;
}

static int take_slot(struct gw_session *s, uint32_t *slot)
{
	if (s->start_ns)
		return bpf_map_lookup_and_delete_elem(bpf_map__fd(s->bpf->maps.free_slots), NULL,
						      slot)
			       ? -ENOSPC
			       : 0;
	*slot = (uint32_t)s->selected++;
	return 0;
}

/* The kernel's number for a process: not ours, where we are in a PID namespace of our own. */
static int find_tgid(struct gw_session *s, struct gw_process *process, struct gw_error *err)
{
	int code;

	process->tgid = process->pid;
	if (!gw_features_foreign_pids())
		return 0;
	s->bpf->bss->pass = GW_PASS_NAMES;
	code = gw_reader_tgid(s->iterator, process->pid, &process->tgid);
	if (!code || code == -ESRCH) /* it has ended: nobody is found by that number */
		return 0;
	return gw_error_set(err, code, GW_STATUS_KERNEL,
			    "the kernel does not tell what process %u is called outside of this "
			    "PID namespace (%s)",
			    process->pid, strerror(-code));
}

static __u64 *filter_word(struct gw_session *s, uint32_t tgid)
{
	return &s->bpf->bss->filter[tgid % GW_FILTER_BITS / 64];
}

int gw_session_watch(struct gw_session *s, uint32_t slot, uint64_t since_ns, struct gw_error *err)
{
	struct gw_process *process = &s->processes[slot];
	int code = find_tgid(s, process, err);
	uint32_t tgid = process->tgid;

	if (code)
		return code;
	if (bpf_map_update_elem(bpf_map__fd(s->bpf->maps.targets), &tgid, &slot, BPF_ANY))
		return refuse_entry(-errno, err);
	process->start_ns = since_ns;
	process->engine_since_ns = since_ns;
	__sync_fetch_and_or(filter_word(s, tgid), 1ULL << (tgid % 64));
	return 0;
}

int gw_session_select(struct gw_session *s, pid_t pid, uint32_t *slot, struct gw_error *err)
{
	struct gw_process *process;
	int code;

	if (take_slot(s, slot))
		return -ENOSPC;
	process = &s->processes[*slot];
	process->pid = (uint32_t)pid;
	process->parent_slot = GW_NO_SLOT;
	process->engine = GW_ENGINE_NONE;
	process->origin = GW_ORIGIN_SELECTED;
	if (!s->start_ns)
		return 0;
	code = gw_session_watch(s, *slot, gw_session_now_ns(s), err);
	return code ? code : gw_session_seed(s, err);
}

static void forget_times(struct gw_session *s, uint32_t slot, const struct gw_raw *raw)
{
	for (size_t i = 0; i < raw->cpu_count; i++)
		if (raw->cpu[i].key.process == slot)
			bpf_map_delete_elem(bpf_map__fd(s->bpf->maps.cpu_times), &raw->cpu[i].key);
	for (size_t i = 0; i < raw->pair_count; i++) {
		const struct gw_pair_key *key = &raw->pair[i].key;
		const struct bpf_map *map = key->on ? s->bpf->maps.pairs : s->bpf->maps.pair_sums;

		if (key->process == slot)
			bpf_map_delete_elem(bpf_map__fd(map), key);
	}
}

/*
 * Other processes may have the same bit. One that begins meanwhile has its tgid in its record
 * before it sets the bit (gw_process_make): either its bit comes after ours is taken, or its tgid
 * is seen here.
 */
static void clear_filter(struct gw_session *s, uint32_t tgid)
{
	uint64_t bit = 1ULL << (tgid % 64);

	__sync_fetch_and_and(filter_word(s, tgid), ~bit);
	for (size_t slot = 0; slot < s->slots; slot++) {
		uint32_t other = __atomic_load_n(&s->processes[slot].tgid, __ATOMIC_ACQUIRE);

		if (other && other % GW_FILTER_BITS == tgid % GW_FILTER_BITS)
			__sync_fetch_and_or(filter_word(s, tgid), bit);
	}
}

static void forget_kept(struct gw_session *s, uint32_t slot, const struct gw_raw *raw)
{
	for (size_t i = 0; i < raw->thread_count; i++) {
		const struct gw_thread *thread = &raw->thread[i].thread;
		struct gw_kept_key key = {slot, thread->tid, (__u32)thread->start_ns};

		if (thread->process != slot || !(thread->flags & GW_THREAD_DEAD))
			continue;
		bpf_map_delete_elem(bpf_map__fd(s->bpf->maps.kept_threads), &key);
		bpf_map_delete_elem(bpf_map__fd(s->bpf->maps.kept_names), &key);
	}
}

void gw_session_release(struct gw_session *s, uint32_t slot, const struct gw_raw *raw)
{
	struct gw_process *process = &s->processes[slot];
	uint32_t tgid = process->tgid, found;
	int targets = bpf_map__fd(s->bpf->maps.targets);

	/* The PID may be another one's by now. */
	if (!bpf_map_lookup_elem(targets, &tgid, &found) && found == slot)
		bpf_map_delete_elem(targets, &tgid);
	gw_session_drop_probes(s, slot);
	process->tgid = 0;
	clear_filter(s, tgid);
	forget_times(s, slot, raw);
	forget_kept(s, slot, raw);
	gw_sums_forget(s->bpf->maps.sums, slot);
	for (int i = 0; i < GW_GILS_PER_PROCESS; i++)
		s->gils[GW_GIL_SLOT(slot, i)] = (struct gw_gil_state){0};
	*process = (struct gw_process){0};
	bpf_map_update_elem(bpf_map__fd(s->bpf->maps.free_slots), NULL, &slot, BPF_ANY);
}
