/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Files that are read behind the back of whoever asks for them: in a thread of its own, that begins
 * with the first file and ends with the last, so that nobody waits for one that takes seconds.
 */
#ifndef GW_FILE_BEHIND_H
#define GW_FILE_BEHIND_H

#include <sys/stat.h>

#include "target/sandbox.h"

#define GW_BEHIND_TOGETHER_MAX 16

struct gw_behind;

enum gw_behind_kind {
	GW_BEHIND_SYMBOLS,
	GW_BEHIND_SITES,
};

/* A file to be read, and those that belong to it (-1: none). */
struct gw_behind_file {
	enum gw_behind_kind kind;
	struct stat file;
	int fd[GW_SANDBOX_FDS_MAX];
	char what[256]; /* what names it in a sentence */
};

/* Reads files of one kind, in the thread. */
typedef void gw_behind_read(struct gw_behind_file *const *file, size_t count, void *data);

/* NULL: out of memory. */
struct gw_behind *gw_behind_new(gw_behind_read *read, void *data);

/* What waits is forgotten; waits for the thread. Accepts NULL. */
void gw_behind_free(struct gw_behind *behind);

/*
 * Has a file read, unless it is to be read already: -EAGAIN. The descriptors stay the caller's.
 * Where too many wait it is forgotten at once: it will be asked for again.
 */
int gw_behind_ask(struct gw_behind *behind, const struct gw_behind_file *file);

#endif
