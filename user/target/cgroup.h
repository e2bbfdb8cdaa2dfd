/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * What the control groups of a process say: where it belongs, in which container it is, and whether
 * it is among those that somebody asked for. Pure functions over the text of /proc/PID/cgroup
 * (lines ID:CONTROLLERS:PATH, cgroups(7)), which names chosen by others are part of.
 */
#ifndef GW_CGROUP_H
#define GW_CGROUP_H

#include <stddef.h>

#include "util/error.h"

#define GW_CGROUP_PATH_MAX 4096

struct gw_container {
	char runtime[16]; /* docker, podman, kubernetes, lxc, nspawn, ecs; container: another one */
	char id[128];	  /* the whole id, or the name where the runtime uses names */
};

/*
 * The path that says most: that of the v2 hierarchy, or where that is "/" of systemd's, or the
 * longest of the others. "" if there is none.
 */
void gw_cgroup_path(const char *text, char *path, size_t size);

/* The innermost container by the paths of all hierarchies. 1, or 0 where nothing looks like one. */
int gw_cgroup_container(const char *text, struct gw_container *container);

/* A cgroup to select processes by. */
struct gw_cgroup_selector {
	char path[GW_CGROUP_PATH_MAX]; /* without a slash at its end; "" is the root */
	int version;		       /* 1, 2, or 0: of any hierarchy */
	char controllers[512];	       /* of version 1: a list that has the hierarchy's in it */
};

/*
 * Takes a path as in /proc/PID/cgroup, or that of a directory under a mount point of cgroups by the
 * text of /proc/self/mountinfo. 0, or a negative errno with err set.
 */
int gw_cgroup_selector_parse(const char *text, const char *mountinfo,
			     struct gw_cgroup_selector *selector, struct gw_error *err);

/* Whether a process with this /proc/PID/cgroup is in that cgroup, or in one below it. */
int gw_cgroup_matches(const struct gw_cgroup_selector *selector, const char *text);

#endif
