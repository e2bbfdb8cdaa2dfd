// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/export_parts.h"
#include "model/interval.h"
#include "verdict/verdict.h"

/* Verdicts are about the last minute, as near as the looks allow. */
#define WINDOW_NS 60000000000LL
/* In the first minute, verdicts on less are better than none: on this much at least, so often. */
#define EARLY_NS 5000000000LL

_Static_assert(sizeof(struct gw_thread_view) % sizeof(uint64_t) == 0,
	       "threads are packed by words");

/*
 * The look that verdicts begin from is kept for a minute, and its threads are by far the largest
 * part of it, with histograms that are mostly empty.
 */
static int pack_threads(struct gw_daemon *d)
{
	size_t count = d->base.process_count;
	int code = 0;

	d->base_threads = calloc(count + 1, sizeof(*d->base_threads));
	if (!d->base_threads)
		return -ENOMEM;
	for (size_t i = 0; !code && i < count; i++) {
		struct gw_process_view *process = &d->base.process[i];

		code = gw_pack(process->thread, process->thread_count * sizeof(*process->thread),
			       &d->base_threads[i]);
		if (code)
			break;
		free(process->thread);
		process->thread = NULL;
	}
	return code;
}

static int unpack_threads(struct gw_daemon *d)
{
	int code = 0;

	for (size_t i = 0; d->base_threads && i < d->base.process_count; i++) {
		struct gw_process_view *process = &d->base.process[i];

		if (process->thread)
			continue;
		process->thread = gw_unpack(&d->base_threads[i]);
		gw_packed_free(&d->base_threads[i]);
		if (process->thread)
			continue;
		process->thread_count = 0;
		code = -ENOMEM;
	}
	free(d->base_threads);
	d->base_threads = NULL;
	return code;
}

void gw_daemon_forget_base(struct gw_daemon *d)
{
	unpack_threads(d); /* what they point to is freed with them */
	gw_snapshot_clear(&d->base);
}

/* Without memory the verdicts stay what they were. */
static void judge(struct gw_daemon *d, const struct gw_snapshot *now)
{
	struct gw_snapshot between = {0};

	if (!unpack_threads(d) && !gw_interval_make(&d->base, now, &between))
		gw_exporter_judge(&d->exporter, &between, gw_verdicts_judge);
	gw_snapshot_clear(&between);
}

void gw_daemon_judge(struct gw_daemon *d, struct gw_snapshot *now, int64_t now_ns)
{
	int whole = d->base_ns && now_ns - d->base_ns >= WINDOW_NS;
	int early = d->base_ns && !d->judged && now_ns - d->judged_ns >= EARLY_NS;

	if (whole || early) {
		judge(d, now);
		d->judged_ns = now_ns;
	}
	d->judged |= whole;
	if (d->base_ns && !whole) {
		gw_snapshot_clear(now);
		if (early)
			pack_threads(d);
		return;
	}
	gw_daemon_forget_base(d);
	d->base = *now;
	d->base_ns = now_ns;
	d->judged_ns = now_ns;
	pack_threads(d);
}
