/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The probes at the GIL sites of one process. */
#ifndef GW_UPROBES_H
#define GW_UPROBES_H

#include <bpf/libbpf.h>
#include <sys/types.h>

#include "target/sites.h"
#include "util/error.h"

struct gw_uprobes;

struct gw_uprobe_programs {
	const struct bpf_program *acquire;
	const struct bpf_program *release;
	int multi; /* loaded for the multi link */
};

/* Attaches to all sites, or to none. 0 or a negative errno with err set. */
int gw_uprobes_attach(const struct gw_uprobe_programs *programs, pid_t pid, const char *path,
		      const struct gw_sites *sites, struct gw_uprobes **uprobes,
		      struct gw_error *err);

/* Takes all probes away; accepts NULL. */
void gw_uprobes_free(struct gw_uprobes *uprobes);

#endif
