/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What a host, these rights and one process allow: all that `doctor` shows. */
#ifndef GW_DOCTOR_H
#define GW_DOCTOR_H

#include <stddef.h>
#include <stdint.h>

#include "model/listing.h"
#include "model/snapshot.h"

#define GW_CHECKS_MAX	    32
#define GW_DOCTOR_GILS_MAX  16
#define GW_DOCTOR_SITES_MAX 64

enum gw_check_result {
	GW_CHECK_OK,
	GW_CHECK_NO,   /* something cannot be done for it */
	GW_CHECK_NOTE, /* nothing is lost, but it is good to know */
};

struct gw_check {
	const char *name;
	enum gw_check_result result;
	char found[192];   /* what there is */
	char way_out[384]; /* what to do about a NO; "" where there is nothing to be done */
};

/* The call sites in the file of a target's runtime. */
struct gw_doctor_sites {
	int code; /* 0: found; -ENODATA: not looked for */
	char because[512];
	char how[16];
	size_t acquire_count, release_count;
	uint64_t acquire[GW_DOCTOR_SITES_MAX], release[GW_DOCTOR_SITES_MAX]; /* file offsets */
};

struct gw_doctor_target {
	uint32_t pid;
	char comm[64];
	int known; /* it is a Python: python is filled */
	struct gw_python_facts python;
	size_t gil_count;
	uint64_t gil_address[GW_DOCTOR_GILS_MAX];
	int64_t gil_interpreter[GW_DOCTOR_GILS_MAX];
	struct gw_doctor_sites sites;
	int tried;		  /* trial is filled */
	char trial_because[512];  /* why it is not */
	struct gw_snapshot trial; /* of one second with the sched engine */
};

/* What a bug report needs beside all that. */
struct gw_doctor_bundle {
	char system[128]; /* PRETTY_NAME of os-release */
	char build[128];  /* of the kernel: uname's version */
	char *mapped;	  /* names of the target's mapped files, each ended with NUL */
	size_t mapped_size;
	int with_command;
	char command[4096];
};

struct gw_doctor {
	char kernel[65], machine[65], libbpf[32];
	uint32_t uid;
	size_t check_count;
	struct gw_check check[GW_CHECKS_MAX];
	int has_target;
	struct gw_doctor_target target;
	struct gw_ability sched, uprobe;
};

/* Frees everything inside; accepts zeroed ones. */
void gw_doctor_clear(struct gw_doctor *doctor);
void gw_doctor_bundle_clear(struct gw_doctor_bundle *bundle);

#endif
