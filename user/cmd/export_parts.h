/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The daemon: what its files have in common. */
#ifndef GW_EXPORT_PARTS_H
#define GW_EXPORT_PARTS_H

#include "cmd/export_options.h"
#include "export/exporter.h"
#include "export/http.h"
#include "util/pack.h"
#include "watch/standing.h"

/* Rules and selectors in force, by the options. */
struct gw_selection {
	struct gw_group_rules rules;
	struct gw_cgroup_selector *cgroup; /* wanted ones first */
};

struct gw_daemon {
	struct gw_export_options *options;
	struct gw_selection selection;
	struct gw_host host;
	struct gw_standing standing;
	struct gw_exporter exporter;
	struct gw_http *http;
	int socket;
	int argc; /* the command line, which is read again together with the file */
	char **argv;

	int ready;
	int untidy;		 /* memory may be given back when there is time */
	int complained;		 /* that a look failed */
	uint64_t begun_ns;	 /* CLOCK_MONOTONIC */
	struct gw_body *body[2]; /* the last answer in either format, and when it was made */
	uint64_t body_ns;
	struct gw_snapshot base;	/* what verdicts are about: what passed since then */
	struct gw_packed *base_threads; /* its threads, by process; NULL: they are in it */
	int64_t base_ns;
	int64_t judged_ns; /* when that was done last */
	int judged;	   /* over a whole window, once at least */
};

/* Puts the options in force that need no restart. 0 or a negative errno with err set. */
int gw_daemon_configure(struct gw_daemon *daemon, struct gw_export_options *options,
			struct gw_error *err);

/* SIGHUP: reads the file again; what is wrong with it is said, and all stays as it was. */
void gw_daemon_reload(struct gw_daemon *daemon);

/* Brings the exporter up to date. 0 or a negative errno with err set. */
int gw_daemon_look(struct gw_daemon *daemon, struct gw_error *err);

/* Answers an HTTP request. */
gw_http_get gw_daemon_get;

/* Serves until a signal ends it. 0 or a negative errno with err set. */
int gw_daemon_serve(struct gw_daemon *daemon, struct gw_error *err);

/* The page at "/". NULL: out of memory. */
struct gw_body *gw_daemon_index(const struct gw_daemon *daemon);

/* What gilwatch says of itself beyond what the exporter knows. */
void gw_daemon_describe(struct gw_daemon *daemon, struct gw_self *self);

/* Judges what passed since the last time, if that is long enough. Takes the snapshot over. */
void gw_daemon_judge(struct gw_daemon *daemon, struct gw_snapshot *now, int64_t now_ns);

/* Frees what verdicts begin from. */
void gw_daemon_forget_base(struct gw_daemon *daemon);

#endif
