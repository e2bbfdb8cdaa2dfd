// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/newcomers.h"

#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define MS 1000000ULL
/* More at once are a build or a bomb: a look at all processes finds the Pythons among them. */
#define NEWCOMERS_MAX 4096

/*
 * From one look to the next. An executable is mapped as the program begins, a shared libpython some
 * milliseconds later; what loads one as a plug-in takes longer.
 */
static const uint64_t pause_ns[] = {1 * MS, 20 * MS, 1000 * MS};

#define LOOKS (sizeof(pause_ns) / sizeof(pause_ns[0]))

/* The first pause of one that has to wait, and how often it is doubled. */
#define WAIT_NS	  (2 * MS)
#define WAITS_MAX 7

static struct gw_newcomer *find(const struct gw_newcomers *n, pid_t pid)
{
	for (size_t i = 0; i < n->count; i++)
		if (n->newcomer[i].pid == pid)
			return &n->newcomer[i];
	return NULL;
}

static struct gw_newcomer *append(struct gw_newcomers *n)
{
	if (n->count == n->room) {
		size_t room = n->room ? 2 * n->room : 64;
		struct gw_newcomer *more = n->count < NEWCOMERS_MAX
						   ? realloc(n->newcomer, room * sizeof(*more))
						   : NULL;

		if (!more)
			return NULL;
		n->newcomer = more;
		n->room = room;
	}
	return &n->newcomer[n->count++];
}

void gw_newcomers_add(struct gw_newcomers *n, pid_t pid, const char *comm, uint64_t now_ns)
{
	struct gw_newcomer *newcomer = find(n, pid);

	if (!newcomer)
		newcomer = append(n);
	if (!newcomer) {
		n->dropped++;
		return;
	}
	*newcomer = (struct gw_newcomer){.pid = pid, .due_ns = now_ns + pause_ns[0]};
	gw_text_copy(newcomer->comm, sizeof(newcomer->comm), comm);
}

void gw_newcomers_wait(struct gw_newcomers *n, pid_t pid, uint64_t now_ns)
{
	struct gw_newcomer *newcomer = find(n, pid);

	if (newcomer) {
		newcomer->looks -= newcomer->looks > 0;
	} else {
		newcomer = append(n);
		if (!newcomer) {
			n->dropped++;
			return;
		}
		*newcomer = (struct gw_newcomer){.pid = pid, .looks = LOOKS - 2};
	}
	newcomer->due_ns = now_ns + (WAIT_NS << newcomer->waits);
	if (newcomer->waits < WAITS_MAX)
		newcomer->waits++;
}

int gw_newcomers_next(struct gw_newcomers *n, uint64_t now_ns, struct gw_newcomer *next)
{
	for (size_t i = 0; i < n->count; i++) {
		struct gw_newcomer *newcomer = &n->newcomer[i];

		if (newcomer->due_ns > now_ns)
			continue;
		newcomer->looks++;
		*next = *newcomer;
		if (newcomer->looks < LOOKS)
			newcomer->due_ns = now_ns + pause_ns[newcomer->looks];
		else
			gw_newcomers_remove(n, next->pid);
		return 1;
	}
	return 0;
}

void gw_newcomers_remove(struct gw_newcomers *n, pid_t pid)
{
	struct gw_newcomer *newcomer = find(n, pid);

	if (newcomer)
		*newcomer = n->newcomer[--n->count];
}

uint64_t gw_newcomers_due_ns(const struct gw_newcomers *n)
{
	uint64_t due_ns = UINT64_MAX;

	for (size_t i = 0; i < n->count; i++)
		if (n->newcomer[i].due_ns < due_ns)
			due_ns = n->newcomer[i].due_ns;
	return due_ns;
}

void gw_newcomers_free(struct gw_newcomers *n)
{
	free(n->newcomer);
	memset(n, 0, sizeof(*n));
}
