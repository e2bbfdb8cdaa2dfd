/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looks at a watch, one after the other, and what passed between the last two: what the live view
 * and the rows show.
 */
#ifndef GW_CMD_LOOKS_H
#define GW_CMD_LOOKS_H

#include "model/snapshot.h"
#include "verdict/steady.h"
#include "watch/watch.h"

struct gw_look; /* a snapshot that several may keep */

/* The headline of a process, from look to look. */
struct gw_headline {
	uint32_t pid;
	int64_t began_ns;
	struct gw_steady steady;
};

struct gw_looks {
	char started[40];	    /* as of the watch, set by the caller */
	uint64_t seq;		    /* looks taken, the start not counted */
	struct gw_look *now, *last; /* NULL: none yet */
	struct gw_look *judged;	    /* what the verdicts' window begins with */
	struct gw_look *marked;	    /* a beginning of the user's own; NULL: the start */
	struct gw_snapshot between; /* from last to now, with verdicts, the headline first */
	struct gw_headline *headline;
	size_t headlines;
	/* over several processes, of the last judgement */
	struct gw_verdict family[GW_VERDICTS_MAX];
	size_t family_count;
};

/*
 * Takes a look. ended is as in gw_watch_look; finish stops counting: it is the last look. 0 or a
 * negative errno with err set.
 */
int gw_looks_take(struct gw_looks *looks, struct gw_watch *watch, enum gw_ended ended, int finish,
		  struct gw_error *err);

/* Everything from the start to the last look, with verdicts, the busiest threads first. */
const struct gw_snapshot *gw_looks_since_start(struct gw_looks *looks);

/* How long that is. */
int64_t gw_looks_watched_ns(const struct gw_looks *looks);

/* Marks the last look as a beginning (or with forget, the start again). */
void gw_looks_mark(struct gw_looks *looks, int forget);

/* Fills a zeroed snapshot with what passed since the mark. 0 or -ENOMEM. */
int gw_looks_since_mark(const struct gw_looks *looks, struct gw_snapshot *snapshot);

void gw_looks_free(struct gw_looks *looks);

#endif
