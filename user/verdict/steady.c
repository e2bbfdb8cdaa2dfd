// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/steady.h"

#include <string.h>

#include "util/text.h"

static const struct gw_verdict *find(const struct gw_process_view *process, const char *code)
{
	for (size_t i = 0; i < process->verdict_count; i++)
		if (!strcmp(process->verdict[i].code, code))
			return &process->verdict[i];
	return NULL;
}

static void show(struct gw_steady *state, const struct gw_verdict *verdict)
{
	state->shown = *verdict;
	state->any = 1;
	state->rival[0] = '\0';
	state->seen = 0;
}

static void count_rival(struct gw_steady *state, const char *code)
{
	if (strcmp(state->rival, code)) {
		gw_text_copy(state->rival, sizeof(state->rival), code);
		state->seen = 0;
	}
	state->seen++;
}

/*
 * A window too short to judge says nothing against what was found in the last one; neither may it
 * take a place.
 */
static int says_nothing(const struct gw_verdict *worst)
{
	return !strcmp(worst->code, "insufficient_data");
}

struct gw_steady gw_steady_next(const struct gw_steady *former,
				const struct gw_process_view *process)
{
	struct gw_steady next = *former;
	const struct gw_verdict *worst = process->verdict, *same;

	if (!process->verdict_count || (next.any && says_nothing(worst)))
		return next;
	same = next.any ? find(process, next.shown.code) : NULL;
	if (!next.any || says_nothing(&next.shown) || (same && same->severity == worst->severity)) {
		show(&next, same ? same : worst);
		return next;
	}
	count_rival(&next, worst->code);
	if (next.seen >= GW_STEADY_TIMES)
		show(&next, worst);
	else if (same)
		next.shown = *same;
	return next;
}
