// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/sandbox_child.h"

#include <errno.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <seccomp.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#include "target/sandbox.h"

#define NOBODY 65534

/* Not by libc's close_range: musl and older glibc have none. */
static int close_range_of(unsigned int first, unsigned int last)
{
	if (first > last || !syscall(SYS_close_range, first, last, 0))
		return 0;
	if (errno != ENOSYS) /* before Linux 5.9 */
		return -errno;
	if (last > (unsigned int)sysconf(_SC_OPEN_MAX))
		last = (unsigned int)sysconf(_SC_OPEN_MAX);
	for (unsigned int fd = first; fd <= last; fd++)
		close((int)fd);
	return 0;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static int close_others(int *keep, size_t count)
{
	unsigned int first = 0;
	int code = 0;

	qsort(keep, count, sizeof(*keep), by_number);
	for (size_t i = 0; i < count && !code; i++) {
		if (keep[i] > 0 && first < (unsigned int)keep[i])
			code = close_range_of(first, (unsigned int)keep[i] - 1);
		first = (unsigned int)keep[i] + 1;
	}
	return code ? code : close_range_of(first, UINT_MAX);
}

static int limit(int resource, uint64_t value)
{
	struct rlimit now, wanted = {value, value};

	if (getrlimit(resource, &now))
		return -errno;
	if (now.rlim_max < wanted.rlim_max) /* who started gilwatch was stricter */
		wanted = (struct rlimit){now.rlim_max, now.rlim_max};
	return setrlimit(resource, &wanted) ? -errno : 0;
}

/*
 * To the microsecond by a timer; whoever has taken over a child could block its signal (by a frame
 * for rt_sigreturn), so that the limit in seconds stands behind it. A hard limit that is reached
 * kills, where a soft one would send a signal.
 */
static int limit_cpu(uint64_t cpu_us)
{
	struct itimerval timer = {.it_value = {.tv_sec = (time_t)(cpu_us / 1000000),
					       .tv_usec = (suseconds_t)(cpu_us % 1000000)}};
	struct sigaction end = {.sa_handler = SIG_DFL};

	if (sigaction(SIGPROF, &end, NULL) || setitimer(ITIMER_PROF, &timer, NULL))
		return -errno;
	return limit(RLIMIT_CPU, (cpu_us + 999999) / 1000000);
}

static int limit_all(uint64_t vm_bytes, uint64_t cpu_us)
{
	int code = limit(RLIMIT_AS, vm_bytes + GW_SANDBOX_MEMORY_BYTES);

	if (!code)
		code = limit_cpu(cpu_us);
	if (!code)
		code = limit(RLIMIT_CORE, 0);
	if (!code)
		code = limit(RLIMIT_FSIZE, 0);
	return code ? code : limit(RLIMIT_NOFILE, 0); /* those that are open stay open */
}

/*
 * A user namespace may have no such user. Without capabilities root owns files and no more, and
 * there is no system call left to open one.
 */
static void become_nobody(void)
{
	if (geteuid() || setgroups(0, NULL) || setresgid(NOBODY, NOBODY, NOBODY) ||
	    setresuid(NOBODY, NOBODY, NOBODY))
		return;
}

static int give_up_rights(void)
{
	struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3];

	become_nobody();
	memset(none, 0, sizeof(none));
	if (syscall(SYS_capset, &header, none) || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0)) /* no other process of nobody's looks in */
		return -errno;
	return 0;
}

/*
 * What malloc, libelf and pread ask for, and nothing that names a file: newfstatat is glibc's
 * fstat, futex and getrandom are malloc's, fcntl is libelf's way to see whether a descriptor is
 * open, the clock and rt_sigreturn are there for kernels without a vDSO.
 */
static int allow_calls(scmp_filter_ctx filter, int out)
{
	static const int calls[] = {
		SCMP_SYS(read),	      SCMP_SYS(pread64),       SCMP_SYS(munmap),
		SCMP_SYS(mremap),     SCMP_SYS(brk),	       SCMP_SYS(madvise),
		SCMP_SYS(fstat),      SCMP_SYS(newfstatat),    SCMP_SYS(lseek),
		SCMP_SYS(close),      SCMP_SYS(fcntl),	       SCMP_SYS(futex),
		SCMP_SYS(getrandom),  SCMP_SYS(clock_gettime), SCMP_SYS(exit),
		SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
	};
	const struct scmp_arg_cmp no_code = {
		.arg = 2, .op = SCMP_CMP_MASKED_EQ, .datum_a = PROT_EXEC, .datum_b = 0};
	const struct scmp_arg_cmp only_out = {
		.arg = 0, .op = SCMP_CMP_EQ, .datum_a = (scmp_datum_t)out};
	int code = 0;

	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]) && !code; i++)
		code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	/* Memory, but none that could be run. */
	if (!code)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, &no_code);
	if (!code)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1,
					      &no_code);
	if (!code)
		code = seccomp_rule_add_array(filter, SCMP_ACT_ALLOW, SCMP_SYS(write), 1,
					      &only_out);
	return code;
}

static int filter_calls(int out)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);
	int code = filter ? allow_calls(filter, out) : -ENOMEM;

	if (!code)
		code = seccomp_load(filter);
	if (filter)
		seccomp_release(filter);
	return code;
}

/*
 * glibc's qsort asks how much memory the machine has when it sorts more than a kilobyte for the
 * first time, by a system call or a file: so here, while it may.
 */
static void settle_libc(void)
{
	int numbers[1024] = {0};

	qsort(numbers, sizeof(numbers) / sizeof(numbers[0]), sizeof(numbers[0]), by_number);
}

int gw_sandbox_close_in(int *keep, size_t count, int out, uint64_t vm_bytes, uint64_t cpu_us,
			pid_t parent)
{
	sigset_t all;
	int code;

	settle_libc();
	/* A Ctrl-C is the parent's business; what it does not block, it handles. */
	sigfillset(&all);
	sigdelset(&all, SIGPROF);
	sigprocmask(SIG_SETMASK, &all, NULL);
	code = close_others(keep, count);
	if (!code)
		code = limit_all(vm_bytes, cpu_us);
	if (!code)
		code = give_up_rights();
	/* After the change of user, which takes it back. */
	if (!code && prctl(PR_SET_PDEATHSIG, SIGKILL))
		code = -errno;
	if (!code && getppid() != parent)
		code = -ESRCH;
	return code ? code : filter_calls(out);
}
