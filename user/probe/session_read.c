// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Copies what a session has counted out of the kernel. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "probe/reader.h"
#include "probe/session_parts.h"
#include "probe/sums.h"

/* Attempts to read while no thread ends meanwhile. */
#define READ_TRIES 50

static uint64_t threads_ended(const struct gw_session *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < s->slots; i++)
		sum += __atomic_load_n(&s->processes[i].threads_ended, __ATOMIC_ACQUIRE);
	return sum;
}

/* Up to the last one of a process; children that begin from now on are the next look's. */
static size_t slots_in_use(const struct gw_session *s)
{
	size_t count = s->slots;

	while (count && s->processes[count - 1].origin == GW_ORIGIN_NONE)
		count--;
	return count;
}

/* Slots of no process stay zero. */
static int copy_processes(const struct gw_session *s, size_t count, struct gw_raw *raw)
{
	raw->process = calloc(count + 1, sizeof(*raw->process));
	if (!raw->process)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		if (s->processes[i].origin != GW_ORIGIN_NONE)
			raw->process[i] = s->processes[i];
	raw->process_count = count;
	return 0;
}

static void take_most_waiting(struct gw_gil_state *gil)
{
	__u32 most = gil->address ? gw_wait_take_most(&gil->waiters) : 0;

	if (most > gil->most_lately)
		gil->most_lately = most;
	if (most > gil->most_waiting)
		gil->most_waiting = most;
}

static int copy_gils(const struct gw_session *s, size_t count, struct gw_raw *raw)
{
	size_t each = GW_GILS_PER_PROCESS;

	raw->gil = calloc(count * each + 1, sizeof(*raw->gil));
	if (!raw->gil)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		if (s->processes[i].origin == GW_ORIGIN_NONE)
			continue;
		for (size_t j = i * each; j < (i + 1) * each; j++)
			take_most_waiting(&s->gils[j]);
		memcpy(raw->gil + i * each, s->gils + i * each, each * sizeof(*raw->gil));
	}
	raw->gil_count = count * each;
	return 0;
}

/* To walk through a map takes time by its buckets, even if nothing is in it. */
static int has_cpu_times(const struct gw_session *s, const struct gw_raw *raw)
{
	for (size_t i = 0; i < raw->thread_count; i++)
		if (raw->thread[i].thread.cpu_seen)
			return 1;
	for (size_t i = 0; i < s->slots; i++)
		if (s->processes[i].threads_ended > s->processes[i].threads_kept)
			return 1;
	return 0;
}

static int has_pairs(const struct gw_session *s, uint64_t at_least)
{
	for (size_t i = 0; i < s->slots; i++)
		if (s->processes[i].pair_count >= at_least)
			return 1;
	return 0;
}

static int read_once(struct gw_session *s, struct gw_raw *raw)
{
	size_t slots = slots_in_use(s);
	int code;

	raw->epoch_ns = s->epoch_ns;
	raw->end_ns = s->stop_ns ? s->stop_ns : gw_session_now_ns(s);
	/* At once: what waits for a GIL by that time is reckoned from what is booked by then. */
	code = copy_gils(s, slots, raw);
	/* Before the threads: what a GIL's have by then, its threads' have, too. */
	if (!code)
		code = gw_sums_read(s->bpf->maps.sums, raw);
	s->bpf->bss->pass = GW_PASS_READ;
	if (!code)
		code = gw_reader_threads(s->iterator, raw);
	if (!code)
		code = gw_reader_kept(s->bpf->maps.kept_threads, s->bpf->maps.kept_names, raw);
	if (!code && has_cpu_times(s, raw))
		code = gw_reader_cpus(s->bpf->maps.cpu_times, raw);
	if (!code && has_pairs(s, 1))
		code = gw_reader_pairs(s->bpf->maps.pairs, raw);
	if (!code && has_pairs(s, GW_PAIRS_PER_PROCESS))
		code = gw_reader_pairs(s->bpf->maps.pair_sums, raw);
	if (!code)
		code = copy_processes(s, slots, raw);
	return code;
}

int gw_session_read(struct gw_session *s, struct gw_raw *raw, struct gw_error *err)
{
	int code = 0;

	/* A thread that ends while it is read would be counted twice, or not at all. */
	for (int i = 0; i < READ_TRIES; i++) {
		uint64_t before = threads_ended(s);

		gw_raw_reset(raw);
		code = read_once(s, raw);
		if (code || threads_ended(s) == before)
			break;
	}
	if (code)
		return gw_error_set(err, code, GW_STATUS_KERNEL,
				    "what was measured cannot be read from the kernel (%s)",
				    strerror(-code));
	return 0;
}

void gw_session_forget_lately(struct gw_session *s)
{
	for (size_t i = 0; i < s->slots * GW_GILS_PER_PROCESS; i++)
		if (s->processes[i / GW_GILS_PER_PROCESS].origin != GW_ORIGIN_NONE)
			s->gils[i].most_lately = 0;
}
