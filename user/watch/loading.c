// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "watch/loading.h"

#include <stdlib.h>

#include "util/thread.h"

struct gw_loading {
	pthread_t thread;
	const struct gw_host *host;
	struct gw_session_options options;
	struct gw_session *session;
	int code;
	struct gw_error error;
};

static void *load(void *data)
{
	struct gw_loading *loading = data;

	loading->code = gw_session_new(loading->host, &loading->session, &loading->error);
	if (!loading->code)
		loading->code =
			gw_session_load(loading->session, &loading->options, &loading->error);
	return NULL;
}

struct gw_loading *gw_loading_begin(const struct gw_host *host,
				    const struct gw_session_options *options)
{
	struct gw_loading *loading = calloc(1, sizeof(*loading));

	if (!loading)
		return NULL;
	loading->host = host;
	loading->options = *options;
	if (!gw_thread_start(&loading->thread, load, loading))
		return loading;
	free(loading);
	return NULL;
}

int gw_loading_end(struct gw_loading *loading, struct gw_session **session, struct gw_error *err)
{
	int code;

	pthread_join(loading->thread, NULL);
	code = loading->code;
	*session = loading->session;
	if (code)
		*err = loading->error;
	free(loading);
	return code;
}
