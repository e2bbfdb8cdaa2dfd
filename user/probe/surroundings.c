// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "probe/checks_parts.h"
#include "probe/features.h"
#include "probe/rights.h"
#include "target/cgroup.h"
#include "target/proc_parse.h"

#define CGROUP_MAX 16384

/* The word in brackets of "none [integrity] confidentiality". */
static void bracketed(char *text)
{
	char *open = strchr(text, '['), *close = open ? strchr(open, ']') : NULL;

	if (!close)
		return;
	*close = '\0';
	memmove(text, open + 1, strlen(open + 1) + 1);
}

static void check_lockdown(struct gw_doctor *doctor)
{
	struct gw_check *check;
	char text[128];
	ssize_t got = gw_read_text("/sys/kernel/security/lockdown", text, sizeof(text));

	bracketed(text);
	if (got == -ENOENT) {
		gw_checks_add(doctor, "lockdown", GW_CHECK_NOTE,
			      "not known: the kernel has none, or securityfs is not mounted");
	} else if (got < 0) {
		gw_checks_add(doctor, "lockdown", GW_CHECK_NOTE, "it cannot be read (%s)",
			      strerror((int)-got));
	} else if (strcmp(text, "confidentiality")) {
		gw_checks_add(doctor, "lockdown", GW_CHECK_OK, "%.30s", text);
	} else {
		check = gw_checks_add(doctor, "lockdown", GW_CHECK_NO,
				      "confidentiality: BPF may not read kernel memory");
		gw_checks_way_out(check, "boot with lockdown=integrity or none, on the kernel's "
					 "command line or by the Secure Boot settings");
	}
}

static int read_number(const char *path, long *value)
{
	char text[32], *end;

	if (gw_read_text(path, text, sizeof(text)) <= 0)
		return -ENOENT;
	*value = strtol(text, &end, 10);
	return end == text ? -EINVAL : 0;
}

static void check_paranoid(struct gw_doctor *doctor, uint64_t bits)
{
	struct gw_check *check;
	long level;

	if (read_number("/proc/sys/kernel/perf_event_paranoid", &level)) {
		check = gw_checks_add(doctor, "perf_event_paranoid", GW_CHECK_NO,
				      "the kernel has no perf events");
		gw_checks_way_out(check, "use a kernel built with CONFIG_PERF_EVENTS=y");
	} else if (level <= 0 || gw_rights_have(bits, GW_CAP_PERFMON_BIT)) {
		gw_checks_add(doctor, "perf_event_paranoid", GW_CHECK_OK, "%ld%s", level,
			      level > 0 ? ", which CAP_PERFMON overrides" : "");
	} else {
		check = gw_checks_add(doctor, "perf_event_paranoid", GW_CHECK_NO,
				      "%ld: no clock events without CAP_PERFMON", level);
		gw_checks_way_out(check, "run gilwatch with sudo, or set "
					 "kernel.perf_event_paranoid=0 with sysctl");
	}
}

static void check_unprivileged_bpf(struct gw_doctor *doctor)
{
	long value;

	if (read_number("/proc/sys/kernel/unprivileged_bpf_disabled", &value))
		gw_checks_add(doctor, "unprivileged_bpf_disabled", GW_CHECK_NOTE,
			      "the kernel has no such setting");
	else
		gw_checks_add(doctor, "unprivileged_bpf_disabled", GW_CHECK_OK,
			      "%ld; gilwatch needs CAP_BPF whatever it is", value);
}

/* From 5.11 on the memory of maps is charged to the cgroup, before to RLIMIT_MEMLOCK. */
static void check_memlock(struct gw_doctor *doctor, uint64_t bits)
{
	unsigned int major = 0, minor = 0;
	struct gw_check *check;
	struct rlimit limit;
	char size[32] = "unlimited";

	sscanf(doctor->kernel, "%u.%u", &major, &minor);
	if (getrlimit(RLIMIT_MEMLOCK, &limit))
		return;
	if (limit.rlim_cur != RLIM_INFINITY)
		snprintf(size, sizeof(size), "%llu KiB", (unsigned long long)limit.rlim_cur / 1024);
	if (major > 5 || (major == 5 && minor >= 11)) {
		gw_checks_add(doctor, "memlock", GW_CHECK_OK, "%s; this kernel does not count it",
			      size);
	} else if (limit.rlim_max == RLIM_INFINITY ||
		   gw_rights_have(bits, GW_CAP_SYS_RESOURCE_BIT)) {
		gw_checks_add(doctor, "memlock", GW_CHECK_OK, "%s, and it can be raised", size);
	} else {
		check = gw_checks_add(doctor, "memlock", GW_CHECK_NO,
				      "%s is too little for BPF maps on this kernel", size);
		gw_checks_way_out(check, "run gilwatch with sudo, or after ulimit -l unlimited");
	}
}

static void check_seccomp(struct gw_doctor *doctor)
{
	char text[4096], *line;
	int mode = 0;

	if (gw_read_text("/proc/self/status", text, sizeof(text)) <= 0 ||
	    !(line = strstr(text, "\nSeccomp:")) || sscanf(line, "\nSeccomp: %d", &mode) != 1)
		return;
	if (!mode) {
		gw_checks_add(doctor, "seccomp", GW_CHECK_OK, "no filter is in force");
		return;
	}
	/* The attempts below say whether it matters. */
	gw_checks_way_out(gw_checks_add(doctor, "seccomp", GW_CHECK_NOTE,
					"a filter is in force (mode %d), as in containers; it may "
					"refuse bpf and perf_event_open",
					mode),
			  "should an attempt below fail, run gilwatch on the host, or with the "
			  "container's seccomp profile off");
}

static void check_pid_namespace(struct gw_doctor *doctor)
{
	gw_checks_add(doctor, "pid_namespace", GW_CHECK_OK,
		      gw_features_foreign_pids()
			      ? "one of its own: its processes are called as in it"
			      : "the host's");
}

static void check_container(struct gw_doctor *doctor)
{
	char *text = malloc(CGROUP_MAX);
	struct gw_container container = {0};

	if (text && gw_read_text("/proc/self/cgroup", text, CGROUP_MAX) > 0)
		gw_cgroup_container(text, &container);
	free(text);
	if (container.runtime[0])
		gw_checks_add(doctor, "container", GW_CHECK_NOTE,
			      "gilwatch itself runs in one: %s:%.64s by its cgroup",
			      container.runtime, container.id);
	else if (!access("/.dockerenv", F_OK))
		gw_checks_add(doctor, "container", GW_CHECK_NOTE,
			      "gilwatch itself runs in one (docker: /.dockerenv)");
	else if (!access("/run/.containerenv", F_OK))
		gw_checks_add(doctor, "container", GW_CHECK_NOTE,
			      "gilwatch itself runs in one (podman: /run/.containerenv)");
	else
		gw_checks_add(doctor, "container", GW_CHECK_OK, "no sign of one");
}

void gw_checks_surroundings(struct gw_doctor *doctor, uint64_t capabilities)
{
	check_lockdown(doctor);
	check_paranoid(doctor, capabilities);
	check_unprivileged_bpf(doctor);
	check_memlock(doctor, capabilities);
	check_seccomp(doctor);
	check_container(doctor);
	check_pid_namespace(doctor);
}
