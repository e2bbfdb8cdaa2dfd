// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/memory.h"

#include <errno.h>
#include <sys/uio.h>

#include "target/proc.h"

static ssize_t read_some(pid_t pid, uint64_t address, void *to, size_t size)
{
	struct iovec local = {.iov_base = to, .iov_len = size};
	struct iovec remote = {.iov_base = (void *)(uintptr_t)address, .iov_len = size};
	ssize_t got = process_vm_readv(pid, &local, 1, &remote, 1, 0);

	if (got < 0)
		return -errno;
	return got ? got : -EFAULT;
}

/* One element is transferred page by page: a read that ends early stands before a missing page. */
static int read_all(pid_t pid, uint64_t address, char *to, size_t size)
{
	while (size) {
		ssize_t got = read_some(pid, address, to, size);

		if (got < 0)
			return (int)got;
		address += (uint64_t)got;
		to += got;
		size -= (size_t)got;
	}
	return 0;
}

int gw_memory_read(pid_t pid, uint64_t address, void *to, size_t size)
{
	int ret;

	if (address + size < address || address + size > UINTPTR_MAX)
		return -EFAULT;
	ret = read_all(pid, address, to, size);
	if (ret == -ESRCH) {
		/* A main thread that has exited has no memory any more; its siblings still do. */
		pid_t other = gw_proc_live_thread(pid);

		if (other > 0 && other != pid)
			ret = read_all(other, address, to, size);
	}
	return ret;
}
