/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The pure parsers behind host.h, and its readers with a root that tests can set. */
#ifndef GW_HOST_PARSE_H
#define GW_HOST_PARSE_H

#include <stddef.h>
#include <stdint.h>

#include "target/host.h"

struct gw_cpu_list {
	uint32_t lowest, highest, count;
};

/* A kernel CPU list, as "0-3,8,10-11". 0, or -EINVAL if it is malformed or empty. */
int gw_host_parse_cpu_list(const char *text, struct gw_cpu_list *list);

/* cpu.max of cgroup v2, "QUOTA|max PERIOD": CPUs, 0 for no quota. 0 or -EINVAL. */
int gw_host_parse_cpu_max(const char *text, double *cpus);

/* cpu.cfs_quota_us and cpu.cfs_period_us of cgroup v1: as above. */
int gw_host_parse_cfs(const char *quota, const char *period, double *cpus);

/* The value of "KEY NUMBER" in a flat-keyed file as cpu.stat. 0 or -ENOENT. */
int gw_host_parse_key(const char *text, const char *key, uint64_t *value);

/*
 * From the text of /proc/PID/cgroup: the path of the process in the v1 hierarchy of a controller,
 * or in the v2 hierarchy where controller is NULL. 0, -ENOENT or -ENAMETOOLONG.
 */
int gw_host_parse_cgroup(const char *text, const char *controller, char *path, size_t size);

/* Whether the comma-separated list text[0..length-1] holds the word. */
int gw_host_list_has(const char *text, size_t length, const char *word);

/* A line of mountinfo; options are those of the superblock. */
struct gw_mount {
	char root[4096], point[4096], type[32], options[512];
};

/* 0, or -EINVAL for a line that is none. */
int gw_host_parse_mount(const char *line, struct gw_mount *mount);

/*
 * From the text of /proc/self/mountinfo: the directory of cgroup path in the hierarchy of
 * controller (NULL: v2), and how much of it is the mount point. 0, or -ENOENT where it is not
 * mounted here.
 */
int gw_host_cgroup_directory(const char *mountinfo, const char *controller, const char *path,
			     char *directory, size_t size, size_t *mount_length);

/* gw_host_read's topology from sysfs mounted at root ("/sys"). */
int gw_host_read_topology(const char *root, struct gw_host *host);

/*
 * The tightest quota of the cgroups of a process, by the texts of its cgroup file and of mountinfo;
 * root ("" but in tests) stands before every directory. Leaves usable alone.
 */
void gw_host_read_quota(const char *root, const char *cgroup, const char *mountinfo,
			struct gw_cpu_limits *limits);

/* CPUs that can be used at once, from those allowed and a quota in CPUs (0: none). */
uint32_t gw_host_usable(uint32_t allowed, double quota_cpus);

#endif
