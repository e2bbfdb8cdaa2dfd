/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The processes that are exported, each by itself, for as long as they have series. */
#ifndef GW_SUBJECTS_H
#define GW_SUBJECTS_H

#include "export/groups.h"
#include "model/snapshot.h"

/* A process's own series end so long after it. */
#define GW_SUBJECT_KEPT_NS (300LL * 1000000000)

struct gw_own_thread {
	uint32_t tid;
	int seen;      /* in the last look */
	char name[64]; /* as first seen: labels do not change */
	struct gw_states states;
};

struct gw_subject {
	uint32_t pid;
	int64_t began_ns; /* with the PID it tells processes apart */
	struct gw_group *group;
	uint64_t cgroup_hash;
	int64_t throttled_ns;
	int64_t throttled_more_ns; /* since the look before */
	size_t engine_changes;
	int seen;	  /* in the last look */
	int64_t ended_ns; /* on the caller's clock; 0: it has not */
	/* of its own series; NULL: it has none */
	struct gw_own *own;
};

struct gw_own {
	char python[32], build[16], cgroup[512], container_id[128];
	struct gw_totals totals;
	struct gw_levels levels;
	struct gw_own_thread *thread;
	size_t thread_count;
};

struct gw_subjects {
	struct gw_subject *subject;
	size_t count, room;
};

/* The process of a view; NULL: it has not been seen yet. */
struct gw_subject *gw_subjects_find(const struct gw_subjects *subjects,
				    const struct gw_process_view *view);

/* A new one; pointers to others are not valid any more. NULL: out of memory. */
struct gw_subject *gw_subjects_add(struct gw_subjects *subjects, const struct gw_process_view *view,
				   struct gw_group *group);

/* Brings a subject's own series up to date; without them does nothing. 0 or -ENOMEM. */
int gw_subject_update(struct gw_subject *subject, const struct gw_process_view *view,
		      const struct gw_totals *totals, int per_thread);

/* Removes those whose series are over: ended long ago, or since another one has their PID. */
void gw_subjects_expire(struct gw_subjects *subjects, int64_t now_ns);

void gw_subjects_free(struct gw_subjects *subjects);

#endif
