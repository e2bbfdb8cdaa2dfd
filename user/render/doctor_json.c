// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <inttypes.h>
#include <string.h>

#include "render/doctor.h"
#include "render/names.h"
#include "render/report_json.h"

#define SCHEMA	 "gilwatch.doctor.v1"
#define KEY_SIZE 32

static void append(struct gw_report *r, json_t *array, json_t *value)
{
	if (json_array_append_new(array, value))
		r->failed = 1;
}

static json_t *integer(uint64_t value)
{
	return json_integer(value > INT64_MAX ? INT64_MAX : (json_int_t)value);
}

static json_t *seconds(int64_t ns)
{
	return json_real((double)((long double)ns / 1e9L));
}

static json_t *checks_array(struct gw_report *r, const struct gw_doctor *doctor)
{
	static const char *const results[] = {
		[GW_CHECK_OK] = "ok", [GW_CHECK_NO] = "no", [GW_CHECK_NOTE] = "note"};
	json_t *array = json_array();

	for (size_t i = 0; i < doctor->check_count; i++) {
		const struct gw_check *check = &doctor->check[i];
		json_t *object = json_object();

		gw_report_text(r, object, "name", check->name);
		gw_report_text(r, object, "result", results[check->result]);
		gw_report_text(r, object, "found", check->found);
		if (check->way_out[0])
			gw_report_text(r, object, "way_out", check->way_out);
		else
			gw_report_put(r, object, "way_out", json_null());
		append(r, array, object);
	}
	return array;
}

static json_t *host_object(struct gw_report *r, const struct gw_doctor *doctor)
{
	json_t *host = json_object();

	gw_report_text(r, host, "kernel", doctor->kernel);
	gw_report_text(r, host, "machine", doctor->machine);
	gw_report_text(r, host, "libbpf", doctor->libbpf);
	gw_report_put(r, host, "uid", json_integer(doctor->uid));
	return host;
}

static json_t *offsets(struct gw_report *r, const uint64_t *offset, size_t count)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		append(r, array, integer(offset[i]));
	return array;
}

static void put_sites(struct gw_report *r, const struct gw_doctor_target *target)
{
	const struct gw_doctor_sites *sites = &target->sites;
	json_t *object;

	if (sites->code) {
		gw_report_null(r, r->root, "sites",
			       sites->because[0] ? sites->because : "they were not looked for");
		return;
	}
	object = json_object();
	gw_report_known(r, object, "file", target->python.file, "it has no name");
	gw_report_known(r, object, "build_id", target->python.build_id, "the file has none");
	gw_report_text(r, object, "how", sites->how);
	gw_report_put(r, object, "acquire", offsets(r, sites->acquire, sites->acquire_count));
	gw_report_put(r, object, "release", offsets(r, sites->release, sites->release_count));
	gw_report_put(r, r->root, "sites", object);
}

static json_t *states_object(struct gw_report *r, const struct gw_states *states)
{
	json_t *object = json_object();
	char key[KEY_SIZE];

	for (size_t i = 0; i < GW_STATE_COUNT; i++) {
		snprintf(key, sizeof(key), "%s_s", gw_name(&gw_state_names, i));
		if (states->ns[i] == GW_ABSENT_NS)
			gw_report_null(r, object, key, "it was not measured");
		else
			gw_report_put(r, object, key, seconds(states->ns[i]));
	}
	return object;
}

static void put_trial(struct gw_report *r, const struct gw_doctor_target *target)
{
	const struct gw_process_view *process = target->trial.process;
	json_t *object, *check;

	if (!target->tried) {
		gw_report_null(r, r->root, "trial", target->trial_because);
		return;
	}
	object = json_object();
	check = json_object();
	gw_report_text(r, object, "engine", process->engine);
	gw_report_put(r, object, "elapsed_s", seconds(process->elapsed_ns));
	gw_report_put(r, object, "threads", integer(process->thread_count));
	if (strcmp(process->engine, "uprobe"))
		gw_report_null(r, object, "hits", "this engine has no probes");
	else
		gw_report_put(r, object, "hits", integer(process->overhead_hits));
	gw_report_put(r, object, "states", states_object(r, &process->states));
	gw_report_put(r, check, "cells_s", seconds(process->cells_ns));
	gw_report_put(r, check, "wall_s", seconds(process->threads_wall_ns));
	gw_report_put(r, check, "lost_events", integer(process->lost_events));
	gw_report_put(r, check, "corrected", integer(process->corrected));
	gw_report_put(r, object, "check", check);
	gw_report_put(r, r->root, "trial", object);
}

static void put_target(struct gw_report *r, const struct gw_doctor_target *target)
{
	json_t *gils = json_array(), *interpreters = json_array();
	char address[24];

	gw_report_put(r, r->root, "pid", json_integer(target->pid));
	if (target->known)
		gw_report_put(r, r->root, "python", gw_report_python(r, &target->python));
	else
		gw_report_null(r, r->root, "python", "no Python was found in the process");
	for (size_t i = 0; i < target->gil_count; i++) {
		snprintf(address, sizeof(address), "%#" PRIx64, target->gil_address[i]);
		append(r, gils, json_string(address));
		append(r, interpreters, json_integer(target->gil_interpreter[i]));
	}
	gw_report_put(r, r->root, "gils", gils);
	gw_report_put(r, r->root, "gil_interpreters", interpreters);
	put_sites(r, target);
	put_trial(r, target);
}

static void put_bundle(struct gw_report *r, const struct gw_doctor_bundle *bundle)
{
	json_t *object = json_object(), *mapped = json_array();
	const char *end = bundle->mapped + bundle->mapped_size;

	gw_report_known(r, object, "system", bundle->system, "there is no os-release");
	gw_report_text(r, object, "kernel_build", bundle->build);
	for (const char *name = bundle->mapped; name < end; name += strlen(name) + 1) {
		json_t *holder = json_object();

		/* The one way from bytes to valid text. */
		gw_report_text(r, holder, "file", name);
		append(r, mapped, holder);
	}
	gw_report_put(r, object, "mapped", mapped);
	if (bundle->with_command)
		gw_report_text(r, object, "command", bundle->command);
	else
		gw_report_null(r, object, "command", "--with-command was not given");
	gw_report_put(r, r->root, "bundle", object);
}

int gw_doctor_json_write(const struct gw_doctor *doctor, const struct gw_doctor_bundle *bundle,
			 FILE *out)
{
	const struct gw_named_ability ability[] = {
		{"sched", &doctor->sched},
		{"uprobe", &doctor->uprobe},
	};
	struct gw_report r;

	gw_report_begin(&r, SCHEMA);
	gw_report_put(&r, r.root, "host", host_object(&r, doctor));
	gw_report_put(&r, r.root, "checks", checks_array(&r, doctor));
	if (doctor->has_target)
		put_target(&r, &doctor->target);
	gw_report_abilities(&r, r.root, ability, sizeof(ability) / sizeof(ability[0]));
	if (bundle)
		put_bundle(&r, bundle);
	return gw_report_end(&r, out);
}
