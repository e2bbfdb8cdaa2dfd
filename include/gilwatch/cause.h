/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Where a thread goes when it leaves the CPU: a pure function of the system call it is in, facts
 * about that call's arguments, and the task's state. It is decided at the switch itself, so that a
 * system call that does not block costs nothing.
 */
#ifndef GW_CAUSE_H
#define GW_CAUSE_H

#include "gilwatch/cell.h"
#include "gilwatch/syscalls.h"

/* Bits of task_struct.__state (include/linux/sched.h); they are combined with others: mask. */
#define GW_TASK_INTERRUPTIBLE	0x0001
#define GW_TASK_UNINTERRUPTIBLE 0x0002
#define GW_TASK_STOPPED_BITS	(0x0004 | 0x0008) /* __TASK_STOPPED, __TASK_TRACED */
#define GW_TASK_FROZEN		0x8000		  /* 6.1 and later */

/* What a descriptor refers to. */
enum gw_file {
	GW_FILE_UNKNOWN,
	GW_FILE_SOCKET,
	GW_FILE_PIPE,
	GW_FILE_DISK,	/* regular file, directory, block device */
	GW_FILE_DEVICE, /* terminals and other character devices */
	GW_FILE_NOTIFY, /* no type bits at all: eventfd, timerfd, inotify and their kin */
};

/* File type bits of an inode's mode (include/uapi/linux/stat.h). */
gw_inline enum gw_file gw_file_of_mode(__u32 mode)
{
	switch (mode & 0170000) {
	case 0140000:
		return GW_FILE_SOCKET;
	case 0010000:
		return GW_FILE_PIPE;
	case 0100000:
	case 0040000:
	case 0060000:
		return GW_FILE_DISK;
	case 0020000:
		return GW_FILE_DEVICE;
	case 0:
		return GW_FILE_NOTIFY;
	default:
		return GW_FILE_UNKNOWN;
	}
}

/* What is known of a task that leaves the CPU. */
struct gw_leave {
	__u32 state;	/* task_struct.__state, as the switch saw it */
	__u8 preempted; /* it did not want to leave, whatever its state says */
	__u8 in_iowait;
	__u8 in_call;	     /* it is inside a system call: call and what follows are valid */
	__u8 no_descriptor;  /* POLL, SELECT: asked for none */
	__u8 one_descriptor; /* POLL: asked for one: file says what it is */
	__u8 gil_futex;	     /* FUTEX: the word lies in the struct of a GIL of this process */
	__u8 flock_waits;    /* FCNTL: the command is one that waits for a lock */
	__u8 padding;
	enum gw_call call;
	enum gw_file file;
};

gw_inline enum gw_where gw_cause_of_file(enum gw_file file, int uninterruptible)
{
	switch (file) {
	case GW_FILE_SOCKET:
		return GW_BLOCKED_NET;
	case GW_FILE_PIPE:
		return GW_BLOCKED_PIPE;
	case GW_FILE_DISK:
		return GW_BLOCKED_DISK;
	case GW_FILE_NOTIFY:
		/* Reading an eventfd and the like is waiting for an event, as poll would. */
		return GW_BLOCKED_POLL;
	default:
		return uninterruptible ? GW_BLOCKED_DISK : GW_BLOCKED_OTHER;
	}
}

/*
 * These waits can be interrupted; a task that is in an uninterruptible one inside such a call has
 * met something else on its way: a page that had to be read, or memory that had to be found.
 */
gw_inline int gw_cause_is_interruptible(enum gw_call call)
{
	switch (call) {
	case GW_CALL_SLEEP:
	case GW_CALL_CLOCK_SLEEP:
	case GW_CALL_POLL:
	case GW_CALL_SELECT:
	case GW_CALL_EPOLL:
	case GW_CALL_FUTEX:
	case GW_CALL_FUTEX_WAITV:
	case GW_CALL_SIGNAL:
		return 1;
	default:
		return 0;
	}
}

gw_inline enum gw_where gw_cause_of_poll(const struct gw_leave *leave)
{
	if (leave->no_descriptor)
		return GW_BLOCKED_SLEEP;
	/* A socket with a timeout waits in poll for its one descriptor, not in recv. */
	if (leave->one_descriptor && leave->file == GW_FILE_SOCKET)
		return GW_BLOCKED_NET;
	if (leave->one_descriptor && leave->file == GW_FILE_PIPE)
		return GW_BLOCKED_PIPE;
	return GW_BLOCKED_POLL;
}

gw_inline enum gw_where gw_cause_of_call(const struct gw_leave *leave, int uninterruptible)
{
	switch (leave->call) {
	case GW_CALL_FILE:
	case GW_CALL_FILE_OUT:
		return gw_cause_of_file(leave->file, uninterruptible);
	case GW_CALL_SENDFILE:
		return leave->in_iowait ? GW_BLOCKED_DISK
					: gw_cause_of_file(leave->file, uninterruptible);
	case GW_CALL_SOCKET:
		return GW_BLOCKED_NET;
	case GW_CALL_STORAGE:
		/* Opening a FIFO waits for its other end, interruptibly: that is no disk. */
		return uninterruptible || leave->in_iowait ? GW_BLOCKED_DISK : GW_BLOCKED_OTHER;
	case GW_CALL_FLOCK:
	case GW_CALL_SEMAPHORE:
	case GW_CALL_FUTEX_WAITV:
		return GW_BLOCKED_LOCK;
	case GW_CALL_FCNTL:
		return leave->flock_waits ? GW_BLOCKED_LOCK : GW_BLOCKED_OTHER;
	case GW_CALL_FUTEX:
		return leave->gil_futex ? GW_BLOCKED_GIL : GW_BLOCKED_LOCK;
	case GW_CALL_SLEEP:
	case GW_CALL_CLOCK_SLEEP:
	case GW_CALL_SIGNAL:
		return GW_BLOCKED_SLEEP;
	case GW_CALL_POLL:
	case GW_CALL_SELECT:
		return gw_cause_of_poll(leave);
	case GW_CALL_EPOLL:
		return GW_BLOCKED_POLL;
	case GW_CALL_MESSAGE:
		return GW_BLOCKED_PIPE;
	case GW_CALL_CHILD:
		return GW_BLOCKED_CHILD;
	case GW_CALL_MEMORY:
		return GW_BLOCKED_FAULT;
	default:
		return leave->in_iowait ? GW_BLOCKED_DISK : GW_BLOCKED_OTHER;
	}
}

gw_inline enum gw_where gw_cause(const struct gw_leave *leave)
{
	int uninterruptible = !!(leave->state & GW_TASK_UNINTERRUPTIBLE);

	/* A task that is preempted may already carry the state in which it was about to sleep. */
	if (leave->preempted || !leave->state)
		return GW_RUNNABLE;
	if (leave->state & (GW_TASK_STOPPED_BITS | GW_TASK_FROZEN))
		return GW_STOPPED;
	if (!leave->in_call)
		return uninterruptible || leave->in_iowait ? GW_BLOCKED_FAULT : GW_BLOCKED_OTHER;
	if (uninterruptible && gw_cause_is_interruptible(leave->call))
		return GW_BLOCKED_FAULT;
	return gw_cause_of_call(leave, uninterruptible);
}

#endif
