// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/debug_file.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "target/proc.h"

/* Links in the target's root lead to places in it, and to none of ours or of the kernel's. */
static int open_below(int root, const char *path)
{
	struct open_how how = {
		.flags = O_PATH | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS,
	};
	int fd = (int)syscall(SYS_openat2, root, path, &how, sizeof(how));

	return fd < 0 ? -errno : fd;
}

/* What is there is looked at before it is opened: it might be a FIFO, or a device. */
static int open_regular(int handle)
{
	char self[64];
	struct stat file;
	int fd;

	if (fstat(handle, &file))
		return -errno;
	if (!S_ISREG(file.st_mode))
		return -EINVAL;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", handle);
	fd = open(self, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	return fd < 0 ? -errno : fd;
}

static int open_root(pid_t pid)
{
	pid_t live = pid ? gw_proc_live_thread(pid) : 0;
	char path[64] = "/";
	int fd;

	if (live < 0)
		return live;
	if (live)
		snprintf(path, sizeof(path), "/proc/%d/root", live);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int gw_debug_file_open(pid_t pid, const char *build_id)
{
	char path[256];
	int root, handle, fd, written;

	if (strlen(build_id) < 4 || build_id[strspn(build_id, "0123456789abcdef")])
		return -ENOENT;
	written = snprintf(path, sizeof(path), "usr/lib/debug/.build-id/%.2s/%s.debug", build_id,
			   build_id + 2);
	if (written < 0 || (size_t)written >= sizeof(path))
		return -ENAMETOOLONG;
	root = open_root(pid);
	if (root < 0)
		return root;
	handle = open_below(root, path);
	close(root);
	if (handle < 0)
		return handle;
	fd = open_regular(handle);
	close(handle);
	return fd;
}
