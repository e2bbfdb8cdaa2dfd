// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The start of a watch that lasts: whom it begins with. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>

#include "target/proc.h"
#include "target/sandbox.h"
#include "util/clock.h"
#include "watch/standing_parts.h"

#define MS 1000000ULL
/* Reading the files of those that are there at the start; what takes longer is read later. */
#define START_NS  (5000 * MS)
#define SLOTS_MIN 256
#define SLOTS_MAX 16384

static int no_memory(struct gw_error *err)
{
	return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
}

int gw_standing_is_selected(const struct gw_standing *s, pid_t pid)
{
	for (size_t i = 0; i < s->pid_count; i++)
		if (s->pid[i] == pid)
			return 1;
	return 0;
}

void gw_standing_note_refusal(const struct gw_watched *watched, const struct gw_error *why,
			      void *data)
{
	struct gw_standing *s = data;

	if (watched->kind == GW_WATCHED_OTHER)
		return;
	if (!kill(watched->pid, 0) || errno != ESRCH)
		s->refused_by[why->status % 8]++;
	else if (watched->kind == GW_WATCHED_REFUSED)
		s->ended_early++;
}

/* From now on a file that takes long keeps nobody. */
static int read_behind(struct gw_standing *s, struct gw_error *err)
{
	if (s->reads_behind)
		return 0;
	s->reads_behind = 1;
	return gw_files_read_behind(s->watch.files) ? no_memory(err) : 0;
}

struct selecting {
	struct gw_standing *standing;
	uint64_t late_ns;
	struct gw_error *err;
};

static int select_next(pid_t pid, void *data)
{
	const struct selecting *selecting = data;
	struct gw_standing *s = selecting->standing;
	int code = 0;

	if (gw_clock_now_ns() > selecting->late_ns)
		code = read_behind(s, selecting->err);
	if (!code && !gw_standing_is_selected(s, pid) &&
	    s->watch.list.count < s->watch.slots - s->watch.slots / 8 &&
	    gw_scanner_look(s->scanner, &s->filter, pid) > 0)
		code = gw_watch_select(&s->watch, pid, selecting->err);
	return code;
}

static int select_all(struct gw_standing *s, struct gw_error *err)
{
	struct selecting selecting = {
		.standing = s,
		.late_ns = gw_clock_now_ns() + START_NS,
		.err = err,
	};
	int code = gw_proc_each(select_next, &selecting);

	return code ? gw_error_set(err, code, GW_STATUS_FAILURE, "/proc cannot be read") : 0;
}

static int select_given(struct gw_standing *s, struct gw_error *err)
{
	int code = 0;

	for (size_t i = 0; !code && i < s->pid_count; i++) {
		struct gw_watched *watched;

		code = gw_watch_select(&s->watch, s->pid[i], err);
		watched = gw_watched_find(&s->watch.list, s->pid[i]);
		if (!code && watched->kind == GW_WATCHED_REFUSED) {
			*err = watched->error;
			return -ESRCH;
		}
	}
	return code;
}

static int excludes(const struct gw_watched *child, void *data)
{
	const struct gw_standing *s = data;

	return !gw_standing_is_selected(s, child->pid) && child->target &&
	       gw_scan_excludes(&s->filter, child->pid, child->target->proc.comm);
}

/* Slots take 6.5 KiB each in the kernel, whether they are used or not. */
static size_t room_for(size_t count)
{
	size_t room = 2 * count;

	return room < SLOTS_MIN ? SLOTS_MIN : room > SLOTS_MAX ? SLOTS_MAX : room;
}

/* Of those that were there. */
static void note_refusals(struct gw_standing *s)
{
	for (size_t i = 0; i < s->watch.list.count; i++) {
		const struct gw_watched *watched = s->watch.list.watched[i];

		if (watched->kind == GW_WATCHED_REFUSED)
			gw_standing_note_refusal(watched, &watched->error, s);
		else if (watched->no_probes.text[0])
			gw_standing_note_refusal(watched, &watched->no_probes, s);
	}
}

int gw_standing_start(struct gw_standing *s, struct gw_error *err)
{
	size_t given;
	int code = gw_sandbox_check(err);

	/* Without, no file could be read, and no Python be found: not in any process. */
	if (code)
		return code;
	s->watch.files = gw_file_cache_new();
	s->scanner = gw_scanner_new(s->watch.files);
	if (!s->scanner || !s->watch.files)
		return no_memory(err);
	given = s->watch.slots;
	if (!given)
		s->watch.slots = SLOTS_MAX;
	s->watch.excludes = excludes;
	s->watch.excludes_data = s;
	s->watch.on_refusal = gw_standing_note_refusal;
	s->watch.on_refusal_data = s;
	code = select_given(s, err);
	if (!code && s->all)
		code = select_all(s, err);
	if (!given)
		s->watch.slots = room_for(s->watch.list.count);
	if (!code)
		code = read_behind(s, err);
	if (!code)
		code = gw_watch_start(&s->watch, err);
	if (!code)
		note_refusals(s);
	return code;
}
