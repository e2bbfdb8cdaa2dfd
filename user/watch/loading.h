/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Loading the BPF programs in a thread of its own: the verifier takes about a tenth of a second, in
 * which the targets can be looked into.
 */
#ifndef GW_LOADING_H
#define GW_LOADING_H

#include "probe/session.h"

struct gw_loading;

/* Begins. NULL: it cannot be done in this way. The host outlives it. */
struct gw_loading *gw_loading_begin(const struct gw_host *host,
				    const struct gw_session_options *options);

/*
 * Waits for the end. 0 or a negative errno with err set; in either case *session is the caller's to
 * free, NULL: there is none.
 */
int gw_loading_end(struct gw_loading *loading, struct gw_session **session, struct gw_error *err);

#endif
