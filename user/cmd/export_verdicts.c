// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/export_parts.h"
#include "model/interval.h"
#include "verdict/verdict.h"

/* Verdicts are about the last minute, as near as the looks allow. */
#define WINDOW_NS 60000000000LL
/* In the first minute, verdicts on less are better than none: on this much at least, so often. */
#define EARLY_NS 5000000000LL

static void judge(struct gw_daemon *d, const struct gw_snapshot *now)
{
	struct gw_snapshot between = {0};

	/* Without memory the verdicts stay what they were. */
	if (!gw_interval_make(&d->base, now, &between))
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
		return;
	}
	gw_snapshot_clear(&d->base);
	d->base = *now;
	d->base_ns = now_ns;
	d->judged_ns = now_ns;
}
