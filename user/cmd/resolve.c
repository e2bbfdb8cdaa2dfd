// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/resolve.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int try_file(const char *path)
{
	struct stat st;

	if (stat(path, &st))
		return errno == EACCES ? -EACCES : -ENOENT;
	if (S_ISDIR(st.st_mode))
		return -EISDIR;
	return faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) ? -EACCES : 0;
}

static int copy(const char *from, char *path, size_t size)
{
	return (size_t)snprintf(path, size, "%s", from) < size ? 0 : -ENAMETOOLONG;
}

/* Looks in one directory of the list; an empty one is the working directory. */
static int try_in(const char *directory, size_t length, const char *name, char *candidate)
{
	if (!length) {
		directory = ".";
		length = 1;
	}
	if (snprintf(candidate, PATH_MAX, "%.*s/%s", (int)length, directory, name) >= PATH_MAX)
		return -ENOENT;
	return try_file(candidate);
}

static int search(const char *name, const char *list, char *path, size_t size)
{
	char candidate[PATH_MAX];
	int found = -ENOENT;

	for (;;) {
		size_t length = strcspn(list, ":");
		int code = try_in(list, length, name, candidate);

		/* What cannot be executed is told only where nothing else comes. */
		if (!code || (code == -EACCES && found == -ENOENT)) {
			found = code;
			if (copy(candidate, path, size))
				return -ENAMETOOLONG;
		}
		list += length;
		if (!code || !*list)
			return found;
		list++;
	}
}

int gw_resolve(const char *name, const char *path_list, char *path, size_t size)
{
	char standard[256];
	int code;

	path[0] = '\0';
	if (strchr(name, '/')) {
		code = try_file(name);
		return code == -ENOENT || !copy(name, path, size) ? code : -ENAMETOOLONG;
	}
	if (!*name)
		return -ENOENT;
	if (!path_list) {
		confstr(_CS_PATH, standard, sizeof(standard));
		path_list = standard;
	}
	return search(name, path_list, path, size);
}
