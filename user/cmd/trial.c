// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/trial.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "render/json_load.h"

#define PREFIX "gilwatch: "

extern char **environ;

/* Where the program writes to: files without a name, so that it never waits for a reader. */
struct outputs {
	FILE *out, *err;
};

static int spawn_summary(pid_t pid, const struct outputs *outputs, pid_t *child)
{
	char number[16];
	const char *const argv[] = {"gilwatch", "summary",	  "-p", number, "-d", "1s",
				    "-j",	"--engine=sched", NULL};
	posix_spawn_file_actions_t actions;
	int code;

	snprintf(number, sizeof(number), "%d", pid);
	if (posix_spawn_file_actions_init(&actions))
		return -ENOMEM;
	code = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&actions, fileno(outputs->out),
							STDOUT_FILENO);
	if (!code)
		code = posix_spawn_file_actions_adddup2(&actions, fileno(outputs->err),
							STDERR_FILENO);
	if (!code) /* argv is not written to (posix_spawn(3)) */
		code = posix_spawn(child, "/proc/self/exe", &actions, NULL, (char **)argv, environ);
	posix_spawn_file_actions_destroy(&actions);
	return -code;
}

/* The sentence that the program ended with. */
static int refused(int status, FILE *said, struct gw_error *err)
{
	char line[600] = "";
	int exited = WIFEXITED(status);

	rewind(said);
	if (exited && fgets(line, sizeof(line), said) && !strncmp(line, PREFIX, strlen(PREFIX))) {
		line[strcspn(line, "\n")] = '\0';
		return gw_error_set(err, -ENOTSUP, (enum gw_status)WEXITSTATUS(status), "%.500s",
				    line + strlen(PREFIX));
	}
	return gw_error_set(err, -EIO, GW_STATUS_FAILURE,
			    "the trial summary ended with %s %d and said nothing: please report "
			    "this",
			    exited ? "status" : "signal",
			    exited ? WEXITSTATUS(status) : WTERMSIG(status));
}

static int run(pid_t pid, const struct outputs *outputs, struct gw_snapshot *snapshot,
	       struct gw_error *err)
{
	pid_t child;
	int code = spawn_summary(pid, outputs, &child), status;

	if (code)
		return gw_error_set(err, code, GW_STATUS_FAILURE,
				    "the trial summary cannot be started: %s", strerror(-code));
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return gw_error_set(err, -errno, GW_STATUS_FAILURE,
					    "the trial summary got lost: %s", strerror(errno));
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		return refused(status, outputs->err, err);
	rewind(outputs->out);
	return gw_json_load(outputs->out, snapshot, err);
}

int gw_trial_run(pid_t pid, struct gw_snapshot *snapshot, struct gw_error *err)
{
	struct outputs outputs = {tmpfile(), tmpfile()};
	int code;

	if (outputs.out && outputs.err)
		code = run(pid, &outputs, snapshot, err);
	else
		code = gw_error_set(err, -errno, GW_STATUS_FAILURE,
				    "there is no room for the trial's output in /tmp: %s",
				    strerror(errno));
	if (outputs.out)
		fclose(outputs.out);
	if (outputs.err)
		fclose(outputs.err);
	return code;
}
