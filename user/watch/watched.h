/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* A process under watch: what the user side knows of it. */
#ifndef GW_WATCHED_H
#define GW_WATCHED_H

#include "model/snapshot.h"
#include "probe/session.h"
#include "target/cgroup.h"
#include "target/target.h"
#include "watch/gils.h"
#include "watch/intervals.h"
#include "watch/names.h"
#include "watch/pace.h"

/* Whether the instructions to probe are looked for. */
enum gw_sites_need {
	GW_SITES_UNWANTED,
	GW_SITES_WANTED, /* it goes without them, too */
	GW_SITES_NEEDED,
};

/* So many changes of the engine are kept, the first and the last ones. */
#define GW_CHANGES_MAX 32

enum gw_watched_kind {
	GW_WATCHED_NEW,	    /* not looked at, or its Python is not initialised yet */
	GW_WATCHED_PYTHON,  /* with GIL facts, or with a GIL that is off */
	GW_WATCHED_OPAQUE,  /* a Python that cannot be looked into: scheduler states only */
	GW_WATCHED_OTHER,   /* no Python */
	GW_WATCHED_REFUSED, /* not watched at all */
};

/* Where a process belongs on its host. */
struct gw_watched_place {
	char cgroup[512];
	struct gw_container container;
	int64_t start_time_ns; /* since 1970 */
};

struct gw_watched {
	pid_t pid;
	int selected;	  /* asked for: by its PID, or as the command of a run */
	int launcher;	  /* what becomes the command of a run, and is nothing itself */
	int grown;	  /* old enough for probes */
	int sites_unread; /* the instructions to probe are being looked for */
	int unwanted;	  /* let go as soon as it was known what it is */
	enum gw_watched_kind kind;
	struct gw_error error;		 /* of a refused one: why; of an opaque one: what it is */
	struct gw_error no_probes;	 /* why it has none, that could have been wanted */
	uint32_t slot;			 /* in the session; GW_NO_SLOT: in none (any more) */
	const struct gw_watched *parent; /* NULL: none that is watched */
	struct gw_target *target;	 /* NULL until it has been looked at */
	struct gw_known_gils gils;
	struct gw_names names;	       /* of its threads */
	struct gw_intervals intervals; /* of the first GIL */
	uint64_t found_ns;  /* when its Python was found, on the session's clock; 0: at the start */
	uint64_t gil_on_ns; /* when its GIL was found switched on; 0: it was not meanwhile */
	struct gw_engine_change *change;
	size_t change_count, change_rest; /* those that are not kept */
	int is_copy;	       /* of its parent, by fork, unless it has become another program */
	uint32_t parent_execs; /* its parent's execs_seen, when it was forked */
	uint64_t known_at_ns;  /* when its Python was found, of one that came; session's clock */
	uint32_t execs_seen;
	unsigned int looks;		/* that found a Python not initialised yet */
	struct gw_pace pace;		/* valid if */
	int paced;			/* its probes are kept within the budget */
	uint64_t asking_ns;		/* how long its on-CPU time took to ask for, last */
	struct gw_process_view *view;	/* of one that has ended and left its slot */
	struct gw_file_cache *files;	/* the watch's; may be NULL */
	struct gw_watched_place *place; /* NULL: not read yet */
	struct gw_cpu_limits limits;	/* as read last … */
	uint64_t limits_ns;		/* … and when, on the session's clock; 0: never */
};

struct gw_watched_list {
	struct gw_watched **watched; /* in the order in which they came */
	size_t count, room;
};

/* NULL: out of memory. */
struct gw_watched *gw_watched_add(struct gw_watched_list *list, pid_t pid, int selected);
struct gw_watched *gw_watched_find(const struct gw_watched_list *list, pid_t pid);
void gw_watched_list_free(struct gw_watched_list *list);

/* Takes one out of the list, and frees it. */
void gw_watched_remove(struct gw_watched_list *list, struct gw_watched *watched);

/* Attaches probes to all of its Pythons; as gw_session_probe(). */
int gw_watched_probe(struct gw_session *session, const struct gw_watched *watched,
		     enum gw_probing probing, struct gw_error *err);

/* Notes that the engine changed, at_ns after the start of the watch. 0 or -ENOMEM. */
int gw_watched_changed(struct gw_watched *watched, int64_t at_ns, const char *from, const char *to,
		       const char *reason);

#endif
