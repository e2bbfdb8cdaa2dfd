// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/list.h"
#include "render/report_json.h"

#define SCHEMA "gilwatch.list.v1"

static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static void put_container(struct gw_report *r, json_t *object, const struct gw_listed *process)
{
	json_t *container;

	if (!process->container_runtime[0]) {
		gw_report_put(r, object, "container", json_null());
		return;
	}
	container = json_object();
	gw_report_text(r, container, "runtime", process->container_runtime);
	gw_report_text(r, container, "id", process->container_id);
	gw_report_put(r, object, "container", container);
}

static json_t *process_object(struct gw_report *r, const struct gw_listed *process)
{
	const struct gw_named_ability ability[] = {
		{"sched", &process->sched},
		{"uprobe", &process->uprobe},
	};
	json_t *object = json_object();

	gw_report_put(r, object, "pid", json_integer(process->pid));
	gw_report_put(r, object, "ppid", json_integer(process->ppid));
	gw_report_put(r, object, "uid", json_integer(process->uid));
	gw_report_text(r, object, "user", process->user);
	gw_report_text(r, object, "comm", process->comm);
	gw_report_text(r, object, "command", process->command);
	gw_report_put(r, object, "threads", integer(process->threads));
	gw_report_known(r, object, "cgroup", process->cgroup, "it could not be read");
	put_container(r, object, process);
	gw_report_put(r, object, "python", gw_report_python(r, &process->python));
	gw_report_abilities(r, object, ability, sizeof(ability) / sizeof(ability[0]));
	return object;
}

int gw_list_json_write(const struct gw_listing *listing, FILE *out)
{
	json_t *host = json_object(), *processes = json_array(), *denied = json_object();
	struct gw_report r;

	gw_report_begin(&r, SCHEMA);
	gw_report_text(&r, host, "kernel", listing->kernel);
	gw_report_put(&r, host, "processes", integer(listing->seen));
	gw_report_put(&r, r.root, "host", host);
	for (size_t i = 0; i < listing->count; i++)
		if (json_array_append_new(processes, process_object(&r, &listing->process[i])))
			r.failed = 1;
	gw_report_put(&r, r.root, "processes", processes);
	gw_report_put(&r, denied, "count", integer(listing->denied));
	if (listing->denied)
		gw_report_text(&r, denied, "because", listing->denied_because);
	else
		gw_report_put(&r, denied, "because", json_null());
	gw_report_put(&r, r.root, "denied", denied);
	return gw_report_end(&r, out);
}
