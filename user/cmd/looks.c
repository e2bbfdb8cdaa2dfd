// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/looks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "model/interval.h"
#include "verdict/verdict.h"

/* Verdicts need a second; a little less is as good, and clocks make that of one. */
#define JUDGED_LEAST_NS 990000000

struct gw_look {
	struct gw_snapshot snapshot;
	unsigned int keepers;
	int is_ready; /* to be shown, sorted and judged: once somebody asks for it */
};

static struct gw_look *keep(struct gw_look *look)
{
	if (look)
		look->keepers++;
	return look;
}

static void let_go(struct gw_look *look)
{
	if (!look || --look->keepers)
		return;
	gw_snapshot_clear(&look->snapshot);
	free(look);
}

static void replace(struct gw_look **place, struct gw_look *look)
{
	struct gw_look *old = *place;

	*place = keep(look);
	let_go(old);
}

/* ---- headlines ---- */

static struct gw_headline *headline_of(struct gw_looks *looks,
				       const struct gw_process_view *process)
{
	struct gw_headline *grown;

	for (size_t i = 0; i < looks->headlines; i++)
		if (looks->headline[i].pid == process->pid &&
		    looks->headline[i].began_ns == process->began_ns)
			return &looks->headline[i];
	grown = realloc(looks->headline, (looks->headlines + 1) * sizeof(*grown));
	if (!grown)
		return NULL;
	looks->headline = grown;
	grown += looks->headlines++;
	memset(grown, 0, sizeof(*grown));
	grown->pid = process->pid;
	grown->began_ns = process->began_ns;
	return grown;
}

/* The headline first; then the verdicts that are not of its kind. */
static void put_first(struct gw_process_view *process, const struct gw_verdict *headline)
{
	struct gw_verdict was[GW_VERDICTS_MAX];
	size_t count = process->verdict_count;

	memcpy(was, process->verdict, sizeof(was));
	process->verdict[0] = *headline;
	process->verdict_count = 1;
	for (size_t i = 0; i < count && process->verdict_count < GW_VERDICTS_MAX; i++)
		if (strcmp(was[i].code, headline->code))
			process->verdict[process->verdict_count++] = was[i];
}

/* Judges with regard to the headlines that are shown. 0 or -ENOMEM. */
static int judge_again(struct gw_looks *looks, struct gw_snapshot *window)
{
	size_t count = window->process_count;
	const struct gw_verdict **shown = calloc(count + 1, sizeof(*shown));
	int code = shown ? 0 : -ENOMEM;

	/* All of them first: the list may move while it grows. */
	for (size_t i = 0; !code && i < count; i++)
		code = headline_of(looks, &window->process[i]) ? 0 : -ENOMEM;
	for (size_t i = 0; !code && i < count; i++) {
		const struct gw_steady *steady = &headline_of(looks, &window->process[i])->steady;

		shown[i] = steady->any ? &steady->shown : NULL;
	}
	if (!code)
		gw_verdicts_judge_again(window, shown, looks->family, looks->family_count);
	free(shown);
	return code;
}

static int judge(struct gw_looks *looks, struct gw_snapshot *window)
{
	int code = judge_again(looks, window);

	if (code)
		return code;
	memcpy(looks->family, window->verdict, sizeof(looks->family));
	looks->family_count = window->verdict_count;
	for (size_t i = 0; i < window->process_count; i++) {
		const struct gw_process_view *judged = &window->process[i];
		struct gw_headline *headline = headline_of(looks, judged);

		if (!headline)
			return -ENOMEM;
		headline->steady = gw_steady_next(&headline->steady, judged);
		if (window == &looks->between)
			continue;
		memcpy(looks->between.process[i].verdict, judged->verdict, sizeof(judged->verdict));
		looks->between.process[i].verdict_count = judged->verdict_count;
	}
	return 0;
}

static void show_headlines(struct gw_looks *looks)
{
	struct gw_snapshot *between = &looks->between;

	memcpy(between->verdict, looks->family, sizeof(looks->family));
	between->verdict_count = looks->family_count;
	for (size_t i = 0; i < between->process_count; i++) {
		const struct gw_headline *headline = headline_of(looks, &between->process[i]);

		if (headline && headline->steady.any)
			put_first(&between->process[i], &headline->steady.shown);
	}
}

/* Judges as much time as it takes: several intervals where they are short. */
static int judge_window(struct gw_looks *looks)
{
	const struct gw_snapshot *now = &looks->now->snapshot;
	struct gw_snapshot window = {0};
	int64_t long_ns = now->elapsed_ns - looks->judged->snapshot.elapsed_ns;
	int code;

	/* Judged last time, and it has not been long since. */
	if (long_ns < JUDGED_LEAST_NS && looks->headlines)
		return 0;
	if (looks->judged == looks->last) {
		code = judge(looks, &looks->between);
	} else {
		code = gw_interval_make(&looks->judged->snapshot, now, &window);
		if (!code)
			code = judge(looks, &window);
		gw_snapshot_clear(&window);
	}
	if (long_ns >= JUDGED_LEAST_NS)
		replace(&looks->judged, looks->now);
	return code;
}

/* ---- looks ---- */

/* What the first one is compared with: nothing has happened yet. */
static struct gw_look *beginning(const struct gw_snapshot *first)
{
	struct gw_look *look = calloc(1, sizeof(*look));

	if (look) {
		look->keepers = 1;
		look->snapshot.start_monotonic_ns = first->start_monotonic_ns;
		look->snapshot.end_monotonic_ns = first->start_monotonic_ns;
	}
	return look;
}

/* What later looks cannot tell of the time since the ones that are kept. */
static void note(struct gw_looks *looks)
{
	struct gw_look *kept[] = {looks->last, looks->judged, looks->marked};

	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
		if (kept[i] && kept[i] != looks->now)
			gw_interval_note(&kept[i]->snapshot, &looks->now->snapshot);
}

static int compare(struct gw_looks *looks)
{
	int code;

	note(looks);
	code = gw_interval_make(&looks->last->snapshot, &looks->now->snapshot, &looks->between);
	if (!code)
		code = judge_window(looks);
	if (!code)
		show_headlines(looks);
	/* It has been compared: of thousands of threads a look is several MiB. */
	replace(&looks->last, NULL);
	return code;
}

static int look(struct gw_looks *looks, struct gw_watch *watch, enum gw_ended ended, int finish,
		struct gw_look *now, struct gw_error *err)
{
	struct gw_snapshot *s = &now->snapshot;
	int code;

	/* Its memory is used again at once. */
	gw_snapshot_clear(&looks->between);
	code = finish ? gw_watch_finish(watch, ended, s, err) : gw_watch_look(watch, ended, s, err);

	if (code)
		return code;
	memcpy(s->started, looks->started, sizeof(s->started));
	s->requested_ns = GW_ABSENT_NS;
	if (!looks->now) {
		looks->now = beginning(s);
		looks->judged = keep(looks->now);
	}
	if (!looks->now)
		return -ENOMEM;
	replace(&looks->last, looks->now);
	replace(&looks->now, now);
	looks->seq++;
	return compare(looks);
}

int gw_looks_take(struct gw_looks *looks, struct gw_watch *watch, enum gw_ended ended, int finish,
		  struct gw_error *err)
{
	struct gw_look *now = calloc(1, sizeof(*now));
	int code = -ENOMEM;

	if (keep(now))
		code = look(looks, watch, ended, finish, now, err);
	let_go(now);
	if (code == -ENOMEM)
		gw_error_set(err, code, GW_STATUS_FAILURE, "out of memory");
	return code;
}

const struct gw_snapshot *gw_looks_since_start(struct gw_looks *looks)
{
	struct gw_look *now = looks->now;

	if (!now->is_ready) {
		gw_snapshot_sort(&now->snapshot);
		gw_verdicts_judge(&now->snapshot);
	}
	now->is_ready = 1;
	return &now->snapshot;
}

int64_t gw_looks_watched_ns(const struct gw_looks *looks)
{
	return looks->now->snapshot.elapsed_ns;
}

void gw_looks_mark(struct gw_looks *looks, int forget)
{
	replace(&looks->marked, forget ? NULL : looks->now);
}

int gw_looks_since_mark(const struct gw_looks *looks, struct gw_snapshot *snapshot)
{
	static const struct gw_snapshot start = {.cpus = 0};

	return gw_interval_make(looks->marked ? &looks->marked->snapshot : &start,
				&looks->now->snapshot, snapshot);
}

void gw_looks_free(struct gw_looks *looks)
{
	let_go(looks->now);
	let_go(looks->last);
	let_go(looks->judged);
	let_go(looks->marked);
	gw_snapshot_clear(&looks->between);
	free(looks->headline);
}
