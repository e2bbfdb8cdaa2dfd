// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/examine.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "cmd/listing.h"
#include "cmd/trial.h"
#include "probe/checks.h"
#include "probe/features.h"
#include "target/proc.h"
#include "target/proc_parse.h"
#include "target/target.h"
#include "util/text.h"

#define MAPPED_MAX (1u << 20)

static void say(struct gw_ability *ability, int can, const char *because)
{
	ability->can = can;
	gw_text_copy(ability->because, sizeof(ability->because), because);
}

/* ---- the process ---- */

static void note_gils(const struct gw_python *python, struct gw_doctor_target *target)
{
	for (int i = 0; i < python->gil_count && i < GW_DOCTOR_GILS_MAX; i++) {
		target->gil_address[i] = python->gil[i].address;
		target->gil_interpreter[i] = python->gil[i].interpreter;
		target->gil_count = (size_t)i + 1;
	}
}

static void note_sites(const struct gw_sites *from, struct gw_doctor_sites *sites)
{
	gw_text_copy(sites->how, sizeof(sites->how), from->how);
	for (size_t i = 0; i < from->count; i++) {
		if (from->site[i].kind == GW_SITE_ACQUIRE)
			sites->acquire[sites->acquire_count++] = from->site[i].file_offset;
		else
			sites->release[sites->release_count++] = from->site[i].file_offset;
	}
}

static void look_for_sites(struct gw_target *target, struct gw_doctor_sites *sites)
{
	struct gw_error err = {0};

	sites->code = gw_target_find_sites(target, 1, NULL, &err);
	gw_text_copy(sites->because, sizeof(sites->because), err.text);
	if (sites->code)
		return;
	note_sites(&target->sites, sites);
	gw_text_copy(sites->because, sizeof(sites->because), target->sites.disagreement);
}

static void look_at_target(struct gw_doctor_target *to, pid_t pid, struct gw_error *err)
{
	struct gw_target *target = calloc(1, sizeof(*target));
	int code;

	to->pid = (uint32_t)pid;
	to->sites.code = -ENODATA;
	if (!target) {
		gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
		return;
	}
	code = gw_target_open(pid, 0, NULL, target, err);
	gw_text_copy(to->comm, sizeof(to->comm), target->proc.comm);
	to->known = target->python.runtime_file.inode != 0;
	gw_python_facts_fill(&target->python, !code, &to->python);
	if (!code) {
		note_gils(&target->python, to);
		look_for_sites(target, &to->sites);
	}
	free(target);
}

static void try_target(struct gw_doctor_target *target, struct gw_error *err)
{
	if (err->text[0]) {
		gw_text_copy(target->trial_because, sizeof(target->trial_because),
			     "there is nothing to try");
		return;
	}
	if (!gw_trial_run((pid_t)target->pid, &target->trial, err) && target->trial.process_count)
		target->tried = 1;
	else
		gw_text_copy(target->trial_because, sizeof(target->trial_because), err->text);
}

static void judge_probes(struct gw_doctor *doctor)
{
	const struct gw_doctor_target *target = &doctor->target;
	char because[512];

	if (!target->python.gil_enabled) {
		say(&doctor->uprobe, 0,
		    "the GIL of this process is off: there is nothing to probe, use the sched "
		    "engine");
	} else if (target->sites.code) {
		snprintf(because, sizeof(because), "no probes, use the sched engine: %.400s",
			 target->sites.because);
		say(&doctor->uprobe, 0, because);
	} else if (!gw_checks_passed(doctor, GW_CHECK_UPROBES)) {
		say(&doctor->uprobe, 0,
		    "this kernel does not give probes to gilwatch (see uprobes above): use the "
		    "sched engine");
	} else {
		say(&doctor->uprobe, 1, "");
	}
}

void gw_examine_target(struct gw_doctor *doctor, pid_t pid, struct gw_error *err)
{
	struct gw_error host = {0};

	doctor->has_target = 1;
	gw_features_require(&host);
	look_at_target(&doctor->target, pid, err);
	if (!err->text[0] && host.text[0])
		*err = host;
	try_target(&doctor->target, err);
	if (err->text[0]) {
		say(&doctor->sched, 0, err->text);
		say(&doctor->uprobe, 0, err->text);
		return;
	}
	say(&doctor->sched, 1,
	    doctor->target.python.gil_enabled
		    ? ""
		    : "the GIL of this process is off: what its threads do is measured, there is "
		      "no GIL to wait for");
	judge_probes(doctor);
}

void gw_examine_host(struct gw_doctor *doctor, struct gw_error *err)
{
	static const char *const needed[] = {"sched_switch", "sched_wakeup", "cpu_clock"};

	gw_features_require(err);
	for (size_t i = 0; i < sizeof(needed) / sizeof(needed[0]); i++)
		if (!gw_checks_passed(doctor, needed[i]))
			gw_error_set(err, -ENOTSUP, GW_STATUS_KERNEL,
				     "nothing can be measured here, see %s above", needed[i]);
	say(&doctor->sched, !err->text[0], err->text);
	if (err->text[0])
		say(&doctor->uprobe, 0, err->text);
	else if (gw_checks_passed(doctor, GW_CHECK_UPROBES))
		say(&doctor->uprobe, 1, "");
	else
		say(&doctor->uprobe, 0,
		    "this kernel does not give probes to gilwatch (see uprobes above): use the "
		    "sched engine");
}

/* ---- for a bug report ---- */

struct names {
	char *text;
	size_t used, room;
};

static int has_name(const struct names *names, const char *name)
{
	for (size_t at = 0; at < names->used; at += strlen(names->text + at) + 1)
		if (!strcmp(names->text + at, name))
			return 1;
	return 0;
}

static int note_name(const struct gw_mapping *m, void *data)
{
	struct names *names = data;
	size_t length = strlen(m->path) + 1;

	if (!m->inode || m->path[0] != '/' || has_name(names, m->path))
		return 0;
	if (names->used + length > MAPPED_MAX)
		return 1; /* a target of that many files is told by the first of them */
	if (names->used + length > names->room) {
		size_t room = 2 * names->room + length;
		char *more = realloc(names->text, room);

		if (!more)
			return -ENOMEM;
		names->text = more;
		names->room = room;
	}
	memcpy(names->text + names->used, m->path, length);
	names->used += length;
	return 0;
}

/* PRETTY_NAME="Debian GNU/Linux 12 (bookworm)" of os-release(5). */
static void read_system(char *name, size_t size)
{
	static const char key[] = "PRETTY_NAME=";
	char text[4096];
	const char *at;

	name[0] = '\0';
	if (gw_read_text("/etc/os-release", text, sizeof(text)) <= 0)
		return;
	at = strncmp(text, key, sizeof(key) - 1) ? strstr(text, "\nPRETTY_NAME=") : text;
	if (!at)
		return;
	at = strchr(at, '=') + 1;
	at += *at == '"';
	snprintf(name, size, "%.*s", (int)strcspn(at, "\"\n"), at);
}

static void read_command(pid_t pid, char *command, size_t size)
{
	char path[64];
	ssize_t got;

	snprintf(path, sizeof(path), "/proc/%d/cmdline", pid);
	got = gw_read_text(path, command, size);
	gw_proc_join_arguments(command, got > 0 ? (size_t)got : 0);
}

int gw_examine_for_bundle(const struct gw_doctor *doctor, int with_command,
			  struct gw_doctor_bundle *bundle)
{
	pid_t pid = (pid_t)doctor->target.pid;
	struct names names = {0};
	struct utsname uts;
	int code = 0;

	read_system(bundle->system, sizeof(bundle->system));
	if (!uname(&uts))
		gw_text_copy(bundle->build, sizeof(bundle->build), uts.version);
	if (!doctor->has_target)
		return 0;
	/* A target that cannot be read has no names here; the report says why. */
	if (gw_proc_each_mapping(pid, note_name, &names) == -ENOMEM)
		code = -ENOMEM;
	bundle->mapped = names.text;
	bundle->mapped_size = names.used;
	bundle->with_command = with_command;
	if (with_command)
		read_command(pid, bundle->command, sizeof(bundle->command));
	return code;
}
