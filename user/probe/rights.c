// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/rights.h"

#include <errno.h>
#include <stdio.h>

const struct gw_capability gw_capabilities[] = {
	{GW_CAP_BPF_BIT, "CAP_BPF", "loading the programs that count in the kernel"},
	{GW_CAP_PERFMON_BIT, "CAP_PERFMON",
	 "attaching them to the scheduler's tracepoints and to clock events"},
	{GW_CAP_SYS_PTRACE_BIT, "CAP_SYS_PTRACE",
	 "reading the memory and the mapped files of processes of other users"},
	{GW_CAP_SYS_ADMIN_BIT, "CAP_SYS_ADMIN",
	 "probes (--engine=uprobe) on kernels that do not grant them to CAP_PERFMON"},
};

const size_t gw_capability_count = sizeof(gw_capabilities) / sizeof(gw_capabilities[0]);

int gw_rights_effective(uint64_t *bits)
{
	unsigned long long value;
	char line[256];
	int found = 0;
	FILE *status = fopen("/proc/self/status", "re");

	if (!status)
		return -errno;
	while (!found && fgets(line, sizeof(line), status))
		found = sscanf(line, "CapEff: %llx", &value) == 1;
	fclose(status);
	if (!found)
		return -ENODATA;
	*bits = value;
	return 0;
}

int gw_rights_have(uint64_t bits, int bit)
{
	/* bpf_capable() and perfmon_capable() take CAP_SYS_ADMIN as well (linux/capability.h). */
	if ((bit == GW_CAP_BPF_BIT || bit == GW_CAP_PERFMON_BIT) &&
	    bits >> GW_CAP_SYS_ADMIN_BIT & 1)
		return 1;
	return bits >> bit & 1;
}
