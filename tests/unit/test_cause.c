// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* Why a thread blocks: system call by system call, and what a descriptor and a task's state add to
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <cmocka.h>

#include "gilwatch/cause.h"

/* include/linux/sched.h */
#define INTERRUPTIBLE	0x0001
#define UNINTERRUPTIBLE 0x0002
#define STOPPED		0x0004
#define TRACED		0x0008
#define KILLABLE	0x0102
#define IDLE		0x0402
#define FREEZABLE	0x2001
#define FROZEN		0x8000

/* ---- numbers ---- */

/* Newer than the headers that this may be built with. */
#ifndef SYS_futex_waitv
#define SYS_futex_waitv 449
#endif
#ifndef SYS_futex_wait
#define SYS_futex_wait 455
#endif

struct call {
	long number;
	enum gw_call call;
};

static const struct call calls[] = {
	{SYS_read, GW_CALL_FILE},
	{SYS_write, GW_CALL_FILE},
	{SYS_pread64, GW_CALL_FILE},
	{SYS_pwrite64, GW_CALL_FILE},
	{SYS_readv, GW_CALL_FILE},
	{SYS_writev, GW_CALL_FILE},
	{SYS_preadv, GW_CALL_FILE},
	{SYS_pwritev, GW_CALL_FILE},
	{SYS_preadv2, GW_CALL_FILE},
	{SYS_pwritev2, GW_CALL_FILE},
	{SYS_ioctl, GW_CALL_FILE},
	{SYS_splice, GW_CALL_FILE_OUT},
	{SYS_tee, GW_CALL_FILE_OUT},
	{SYS_copy_file_range, GW_CALL_FILE_OUT},
	{SYS_sendfile, GW_CALL_SENDFILE},
	{SYS_connect, GW_CALL_SOCKET},
	{SYS_accept, GW_CALL_SOCKET},
	{SYS_sendto, GW_CALL_SOCKET},
	{SYS_recvfrom, GW_CALL_SOCKET},
	{SYS_sendmsg, GW_CALL_SOCKET},
	{SYS_recvmsg, GW_CALL_SOCKET},
	{SYS_shutdown, GW_CALL_SOCKET},
	{SYS_accept4, GW_CALL_SOCKET},
	{SYS_recvmmsg, GW_CALL_SOCKET},
	{SYS_sendmmsg, GW_CALL_SOCKET},
	{SYS_open, GW_CALL_STORAGE},
	{SYS_close, GW_CALL_STORAGE},
	{SYS_stat, GW_CALL_STORAGE},
	{SYS_fstat, GW_CALL_STORAGE},
	{SYS_lstat, GW_CALL_STORAGE},
	{SYS_access, GW_CALL_STORAGE},
	{SYS_msync, GW_CALL_STORAGE},
	{SYS_execve, GW_CALL_STORAGE},
	{SYS_fsync, GW_CALL_STORAGE},
	{SYS_fdatasync, GW_CALL_STORAGE},
	{SYS_truncate, GW_CALL_STORAGE},
	{SYS_ftruncate, GW_CALL_STORAGE},
	{SYS_getdents, GW_CALL_STORAGE},
	{SYS_chdir, GW_CALL_STORAGE},
	{SYS_rename, GW_CALL_STORAGE},
	{SYS_mkdir, GW_CALL_STORAGE},
	{SYS_rmdir, GW_CALL_STORAGE},
	{SYS_creat, GW_CALL_STORAGE},
	{SYS_link, GW_CALL_STORAGE},
	{SYS_unlink, GW_CALL_STORAGE},
	{SYS_symlink, GW_CALL_STORAGE},
	{SYS_readlink, GW_CALL_STORAGE},
	{SYS_chmod, GW_CALL_STORAGE},
	{SYS_chown, GW_CALL_STORAGE},
	{SYS_statfs, GW_CALL_STORAGE},
	{SYS_fstatfs, GW_CALL_STORAGE},
	{SYS_sync, GW_CALL_STORAGE},
	{SYS_readahead, GW_CALL_STORAGE},
	{SYS_setxattr, GW_CALL_STORAGE},
	{SYS_getxattr, GW_CALL_STORAGE},
	{SYS_io_getevents, GW_CALL_STORAGE},
	{SYS_getdents64, GW_CALL_STORAGE},
	{SYS_fadvise64, GW_CALL_STORAGE},
	{SYS_openat, GW_CALL_STORAGE},
	{SYS_mkdirat, GW_CALL_STORAGE},
	{SYS_fchownat, GW_CALL_STORAGE},
	{SYS_newfstatat, GW_CALL_STORAGE},
	{SYS_unlinkat, GW_CALL_STORAGE},
	{SYS_renameat, GW_CALL_STORAGE},
	{SYS_linkat, GW_CALL_STORAGE},
	{SYS_symlinkat, GW_CALL_STORAGE},
	{SYS_readlinkat, GW_CALL_STORAGE},
	{SYS_fchmodat, GW_CALL_STORAGE},
	{SYS_faccessat, GW_CALL_STORAGE},
	{SYS_sync_file_range, GW_CALL_STORAGE},
	{SYS_utimensat, GW_CALL_STORAGE},
	{SYS_fallocate, GW_CALL_STORAGE},
	{SYS_syncfs, GW_CALL_STORAGE},
	{SYS_renameat2, GW_CALL_STORAGE},
	{SYS_execveat, GW_CALL_STORAGE},
	{SYS_statx, GW_CALL_STORAGE},
	{SYS_io_pgetevents, GW_CALL_STORAGE},
	{SYS_openat2, GW_CALL_STORAGE},
	{SYS_faccessat2, GW_CALL_STORAGE},
	{SYS_flock, GW_CALL_FLOCK},
	{SYS_fcntl, GW_CALL_FCNTL},
	{SYS_nanosleep, GW_CALL_SLEEP},
	{SYS_clock_nanosleep, GW_CALL_CLOCK_SLEEP},
	{SYS_poll, GW_CALL_POLL},
	{SYS_ppoll, GW_CALL_POLL},
	{SYS_select, GW_CALL_SELECT},
	{SYS_pselect6, GW_CALL_SELECT},
	{SYS_epoll_wait, GW_CALL_EPOLL},
	{SYS_epoll_pwait, GW_CALL_EPOLL},
	{SYS_epoll_pwait2, GW_CALL_EPOLL},
	{SYS_io_uring_enter, GW_CALL_EPOLL},
	{SYS_futex, GW_CALL_FUTEX},
	{SYS_futex_waitv, GW_CALL_FUTEX_WAITV},
	{SYS_futex_wait, GW_CALL_FUTEX_WAITV},
	{SYS_semop, GW_CALL_SEMAPHORE},
	{SYS_semtimedop, GW_CALL_SEMAPHORE},
	{SYS_msgsnd, GW_CALL_MESSAGE},
	{SYS_msgrcv, GW_CALL_MESSAGE},
	{SYS_mq_timedsend, GW_CALL_MESSAGE},
	{SYS_mq_timedreceive, GW_CALL_MESSAGE},
	{SYS_clone, GW_CALL_CHILD},
	{SYS_fork, GW_CALL_CHILD},
	{SYS_vfork, GW_CALL_CHILD},
	{SYS_wait4, GW_CALL_CHILD},
	{SYS_waitid, GW_CALL_CHILD},
	{SYS_clone3, GW_CALL_CHILD},
	{SYS_mmap, GW_CALL_MEMORY},
	{SYS_mprotect, GW_CALL_MEMORY},
	{SYS_munmap, GW_CALL_MEMORY},
	{SYS_brk, GW_CALL_MEMORY},
	{SYS_mremap, GW_CALL_MEMORY},
	{SYS_mincore, GW_CALL_MEMORY},
	{SYS_madvise, GW_CALL_MEMORY},
	{SYS_mlock, GW_CALL_MEMORY},
	{SYS_mlockall, GW_CALL_MEMORY},
	{SYS_pause, GW_CALL_SIGNAL},
	{SYS_rt_sigtimedwait, GW_CALL_SIGNAL},
	{SYS_rt_sigsuspend, GW_CALL_SIGNAL},
};

#define CALL_COUNT (sizeof(calls) / sizeof(calls[0]))

static void test_numbers_are_those_of_the_headers(void **state)
{
	(void)state;

	for (size_t i = 0; i < CALL_COUNT; i++) {
		if (gw_call_classify(calls[i].number) != calls[i].call)
			fail_msg("system call %ld is taken for class %d, not %d", calls[i].number,
				 gw_call_classify(calls[i].number), calls[i].call);
	}
}

static int is_listed(long number)
{
	for (size_t i = 0; i < CALL_COUNT; i++)
		if (calls[i].number == number)
			return 1;
	return 0;
}

/* A number that nobody has vouched for above is a typing error in the table. */
static void test_all_other_numbers_are_unknown(void **state)
{
	(void)state;

	for (long number = -2; number < 2000; number++)
		if (!is_listed(number) && gw_call_classify(number) != GW_CALL_UNKNOWN)
			fail_msg("system call %ld is known, but not to this test", number);
	assert_int_equal(gw_call_classify(INT64_MAX), GW_CALL_UNKNOWN);
	assert_int_equal(gw_call_classify(INT64_MIN), GW_CALL_UNKNOWN);
	assert_int_equal(gw_call_classify(1LL << 32), GW_CALL_UNKNOWN);
}

/* ---- descriptors ---- */

static void test_file_of_mode(void **state)
{
	(void)state;

	assert_int_equal(gw_file_of_mode(S_IFSOCK | 0777), GW_FILE_SOCKET);
	assert_int_equal(gw_file_of_mode(S_IFIFO | 0600), GW_FILE_PIPE);
	assert_int_equal(gw_file_of_mode(S_IFREG | 0644), GW_FILE_DISK);
	assert_int_equal(gw_file_of_mode(S_IFDIR | S_ISVTX | 0777), GW_FILE_DISK);
	assert_int_equal(gw_file_of_mode(S_IFBLK), GW_FILE_DISK);
	assert_int_equal(gw_file_of_mode(S_IFCHR | 0620), GW_FILE_DEVICE);
	assert_int_equal(gw_file_of_mode(0600), GW_FILE_NOTIFY);
	assert_int_equal(gw_file_of_mode(S_IFLNK | 0777), GW_FILE_UNKNOWN);
}

/* ---- causes ---- */

struct row {
	struct gw_leave leave;
	enum gw_where interruptible, uninterruptible;
};

#define IN(...)                                                                                    \
	{                                                                                          \
		.in_call = 1, __VA_ARGS__                                                          \
	}
#define ALWAYS(where) where, where

/* By system call and file. */
static const struct row by_file[] = {
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_SOCKET), ALWAYS(GW_BLOCKED_NET)},
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_PIPE), ALWAYS(GW_BLOCKED_PIPE)},
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_DISK), ALWAYS(GW_BLOCKED_DISK)},
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_NOTIFY), ALWAYS(GW_BLOCKED_POLL)},
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_DEVICE), GW_BLOCKED_OTHER, GW_BLOCKED_DISK},
	{IN(.call = GW_CALL_FILE, .file = GW_FILE_UNKNOWN), GW_BLOCKED_OTHER, GW_BLOCKED_DISK},
	{IN(.call = GW_CALL_FILE_OUT, .file = GW_FILE_SOCKET), ALWAYS(GW_BLOCKED_NET)},
	{IN(.call = GW_CALL_FILE_OUT, .file = GW_FILE_PIPE), ALWAYS(GW_BLOCKED_PIPE)},
	{IN(.call = GW_CALL_FILE_OUT, .file = GW_FILE_DISK), ALWAYS(GW_BLOCKED_DISK)},
	{IN(.call = GW_CALL_FILE_OUT, .file = GW_FILE_UNKNOWN), GW_BLOCKED_OTHER, GW_BLOCKED_DISK},
	{IN(.call = GW_CALL_SENDFILE, .file = GW_FILE_SOCKET), ALWAYS(GW_BLOCKED_NET)},
	{IN(.call = GW_CALL_SENDFILE, .file = GW_FILE_PIPE), ALWAYS(GW_BLOCKED_PIPE)},
	{IN(.call = GW_CALL_SENDFILE, .file = GW_FILE_DISK), ALWAYS(GW_BLOCKED_DISK)},
	{IN(.call = GW_CALL_SENDFILE, .file = GW_FILE_SOCKET, .in_iowait = 1),
	 ALWAYS(GW_BLOCKED_DISK)},
};

/* A call that can be interrupted and is not has met a page fault on its way. */
static const struct row by_call[] = {
	{IN(.call = GW_CALL_SOCKET), ALWAYS(GW_BLOCKED_NET)},
	{IN(.call = GW_CALL_STORAGE), GW_BLOCKED_OTHER, GW_BLOCKED_DISK},
	{IN(.call = GW_CALL_STORAGE, .in_iowait = 1), ALWAYS(GW_BLOCKED_DISK)},
	{IN(.call = GW_CALL_FLOCK), ALWAYS(GW_BLOCKED_LOCK)},
	{IN(.call = GW_CALL_FCNTL), ALWAYS(GW_BLOCKED_OTHER)},
	{IN(.call = GW_CALL_FCNTL, .flock_waits = 1), ALWAYS(GW_BLOCKED_LOCK)},
	{IN(.call = GW_CALL_SEMAPHORE), ALWAYS(GW_BLOCKED_LOCK)},
	{IN(.call = GW_CALL_MESSAGE), ALWAYS(GW_BLOCKED_PIPE)},
	{IN(.call = GW_CALL_CHILD), ALWAYS(GW_BLOCKED_CHILD)},
	{IN(.call = GW_CALL_MEMORY), ALWAYS(GW_BLOCKED_FAULT)},
	{IN(.call = GW_CALL_UNKNOWN), ALWAYS(GW_BLOCKED_OTHER)},
	{IN(.call = GW_CALL_UNKNOWN, .in_iowait = 1), ALWAYS(GW_BLOCKED_DISK)},
	{IN(.call = GW_CALL_SLEEP), GW_BLOCKED_SLEEP, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_CLOCK_SLEEP), GW_BLOCKED_SLEEP, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_SIGNAL), GW_BLOCKED_SLEEP, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_EPOLL), GW_BLOCKED_POLL, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_FUTEX), GW_BLOCKED_LOCK, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_FUTEX, .gil_futex = 1), GW_BLOCKED_GIL, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_FUTEX_WAITV), GW_BLOCKED_LOCK, GW_BLOCKED_FAULT},
};

/* poll with one descriptor waits for what that is; without any it sleeps. */
static const struct row by_poll[] = {
	{IN(.call = GW_CALL_POLL), GW_BLOCKED_POLL, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_POLL, .no_descriptor = 1), GW_BLOCKED_SLEEP, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_POLL, .one_descriptor = 1, .file = GW_FILE_SOCKET), GW_BLOCKED_NET,
	 GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_POLL, .one_descriptor = 1, .file = GW_FILE_PIPE), GW_BLOCKED_PIPE,
	 GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_POLL, .one_descriptor = 1, .file = GW_FILE_NOTIFY), GW_BLOCKED_POLL,
	 GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_POLL, .one_descriptor = 1, .file = GW_FILE_DEVICE), GW_BLOCKED_POLL,
	 GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_SELECT), GW_BLOCKED_POLL, GW_BLOCKED_FAULT},
	{IN(.call = GW_CALL_SELECT, .no_descriptor = 1), GW_BLOCKED_SLEEP, GW_BLOCKED_FAULT},
};

static const struct row outside[] = {
	{{.in_call = 0}, GW_BLOCKED_OTHER, GW_BLOCKED_FAULT},
	{{.in_iowait = 1}, ALWAYS(GW_BLOCKED_FAULT)},
	/* what is left in `call` from before means nothing there */
	{{.call = GW_CALL_SOCKET}, GW_BLOCKED_OTHER, GW_BLOCKED_FAULT},
};

static void assert_cause(struct gw_leave leave, uint32_t task_state, enum gw_where where)
{
	leave.state = task_state;
	if (gw_cause(&leave) != where)
		fail_msg("call class %d, file %d, state %#x: %d and not %d", leave.call, leave.file,
			 task_state, gw_cause(&leave), where);
}

static void assert_row(const struct row *row)
{
	struct gw_leave preempted = row->leave;

	assert_cause(row->leave, INTERRUPTIBLE, row->interruptible);
	assert_cause(row->leave, FREEZABLE, row->interruptible);
	assert_cause(row->leave, UNINTERRUPTIBLE, row->uninterruptible);
	assert_cause(row->leave, KILLABLE, row->uninterruptible);
	assert_cause(row->leave, IDLE, row->uninterruptible);
	assert_cause(row->leave, STOPPED, GW_STOPPED);
	assert_cause(row->leave, 0x100 | STOPPED, GW_STOPPED);
	assert_cause(row->leave, TRACED, GW_STOPPED);
	assert_cause(row->leave, FROZEN, GW_STOPPED);
	assert_cause(row->leave, 0, GW_RUNNABLE);
	preempted.preempted = 1;
	assert_cause(preempted, 0, GW_RUNNABLE);
	assert_cause(preempted, INTERRUPTIBLE, GW_RUNNABLE);
	assert_cause(preempted, UNINTERRUPTIBLE, GW_RUNNABLE);
	assert_cause(preempted, STOPPED, GW_RUNNABLE);
}

static void assert_rows(const struct row *rows, size_t count)
{
	for (size_t i = 0; i < count; i++)
		assert_row(&rows[i]);
}

static void test_causes_by_file(void **state)
{
	(void)state;
	assert_rows(by_file, sizeof(by_file) / sizeof(by_file[0]));
}

static void test_causes_by_call(void **state)
{
	(void)state;
	assert_rows(by_call, sizeof(by_call) / sizeof(by_call[0]));
}

static void test_causes_of_poll(void **state)
{
	(void)state;
	assert_rows(by_poll, sizeof(by_poll) / sizeof(by_poll[0]));
}

static void test_causes_outside_of_calls(void **state)
{
	(void)state;
	assert_rows(outside, sizeof(outside) / sizeof(outside[0]));
}

/* Whatever comes in, a task that leaves is not running, and its place is one of the cells. */
static void test_every_cause_is_a_place(void **state)
{
	(void)state;

	for (int call = -1; call <= GW_CALL_SIGNAL + 1; call++) {
		for (int file = -1; file <= GW_FILE_NOTIFY + 1; file++) {
			for (uint32_t bits = 0; bits < 0x10000; bits += 0x7) {
				struct gw_leave leave = {
					.state = bits,
					.in_call = call >= 0,
					.in_iowait = bits >> 4 & 1,
					.call = (enum gw_call)call,
					.file = (enum gw_file)file,
				};
				enum gw_where where = gw_cause(&leave);

				assert_true(where > GW_RUNNING && where < GW_WHERE_COUNT);
			}
		}
	}
}

/* Blocked in the GIL means a futex of the GIL, and nothing else. */
static void test_only_the_gils_futex_is_the_gil(void **state)
{
	(void)state;

	for (int call = 0; call <= GW_CALL_SIGNAL; call++) {
		struct gw_leave leave = {.state = 1, .in_call = 1, .gil_futex = 1};

		leave.call = (enum gw_call)call;
		assert_int_equal(gw_cause(&leave) == GW_BLOCKED_GIL, call == GW_CALL_FUTEX);
	}
}

/* What a thread that sleeps asked for; memory may say anything. */
static void test_what_is_asked_of_a_sleep(void **state)
{
	(void)state;

	assert_int_equal(gw_call_asked_ns(1, 500000000, gw_call_asks_us(SYS_nanosleep)),
			 1500000000);
	assert_int_equal(gw_call_asked_ns(0, 1000000, gw_call_asks_us(SYS_pselect6)), 1000000);
	assert_int_equal(gw_call_asked_ns(0, 1000, gw_call_asks_us(SYS_select)), 1000000);
	assert_int_equal(gw_call_asked_ns(1000000000, 0, 0), 1000000000000000000);
	assert_int_equal(gw_call_asked_ns(0, 0, 0), 0);
	assert_int_equal(gw_call_asked_ns(-1, 0, 0), 0);
	assert_int_equal(gw_call_asked_ns(0, -1, 1), 0);
	assert_int_equal(gw_call_asked_ns(1000000001, 0, 0), 0);
	assert_int_equal(gw_call_asked_ns(0, 1000000000, 0), 0);
	assert_int_equal(gw_call_asked_ns(INT64_MAX, INT64_MAX, 1), 0);
	assert_int_equal(gw_call_asked_ns(INT64_MIN, INT64_MIN, 1), 0);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_numbers_are_those_of_the_headers),
		cmocka_unit_test(test_all_other_numbers_are_unknown),
		cmocka_unit_test(test_file_of_mode),
		cmocka_unit_test(test_causes_by_file),
		cmocka_unit_test(test_causes_by_call),
		cmocka_unit_test(test_causes_of_poll),
		cmocka_unit_test(test_causes_outside_of_calls),
		cmocka_unit_test(test_every_cause_is_a_place),
		cmocka_unit_test(test_only_the_gils_futex_is_the_gil),
		cmocka_unit_test(test_what_is_asked_of_a_sleep),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
