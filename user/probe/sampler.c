// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/sampler.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gilwatch/abi.h"

struct gw_sampler {
	uint32_t count;
	struct bpf_link *link[];
};

/* Hardware counters are absent in many virtual machines: the CPU clock is everywhere. */
static int open_clock(uint32_t cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = GW_SAMPLE_PERIOD_NS,
		.exclude_idle = 1,
	};
	long fd = syscall(SYS_perf_event_open, &attr, -1, (int)cpu, -1, PERF_FLAG_FD_CLOEXEC);

	return fd < 0 ? -errno : (int)fd;
}

static int sample_cpu(const struct bpf_program *program, uint32_t cpu, struct bpf_link **link)
{
	int fd = open_clock(cpu);

	if (fd < 0)
		return fd == -ENODEV ? 0 : fd; /* offline */
	*link = bpf_program__attach_perf_event(program, fd);
	if (*link)
		return 0;
	close(fd);
	return -errno;
}

int gw_sampler_start(const struct bpf_program *program, uint32_t cpus, struct gw_sampler **sampler,
		     struct gw_error *err)
{
	struct gw_sampler *new = calloc(1, sizeof(*new) + cpus * sizeof(new->link[0]));
	int code;

	if (!new)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		code = sample_cpu(program, cpu, &new->link[cpu]);
		new->count = cpu + 1;
		if (!code)
			continue;
		gw_sampler_free(new);
		return gw_error_set(err, code, GW_STATUS_KERNEL,
				    "the kernel gives no clock events to sample with (%s): check "
				    "kernel.perf_event_paranoid and CAP_PERFMON",
				    strerror(-code));
	}
	*sampler = new;
	return 0;
}

void gw_sampler_free(struct gw_sampler *sampler)
{
	if (!sampler)
		return;
	for (uint32_t i = 0; i < sampler->count; i++)
		bpf_link__destroy(sampler->link[i]);
	free(sampler);
}
