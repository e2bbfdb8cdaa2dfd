/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line. */
#ifndef GW_OPTIONS_H
#define GW_OPTIONS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "util/error.h"
#include "watch/choice.h"

#define GW_PIDS_MAX   1024
#define GW_SELECT_MAX 64

struct gw_options {
	pid_t pid[GW_PIDS_MAX];
	size_t pid_count;
	const char *comm[GW_SELECT_MAX]; /* names or patterns of processes */
	size_t comm_count;
	const char *cgroup[GW_SELECT_MAX];
	size_t cgroup_count;
	uint64_t duration_ns;
	uint64_t begin_at_ns; /* CLOCK_MONOTONIC; 0: at once */
	uint64_t interval_ns; /* of the live view */
	uint64_t count;	      /* intervals of it; 0: until interrupted */
	int json;
	const char *output; /* NULL or "-": standard output */
	int rows;
	enum gw_choice engine;
	double budget; /* what probes may cost, as a share of on-CPU time: 0 to 1 */
	int no_children;
	int verbose;
	const char *file;	/* of `show`; of `diff` the one before */
	const char *other_file; /* of `diff`: the one after */
	char **command;		/* of `run`: its words, NULL after the last one */
	int as_root;
	const char *bundle; /* of `doctor`: the file for a bug report, or NULL */
	int with_command;   /* in the bundle */
};

/*
 * Parse the arguments of a command, whose name is argv[0]. Help and version are printed and end the
 * program, as argp does it. Return 0, or a negative errno with err set (GW_STATUS_USAGE).
 */
int gw_options_summary(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_live(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_list(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_doctor(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_show(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_diff(int argc, char **argv, struct gw_options *options, struct gw_error *err);
int gw_options_run(int argc, char **argv, struct gw_options *options, struct gw_error *err);

/* Adds a PID, once. 0, or -E2BIG with err set. */
int gw_options_add_pid(struct gw_options *options, pid_t pid, struct gw_error *err);

/* Values of options that commands with tables of their own have too. 0 or -errno with err set. */
int gw_options_take_pids(const char *text, struct gw_options *options, struct gw_error *err);
int gw_options_take_engine(const char *text, struct gw_options *options, struct gw_error *err);
int gw_options_take_budget(const char *text, struct gw_options *options, struct gw_error *err);
int gw_options_add_selector(const char **list, size_t *count, const char *text, const char *example,
			    struct gw_error *err);

#endif
