// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/sampler.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "gilwatch/abi.h"

/* A program that works in bursts is to be found at work as each of them begins. */
#define REST_AFTER_NS 2000000000ULL

struct clock {
	struct bpf_link *link; /* NULL: the CPU is offline */
	int fd;		       /* the link closes it */
};

struct gw_sampler {
	uint64_t found, found_ns; /* how many ticks had found one, and when that was new */
	int rests;
	uint32_t count;
	struct clock clock[];
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

static int sample_cpu(const struct bpf_program *program, uint32_t cpu, struct clock *clock)
{
	int fd = open_clock(cpu);

	if (fd < 0)
		return fd == -ENODEV ? 0 : fd; /* offline */
	clock->fd = fd;
	clock->link = bpf_program__attach_perf_event(program, fd);
	if (clock->link)
		return 0;
	close(fd);
	return -errno;
}

int gw_sampler_start(const struct bpf_program *program, uint32_t cpus, struct gw_sampler **sampler,
		     struct gw_error *err)
{
	struct gw_sampler *new = calloc(1, sizeof(*new) + cpus * sizeof(new->clock[0]));
	int code;

	if (!new)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	for (uint32_t cpu = 0; cpu < cpus; cpu++) {
		code = sample_cpu(program, cpu, &new->clock[cpu]);
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

static void set_period(struct gw_sampler *sampler, uint64_t period_ns)
{
	for (uint32_t i = 0; i < sampler->count; i++)
		if (sampler->clock[i].link)
			ioctl(sampler->clock[i].fd, PERF_EVENT_IOC_PERIOD, &period_ns);
}

int gw_sampler_pace(struct gw_sampler *sampler, uint64_t now_ns, uint64_t found)
{
	if (found != sampler->found) {
		sampler->found = found;
		sampler->found_ns = now_ns;
		if (sampler->rests)
			set_period(sampler, GW_SAMPLE_PERIOD_NS);
		sampler->rests = 0;
	} else if (!sampler->rests && now_ns >= sampler->found_ns + REST_AFTER_NS) {
		set_period(sampler, GW_SAMPLE_PERIOD_NS * GW_SAMPLE_REST);
		sampler->rests = 1;
	}
	return sampler->rests;
}

void gw_sampler_free(struct gw_sampler *sampler)
{
	if (!sampler)
		return;
	for (uint32_t i = 0; i < sampler->count; i++)
		bpf_link__destroy(sampler->clock[i].link);
	free(sampler);
}
