/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The one error idiom of the user side: a function that can fail returns 0 or a negative errno and,
 * where it understands the cause, fills a struct gw_error with one sentence that names the cause
 * and the way out. Only the commands print it.
 */
#ifndef GW_ERROR_H
#define GW_ERROR_H

/* Exit statuses of the program; they are part of its interface (see the manual page). */
enum gw_status {
	GW_OK = 0,
	GW_STATUS_FAILURE = 1, /* something inside gilwatch failed */
	GW_STATUS_USAGE = 2,
	GW_STATUS_TARGET = 3, /* no such target, or one that cannot be measured */
	GW_STATUS_RIGHTS = 4,
	GW_STATUS_KERNEL = 5,
	GW_STATUS_NOTHING = 6, /* ended before anything was seen */
	GW_STATUS_PARTIAL = 7, /* some of several targets failed */
	GW_STATUS_ADDRESS = 8, /* the address to listen on is taken, or not to be had */
	/* Of `run` alone, whose other statuses are the command's own; as env(1) and nice(1) have
	   it. */
	GW_STATUS_RUN_FAILURE = 125,
	GW_STATUS_RUN_NOT_EXECUTABLE = 126,
	GW_STATUS_RUN_NOT_FOUND = 127,
};

struct gw_error {
	enum gw_status status; /* the exit status that this error stands for */
	char text[512];	       /* one sentence, no newline; "" while there is no error */
};

/*
 * Sets status and text of err (which may be NULL) and returns code, a negative errno, so that
 * `return gw_error_set(err, -ENOENT, GW_STATUS_TARGET, "…");` reads as one step. An error that is
 * already set is kept: the innermost cause is the one the user needs.
 */
int gw_error_set(struct gw_error *err, int code, enum gw_status status, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

#endif
