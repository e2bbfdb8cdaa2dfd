/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The probes at the GIL sites of one process. */
#ifndef GW_UPROBES_H
#define GW_UPROBES_H

#include <bpf/libbpf.h>
#include <sys/types.h>

#include "probe/closer.h"
#include "target/sites.h"
#include "util/error.h"

struct gw_uprobes;

struct gw_uprobe_program {
	const struct bpf_program *program;
	int multi; /* loaded for the multi link */
};

/* Attaches to all sites, or to none. 0 or a negative errno with err set. */
int gw_uprobes_attach(const struct gw_uprobe_program *program, pid_t pid, const char *path,
		      const struct gw_sites *sites, struct gw_uprobes **uprobes,
		      struct gw_error *err);

/* Takes all probes away; accepts NULL. */
void gw_uprobes_free(struct gw_uprobes *uprobes);

/*
 * The same in the background. *closing (NULL: nobody wants to know) is one more until they are
 * gone; it outlives that.
 */
void gw_uprobes_free_later(struct gw_uprobes *uprobes, struct gw_closer *closer,
			   unsigned int *closing);

#endif
