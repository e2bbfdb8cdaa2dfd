// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/standing.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/proc.h"
#include "target/proc_parse.h"
#include "util/clock.h"
#include "watch/budget.h"
#include "watch/collect.h"
#include "watch/followed.h"
#include "watch/standing_parts.h"

#define MS 1000000ULL
/* From round to round, while nothing is about to happen that needs the watch's own pace. */
#define CALM_NS (200 * MS)
/* A Python that no event told of: loaded late, or forked where there was no room. */
#define SCAN_EVERY_NS (60000 * MS)

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

/* ---- who is watched ---- */

static int is_watched(const struct gw_standing *s, pid_t pid)
{
	return gw_session_watches(s->watch.session, pid);
}

/* One that cannot be watched stays in the list, so that it is not tried again and again. */
static int is_refused(const struct gw_standing *s, pid_t pid)
{
	const struct gw_watched *known = gw_watched_find(&s->watch.list, pid);

	return known && (known->slot == GW_NO_SLOT || known->kind == GW_WATCHED_REFUSED);
}

static void forget_refused(struct gw_standing *s, pid_t pid)
{
	struct gw_watched *known = gw_watched_find(&s->watch.list, pid);

	if (known && known->slot == GW_NO_SLOT)
		gw_watched_remove(&s->watch.list, known);
	else if (known && known->kind == GW_WATCHED_REFUSED)
		known->kind = GW_WATCHED_OTHER; /* it goes when it leaves its slot */
}

/*
 * Children that it made before it was watched. A kernel without that file (CONFIG_PROC_CHILDREN)
 * leaves them to the next look at all processes.
 */
static void note_children(struct gw_standing *s, pid_t pid)
{
	char path[64], text[4096], *rest, *word;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	if (gw_read_text(path, text, sizeof(text)) <= 0)
		return;
	for (word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		pid_t child = (pid_t)strtol(word, NULL, 10);

		if (child > 0 && !is_watched(s, child) && !is_refused(s, child))
			gw_newcomers_add(&s->newcomers, child, "",
					 gw_session_now_ns(s->watch.session));
	}
}

static int take_in(struct gw_standing *s, pid_t pid, struct gw_error *err)
{
	struct gw_error refused = {0};
	struct gw_watched *watched;
	int code = gw_watch_add(&s->watch, pid, &refused);

	if (code && code != -ENOSPC) {
		*err = refused;
		return code;
	}
	watched = gw_watched_find(&s->watch.list, pid);
	if (code) {
		s->no_slot++;
		watched->error = refused;
	} else if (watched->unwanted) {
		gw_standing_note_refusal(watched, &watched->error, s);
	} else {
		note_children(s, pid);
	}
	return 0;
}

/* Looks at one process that is not watched. */
static int look_at(struct gw_standing *s, pid_t pid, struct gw_error *err)
{
	int found;

	if (is_watched(s, pid)) {
		s->hurried = 1;
		gw_newcomers_remove(&s->newcomers, pid);
		return 0;
	}
	if (is_refused(s, pid))
		return 0;
	found = gw_scanner_look(s->scanner, &s->filter, pid);
	if (found == -ENOMEM)
		return no_memory(err);
	if (found == -EAGAIN)
		gw_newcomers_wait(&s->newcomers, pid, gw_session_now_ns(s->watch.session));
	if (found <= 0) {
		if (found == -ESRCH)
			gw_newcomers_remove(&s->newcomers, pid);
		return 0;
	}
	gw_newcomers_remove(&s->newcomers, pid);
	return take_in(s, pid, err);
}

static void note_newcomer(const struct gw_newcomer_event *event, void *data)
{
	struct gw_standing *s = data;
	char comm[sizeof(event->comm) + 1];

	snprintf(comm, sizeof(comm), "%.*s", (int)sizeof(event->comm), event->comm);
	/* It is another program now: what was said of the one before does not count. */
	forget_refused(s, (pid_t)event->pid);
	gw_newcomers_add(&s->newcomers, (pid_t)event->pid, comm,
			 gw_session_now_ns(s->watch.session));
}

/* What ended before it was looked at is known by its name alone. */
static void note_if_missed(struct gw_standing *s, const struct gw_newcomer *newcomer)
{
	if (newcomer->looks == 1 && !strncmp(newcomer->comm, "python", 6) &&
	    kill(newcomer->pid, 0) && errno == ESRCH &&
	    !gw_watched_find(&s->watch.list, newcomer->pid))
		s->ended_early++;
}

static int look_at_newcomers(struct gw_standing *s, struct gw_error *err)
{
	uint64_t dropped = s->newcomers.dropped;
	struct gw_newcomer newcomer;
	int code = 0;

	/* Where some were lost, any process may be one. */
	if (gw_session_newcomers(s->watch.session, note_newcomer, s) ||
	    s->newcomers.dropped != dropped)
		s->scan_due_ns = 0;
	while (!code &&
	       gw_newcomers_next(&s->newcomers, gw_session_now_ns(s->watch.session), &newcomer)) {
		note_if_missed(s, &newcomer);
		code = look_at(s, newcomer.pid, err);
	}
	return code;
}

/* Those that could not be watched and have ended. */
static void forget_ended(struct gw_standing *s)
{
	size_t i = 0;

	while (i < s->watch.list.count) {
		struct gw_watched *watched = s->watch.list.watched[i];

		if (watched->slot == GW_NO_SLOT && kill(watched->pid, 0) && errno == ESRCH)
			gw_watched_remove(&s->watch.list, watched);
		else
			i++;
	}
}

struct looking {
	struct gw_standing *standing;
	struct gw_error *err;
};

static int look_at_next(pid_t pid, void *data)
{
	const struct looking *looking = data;

	return look_at(looking->standing, pid, looking->err);
}

static int look_at_all(struct gw_standing *s, struct gw_error *err)
{
	struct looking looking = {.standing = s, .err = err};
	int code = gw_proc_each(look_at_next, &looking);

	if (code)
		return gw_error_set(err, code, GW_STATUS_FAILURE, "/proc cannot be read");
	forget_ended(s);
	s->scan_due_ns = gw_session_now_ns(s->watch.session) + SCAN_EVERY_NS;
	return 0;
}

/* ---- while it goes on ---- */

/* Whether something is about to happen that only frequent looks show. */
static int is_busy(const struct gw_standing *s)
{
	const struct gw_watched_list *list = &s->watch.list;

	if (s->hurried)
		return 1;
	for (size_t i = 0; i < list->count; i++) {
		const struct gw_watched *watched = list->watched[i];

		if (watched->slot != GW_NO_SLOT && watched->kind == GW_WATCHED_NEW)
			return 1;
	}
	return 0;
}

/* Nanoseconds until the watch's own next round. */
static uint64_t watch_due_ns(const struct gw_standing *s)
{
	uint64_t now_ns = gw_session_now_ns(s->watch.session), due_ns, budget_ns;

	if (is_busy(s))
		return gw_watch_due_ns(&s->watch);
	if (gw_session_alarmed(s->watch.session))
		return 0;
	due_ns = s->watch_ticked_ns + CALM_NS;
	budget_ns = gw_budget_due_ns(&s->watch);
	if (budget_ns < due_ns)
		due_ns = budget_ns;
	return due_ns > now_ns ? due_ns - now_ns : 0;
}

int gw_standing_tick(struct gw_standing *s, struct gw_error *err)
{
	size_t ticks;
	int code = 0;

	if (s->all)
		code = look_at_newcomers(s, err);
	/* Those that began between the first look at all and the first event, the first time. */
	if (!code && s->all && gw_session_now_ns(s->watch.session) >= s->scan_due_ns)
		code = look_at_all(s, err);
	if (code || watch_due_ns(s))
		return code;
	s->watch_ticked_ns = gw_session_now_ns(s->watch.session);
	ticks = s->watch.ticks;
	code = gw_watch_tick(&s->watch, err);
	if (s->watch.ticks != ticks)
		s->hurried = 0;
	return code;
}

uint64_t gw_standing_due_ns(const struct gw_standing *s)
{
	uint64_t now_ns = gw_session_now_ns(s->watch.session);
	uint64_t newcomer_ns = gw_newcomers_due_ns(&s->newcomers);
	uint64_t due_ns = watch_due_ns(s);

	if (newcomer_ns <= now_ns)
		return 0;
	return newcomer_ns - now_ns < due_ns ? newcomer_ns - now_ns : due_ns;
}

int gw_standing_look(struct gw_standing *s, struct gw_snapshot *snapshot, struct gw_error *err)
{
	struct gw_raw raw = {0};
	int code = gw_followed_tick(&s->watch, err);

	if (!code)
		code = gw_session_read(s->watch.session, &raw, err);
	if (!code)
		code = gw_followed_release(&s->watch, &raw, err);
	if (!code)
		code = gw_watch_collect(&s->watch, &raw, GW_ENDED_DURATION, snapshot, err);
	if (!code)
		gw_snapshot_sort(snapshot);
	s->cpu_times = raw.cpu_count;
	gw_raw_clear(&raw);
	return code;
}

static int fits(struct gw_standing *s, struct gw_watched *watched)
{
	int found;

	if (gw_standing_is_selected(s, watched->pid))
		return 1;
	if (!s->all)
		return 0;
	found = gw_scanner_look(s->scanner, &s->filter, watched->pid);
	return found > 0 || found == -EAGAIN; /* a Python all the same */
}

int gw_standing_reselect(struct gw_standing *s, struct gw_error *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < s->watch.list.count; i++) {
		struct gw_watched *watched = s->watch.list.watched[i];

		/* The children of those that fit are watched for their sake. */
		if (watched->slot != GW_NO_SLOT && watched->selected &&
		    is_watched(s, watched->pid) && !fits(s, watched))
			code = gw_session_abandon(s->watch.session, watched->slot, err);
	}
	s->scan_due_ns = 0;
	return code;
}

size_t gw_standing_count(const struct gw_standing *s, enum gw_watched_kind kind)
{
	size_t count = 0;

	for (size_t i = 0; i < s->watch.list.count; i++)
		count += s->watch.list.watched[i]->kind == kind;
	return count;
}

void gw_standing_free(struct gw_standing *s)
{
	gw_watch_free(&s->watch);
	gw_scanner_free(s->scanner);
	gw_newcomers_free(&s->newcomers);
}
