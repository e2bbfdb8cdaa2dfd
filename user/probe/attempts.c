// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/bpf.h>
#include <linux/perf_event.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "probe/checks.h"
#include "probe/checks_parts.h"
#include "probe/features.h"
#include "probe/rights.h"
#include "probe/session.h"

#define CLOCK_PERIOD_NS 1000000000

/* Attaches a program that does nothing to a tracepoint by its BTF. 0 or a negative errno. */
static int try_tracepoint(const char *name)
{
	struct bpf_insn code[] = {
		{.code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0},
		{.code = BPF_JMP | BPF_EXIT},
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_RAW_TP);
	int type = libbpf_find_vmlinux_btf_id(name, BPF_TRACE_RAW_TP), program, link;

	if (type < 0)
		return type;
	options.attach_btf_id = (__u32)type;
	program = bpf_prog_load(BPF_PROG_TYPE_TRACING, "gw_try", "Dual BSD/GPL", code,
				sizeof(code) / sizeof(code[0]), &options);
	if (program < 0)
		return program;
	link = bpf_raw_tracepoint_open(NULL, program);
	close(program);
	if (link < 0)
		return link;
	close(link);
	return 0;
}

static void check_tracepoints(struct gw_doctor *doctor)
{
	static const char *const names[] = {"sched_switch", "sched_wakeup"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		int code = try_tracepoint(names[i]);
		struct gw_check *check;

		if (!code) {
			gw_checks_add(doctor, names[i], GW_CHECK_OK, "can be attached to");
			continue;
		}
		check = gw_checks_add(doctor, names[i], GW_CHECK_NO,
				      "the tracepoint cannot be attached to: %s", strerror(-code));
		if (code == -EPERM || code == -EACCES)
			gw_checks_way_out(check, "run gilwatch with sudo; in a container, one "
						 "that may call bpf");
		else
			gw_checks_way_out(check, "use a kernel with CONFIG_BPF_SYSCALL=y and "
						 "CONFIG_DEBUG_INFO_BTF=y");
	}
}

/* What the samples that split time on a CPU rest on. */
static void check_clock(struct gw_doctor *doctor)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.size = sizeof(attr),
		.sample_period = CLOCK_PERIOD_NS,
		.exclude_idle = 1,
	};
	int fd = (int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	struct gw_check *check;

	if (fd >= 0) {
		close(fd);
		gw_checks_add(doctor, "cpu_clock", GW_CHECK_OK, "clock events can be had");
		return;
	}
	check = gw_checks_add(doctor, "cpu_clock", GW_CHECK_NO,
			      "no clock events can be had of CPU 0: %s", strerror(errno));
	gw_checks_way_out(check, "run gilwatch with sudo; in a container, one that may call "
				 "perf_event_open");
}

static void check_uprobes(struct gw_doctor *doctor, uint64_t capabilities)
{
	struct gw_check *check;

	if (gw_features_uprobe_multi(NULL)) {
		gw_checks_add(doctor, GW_CHECK_UPROBES, GW_CHECK_OK,
			      "all sites by one multi link, tried on a process of our own");
	} else if (gw_rights_have(capabilities, GW_CAP_SYS_ADMIN_BIT)) {
		gw_checks_add(doctor, GW_CHECK_UPROBES, GW_CHECK_NOTE,
			      "no multi link that works (it came with 6.6): each site by a perf "
			      "event, as CAP_SYS_ADMIN may");
	} else {
		check = gw_checks_add(doctor, GW_CHECK_UPROBES, GW_CHECK_NO,
				      "no multi link that works, and perf events for probes take "
				      "CAP_SYS_ADMIN");
		gw_checks_way_out(check, "run gilwatch with sudo, or use --engine=sched, which "
					 "needs no probes");
	}
}

/* By the program itself, which is loaded for that. */
static void check_probe_cost(struct gw_doctor *doctor)
{
	const struct gw_session_options options = {.selected = 1, .probes = 1};
	struct gw_session *session = NULL;
	struct gw_host host = {0};
	struct gw_error ignored;

	if (!gw_host_read(&host) && !gw_session_new(&host, &session, &ignored) &&
	    !gw_session_load(session, &options, &ignored))
		gw_session_calibrate(session);
	if (session && gw_session_cost(session)->measured)
		gw_checks_add(doctor, "probe_cost", GW_CHECK_OK,
			      "passing a probe costs a process %.2f us, measured on one of our own",
			      (double)gw_session_cost(session)->hit_ns / 1e3);
	else
		gw_checks_add(doctor, "probe_cost", GW_CHECK_NOTE,
			      "what passing a probe costs could not be measured: about 1 us is "
			      "assumed");
	gw_session_free(session);
	gw_host_free(&host);
}

void gw_checks_attempts(struct gw_doctor *doctor, uint64_t capabilities)
{
	check_tracepoints(doctor);
	check_clock(doctor);
	check_uprobes(doctor, capabilities);
	if (gw_checks_passed(doctor, GW_CHECK_UPROBES))
		check_probe_cost(doctor);
}
