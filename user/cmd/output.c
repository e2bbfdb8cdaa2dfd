// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/caller.h"

static int is_stdout(const char *path)
{
	return !path || !strcmp(path, "-");
}

/* A file that is there already: only one that the caller could have written anyway. */
static int check_file(int fd, const char *path, struct gw_error *err)
{
	struct stat st;
	uid_t uid;
	gid_t gid;

	gw_caller_ids(&uid, &gid);
	if (fstat(fd, &st))
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "%s: %s", path,
				    strerror(errno));
	if (!S_ISREG(st.st_mode)) /* /dev/full, a FIFO: nothing to own or to cut */
		return 0;
	if (st.st_nlink > 1 || (st.st_uid != uid && st.st_uid != geteuid()))
		return gw_error_set(err, -EPERM, GW_STATUS_USAGE,
				    "%s has other links or another owner: gilwatch does not "
				    "overwrite it; name another file",
				    path);
	if (ftruncate(fd, 0) || fchmod(fd, 0600) || fchown(fd, uid, gid))
		return gw_error_set(err, -errno, GW_STATUS_FAILURE, "%s: %s", path,
				    strerror(errno));
	return 0;
}

FILE *gw_output_open(const char *path, struct gw_error *err)
{
	FILE *out;
	int fd;

	if (is_stdout(path))
		return stdout;
	fd = open(path, O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK, 0600);
	if (fd < 0) {
		gw_error_set(err, -errno, GW_STATUS_USAGE,
			     errno == ELOOP ? "%s is a symbolic link: gilwatch does not follow it; "
					      "name the file itself"
					    : "%s cannot be written: %s",
			     path, strerror(errno));
		return NULL;
	}
	if (check_file(fd, path, err)) {
		close(fd);
		return NULL;
	}
	out = fdopen(fd, "w");
	if (!out) {
		close(fd);
		gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	}
	return out;
}

FILE *gw_output_create(const char *path, struct gw_error *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	FILE *out = NULL;
	uid_t uid;
	gid_t gid;

	if (fd < 0) {
		gw_error_set(err, -errno, GW_STATUS_USAGE,
			     errno == EEXIST ? "%s exists: gilwatch does not overwrite it; name a "
					       "new file"
					     : "%s cannot be written: %s",
			     path, strerror(errno));
		return NULL;
	}
	gw_caller_ids(&uid, &gid);
	if (!fchown(fd, uid, gid))
		out = fdopen(fd, "w");
	if (out)
		return out;
	gw_error_set(err, -errno, GW_STATUS_FAILURE, "%s: %s", path, strerror(errno));
	unlink(path);
	close(fd);
	return NULL;
}

int gw_output_close(FILE *out, const char *path, struct gw_error *err)
{
	int failed = fflush(out) || ferror(out);
	int code = errno;

	if (out == stdout)
		path = "standard output";
	else if (out == stderr)
		path = "standard error";
	else if (fclose(out) && !failed) {
		failed = 1;
		code = errno;
	}
	if (!failed)
		return 0;
	return gw_error_set(err, code ? -code : -EIO, GW_STATUS_FAILURE,
			    "the result could not be written to %s: %s", path,
			    strerror(code ? code : EIO));
}
