/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Looking for the call sites of builds while something else is done: some 15 ms of a CPU each, in
 * threads that wait for the sandbox.
 */
#ifndef GW_SITE_SEARCHES_H
#define GW_SITE_SEARCHES_H

#include "target/python.h"
#include "util/error.h"

struct gw_site_searches;

struct gw_site_searches *gw_site_searches_new(void); /* NULL: out of memory */
void gw_site_searches_free(struct gw_site_searches *searches);

/*
 * Begins to look in the file of a process's Python, unless somebody has: not in its debug files,
 * which are large. budget: what reading the process's files may still cost.
 */
void gw_site_searches_begin(struct gw_site_searches *searches, pid_t pid,
			    const struct gw_python *python, const struct gw_sandbox_budget *budget);

/* What came of it, once it is over: 0, or a negative errno with err set. */
int gw_site_searches_wait(struct gw_site_searches *searches, const struct gw_python *python,
			  struct gw_error *err);

#endif
