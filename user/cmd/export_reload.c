// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* SIGHUP. */
#include <stdio.h>
#include <string.h>

#include "cmd/export_parts.h"
#include "export/notify.h"

/* What is fixed for as long as the daemon runs. */
static void say_what_waits(const struct gw_export_options *old, const struct gw_export_options *new)
{
	const char *waits = NULL;

	if (strcmp(old->listen, new->listen))
		waits = "listen";
	else if (old->common.engine != new->common.engine)
		waits = "engine";
	else if (old->common.budget != new->common.budget)
		waits = "max-overhead";
	else if (old->slots != new->slots)
		waits = "max-processes";
	if (waits)
		fprintf(stderr, "gilwatch: a new value of %s takes effect when it is restarted\n",
			waits);
}

static int reload(struct gw_daemon *d, struct gw_error *err)
{
	struct gw_export_options *old = d->options, *new = NULL;
	int code = gw_export_options_read(d->argc, d->argv, &new, err);

	if (!code)
		code = gw_daemon_configure(d, new, err);
	if (code) {
		gw_export_options_free(new);
		return code;
	}
	say_what_waits(old, new);
	code = gw_standing_reselect(&d->standing, err);
	gw_export_options_free(old);
	return code;
}

void gw_daemon_reload(struct gw_daemon *d)
{
	struct gw_error err = {0};

	gw_notify_reloading();
	if (reload(d, &err))
		fprintf(stderr, "gilwatch: the configuration stays as it was: %s\n", err.text);
	else
		fprintf(stderr, "gilwatch: the configuration has been read again\n");
	gw_notify("READY=1");
}
