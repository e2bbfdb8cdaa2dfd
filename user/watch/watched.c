// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/watched.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

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

int gw_watched_changed(struct gw_watched *watched, int64_t at_ns, const char *from, const char *to,
		       const char *reason)
{
	size_t count = watched->change_count + 1;
	struct gw_engine_change *change = realloc(watched->change, count * sizeof(*change));

	if (!change)
		return -ENOMEM;
	watched->change = change;
	watched->change_count = count;
	change += count - 1;
	change->at_ns = at_ns;
	snprintf(change->from, sizeof(change->from), "%s", from);
	snprintf(change->to, sizeof(change->to), "%s", to);
	snprintf(change->reason, sizeof(change->reason), "%s", reason);
	return 0;
}
