/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The group that a process belongs to. Pure. */
#ifndef GW_NAMING_H
#define GW_NAMING_H

#include <regex.h>
#include <stddef.h>

#include "util/error.h"

#define GW_GROUP_NAME_MAX 128

/* What is known of a process; raw bytes, "" where there is none. */
struct gw_origin_facts {
	const char *unit;      /* of systemd */
	const char *container; /* its id */
	const char *runtime;   /* of the container */
	const char *cgroup;    /* path */
	const char *comm;
	const char *command;
};

/* NAME=FIELD:REGEX: the group NAME, if REGEX (POSIX extended) is found in FIELD. */
struct gw_group_rule {
	char name[GW_GROUP_NAME_MAX]; /* \1 to \9 are what the parentheses matched */
	size_t field;
	regex_t regex;
};

struct gw_group_rules {
	struct gw_group_rule *rule;
	size_t count;
};

/* Adds a rule; the first that fits decides. 0, -EINVAL or -ENOMEM with err set. */
int gw_group_rules_add(struct gw_group_rules *rules, const char *text, struct gw_error *err);
void gw_group_rules_free(struct gw_group_rules *rules);

/*
 * The group's name: by the first rule (NULL: there are none) that fits, else the systemd unit, the
 * container (its runtime and the first twelve digits of its id), the command name.
 */
void gw_group_name(const struct gw_group_rules *rules, const struct gw_origin_facts *facts,
		   char name[GW_GROUP_NAME_MAX]);

/*
 * The systemd unit in a cgroup path: the last component that is a service, or a scope that is no
 * login session (those have a new name each time). "" if there is none.
 */
void gw_unit_of(const char *cgroup, char *unit, size_t size);

#endif
