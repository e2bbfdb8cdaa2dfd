/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the machine gives a process: CPUs, their distances, quotas. */
#ifndef GW_HOST_H
#define GW_HOST_H

#include <stdint.h>
#include <sys/types.h>

struct gw_cpu_place {
	uint32_t core, llc, node; /* ids that are equal exactly where two CPUs share the thing */
};

struct gw_host {
	char kernel[65]; /* uname release */
	uint32_t cpus;	 /* possible CPUs: highest CPU number + 1 */
	struct gw_cpu_place
		*place; /* of each CPU; from sysfs, each CPU its own where it says nothing */
};

/* 0 or -errno (-ENOMEM). gw_host_free accepts a zeroed struct. */
int gw_host_read(struct gw_host *host);
void gw_host_free(struct gw_host *host);

struct gw_cpu_limits {
	uint32_t usable;       /* CPUs in affinity and cpuset, at most the quota rounded up; >= 1 */
	double quota_cpus;     /* tightest cpu.max (or cfs quota) of its cgroups; 0: no quota */
	uint64_t throttled_ns; /* cumulative time throttled of the cgroup with the quota */
};

/* Reads the limits of a process now (cgroup v2 and v1). 0 or -errno. */
int gw_host_limits(pid_t pid, struct gw_cpu_limits *limits);

#endif
