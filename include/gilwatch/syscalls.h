/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * System calls in which threads block, by what they wait for. The numbers are x86_64's
 * (arch/x86/entry/syscalls/syscall_64.tbl); another machine needs a table of its own here.
 */
#ifndef GW_SYSCALLS_H
#define GW_SYSCALLS_H

#include "gilwatch/types.h"

enum gw_call {
	GW_CALL_UNKNOWN = 0,
	GW_CALL_FILE,	  /* reads or writes the descriptor in argument 0 */
	GW_CALL_FILE_OUT, /* splice, tee: moves data; the descriptor that matters is argument 2 */
	GW_CALL_SENDFILE, /* writes to the descriptor in argument 0 out of a file */
	GW_CALL_SOCKET,
	GW_CALL_STORAGE, /* paths, metadata, syncing */
	GW_CALL_FLOCK,
	GW_CALL_FCNTL,
	GW_CALL_SLEEP,	     /* nanosleep: request in argument 0 */
	GW_CALL_CLOCK_SLEEP, /* clock_nanosleep: flags in argument 1, request in argument 2 */
	GW_CALL_POLL,	     /* poll, ppoll: array in argument 0, its length in argument 1 */
	GW_CALL_SELECT, /* select, pselect6: argument 0 is 0 where no descriptor is meant; request
			   in argument 4 */
	GW_CALL_EPOLL,
	GW_CALL_FUTEX, /* address in argument 0, operation in argument 1 */
	GW_CALL_FUTEX_WAITV,
	GW_CALL_SEMAPHORE,
	GW_CALL_MESSAGE, /* System V and POSIX message queues */
	GW_CALL_CHILD,	 /* wait4, waitid; vfork and clone until the child has exec'd */
	GW_CALL_MEMORY, /* mmap and its kin: they wait for the address space's lock and for pages */
	GW_CALL_SIGNAL, /* pause, sigsuspend, sigtimedwait */
};

#define GW_CALL_NUMBERS 512 /* more than there are; a power of two */

/*
 * A table, for a switch would be a tree of branches in every context switch, and as many paths for
 * the verifier to follow.
 */
static const __u8 gw_calls[GW_CALL_NUMBERS] __attribute__((unused)) = {
	[0] = GW_CALL_FILE,	     /* read */
	[1] = GW_CALL_FILE,	     /* write */
	[17] = GW_CALL_FILE,	     /* pread64 */
	[18] = GW_CALL_FILE,	     /* pwrite64 */
	[19] = GW_CALL_FILE,	     /* readv */
	[20] = GW_CALL_FILE,	     /* writev */
	[295] = GW_CALL_FILE,	     /* preadv */
	[296] = GW_CALL_FILE,	     /* pwritev */
	[327] = GW_CALL_FILE,	     /* preadv2 */
	[328] = GW_CALL_FILE,	     /* pwritev2 */
	[16] = GW_CALL_FILE,	     /* ioctl */
	[275] = GW_CALL_FILE_OUT,    /* splice */
	[276] = GW_CALL_FILE_OUT,    /* tee */
	[326] = GW_CALL_FILE_OUT,    /* copy_file_range */
	[40] = GW_CALL_SENDFILE,     /* sendfile */
	[42] = GW_CALL_SOCKET,	     /* connect */
	[43] = GW_CALL_SOCKET,	     /* accept */
	[44] = GW_CALL_SOCKET,	     /* sendto */
	[45] = GW_CALL_SOCKET,	     /* recvfrom */
	[46] = GW_CALL_SOCKET,	     /* sendmsg */
	[47] = GW_CALL_SOCKET,	     /* recvmsg */
	[48] = GW_CALL_SOCKET,	     /* shutdown */
	[288] = GW_CALL_SOCKET,	     /* accept4 */
	[299] = GW_CALL_SOCKET,	     /* recvmmsg */
	[307] = GW_CALL_SOCKET,	     /* sendmmsg */
	[2] = GW_CALL_STORAGE,	     /* open */
	[3] = GW_CALL_STORAGE,	     /* close: may flush */
	[4] = GW_CALL_STORAGE,	     /* stat */
	[5] = GW_CALL_STORAGE,	     /* fstat */
	[6] = GW_CALL_STORAGE,	     /* lstat */
	[21] = GW_CALL_STORAGE,	     /* access */
	[26] = GW_CALL_STORAGE,	     /* msync */
	[59] = GW_CALL_STORAGE,	     /* execve */
	[74] = GW_CALL_STORAGE,	     /* fsync */
	[75] = GW_CALL_STORAGE,	     /* fdatasync */
	[76] = GW_CALL_STORAGE,	     /* truncate */
	[77] = GW_CALL_STORAGE,	     /* ftruncate */
	[78] = GW_CALL_STORAGE,	     /* getdents */
	[80] = GW_CALL_STORAGE,	     /* chdir */
	[82] = GW_CALL_STORAGE,	     /* rename */
	[83] = GW_CALL_STORAGE,	     /* mkdir */
	[84] = GW_CALL_STORAGE,	     /* rmdir */
	[85] = GW_CALL_STORAGE,	     /* creat */
	[86] = GW_CALL_STORAGE,	     /* link */
	[87] = GW_CALL_STORAGE,	     /* unlink */
	[88] = GW_CALL_STORAGE,	     /* symlink */
	[89] = GW_CALL_STORAGE,	     /* readlink */
	[90] = GW_CALL_STORAGE,	     /* chmod */
	[92] = GW_CALL_STORAGE,	     /* chown */
	[137] = GW_CALL_STORAGE,     /* statfs */
	[138] = GW_CALL_STORAGE,     /* fstatfs */
	[162] = GW_CALL_STORAGE,     /* sync */
	[187] = GW_CALL_STORAGE,     /* readahead */
	[188] = GW_CALL_STORAGE,     /* setxattr */
	[191] = GW_CALL_STORAGE,     /* getxattr */
	[208] = GW_CALL_STORAGE,     /* io_getevents */
	[217] = GW_CALL_STORAGE,     /* getdents64 */
	[221] = GW_CALL_STORAGE,     /* fadvise64 */
	[257] = GW_CALL_STORAGE,     /* openat */
	[258] = GW_CALL_STORAGE,     /* mkdirat */
	[260] = GW_CALL_STORAGE,     /* fchownat */
	[262] = GW_CALL_STORAGE,     /* newfstatat */
	[263] = GW_CALL_STORAGE,     /* unlinkat */
	[264] = GW_CALL_STORAGE,     /* renameat */
	[265] = GW_CALL_STORAGE,     /* linkat */
	[266] = GW_CALL_STORAGE,     /* symlinkat */
	[267] = GW_CALL_STORAGE,     /* readlinkat */
	[268] = GW_CALL_STORAGE,     /* fchmodat */
	[269] = GW_CALL_STORAGE,     /* faccessat */
	[277] = GW_CALL_STORAGE,     /* sync_file_range */
	[280] = GW_CALL_STORAGE,     /* utimensat */
	[285] = GW_CALL_STORAGE,     /* fallocate */
	[306] = GW_CALL_STORAGE,     /* syncfs */
	[316] = GW_CALL_STORAGE,     /* renameat2 */
	[322] = GW_CALL_STORAGE,     /* execveat */
	[332] = GW_CALL_STORAGE,     /* statx */
	[333] = GW_CALL_STORAGE,     /* io_pgetevents */
	[437] = GW_CALL_STORAGE,     /* openat2 */
	[439] = GW_CALL_STORAGE,     /* faccessat2 */
	[73] = GW_CALL_FLOCK,	     /* flock */
	[72] = GW_CALL_FCNTL,	     /* fcntl */
	[35] = GW_CALL_SLEEP,	     /* nanosleep */
	[230] = GW_CALL_CLOCK_SLEEP, /* clock_nanosleep */
	[7] = GW_CALL_POLL,	     /* poll */
	[271] = GW_CALL_POLL,	     /* ppoll */
	[23] = GW_CALL_SELECT,	     /* select */
	[270] = GW_CALL_SELECT,	     /* pselect6 */
	[232] = GW_CALL_EPOLL,	     /* epoll_wait */
	[281] = GW_CALL_EPOLL,	     /* epoll_pwait */
	[441] = GW_CALL_EPOLL,	     /* epoll_pwait2 */
	[426] = GW_CALL_EPOLL,	     /* io_uring_enter */
	[202] = GW_CALL_FUTEX,	     /* futex */
	[449] = GW_CALL_FUTEX_WAITV, /* futex_waitv */
	[455] = GW_CALL_FUTEX_WAITV, /* futex_wait: address in argument 0, as a vector's first would
					be unknown */
	[65] = GW_CALL_SEMAPHORE,    /* semop */
	[220] = GW_CALL_SEMAPHORE,   /* semtimedop */
	[69] = GW_CALL_MESSAGE,	     /* msgsnd */
	[70] = GW_CALL_MESSAGE,	     /* msgrcv */
	[242] = GW_CALL_MESSAGE,     /* mq_timedsend */
	[243] = GW_CALL_MESSAGE,     /* mq_timedreceive */
	[56] = GW_CALL_CHILD,	     /* clone */
	[57] = GW_CALL_CHILD,	     /* fork */
	[58] = GW_CALL_CHILD,	     /* vfork */
	[61] = GW_CALL_CHILD,	     /* wait4 */
	[247] = GW_CALL_CHILD,	     /* waitid */
	[435] = GW_CALL_CHILD,	     /* clone3 */
	[9] = GW_CALL_MEMORY,	     /* mmap */
	[10] = GW_CALL_MEMORY,	     /* mprotect */
	[11] = GW_CALL_MEMORY,	     /* munmap */
	[12] = GW_CALL_MEMORY,	     /* brk */
	[25] = GW_CALL_MEMORY,	     /* mremap */
	[27] = GW_CALL_MEMORY,	     /* mincore */
	[28] = GW_CALL_MEMORY,	     /* madvise */
	[149] = GW_CALL_MEMORY,	     /* mlock */
	[151] = GW_CALL_MEMORY,	     /* mlockall */
	[34] = GW_CALL_SIGNAL,	     /* pause */
	[128] = GW_CALL_SIGNAL,	     /* rt_sigtimedwait */
	[130] = GW_CALL_SIGNAL,	     /* rt_sigsuspend */
};

gw_inline int gw_call_is_exec(__s64 number)
{
	return number == 59 || number == 322; /* execve, execveat */
}

/*
 * What a lock that spins calls between two looks (CPython's PyMutex in free-threaded builds, spin
 * locks of C libraries): the thread stays runnable, but wants the lock and not the CPU.
 */
gw_inline int gw_call_is_yield(__s64 number)
{
	return number == 24; /* sched_yield */
}

/* Its request is a struct timeval, and not a struct timespec as that of pselect6 and all others. */
gw_inline int gw_call_asks_us(__s64 number)
{
	return number == 23; /* select */
}

/*
 * What a request says, whose second half is of nanoseconds or microseconds. 0: it is none that a
 * thread could have been sleeping for, for another thread may have written to that memory since.
 */
gw_inline __u64 gw_call_asked_ns(__s64 seconds, __s64 fraction, int in_us)
{
	if (seconds < 0 || seconds > 1000000000LL || fraction < 0 || fraction >= 1000000000LL)
		return 0;
	return (__u64)seconds * 1000000000ULL + (__u64)fraction * (in_us ? 1000ULL : 1ULL);
}

gw_inline enum gw_call gw_call_classify(__s64 number)
{
	if (number < 0 || number >= GW_CALL_NUMBERS)
		return GW_CALL_UNKNOWN;
	return (enum gw_call)gw_calls[number];
}

#endif
