/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Processes and threads as the rows of a table: sorted, filtered, and threads folded into their
 * processes. Rows remember when they were seen first and last, and where they stood, so that new
 * and ended threads can be marked and equally busy ones do not swap places at each refresh.
 */
#ifndef GW_ROWS_H
#define GW_ROWS_H

#include "model/snapshot.h"

enum gw_sort {
	GW_SORT_BUSY, /* GIL wait + on a CPU + held off */
	GW_SORT_GIL_WAIT,
	GW_SORT_PYTHON,
	GW_SORT_NATIVE,
	GW_SORT_HELD_OFF,
	GW_SORT_INFLICTED,
	GW_SORT_MIGRATIONS,
	GW_SORT_NAME,
	GW_SORT_ID,
	GW_SORT_COUNT,
};

/* A thread is marked as new, or shown after its end, for so many refreshes. */
#define GW_ROWS_MARKED 3

enum gw_row_mark {
	GW_ROW_PLAIN,
	GW_ROW_NEW,
	GW_ROW_ENDED,
};

/* What is kept of a thread from refresh to refresh. */
struct gw_row_memory {
	uint32_t pid, tid;
	uint64_t start_ns;
	uint64_t first, last; /* refreshes in which it was there */
	int64_t rank;	      /* what it is sorted by: its value when that last changed by much */
	char name[64];
};

struct gw_row {
	const struct gw_process_view *process; /* NULL: of an ended thread, if that is gone too */
	const struct gw_thread_view *thread;   /* NULL: a process, or a thread that has ended */
	uint32_t pid, tid;		       /* tid 0: a process */
	uint64_t start_ns;
	const char *name; /* raw bytes of the target, at most 64 */
	enum gw_row_mark mark;
	int64_t rank;
};

struct gw_rows_options {
	enum gw_sort sort;
	int reverse;
	int threads;		/* 0: processes only */
	const char *filter;	/* part of a name, a command or an id, in any case; "": all */
	const uint32_t *opened; /* PIDs whose threads are shown, where there are several */
	size_t opened_count;
};

struct gw_rows {
	struct gw_row *row;
	size_t count;
	/* its own */
	struct gw_row_memory *memory; /* by pid, tid and start */
	size_t memory_count;
	uint64_t refreshes;
	enum gw_sort sorted_by;
};

/*
 * Makes the rows of a snapshot, into which they point. refresh: it is a new one, not the last one
 * shown in another way. 0 or -ENOMEM.
 */
int gw_rows_make(struct gw_rows *rows, const struct gw_snapshot *snapshot,
		 const struct gw_rows_options *options, int refresh);

void gw_rows_free(struct gw_rows *rows);

#endif
