// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/*
 * Attaches empty programs, says so, and detaches them when a signal ends it: one at context
 * switches, or (with "all") those that an engine without probes needs, at wake-ups and at the
 * sampler's ticks too.
 */
#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "probe/sampler.h"

static int attach_all(const struct bpf_object *object)
{
	struct gw_sampler *sampler;
	struct gw_error err = {0};

	if (!bpf_program__attach(bpf_object__find_program_by_name(object, "at_wakeup")))
		return -1;
	return gw_sampler_start(bpf_object__find_program_by_name(object, "at_tick"),
				(uint32_t)libbpf_num_possible_cpus(), &sampler, &err);
}

int main(int argc, char **argv)
{
	struct bpf_object *object = argc > 1 ? bpf_object__open_file(argv[1], NULL) : NULL;

	if (!object || bpf_object__load(object)) {
		fprintf(stderr, "empty: the programs cannot be loaded\n");
		return 1;
	}
	if (!bpf_program__attach(bpf_object__find_program_by_name(object, "at_switch")) ||
	    (argc > 2 && !strcmp(argv[2], "all") && attach_all(object))) {
		fprintf(stderr, "empty: the programs cannot be attached\n");
		return 1;
	}
	fprintf(stderr, "attached\n");
	pause();
	return 0;
}
