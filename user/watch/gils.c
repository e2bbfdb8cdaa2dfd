// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/gils.h"

/* The interpreters are read while they come and go: one look may miss one that is there. */
#define GONE_AFTER 2

static struct gw_known_gil *find(struct gw_known_gils *gils, uint64_t address)
{
	for (size_t i = 0; i < gils->count; i++)
		if (gils->gil[i].address == address)
			return &gils->gil[i];
	return NULL;
}

const struct gw_known_gil *gw_gils_find(const struct gw_known_gils *gils, uint64_t address)
{
	return find((struct gw_known_gils *)gils, address);
}

struct gw_known_gil *gw_gils_gone(struct gw_known_gils *gils)
{
	for (size_t i = 0; i < gils->count; i++)
		if (gils->gil[i].missed >= GONE_AFTER)
			return &gils->gil[i];
	return NULL;
}

void gw_gils_replace(struct gw_known_gil *known, pid_t pid, const struct gw_python *python,
		     const struct gw_python_gil *gil)
{
	*known = (struct gw_known_gil){
		.address = gil->address,
		.interpreter = gil->interpreter,
		.python = python->number,
	};
	gw_python_view_gil(pid, python, gil->address, &known->first);
	known->last = known->first;
}

static void look_at(struct gw_known_gils *gils, pid_t pid, const struct gw_python *python,
		    const struct gw_python_gil *gil)
{
	struct gw_known_gil *known = find(gils, gil->address);
	struct gw_gil_view view;

	if (!known) {
		if (gils->count < GW_GILS_PER_PROCESS)
			gw_gils_replace(&gils->gil[gils->count++], pid, python, gil);
		return;
	}
	known->missed = 0;
	if (!gw_python_view_gil(pid, python, gil->address, &view))
		known->last = view;
}

void gw_gils_look(struct gw_known_gils *gils, pid_t pid, const struct gw_python *python)
{
	/* Some were left out: one that is not among the others may be there. */
	for (size_t i = 0; i < gils->count && !python->gils_left_out; i++)
		gils->gil[i].missed += gils->gil[i].python == python->number;
	for (int i = 0; i < python->gil_count; i++)
		look_at(gils, pid, python, &python->gil[i]);
}
