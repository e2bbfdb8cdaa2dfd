// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/watched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct gw_watched *gw_watched_add(struct gw_watched_list *list, pid_t pid, int selected)
{
	struct gw_watched *watched = calloc(1, sizeof(*watched));

	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 16;
		struct gw_watched **more = realloc(list->watched, room * sizeof(*more));

		if (more) {
			list->watched = more;
			list->room = room;
		}
	}
	if (!watched || list->count == list->room) {
		free(watched);
		return NULL;
	}
	watched->pid = pid;
	watched->selected = selected;
	watched->slot = GW_NO_SLOT;
	list->watched[list->count++] = watched;
	return watched;
}

/* The youngest of that PID. */
struct gw_watched *gw_watched_find(const struct gw_watched_list *list, pid_t pid)
{
	for (size_t i = list->count; i > 0; i--)
		if (list->watched[i - 1]->pid == pid)
			return list->watched[i - 1];
	return NULL;
}

static void watched_free(struct gw_watched *watched)
{
	free(watched->target);
	free(watched->change);
	gw_names_free(&watched->names);
	if (watched->view)
		gw_process_view_clear(watched->view);
	free(watched->view);
	free(watched->place);
	free(watched);
}

void gw_watched_remove(struct gw_watched_list *list, struct gw_watched *watched)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		/* Its children find out by themselves what they are. */
		if (list->watched[i]->parent == watched)
			list->watched[i]->parent = NULL;
		if (list->watched[i] != watched)
			list->watched[kept++] = list->watched[i];
	}
	list->count = kept;
	watched_free(watched);
}

void gw_watched_list_free(struct gw_watched_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		watched_free(list->watched[i]);
	free(list->watched);
}

/* Room for one more change: where there are many, one in the middle goes. */
static struct gw_engine_change *append_change(struct gw_watched *watched)
{
	struct gw_engine_change *change;
	size_t half = GW_CHANGES_MAX / 2;

	if (watched->change_count == GW_CHANGES_MAX) {
		memmove(watched->change + half, watched->change + half + 1,
			(half - 1) * sizeof(*change));
		watched->change_rest++;
		return &watched->change[GW_CHANGES_MAX - 1];
	}
	change = realloc(watched->change, (watched->change_count + 1) * sizeof(*change));
	if (!change)
		return NULL;
	watched->change = change;
	return &watched->change[watched->change_count++];
}

int gw_watched_changed(struct gw_watched *watched, int64_t at_ns, const char *from, const char *to,
		       const char *reason)
{
	struct gw_engine_change *change = append_change(watched);

	if (!change)
		return -ENOMEM;
	change->at_ns = at_ns;
	snprintf(change->from, sizeof(change->from), "%s", from);
	snprintf(change->to, sizeof(change->to), "%s", to);
	snprintf(change->reason, sizeof(change->reason), "%s", reason);
	return 0;
}

int gw_watched_probe(struct gw_session *session, const struct gw_watched *watched,
		     enum gw_probing probing, struct gw_error *err)
{
	const struct gw_target *target = watched->target;
	const struct gw_second_python *second = &target->second;
	const struct gw_session_part part[] = {
		{&target->python, &target->sites, target->runtime_path},
		{&second->python, &second->sites, second->runtime_path},
	};

	return gw_session_probe(session, watched->slot, probing, part,
				second->python.gil_count ? 2 : 1, err);
}
