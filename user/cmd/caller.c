// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/caller.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "target/proc.h"
#include "target/proc_parse.h"
#include "util/text.h"

#define ENVIRONMENT_MAX (1024 * 1024)
/* A shell, sudo and its monitor, a terminal, a session: seldom more. */
#define ANCESTORS_MAX	16
#define PASSWD_TEXT_MAX 65536

/* A number that is an id: (uid_t)-1 stands for none. */
static int parse_id(const char *text, unsigned int *id)
{
	unsigned long value;
	char *end;

	if (*text < '0' || *text > '9')
		return -EINVAL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno || *end || value >= UINT_MAX)
		return -EINVAL;
	*id = (unsigned int)value;
	return 0;
}

int gw_caller_ids(uid_t *uid, gid_t *gid)
{
	const char *sudo_uid = getenv("SUDO_UID"), *sudo_gid = getenv("SUDO_GID");
	unsigned int user, group;

	*uid = geteuid();
	*gid = getegid();
	if (*uid || (!sudo_uid && !sudo_gid))
		return 0;
	if (!sudo_uid || !sudo_gid || parse_id(sudo_uid, &user) || parse_id(sudo_gid, &group))
		return -EINVAL;
	*uid = user;
	*gid = group;
	return 0;
}

static int look_up(struct gw_caller *caller, struct gw_error *err)
{
	char *text = malloc(PASSWD_TEXT_MAX);
	struct passwd entry, *found = NULL;
	int code = ENOMEM;

	if (text)
		code = getpwuid_r(caller->uid, &entry, text, PASSWD_TEXT_MAX, &found);
	if (found) {
		gw_text_copy(caller->name, sizeof(caller->name), entry.pw_name);
		gw_text_copy(caller->home, sizeof(caller->home), entry.pw_dir);
		gw_text_copy(caller->shell, sizeof(caller->shell), entry.pw_shell);
	}
	free(text);
	if (found)
		return 0;
	return gw_error_set(err, code ? -code : -ENOENT, GW_STATUS_RUN_FAILURE,
			    "user %u, who called sudo (SUDO_UID), %s: run the command as root with "
			    "--as-root, or log in as somebody else",
			    caller->uid, code ? strerror(code) : "is in no passwd database");
}

int gw_caller_find(struct gw_caller *caller, struct gw_error *err)
{
	memset(caller, 0, sizeof(*caller));
	if (gw_caller_ids(&caller->uid, &caller->gid))
		return gw_error_set(
			err, -EINVAL, GW_STATUS_RUN_FAILURE,
			"SUDO_UID and SUDO_GID do not both hold a number, so it is not "
			"known who called sudo: run the command as root with --as-root");
	caller->by_sudo = caller->uid != geteuid();
	return caller->by_sudo ? look_up(caller, err) : 0;
}

int gw_caller_become(const struct gw_caller *caller)
{
	if (!caller->by_sudo)
		return 0;
	/* Groups first: the right to set them goes with the user's id. */
	if (initgroups(caller->name, caller->gid) ||
	    setresgid(caller->gid, caller->gid, caller->gid) ||
	    setresuid(caller->uid, caller->uid, caller->uid))
		return -errno;
	if (setenv("HOME", caller->home, 1) || setenv("USER", caller->name, 1) ||
	    setenv("LOGNAME", caller->name, 1) || setenv("SHELL", caller->shell, 1))
		return -ENOMEM;
	return 0;
}

const char *gw_environment_find(const char *environment, size_t length, const char *name)
{
	size_t name_length = strlen(name), used;

	for (size_t at = 0; at < length; at += used + 1) {
		const char *entry = environment + at;

		used = strnlen(entry, length - at);
		if (at + used == length)
			return NULL; /* cut off: only NUL ends a value */
		if (!strncmp(entry, name, name_length) && entry[name_length] == '=')
			return entry + name_length + 1;
	}
	return NULL;
}

char *gw_caller_environment(size_t *length)
{
	char *text = malloc(ENVIRONMENT_MAX), path[64];
	pid_t pid = getppid();

	for (int i = 0; text && pid > 0 && i < ANCESTORS_MAX; i++, pid = gw_proc_parent(pid)) {
		ssize_t got;

		snprintf(path, sizeof(path), "/proc/%d/environ", pid);
		got = gw_read_text(path, text, ENVIRONMENT_MAX);
		if (got <= 0 || gw_environment_find(text, (size_t)got, "SUDO_UID"))
			continue;
		*length = (size_t)got;
		return text;
	}
	free(text);
	return NULL;
}
