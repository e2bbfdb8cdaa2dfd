/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a session consists of, for the files that make it up. */
#ifndef GW_SESSION_PARTS_H
#define GW_SESSION_PARTS_H

#include <bpf/libbpf.h>

/* libbpf 1.1 writes the programs' variables into the skeleton with the kernel's type names. */
#include <linux/types.h>

#include "gilwatch.skel.h"
#include "probe/calibrate.h"
#include "probe/closer.h"
#include "probe/sampler.h"
#include "probe/session.h"
#include "probe/uprobes.h"

struct gw_session {
	struct gilwatch *bpf;
	struct bpf_link *seeder;
	struct bpf_link *iterator;
	struct bpf_link *scheduler[5];
	struct gw_sampler *sampler;
	struct bpf_link *newcomer; /* NULL: programs that begin are not told of */
	struct ring_buffer *newcomers;
	uint64_t newcomers_lost;
	gw_session_visit *on_newcomer;
	void *on_newcomer_data;
	size_t slots;
	size_t selected;				       /* slots from 0 on */
	struct gw_uprobes *(*uprobes)[GW_PYTHONS_PER_PROCESS]; /* by slot */
	unsigned int *closing; /* by slot: probes that are on their way out */
	struct gw_closer *closer;
	struct gw_probe_cost cost;
	struct ring_buffer *alarms;
	struct gw_process *processes; /* mapped, by slot */
	size_t processes_size;
	struct gw_gil_state *gils; /* mapped */
	size_t gils_size;
	int probes;   /* some process may get probes */
	int multi;    /* probes by multi link */
	int sleeping; /* the seeding iterator may read the threads' memory */
	uint64_t epoch_ns, start_ns, stop_ns;
	const struct gw_host *host;
};

/* Tells the loaded programs the places of the CPUs, and which slots are free for children. */
int gw_session_fill(struct gw_session *session, const struct gw_session_options *options,
		    struct gw_error *err);

/* Makes alarms readable. 0 or a negative errno with err set. */
int gw_session_hear_alarms(struct gw_session *session, struct gw_error *err);

/* Takes all probes away, in the background. */
void gw_session_release_probes(struct gw_session *session);

/* Changes the engine of a process, and counts its time under probes. */
void gw_session_set_engine(struct gw_session *session, uint32_t slot, uint32_t engine);

/* Puts a selected process into the filter; the watch of it begins at since_ns. 0 or -errno. */
int gw_session_watch(struct gw_session *session, uint32_t slot, uint64_t since_ns,
		     struct gw_error *err);

/* Makes programs that begin readable. 0 or -errno with err set. */
int gw_session_listen(struct gw_session *session, struct gw_error *err);

/* Seeds the threads of all processes that have been put into it. 0 or -errno with err set. */
int gw_session_seed(struct gw_session *session, struct gw_error *err);

/* Walks all threads with an iterator, whose output is thrown away. */
int gw_session_walk(const struct bpf_link *iterator, struct gw_error *err);

#endif
