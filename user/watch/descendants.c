// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/descendants.h"

#include <errno.h>
#include <stdlib.h>

#include "target/proc.h"

struct list {
	struct gw_descendant *process;
	size_t count, room;
};

static int append(struct list *list, pid_t pid, pid_t parent)
{
	if (list->count == list->room) {
		size_t room = list->room ? 2 * list->room : 256;
		struct gw_descendant *more = realloc(list->process, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		list->process = more;
		list->room = room;
	}
	list->process[list->count++] = (struct gw_descendant){.pid = pid, .parent = parent};
	return 0;
}

static int append_process(pid_t pid, void *data)
{
	return append(data, pid, gw_proc_parent(pid));
}

static int append_children(const struct list *all, pid_t parent, struct list *found)
{
	int code = 0;

	for (size_t i = 0; !code && i < all->count; i++)
		if (all->process[i].parent == parent)
			code = append(found, all->process[i].pid, parent);
	return code;
}

int gw_descendants(const pid_t *root, size_t roots, struct gw_descendant **found, size_t *count)
{
	struct list all = {0}, list = {0};
	int code = gw_proc_each(append_process, &all);

	for (size_t i = 0; !code && i < roots; i++)
		code = append_children(&all, root[i], &list);
	/* A process that gets another parent while it is looked at could close a circle. */
	for (size_t i = 0; !code && i < list.count && list.count <= all.count; i++)
		code = append_children(&all, list.process[i].pid, &list);
	free(all.process);
	if (code) {
		free(list.process);
		return code;
	}
	*found = list.process;
	*count = list.count;
	return 0;
}
