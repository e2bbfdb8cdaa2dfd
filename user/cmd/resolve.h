/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Which file a command's name stands for. */
#ifndef GW_RESOLVE_H
#define GW_RESOLVE_H

#include <stddef.h>

/*
 * Finds the file that execvp(3) would run for this name with a PATH of path_list (NULL: the
 * system's default), with the rights that this process has. A name with a slash in it is the file.
 * Returns 0, -ENOENT: there is none, -EACCES: it cannot be executed, -EISDIR: it is a directory, or
 * -ENAMETOOLONG. path is set where something was found.
 */
int gw_resolve(const char *name, const char *path_list, char *path, size_t size);

#endif
