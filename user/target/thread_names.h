/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The names that Python gives its threads: those of threading.Thread objects, 3.8 - 3.13. */
#ifndef GW_THREAD_NAMES_H
#define GW_THREAD_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "target/python.h"
#include "target/python_objects.h"

struct gw_thread_name {
	uint64_t self; /* pthread_self() of the thread */
	char name[GW_OBJECT_TEXT_MAX];
};

struct gw_thread_names {
	size_t count, room;
	struct gw_thread_name *name; /* by ascending self */
	uint64_t active;	     /* threading._active, once it has been found */
};

/*
 * Reads the names of the threads that are alive (threading._active of the main interpreter); those
 * read before are forgotten only if that succeeds. 0, -ENOTSUP (a version whose objects are not
 * known; from 3.14 on the kernel's name of a thread is Python's), -ENOENT (threading was never
 * imported), or another negative errno. What may be read is bounded, whatever the target holds.
 */
int gw_thread_names_read(pid_t pid, const struct gw_python *python, struct gw_thread_names *names);

/* The same from any memory: modules is the address of the dict sys.modules. */
int gw_thread_names_read_from(struct gw_object_reader *reader, uint64_t modules,
			      struct gw_thread_names *names);

/* NULL: it has none. */
const char *gw_thread_names_find(const struct gw_thread_names *names, uint64_t self);

void gw_thread_names_free(struct gw_thread_names *names);

#endif
