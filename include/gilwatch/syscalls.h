/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls in which threads block, by what they wait for. The numbers are x86_64's
 * (arch/x86/entry/syscalls/syscall_64.tbl); another machine needs a table of its own here.
 */
#ifndef GW_SYSCALLS_H
#define GW_SYSCALLS_H

#include "gilwatch/types.h"

enum gw_call {
	GW_CALL_UNKNOWN,
	GW_CALL_FILE,	 /* reads or writes the descriptor in argument 0 */
	GW_CALL_FILE_OUT, /* splice, tee: moves data; the descriptor that matters is argument 2 */
	GW_CALL_SENDFILE, /* writes to the descriptor in argument 0 out of a file */
	GW_CALL_SOCKET,
	GW_CALL_STORAGE, /* paths, metadata, syncing */
	GW_CALL_FLOCK,
	GW_CALL_FCNTL,
	GW_CALL_SLEEP,	 /* nanosleep: request in argument 0 */
	GW_CALL_CLOCK_SLEEP, /* clock_nanosleep: flags in argument 1, request in argument 2 */
	GW_CALL_POLL,	 /* poll, ppoll: array in argument 0, its length in argument 1 */
	GW_CALL_SELECT,	 /* select, pselect6: argument 0 is 0 where no descriptor is meant */
	GW_CALL_EPOLL,
	GW_CALL_FUTEX,	 /* address in argument 0, operation in argument 1 */
	GW_CALL_FUTEX_WAITV,
	GW_CALL_SEMAPHORE,
	GW_CALL_MESSAGE, /* System V and POSIX message queues */
	GW_CALL_CHILD,	 /* wait4, waitid; vfork and clone until the child has exec'd */
	GW_CALL_MEMORY,	 /* mmap and its kin: they wait for the address space's lock and for pages */
	GW_CALL_SIGNAL,	 /* pause, sigsuspend, sigtimedwait */
};

gw_inline enum gw_call gw_call_classify(__s64 number)
{
	switch (number) {
	case 0:	  /* read */
	case 1:	  /* write */
	case 17:  /* pread64 */
	case 18:  /* pwrite64 */
	case 19:  /* readv */
	case 20:  /* writev */
	case 295: /* preadv */
	case 296: /* pwritev */
	case 327: /* preadv2 */
	case 328: /* pwritev2 */
	case 16:  /* ioctl */
		return GW_CALL_FILE;
	case 275: /* splice */
	case 276: /* tee */
	case 326: /* copy_file_range */
		return GW_CALL_FILE_OUT;
	case 40: /* sendfile */
		return GW_CALL_SENDFILE;
	case 42:  /* connect */
	case 43:  /* accept */
	case 44:  /* sendto */
	case 45:  /* recvfrom */
	case 46:  /* sendmsg */
	case 47:  /* recvmsg */
	case 48:  /* shutdown */
	case 288: /* accept4 */
	case 299: /* recvmmsg */
	case 307: /* sendmmsg */
		return GW_CALL_SOCKET;
	case 2:	  /* open */
	case 3:	  /* close: may flush */
	case 4:	  /* stat */
	case 5:	  /* fstat */
	case 6:	  /* lstat */
	case 21:  /* access */
	case 26:  /* msync */
	case 59:  /* execve */
	case 74:  /* fsync */
	case 75:  /* fdatasync */
	case 76:  /* truncate */
	case 77:  /* ftruncate */
	case 78:  /* getdents */
	case 80:  /* chdir */
	case 82:  /* rename */
	case 83:  /* mkdir */
	case 84:  /* rmdir */
	case 85:  /* creat */
	case 86:  /* link */
	case 87:  /* unlink */
	case 88:  /* symlink */
	case 89:  /* readlink */
	case 90:  /* chmod */
	case 92:  /* chown */
	case 137: /* statfs */
	case 138: /* fstatfs */
	case 162: /* sync */
	case 187: /* readahead */
	case 188: /* setxattr */
	case 191: /* getxattr */
	case 208: /* io_getevents */
	case 217: /* getdents64 */
	case 221: /* fadvise64 */
	case 257: /* openat */
	case 258: /* mkdirat */
	case 260: /* fchownat */
	case 262: /* newfstatat */
	case 263: /* unlinkat */
	case 264: /* renameat */
	case 265: /* linkat */
	case 266: /* symlinkat */
	case 267: /* readlinkat */
	case 268: /* fchmodat */
	case 269: /* faccessat */
	case 277: /* sync_file_range */
	case 280: /* utimensat */
	case 285: /* fallocate */
	case 306: /* syncfs */
	case 316: /* renameat2 */
	case 322: /* execveat */
	case 332: /* statx */
	case 333: /* io_pgetevents */
	case 437: /* openat2 */
	case 439: /* faccessat2 */
		return GW_CALL_STORAGE;
	case 73: /* flock */
		return GW_CALL_FLOCK;
	case 72: /* fcntl */
		return GW_CALL_FCNTL;
	case 35: /* nanosleep */
		return GW_CALL_SLEEP;
	case 230: /* clock_nanosleep */
		return GW_CALL_CLOCK_SLEEP;
	case 7:	  /* poll */
	case 271: /* ppoll */
		return GW_CALL_POLL;
	case 23:  /* select */
	case 270: /* pselect6 */
		return GW_CALL_SELECT;
	case 232: /* epoll_wait */
	case 281: /* epoll_pwait */
	case 441: /* epoll_pwait2 */
	case 426: /* io_uring_enter */
		return GW_CALL_EPOLL;
	case 202: /* futex */
		return GW_CALL_FUTEX;
	case 449: /* futex_waitv */
	case 455: /* futex_wait: address in argument 0, as a vector's first would be unknown */
		return GW_CALL_FUTEX_WAITV;
	case 65:  /* semop */
	case 220: /* semtimedop */
		return GW_CALL_SEMAPHORE;
	case 69:  /* msgsnd */
	case 70:  /* msgrcv */
	case 242: /* mq_timedsend */
	case 243: /* mq_timedreceive */
		return GW_CALL_MESSAGE;
	case 56:  /* clone */
	case 57:  /* fork */
	case 58:  /* vfork */
	case 61:  /* wait4 */
	case 247: /* waitid */
	case 435: /* clone3 */
		return GW_CALL_CHILD;
	case 9:	  /* mmap */
	case 10:  /* mprotect */
	case 11:  /* munmap */
	case 12:  /* brk */
	case 25:  /* mremap */
	case 27:  /* mincore */
	case 28:  /* madvise */
	case 149: /* mlock */
	case 151: /* mlockall */
		return GW_CALL_MEMORY;
	case 34:  /* pause */
	case 128: /* rt_sigtimedwait */
	case 130: /* rt_sigsuspend */
		return GW_CALL_SIGNAL;
	default:
		return GW_CALL_UNKNOWN;
	}
}

#endif
