/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The Python processes of the host and how each can be measured: all that `list` shows. */
#ifndef GW_LISTING_H
#define GW_LISTING_H

#include <stddef.h>
#include <stdint.h>

/* Whether something can be done, and what there is to say about it ("": nothing). */
struct gw_ability {
	int can;
	char because[512];
};

/* Which Python a process runs. */
struct gw_python_facts {
	char implementation[16]; /* CPython, PyPy */
	char version[32];	 /* "": not known */
	char file[4096];	 /* that holds the runtime; "": not known */
	char build_id[64];	 /* "": none */
	int free_threaded;	 /* -1: not known */
	int gil_enabled;	 /* -1: not known */
	int shared;		 /* 1: a library, 0: the program itself; -1: not known */
	int untested;		 /* 1: newer than gilwatch, read as it describes itself */
};

struct gw_listed {
	uint32_t pid, ppid, uid;
	char user[64]; /* the number where it has no name */
	char comm[64];
	char command[4096];
	uint64_t threads;
	char cgroup[4096];
	char container_runtime[16], container_id[128]; /* "": no container that is known */
	struct gw_python_facts python;
	struct gw_ability sched, uprobe;
};

struct gw_listing {
	char kernel[65];
	size_t count;
	struct gw_listed *process; /* by ascending PID */
	/* What holds for all: "" or why nothing can be measured, whatever the process. */
	char rights[512];
	uint64_t seen;		  /* processes of the host but kernel threads */
	uint64_t denied;	  /* of them, those that may not be looked into */
	char denied_because[512]; /* "" where denied is 0 */
};

void gw_listing_clear(struct gw_listing *listing);

/* "docker:0123456789ab", "lxc:web", or the last part of the cgroup's path; "-" for the root. */
void gw_listed_place(const struct gw_listed *process, char *text, size_t size);

#endif
