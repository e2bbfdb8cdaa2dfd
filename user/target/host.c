// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/host.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "target/host_parse.h"
#include "target/proc_parse.h"

#define CPUS_MAX      65536	    /* CONFIG_NR_CPUS is at most 8192 on the machines known */
#define MOUNTINFO_MAX (1024 * 1024) /* cgroup mounts come early; the rest may be cut off */
#define CACHE_LEVELS  8
#define CGROUP_TEXT   4096

int gw_host_parse_cpu_list(const char *text, struct gw_cpu_list *list)
{
	memset(list, 0, sizeof(*list));
	list->lowest = UINT32_MAX;
	while (isdigit((unsigned char)*text)) {
		char *end;
		unsigned long first = strtoul(text, &end, 10), last = first;

		if (*end == '-' && isdigit((unsigned char)end[1]))
			last = strtoul(end + 1, &end, 10);
		if (last < first || last >= CPUS_MAX)
			return -EINVAL;
		if (first < list->lowest)
			list->lowest = (uint32_t)first;
		if (last > list->highest)
			list->highest = (uint32_t)last;
		list->count += (uint32_t)(last - first + 1);
		text = end;
		if (*text != ',')
			break;
		text++;
		if (!isdigit((unsigned char)*text))
			return -EINVAL;
	}
	return list->count && (*text == '\n' || *text == '\0') ? 0 : -EINVAL;
}

int gw_host_parse_cpu_max(const char *text, double *cpus)
{
	uint64_t quota, period;

	*cpus = 0;
	if (strncmp(text, "max", 3) == 0 && (text[3] == ' ' || text[3] == '\n' || !text[3]))
		return 0;
	if (!isdigit((unsigned char)*text) ||
	    sscanf(text, "%" SCNu64 " %" SCNu64, &quota, &period) != 2 || !quota || !period)
		return -EINVAL;
	*cpus = (double)quota / (double)period;
	return 0;
}

int gw_host_parse_cfs(const char *quota, const char *period, double *cpus)
{
	int64_t q, p;

	*cpus = 0;
	if (sscanf(quota, "%" SCNd64, &q) != 1 || sscanf(period, "%" SCNd64, &p) != 1)
		return -EINVAL;
	if (q < 0) /* -1: no quota */
		return 0;
	if (!q || p <= 0)
		return -EINVAL;
	*cpus = (double)q / (double)p;
	return 0;
}

int gw_host_parse_key(const char *text, const char *key, uint64_t *value)
{
	size_t length = strlen(key);

	while (text) {
		if (strncmp(text, key, length) == 0 && text[length] == ' ')
			return sscanf(text + length, "%" SCNu64, value) == 1 ? 0 : -ENOENT;
		text = strchr(text, '\n');
		if (text)
			text++;
	}
	return -ENOENT;
}

int gw_host_list_has(const char *text, size_t length, const char *word)
{
	size_t size = strlen(word);
	const char *end = text + length;

	while (text < end) {
		const char *comma = memchr(text, ',', (size_t)(end - text));
		const char *stop = comma ? comma : end;

		if ((size_t)(stop - text) == size && memcmp(text, word, size) == 0)
			return 1;
		text = stop + 1;
	}
	return 0;
}

int gw_host_parse_cgroup(const char *text, const char *controller, char *path, size_t size)
{
	/* Lines are ID:CONTROLLERS:PATH; those of v2 are 0::PATH (cgroups(7)). */
	while (text && *text) {
		const char *end = strchrnul(text, '\n');
		const char *list = memchr(text, ':', (size_t)(end - text));
		const char *colon = list ? memchr(list + 1, ':', (size_t)(end - list - 1)) : NULL;

		if (colon) {
			size_t length = (size_t)(colon - list - 1);
			int match = controller ? gw_host_list_has(list + 1, length, controller)
					       : length == 0;

			if (match && (size_t)(end - colon) > size)
				return -ENAMETOOLONG;
			if (match) {
				memcpy(path, colon + 1, (size_t)(end - colon - 1));
				path[end - colon - 1] = '\0';
				return 0;
			}
		}
		text = *end ? end + 1 : NULL;
	}
	return -ENOENT;
}

/* Space, tab, newline and backslash stand as \ooo in mountinfo (proc(5)). */
static void unescape_octal(char *text)
{
	char *to = text;

	for (; *text; to++) {
		if (text[0] == '\\' && strspn(text + 1, "01234567") >= 3) {
			*to = (char)((text[1] - '0') * 64 + (text[2] - '0') * 8 + text[3] - '0');
			text += 4;
		} else {
			*to = *text++;
		}
	}
	*to = '\0';
}

int gw_host_parse_mount(const char *line, struct gw_mount *mount)
{
	const char *end = strchrnul(line, '\n');
	const char *dash = memmem(line, (size_t)(end - line), " - ", 3);

	if (!dash || sscanf(line, "%*d %*d %*s %4095s %4095s", mount->root, mount->point) != 2 ||
	    sscanf(dash, " - %31s %*s %511[^ \n]", mount->type, mount->options) != 2)
		return -EINVAL;
	unescape_octal(mount->root);
	unescape_octal(mount->point);
	return 0;
}

/* What follows root in path, NULL if path is not under it. */
static const char *below(const char *path, const char *root)
{
	size_t length = strlen(root);

	/* A path that climbs out of the cgroup namespace of the reader has no directory here. */
	if (path[0] != '/' || strncmp(path, "/..", 3) == 0)
		return NULL;
	if (strcmp(root, "/") == 0)
		return path;
	if (strncmp(path, root, length) || (path[length] && path[length] != '/'))
		return NULL;
	return path + length;
}

int gw_host_cgroup_directory(const char *mountinfo, const char *controller, const char *path,
			     char *directory, size_t size, size_t *mount_length)
{
	struct gw_mount *mount = calloc(1, sizeof(*mount));
	int ret = -ENOENT;

	while (mount && mountinfo && *mountinfo && ret) {
		const char *end = strchrnul(mountinfo, '\n');

		if (gw_host_parse_mount(mountinfo, mount) == 0 &&
		    strcmp(mount->type, controller ? "cgroup" : "cgroup2") == 0 &&
		    (!controller ||
		     gw_host_list_has(mount->options, strlen(mount->options), controller))) {
			const char *rest = below(path, mount->root);
			int used =
				rest ? snprintf(directory, size, "%s%s", mount->point, rest) : -1;

			*mount_length = strlen(mount->point);
			if (used >= 0 && (size_t)used < size)
				ret = 0;
		}
		mountinfo = *end ? end + 1 : NULL;
	}
	free(mount);
	return ret;
}

static int read_in(const char *directory, const char *name, char *text, size_t size)
{
	char path[PATH_MAX + 64];
	int used = snprintf(path, sizeof(path), "%s/%s", directory, name);
	ssize_t got;

	if (used < 0 || (size_t)used >= sizeof(path))
		return -ENAMETOOLONG;
	got = gw_read_text(path, text, size);
	return got < 0 ? (int)got : 0;
}

static int read_quota_v2(const char *directory, double *cpus, uint64_t *throttled_ns)
{
	char text[CGROUP_TEXT];
	uint64_t usec = 0;

	if (read_in(directory, "cpu.max", text, sizeof(text)) || gw_host_parse_cpu_max(text, cpus))
		return -ENOENT;
	/* Without a quota of its own it is not throttled. */
	if (*cpus > 0 && read_in(directory, "cpu.stat", text, sizeof(text)) == 0)
		gw_host_parse_key(text, "throttled_usec", &usec);
	*throttled_ns = usec * 1000;
	return 0;
}

static int read_quota_v1(const char *directory, double *cpus, uint64_t *throttled_ns)
{
	char quota[64], period[64], text[CGROUP_TEXT];

	*throttled_ns = 0;
	if (read_in(directory, "cpu.cfs_quota_us", quota, sizeof(quota)) ||
	    read_in(directory, "cpu.cfs_period_us", period, sizeof(period)) ||
	    gw_host_parse_cfs(quota, period, cpus))
		return -ENOENT;
	if (*cpus > 0 && read_in(directory, "cpu.stat", text, sizeof(text)) == 0)
		gw_host_parse_key(text, "throttled_time", throttled_ns);
	return 0;
}

/* A quota binds everything below it: look at the cgroup and all its parents up to the mount point.
 */
static void tighten(char *directory, size_t top, int version, struct gw_cpu_limits *limits)
{
	for (;;) {
		size_t length = strlen(directory);
		uint64_t throttled = 0;
		double cpus = 0;
		int ret = version == 2 ? read_quota_v2(directory, &cpus, &throttled)
				       : read_quota_v1(directory, &cpus, &throttled);

		if (ret == 0 && cpus > 0 && (!limits->quota_cpus || cpus < limits->quota_cpus)) {
			limits->quota_cpus = cpus;
			limits->throttled_ns = throttled;
		}
		while (length > top && directory[length - 1] != '/')
			length--;
		if (length <= top)
			return;
		directory[length - 1] = '\0';
	}
}

void gw_host_read_quota(const char *root, const char *cgroup, const char *mountinfo,
			struct gw_cpu_limits *limits)
{
	limits->quota_cpus = 0;
	limits->throttled_ns = 0;
	/* Both at once in the hybrid setup of systemd: the cpu controller is in one of them. */
	for (int version = 1; version <= 2; version++) {
		const char *controller = version == 1 ? "cpu" : NULL;
		size_t prefix = strlen(root), top = 0;
		char path[PATH_MAX], directory[PATH_MAX];

		if (prefix >= sizeof(directory) ||
		    gw_host_parse_cgroup(cgroup, controller, path, sizeof(path)) ||
		    gw_host_cgroup_directory(mountinfo, controller, path, directory + prefix,
					     sizeof(directory) - prefix, &top))
			continue;
		memcpy(directory, root, prefix);
		tighten(directory, prefix + top, version, limits);
	}
}

/* The CPUs that a process may run on: its affinity, which the kernel keeps within its cpuset. */
static int allowed_cpus(pid_t pid, uint32_t *count)
{
	for (size_t cpus = 1024; cpus <= CPUS_MAX; cpus *= 2) {
		cpu_set_t *set = CPU_ALLOC(cpus);
		size_t size = CPU_ALLOC_SIZE(cpus);
		int ret;

		if (!set)
			return -ENOMEM;
		CPU_ZERO_S(size, set);
		ret = sched_getaffinity(pid, size, set) ? -errno : 0;
		*count = ret ? 0 : (uint32_t)CPU_COUNT_S(size, set);
		CPU_FREE(set);
		if (ret != -EINVAL) /* the kernel has more CPUs than the set has room for */
			return ret;
	}
	return -EINVAL;
}

uint32_t gw_host_usable(uint32_t allowed, double quota_cpus)
{
	uint32_t whole;

	if (allowed < 1)
		allowed = 1;
	if (!(quota_cpus > 0) || quota_cpus >= allowed)
		return allowed;
	whole = (uint32_t)quota_cpus;
	return whole < quota_cpus ? whole + 1 : whole;
}

int gw_host_limits(pid_t pid, struct gw_cpu_limits *limits)
{
	char path[64];
	char *cgroup = malloc(CGROUP_TEXT * 4), *mountinfo = malloc(MOUNTINFO_MAX);
	uint32_t allowed = 1;
	int ret = cgroup && mountinfo ? 0 : -ENOMEM;

	memset(limits, 0, sizeof(*limits));
	if (!ret)
		ret = allowed_cpus(pid, &allowed);
	if (!ret) {
		snprintf(path, sizeof(path), "/proc/%d/cgroup", pid);
		/* A kernel without cgroups has no such file, and then no quota. */
		if (gw_read_text(path, cgroup, CGROUP_TEXT * 4) > 0 &&
		    gw_read_text("/proc/self/mountinfo", mountinfo, MOUNTINFO_MAX) > 0)
			gw_host_read_quota("", cgroup, mountinfo, limits);
		limits->usable = gw_host_usable(allowed, limits->quota_cpus);
	}
	free(cgroup);
	free(mountinfo);
	return ret;
}

/* The lowest CPU of the list in root/devices/system/cpu/cpuN/name, or fallback. */
static uint32_t shared_with(const char *root, uint32_t cpu, const char *name, uint32_t fallback)
{
	char directory[PATH_MAX], text[CGROUP_TEXT];
	struct gw_cpu_list list;

	snprintf(directory, sizeof(directory), "%s/devices/system/cpu/cpu%u", root, cpu);
	if (read_in(directory, name, text, sizeof(text)) || gw_host_parse_cpu_list(text, &list))
		return fallback;
	return list.lowest;
}

/* Index numbers of caches are not levels: take the entry with the highest level. */
static uint32_t last_level_cache(const char *root, uint32_t cpu, uint32_t fallback)
{
	char directory[PATH_MAX], name[64], text[64];
	unsigned long highest = 0;
	uint32_t found = fallback;

	snprintf(directory, sizeof(directory), "%s/devices/system/cpu/cpu%u/cache", root, cpu);
	for (int i = 0; i < CACHE_LEVELS; i++) {
		unsigned long level;

		snprintf(name, sizeof(name), "index%d/level", i);
		if (read_in(directory, name, text, sizeof(text)))
			break;
		level = strtoul(text, NULL, 10);
		if (level > highest) {
			highest = level;
			snprintf(name, sizeof(name), "cache/index%d/shared_cpu_list", i);
			found = shared_with(root, cpu, name, fallback);
		}
	}
	return found;
}

static uint32_t numa_node(const char *root, uint32_t cpu, uint32_t fallback)
{
	char directory[PATH_MAX], name[512];
	struct dirent *entry;
	uint32_t found = fallback;
	DIR *dir;

	snprintf(directory, sizeof(directory), "%s/devices/system/cpu/cpu%u", root, cpu);
	dir = opendir(directory);
	if (!dir)
		return fallback;
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "node", 4) || !isdigit((unsigned char)entry->d_name[4]))
			continue;
		snprintf(name, sizeof(name), "%s/cpulist", entry->d_name);
		found = shared_with(root, cpu, name, fallback);
		break;
	}
	closedir(dir);
	return found;
}

static void place_cpu(const char *root, uint32_t cpu, int one_node, struct gw_cpu_place *place)
{
	/* core_cpus_list came with 5.3; older kernels say the same in thread_siblings_list. */
	place->core = shared_with(root, cpu, "topology/core_cpus_list", UINT32_MAX);
	if (place->core == UINT32_MAX)
		place->core = shared_with(root, cpu, "topology/thread_siblings_list", cpu);
	/* Threads of a core share its caches, where no cache is described. */
	place->llc = last_level_cache(root, cpu, place->core);
	place->node = numa_node(root, cpu, one_node ? 0 : place->llc);
}

static uint32_t possible_cpus(const char *root)
{
	char directory[PATH_MAX], text[CGROUP_TEXT];
	struct gw_cpu_list list;
	long configured;

	snprintf(directory, sizeof(directory), "%s/devices/system/cpu", root);
	if (read_in(directory, "possible", text, sizeof(text)) == 0 &&
	    gw_host_parse_cpu_list(text, &list) == 0)
		return list.highest + 1;
	configured = sysconf(_SC_NPROCESSORS_CONF);
	return configured > 0 && configured <= CPUS_MAX ? (uint32_t)configured : 1;
}

/* A kernel that describes CPUs but no nodes was built without NUMA: all of it is one node. */
static int is_one_node(const char *root)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "%s/devices/system/cpu/possible", root);
	if (access(path, F_OK))
		return 0;
	snprintf(path, sizeof(path), "%s/devices/system/node", root);
	return access(path, F_OK) != 0;
}

int gw_host_read_topology(const char *root, struct gw_host *host)
{
	int one_node = is_one_node(root);

	host->cpus = possible_cpus(root);
	host->place = calloc(host->cpus, sizeof(*host->place));
	if (!host->place)
		return -ENOMEM;
	for (uint32_t cpu = 0; cpu < host->cpus; cpu++)
		place_cpu(root, cpu, one_node, &host->place[cpu]);
	return 0;
}

int gw_host_read(struct gw_host *host)
{
	struct utsname name;

	memset(host, 0, sizeof(*host));
	if (uname(&name) == 0)
		snprintf(host->kernel, sizeof(host->kernel), "%s", name.release);
	return gw_host_read_topology("/sys", host);
}

void gw_host_free(struct gw_host *host)
{
	if (!host)
		return;
	free(host->place);
	memset(host, 0, sizeof(*host));
}
