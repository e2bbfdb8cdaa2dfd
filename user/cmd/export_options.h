/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The command line and the configuration file of `export`: the same options, by the same names. */
#ifndef GW_EXPORT_OPTIONS_H
#define GW_EXPORT_OPTIONS_H

#include "cmd/options.h"

#define GW_EXPORT_LISTEN "127.0.0.1:9738"

struct gw_export_options {
	struct gw_options common; /* pid, comm, cgroup, engine, verbose */
	const char *exclude_comm[GW_SELECT_MAX];
	size_t exclude_comm_count;
	const char *exclude_cgroup[GW_SELECT_MAX];
	size_t exclude_cgroup_count;
	const char *group[GW_SELECT_MAX]; /* rules, see naming.h */
	size_t group_count;
	const char *listen;
	const char *config; /* NULL: none */
	int per_process, per_thread;
	size_t processes_max, threads_max; /* with series of their own */
	size_t groups_max;
	size_t slots; /* processes watched at a time; 0: as many as it takes at the start, and more
		       */
	int print_metrics;
	char *text; /* of the configuration file: what the strings above point into */
};

/*
 * Reads the command line, and the file that it names with --config, whose values the command line
 * overrides; lists add up. 0, or a negative errno with err set. The caller frees *options by
 * gw_export_options_free, also after an error.
 */
int gw_export_options_read(int argc, char **argv, struct gw_export_options **options,
			   struct gw_error *err);
void gw_export_options_free(struct gw_export_options *options);

/*
 * The lines of a configuration file: "name = value", "name" for options that take none, "#" begins
 * a comment. Calls set for each with its number; text is changed. 0, or what set returned first, or
 * -EINVAL with err set.
 */
int gw_config_parse(char *text,
		    int (*set)(const char *name, const char *value, unsigned int line, void *data),
		    void *data, struct gw_error *err);

#endif
