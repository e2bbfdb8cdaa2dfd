/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* The user behind gilwatch: who called sudo, or else whoever runs it. */
#ifndef GW_CALLER_H
#define GW_CALLER_H

#include <limits.h>
#include <stddef.h>
#include <sys/types.h>

#include "util/error.h"

struct gw_caller {
	uid_t uid;
	gid_t gid;
	int by_sudo; /* another user than the one that gilwatch runs as */
	char name[256], home[PATH_MAX], shell[PATH_MAX]; /* by_sudo alone */
};

/*
 * What SUDO_UID and SUDO_GID say where root was reached by sudo, else our own. Returns 0, or
 * -EINVAL with our own ids where they are no numbers.
 */
int gw_caller_ids(uid_t *uid, gid_t *gid);

/* The same with all that the passwd database knows. 0, or a negative errno with err set. */
int gw_caller_find(struct gw_caller *caller, struct gw_error *err);

/*
 * This process becomes one of the caller's: ids, groups, and HOME, USER, LOGNAME and SHELL. Nothing
 * where we are the caller. 0 or a negative errno.
 */
int gw_caller_become(const struct gw_caller *caller);

/*
 * The environment that sudo was called with: that of the nearest process above us that does not
 * come from sudo itself, as /proc/PID/environ has it. NULL: there is none that can be read. The
 * caller frees it.
 */
char *gw_caller_environment(size_t *length);

/* The value of a variable in such an environment (NAME=value, each ended by NUL), or NULL. */
const char *gw_environment_find(const char *environment, size_t length, const char *name);

#endif
