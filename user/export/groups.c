// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/groups.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

static struct gw_group *find(const struct gw_groups *groups, const char *name)
{
	for (size_t i = 0; i < groups->count; i++)
		if (!strcmp(groups->group[i]->name, name))
			return groups->group[i];
	return NULL;
}

static struct gw_group *add(struct gw_groups *groups, const char *name, int64_t now_ns)
{
	struct gw_group *group = calloc(1, sizeof(*group));

	if (groups->count == groups->room) {
		size_t room = groups->room ? 2 * groups->room : 16;
		struct gw_group **more = realloc(groups->group, room * sizeof(*more));

		if (more) {
			groups->group = more;
			groups->room = room;
		}
	}
	if (!group || groups->count == groups->room) {
		free(group);
		return NULL;
	}
	gw_text_copy(group->name, sizeof(group->name), name);
	group->empty_since_ns = now_ns;
	groups->group[groups->count++] = group;
	return group;
}

/* The one that has been empty for the longest. 1: there is room now. */
static int drop_one(struct gw_groups *groups, int64_t now_ns)
{
	size_t oldest = groups->count;

	for (size_t i = 0; i < groups->count; i++) {
		const struct gw_group *group = groups->group[i];

		if (group->live || now_ns - group->empty_since_ns < GW_GROUP_EMPTY_NS)
			continue;
		if (oldest == groups->count ||
		    group->empty_since_ns < groups->group[oldest]->empty_since_ns)
			oldest = i;
	}
	if (oldest == groups->count)
		return 0;
	gw_totals_add(&groups->dropped, &groups->group[oldest]->now);
	free(groups->group[oldest]);
	groups->count--;
	memmove(&groups->group[oldest], &groups->group[oldest + 1],
		(groups->count - oldest) * sizeof(*groups->group));
	return 1;
}

struct gw_group *gw_groups_get(struct gw_groups *groups, const char *name, int64_t now_ns)
{
	struct gw_group *group = find(groups, name);

	if (group)
		return group;
	if (groups->count < groups->max || drop_one(groups, now_ns))
		return add(groups, name, now_ns);
	groups->refused++;
	group = find(groups, GW_GROUP_OTHER);
	return group ? group : add(groups, GW_GROUP_OTHER, now_ns);
}

/* What was once judged, or had an interpreter, has series for ever. */
static void begin_levels(struct gw_levels *levels)
{
	levels->processes = 0;
	levels->threads = 0;
	levels->cpus_usable = 0;
	memset(levels->has_interpreter, 0, sizeof(levels->has_interpreter));
	memset(levels->switch_interval_ns, 0, sizeof(levels->switch_interval_ns));
	memset(levels->gil_enabled, 0, sizeof(levels->gil_enabled));
}

void gw_groups_begin(struct gw_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		groups->group[i]->next = groups->group[i]->dead;
		begin_levels(&groups->group[i]->levels);
	}
}

void gw_groups_end(struct gw_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++) {
		struct gw_group *group = groups->group[i];

		group->next.throttled_ns = group->throttled_ns;
		gw_totals_ratchet(&group->now, &group->next);
		group->now = group->next;
	}
}

void gw_groups_sum(const struct gw_groups *groups, struct gw_totals *sum)
{
	*sum = groups->dropped;
	for (size_t i = 0; i < groups->count; i++)
		gw_totals_add(sum, &groups->group[i]->now);
}

void gw_groups_free(struct gw_groups *groups)
{
	for (size_t i = 0; i < groups->count; i++)
		free(groups->group[i]);
	free(groups->group);
	memset(groups, 0, sizeof(*groups));
}
