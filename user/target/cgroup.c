// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "target/cgroup.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "target/host_parse.h"

#define LONG_ID	 64 /* SHA-256 in hexadecimal: docker, containerd, cri-o, podman */
#define SHORT_ID 32 /* ECS on Fargate: 32 digits, a dash, a number */

/* A line of /proc/PID/cgroup, not ended with NUL. */
struct line {
	const char *controllers, *path;
	size_t controllers_length, path_length;
};

/* Takes the next line off text. 1, or 0 at the end; lines that are none are passed over. */
static int next_line(const char **text, struct line *line)
{
	while (**text) {
		const char *end = strchrnul(*text, '\n');
		const char *first = memchr(*text, ':', (size_t)(end - *text));
		const char *second =
			first ? memchr(first + 1, ':', (size_t)(end - first - 1)) : NULL;

		*text = *end ? end + 1 : end;
		if (!second)
			continue;
		line->controllers = first + 1;
		line->controllers_length = (size_t)(second - first - 1);
		line->path = second + 1;
		line->path_length = (size_t)(end - second - 1);
		return 1;
	}
	return 0;
}

static int is_systemd(const struct line *line)
{
	return gw_host_list_has(line->controllers, line->controllers_length, "name=systemd");
}

/* How much a hierarchy's path says; the higher one is taken. */
static size_t weight(const struct line *line)
{
	if (line->path_length <= 1)
		return line->path_length;
	if (!line->controllers_length)
		return 3 * GW_CGROUP_PATH_MAX;
	return is_systemd(line) ? 2 * GW_CGROUP_PATH_MAX : line->path_length;
}

void gw_cgroup_path(const char *text, char *path, size_t size)
{
	size_t best = 0;
	struct line line;

	path[0] = '\0';
	while (next_line(&text, &line)) {
		if (weight(&line) <= best)
			continue;
		best = weight(&line);
		snprintf(path, size, "%.*s", (int)line.path_length, line.path);
	}
}

/* ---- containers ---- */

static size_t hex_run(const char *text)
{
	size_t length = 0;

	while (isdigit((unsigned char)text[length]) || (text[length] >= 'a' && text[length] <= 'f'))
		length++;
	return length;
}

static int starts_with(const char *text, const char *prefix)
{
	return strncmp(text, prefix, strlen(prefix)) == 0;
}

/* The id that ends a component, as in docker-ID.scope and kubepods-….slice:cri-containerd:ID. */
static const char *find_id(const char *component)
{
	for (const char *at = component; *at; at++) {
		size_t length;

		if (at > component && at[-1] != '-' && at[-1] != ':')
			continue;
		length = hex_run(at);
		if (length == LONG_ID && (!at[length] || !strcmp(at + length, ".scope")))
			return at;
	}
	return NULL;
}

static void set(struct gw_container *container, const char *runtime, const char *id, size_t length)
{
	snprintf(container->runtime, sizeof(container->runtime), "%s", runtime);
	snprintf(container->id, sizeof(container->id), "%.*s", (int)length, id);
}

static const char *runtime_of(const char *component, const char *parent, int kubernetes)
{
	if (kubernetes)
		return "kubernetes";
	if (starts_with(component, "docker-") || !strcmp(parent, "docker"))
		return "docker";
	if (starts_with(component, "libpod-") || starts_with(parent, "libpod"))
		return "podman";
	if (!strcmp(parent, "ecs"))
		return "ecs";
	return "container";
}

/* Runtimes that go by names: the component itself has it, or it follows one of that name. */
static int named(const char *component, const char *parent, struct gw_container *container)
{
	static const char payload[] = "lxc.payload.", machine[] = "machine-";
	size_t length = strlen(component), scope = strlen(".scope");

	if (starts_with(component, payload) && component[sizeof(payload) - 1]) {
		set(container, "lxc", component + sizeof(payload) - 1, length);
		return 1;
	}
	if (!strcmp(parent, "lxc") || !strcmp(parent, "lxc.payload")) {
		set(container, "lxc", component, length);
		return 1;
	}
	if (!strcmp(parent, "machine.slice") && starts_with(component, machine) &&
	    length > sizeof(machine) - 1 + scope && !strcmp(component + length - scope, ".scope")) {
		set(container, "nspawn", component + sizeof(machine) - 1,
		    length - (sizeof(machine) - 1) - scope);
		return 1;
	}
	return 0;
}

static int is_fargate(const char *component)
{
	return hex_run(component) == SHORT_ID && component[SHORT_ID] == '-' &&
	       component[SHORT_ID + 1] &&
	       strspn(component + SHORT_ID + 1, "0123456789") == strlen(component + SHORT_ID + 1);
}

static int in_component(const char *component, const char *parent, int kubernetes,
			struct gw_container *container)
{
	const char *id = find_id(component);

	/* conmon watches over a container from outside of it. */
	if (strstr(component, "conmon"))
		return 0;
	if (id) {
		set(container, runtime_of(component, parent, kubernetes), id, LONG_ID);
		return 1;
	}
	if (is_fargate(component)) {
		set(container, "ecs", component, strlen(component));
		return 1;
	}
	return named(component, parent, container);
}

/* Changes path. The last component that fits is the innermost container. */
static int in_path(char *path, struct gw_container *container)
{
	char *rest, *component = strtok_r(path, "/", &rest);
	const char *parent = "";
	int found = 0, kubernetes = 0;

	while (component) {
		kubernetes |= starts_with(component, "kubepods");
		found |= in_component(component, parent, kubernetes, container);
		parent = component;
		component = strtok_r(NULL, "/", &rest);
	}
	return found;
}

int gw_cgroup_container(const char *text, struct gw_container *container)
{
	char path[GW_CGROUP_PATH_MAX];
	struct line line;
	int found = 0;

	memset(container, 0, sizeof(*container));
	while (!found && next_line(&text, &line)) {
		snprintf(path, sizeof(path), "%.*s", (int)line.path_length, line.path);
		found = in_path(path, container);
	}
	return found;
}

/* ---- selection ---- */

/* What follows the directory in path, NULL if path is not in it. */
static const char *below(const char *path, size_t length, const char *directory)
{
	size_t size = strlen(directory);

	if (size == 1 && directory[0] == '/')
		size = 0;
	if (length < size || memcmp(path, directory, size) || (length > size && path[size] != '/'))
		return NULL;
	return path + size;
}

static int take_path(const char *root, const char *rest, struct gw_cgroup_selector *selector)
{
	int used = snprintf(selector->path, sizeof(selector->path), "%s%s",
			    strcmp(root, "/") ? root : "", rest);

	if (used < 0 || (size_t)used >= sizeof(selector->path))
		return -ENAMETOOLONG;
	while (used && selector->path[used - 1] == '/')
		selector->path[--used] = '\0';
	return 0;
}

/* Where text is a directory under a mount point of cgroups: that cgroup, by the innermost mount. */
static int take_directory(const char *text, const char *mountinfo,
			  struct gw_cgroup_selector *selector)
{
	struct gw_mount *mount = calloc(1, sizeof(*mount));
	size_t best = 0;
	int ret = -ENOENT;

	while (mount && *mountinfo) {
		const char *end = strchrnul(mountinfo, '\n'), *rest;

		if (gw_host_parse_mount(mountinfo, mount) == 0 &&
		    starts_with(mount->type, "cgroup") && strlen(mount->point) > best &&
		    (rest = below(text, strlen(text), mount->point))) {
			best = strlen(mount->point);
			selector->version = strcmp(mount->type, "cgroup2") ? 1 : 2;
			snprintf(selector->controllers, sizeof(selector->controllers), "%s",
				 mount->options);
			ret = take_path(mount->root, rest, selector);
		}
		mountinfo = *end ? end + 1 : end;
	}
	free(mount);
	return ret;
}

int gw_cgroup_selector_parse(const char *text, const char *mountinfo,
			     struct gw_cgroup_selector *selector, struct gw_error *err)
{
	int code;

	memset(selector, 0, sizeof(*selector));
	if (text[0] != '/')
		return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
				    "\"%.100s\" is no cgroup: give its path as in /proc/PID/cgroup "
				    "(/system.slice/web.service), or its directory under "
				    "/sys/fs/cgroup",
				    text);
	code = take_directory(text, mountinfo, selector);
	if (code == -ENOENT) {
		selector->version = 0;
		code = take_path("/", text, selector);
	}
	if (code)
		return gw_error_set(err, code, GW_STATUS_USAGE,
				    "the path of the cgroup \"%.40s…\" is too long", text);
	return 0;
}

static int same_hierarchy(const struct gw_cgroup_selector *selector, const struct line *line)
{
	const char *at = line->controllers, *end = at + line->controllers_length;

	if (selector->version == 0)
		return 1;
	if (selector->version == 2 || at == end)
		return selector->version == 2 && at == end;
	while (at < end) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		char word[64];

		snprintf(word, sizeof(word), "%.*s", (int)((comma ? comma : end) - at), at);
		if (gw_host_list_has(selector->controllers, strlen(selector->controllers), word))
			return 1;
		at = comma ? comma + 1 : end;
	}
	return 0;
}

int gw_cgroup_matches(const struct gw_cgroup_selector *selector, const char *text)
{
	struct line line;

	while (next_line(&text, &line))
		if (same_hierarchy(selector, &line) &&
		    below(line.path, line.path_length, selector->path))
			return 1;
	return 0;
}
