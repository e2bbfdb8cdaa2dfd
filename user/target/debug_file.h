/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Separate debug files, which distributions keep under /usr/lib/debug/.build-id. */
#ifndef GW_DEBUG_FILE_H
#define GW_DEBUG_FILE_H

#include <sys/types.h>

/*
 * Opens the debug file of a build id (hexadecimal) as the process sees the file system, or as
 * gilwatch does (pid 0). That it is of this build is for the reader to check. A descriptor or a
 * negative errno.
 */
int gw_debug_file_open(pid_t pid, const char *build_id);

#endif
