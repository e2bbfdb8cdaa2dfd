/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A watch: the BPF programs and their maps, from loading to the last reading. The stages come in
 * this order: new, load, select (describe, probe), attach, activate, (changes, readings), stop,
 * read, free. Nothing counts before everything is attached: activate sets that off.
 */
#ifndef GW_SESSION_H
#define GW_SESSION_H

#include <stdint.h>
#include <sys/types.h>

#include "gilwatch/abi.h"
#include "model/raw.h"
#include "probe/calibrate.h"
#include "target/host.h"
#include "target/python.h"
#include "target/sites.h"
#include "util/error.h"

struct gw_session;

struct gw_session_options {
	size_t selected; /* processes that will be selected */
	size_t followed; /* room for children and other programs; 0: they are not followed */
	int childless;	 /* programs that processes become are followed, but no children */
	int probes;	 /* some process may get probes */
	int newcomers;	 /* programs that begin anywhere are told of */
	int news;	 /* the alarm tells of watched processes that begin and end */
	int keep_ended;	 /* a thread's record is kept after its end, of a few hundred a process */
	int pairless;	 /* nobody asks who made whom wait, which is not kept then */
};

/* From now on libbpf does not print what it and the kernel have to say. */
void gw_session_be_quiet(void);

/* All functions that return an int return 0 or a negative errno with err set. */
int gw_session_new(const struct gw_host *host, struct gw_session **session, struct gw_error *err);
int gw_session_load(struct gw_session *session, const struct gw_session_options *options,
		    struct gw_error *err);

/*
 * Finds out what probes cost, if some may come. Apart from loading, which may go on beside
 * something else: here nothing of ours should.
 */
void gw_session_calibrate(struct gw_session *session);

/*
 * Selects a process, to be watched from activate on, or after that from now on; without GIL facts,
 * which describe gives. Its slot is how the session calls it. -ENOSPC: there is no room for
 * another.
 */
int gw_session_select(struct gw_session *session, pid_t pid, uint32_t *slot, struct gw_error *err);

/*
 * Of a process with two Pythons both are described, the first one first.
 *
 * Says where the GILs of a process are, which goes on with the sched engine from now on, or with
 * none if its GIL is off; also while it is counting. After a second call for the same process: GILs
 * that have come, and one that is on by now.
 */
int gw_session_describe(struct gw_session *session, uint32_t slot, const struct gw_python *python,
			struct gw_error *err);

/* What is to be probed in one of a process's Pythons. */
struct gw_session_part {
	const struct gw_python *python;
	const struct gw_sites *sites;
	const char *path; /* by which the kernel finds the file with the sites */
};

enum gw_probing {
	GW_PROBING_STAY,   /* until they are dropped */
	GW_PROBING_WINDOW, /* for a moment: time on a CPU is left to the sampler meanwhile */
};

/*
 * Gives the place of a GIL that has gone to one that has come, of the Python given. What was
 * measured of the first is added to the process's ended_gils.
 */
void gw_session_replace_gil(struct gw_session *session, uint32_t slot, uint64_t gone,
			    const struct gw_python *python, uint64_t come);

/* Counts GILs of a process for which there is no place, as a loss. */
void gw_session_lose_gils(struct gw_session *session, uint32_t slot, size_t count);

/*
 * Attaches probes to the sites of all Pythons of a process that has been described; from now on it
 * is measured by them. -EBUSY (windows only): its last ones are not gone yet.
 */
int gw_session_probe(struct gw_session *session, uint32_t slot, enum gw_probing probing,
		     const struct gw_session_part *part, size_t parts, struct gw_error *err);

/* The probes of a window stay. */
void gw_session_keep_probes(struct gw_session *session, uint32_t slot);

/*
 * Takes the probes of a process away, in the background; it goes on with the sched engine from now
 * on.
 */
void gw_session_drop_probes(struct gw_session *session, uint32_t slot);

/* Whether probes come and go quickly enough for windows. */
int gw_session_windows(const struct gw_session *session);

/* What probes cost here, by gw_session_calibrate(). */
const struct gw_probe_cost *gw_session_cost(const struct gw_session *session);

/* Time under probes of a process so far. */
uint64_t gw_session_exact_ns(const struct gw_session *session, uint32_t slot);

/*
 * At that number of hits of a process the alarm becomes readable, once, as the resting sampler
 * finds it at work, and where there is news: a descriptor for poll. Silence makes it ready for the
 * next one.
 */
void gw_session_set_alarm(struct gw_session *session, uint32_t slot, uint64_t hits);
int gw_session_alarm(const struct gw_session *session);
int gw_session_alarmed(const struct gw_session *session);
void gw_session_silence(struct gw_session *session);

/*
 * Whether a process that is watched has begun, ended or become another program. Once it is taken,
 * before the processes are looked at, the next one is told of.
 */
int gw_session_has_news(const struct gw_session *session);
void gw_session_take_news(struct gw_session *session);

int gw_session_attach(struct gw_session *session, struct gw_error *err);

/*
 * Slows the sampler's clock down where nobody who is watched has run for a while; to be called
 * now and then, and after an alarm, which comes as somebody does run.
 */
void gw_session_pace_sampler(struct gw_session *session);

/*
 * Begins to count, and seeds the threads that are there: at once, or at a time of CLOCK_MONOTONIC
 * (nanoseconds; 0 is past).
 */
int gw_session_activate(struct gw_session *session, uint64_t not_before_ns, struct gw_error *err);

/*
 * Finds out what the threads of a described process hold that are off the CPU, by a look at its
 * GILs. A process that cannot be read goes on as unknown, and that is shown.
 */
int gw_session_settle(struct gw_session *session, uint32_t slot,
		      const struct gw_python *const *python, size_t pythons, struct gw_error *err);

/* How many slots there are; those of no process have origin GW_ORIGIN_NONE. */
size_t gw_session_slots(const struct gw_session *session);

/* The live record of a process; shared with the kernel: read it as volatile. */
const volatile struct gw_process *gw_session_process(const struct gw_session *session,
						     uint32_t slot);

/* The live record of a process's first GIL. */
const volatile struct gw_gil_state *gw_session_gil(const struct gw_session *session, uint32_t slot);

/*
 * Whether a process has a slot and goes on, by the kernel's own list: a child that it follows may
 * have one that nobody has looked at yet.
 */
int gw_session_watches(const struct gw_session *session, pid_t pid);

/* Notes that a process has exited: nothing is counted for it any more. */
void gw_session_mark_exited(struct gw_session *session, uint32_t slot);

/* Takes back what describe said: the process has become another program. */
void gw_session_forget(struct gw_session *session, uint32_t slot);

/* Gives the slot of a process that has ended, and is in what was read, to children to come. */
void gw_session_release(struct gw_session *session, uint32_t slot, const struct gw_raw *raw);

/*
 * Ends the watch of a process that goes on: what was measured stays until its slot is released, and
 * its threads are unknown from now on. 0 or a negative errno with err set.
 */
int gw_session_abandon(struct gw_session *session, uint32_t slot, struct gw_error *err);

/*
 * Calls visit for each process that has become another program since the last call. Returns how
 * many could not be told of: then any process may be new. Costs no system call.
 */
typedef void gw_session_visit(const struct gw_newcomer_event *newcomer, void *data);
uint64_t gw_session_newcomers(struct gw_session *session, gw_session_visit *visit, void *data);

/* Becomes readable when there are some; -1: they are not told of. */
int gw_session_newcomers_fd(const struct gw_session *session);

/* Entries that are in use in the maps of processes, and for how many there is room. */
enum gw_session_map {
	GW_SESSION_PROCESSES,
	GW_SESSION_CPU_TIMES,
};
size_t gw_session_map_room(const struct gw_session *session, enum gw_session_map map);

/* Now, on the session's clock (nanoseconds since its epoch), and the epoch on CLOCK_MONOTONIC. */
uint64_t gw_session_now_ns(const struct gw_session *session);
uint64_t gw_session_epoch_ns(const struct gw_session *session);

/* When counting began, on the session's clock. */
uint64_t gw_session_start_ns(const struct gw_session *session);

/* Stops counting; everything that is open ends at the time returned. */
uint64_t gw_session_stop(struct gw_session *session);

/*
 * Copies everything out. raw is zeroed or of an earlier reading, whose memory is used again;
 * gw_raw_clear frees it, also after an error.
 */
int gw_session_read(struct gw_session *session, struct gw_raw *raw, struct gw_error *err);

/* What was read last has been shown: what gw_gil_state.most_lately tells begins anew. */
void gw_session_forget_lately(struct gw_session *session);

/* Detaches and frees all; accepts NULL. */
void gw_session_free(struct gw_session *session);

#endif
