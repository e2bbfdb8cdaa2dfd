/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * A watch: the BPF programs and their maps, from loading to the last reading. The stages come in
 * this order: new, load, attach, activate, (engine changes, readings), stop, read, free. Nothing
 * counts before everything is attached: activate sets that off.
 */
#ifndef GW_SESSION_H
#define GW_SESSION_H

#include <stdint.h>
#include <sys/types.h>

#include "gilwatch/abi.h"
#include "model/raw.h"
#include "target/host.h"
#include "target/python.h"
#include "target/sites.h"
#include "util/error.h"

/* A process to watch. What it points to must live as long as the session. */
struct gw_session_target {
	pid_t pid;
	const struct gw_python *python; /* NULL: no GIL facts to be had */
	const struct gw_sites *sites;	/* NULL: no probes */
	const char *runtime_path;	/* by which the kernel finds the file with the sites */
	enum gw_engine engine;		/* to begin with */
};

struct gw_session;

/* From now on libbpf does not print what it and the kernel have to say. */
void gw_session_be_quiet(void);

/* All functions return 0 or a negative errno with err set. */
int gw_session_new(const struct gw_host *host, struct gw_session **session, struct gw_error *err);
int gw_session_load(struct gw_session *session, const struct gw_session_target *target,
		    size_t count, struct gw_error *err);
int gw_session_attach(struct gw_session *session, struct gw_error *err);

/*
 * Begins to count, and seeds the threads that are there: at once, or at a time of CLOCK_MONOTONIC
 * (nanoseconds; 0 is past).
 */
int gw_session_activate(struct gw_session *session, uint64_t not_before_ns, struct gw_error *err);

/* The live record of a target, by its index; shared with the kernel: read it as volatile. */
const volatile struct gw_process *gw_session_process(const struct gw_session *session,
						     size_t index);

/* Takes the probes of a target away; it goes on with the sched engine. */
void gw_session_drop_probes(struct gw_session *session, size_t index);

/* Notes that a target has exited: nothing is counted for it any more. */
void gw_session_mark_exited(struct gw_session *session, size_t index);

/* Now, on the session's clock (nanoseconds since its epoch), and the epoch on CLOCK_MONOTONIC. */
uint64_t gw_session_now_ns(const struct gw_session *session);
uint64_t gw_session_epoch_ns(const struct gw_session *session);

/* When counting began, on the session's clock. */
uint64_t gw_session_start_ns(const struct gw_session *session);

/* Stops counting; everything that is open ends at the time returned. */
uint64_t gw_session_stop(struct gw_session *session);

/* Copies everything out. raw must be zeroed; gw_raw_clear frees it, also after an error. */
int gw_session_read(struct gw_session *session, struct gw_raw *raw, struct gw_error *err);

/* Detaches and frees all; accepts NULL. */
void gw_session_free(struct gw_session *session);

#endif
