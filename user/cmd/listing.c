// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "cmd/listing.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "probe/features.h"
#include "probe/rights.h"
#include "target/scan.h"
#include "util/text.h"

/* What this host and these rights allow, whatever the process. */
struct means {
	struct gw_error error; /* why nothing can be measured */
	int probes;	       /* uprobes can be attached; -1: not tried yet */
	/* Most belong to a few users, and each look for a name reads a file. */
	int user_known;
	uid_t uid;
	char user[64];
};

static void say(struct gw_ability *ability, int can, const char *because)
{
	ability->can = can;
	gw_text_copy(ability->because, sizeof(ability->because), because);
}

/* "PyPy 3.9" is taken apart into the implementation and its version. */
static void describe_other(const char *other, struct gw_python_facts *facts)
{
	const char *space = strchr(other, ' ');
	int pypy = strncmp(other, "PyPy", 4) == 0;

	gw_text_copy(facts->implementation, sizeof(facts->implementation),
		     pypy ? "PyPy" : "CPython");
	gw_text_copy(facts->version, sizeof(facts->version), space ? space + 1 : "");
}

void gw_python_facts_fill(const struct gw_python *python, int read, struct gw_python_facts *facts)
{
	int known = python->runtime_file.inode != 0;

	memset(facts, 0, sizeof(*facts));
	gw_text_copy(facts->implementation, sizeof(facts->implementation), "CPython");
	gw_text_copy(facts->version, sizeof(facts->version), python->version);
	if (python->other[0])
		describe_other(python->other, facts);
	gw_text_copy(facts->file, sizeof(facts->file), python->runtime_file.path);
	gw_text_copy(facts->build_id, sizeof(facts->build_id), python->build_id);
	facts->free_threaded = known ? python->free_threaded : -1;
	facts->shared = known ? python->shared : -1;
	facts->untested = python->untested;
	/* A default build has no switch for its GIL: no memory needs to be read for that. */
	facts->gil_enabled = read ? python->gil_enabled : known && !python->free_threaded ? 1 : -1;
}

static int can_probe(struct means *means)
{
	uint64_t bits = 0;

	if (means->probes < 0)
		means->probes = (!gw_rights_effective(&bits) &&
				 gw_rights_have(bits, GW_CAP_SYS_ADMIN_BIT)) ||
				gw_features_uprobe_multi(NULL);
	return means->probes;
}

static void judge_probes(const struct gw_scan_process *from, struct means *means,
			 struct gw_ability *uprobe)
{
	char because[sizeof(uprobe->because)];

	if (!from->python.gil_enabled) {
		say(uprobe, 0, "its GIL is off: there is nothing to probe");
	} else if (from->sites_code) {
		snprintf(because, sizeof(because), "no probes, but the sched engine works: %.400s",
			 from->sites_error.text);
		say(uprobe, 0, because);
	} else if (!can_probe(means)) {
		say(uprobe, 0,
		    "this kernel gives probes to CAP_SYS_ADMIN alone, which gilwatch lacks: run it "
		    "with sudo, or use --engine=sched");
	} else {
		say(uprobe, 1, "");
	}
}

static void judge(const struct gw_scan_process *from, struct means *means, struct gw_listed *to)
{
	const char *against = from->code ? from->error.text : means->error.text;

	if (from->code || means->error.text[0]) {
		say(&to->sched, 0, against);
		say(&to->uprobe, 0, against);
		return;
	}
	say(&to->sched, 1,
	    from->python.gil_enabled
		    ? ""
		    : "its GIL is off: what the threads do is measured, there is no GIL to wait "
		      "for");
	judge_probes(from, means, &to->uprobe);
}

static const char *name_user(uid_t uid, struct means *means)
{
	const struct passwd *entry;

	if (means->user_known && means->uid == uid)
		return means->user;
	entry = getpwuid(uid);
	if (entry)
		gw_text_copy(means->user, sizeof(means->user), entry->pw_name);
	else
		snprintf(means->user, sizeof(means->user), "%u", uid);
	means->user_known = 1;
	means->uid = uid;
	return means->user;
}

static void describe(const struct gw_scan_process *from, struct means *means, struct gw_listed *to)
{
	to->pid = (uint32_t)from->pid;
	to->ppid = (uint32_t)from->ppid;
	to->uid = from->uid;
	to->threads = from->threads;
	gw_text_copy(to->user, sizeof(to->user), name_user(from->uid, means));
	gw_text_copy(to->comm, sizeof(to->comm), from->comm);
	gw_text_copy(to->command, sizeof(to->command), from->command);
	gw_text_copy(to->cgroup, sizeof(to->cgroup), from->cgroup);
	gw_text_copy(to->container_runtime, sizeof(to->container_runtime), from->container.runtime);
	gw_text_copy(to->container_id, sizeof(to->container_id), from->container.id);
	gw_python_facts_fill(&from->python, !from->code, &to->python);
	judge(from, means, to);
}

static void tell_denied(const struct gw_scan_result *scan, struct gw_listing *listing)
{
	if (!scan->denied)
		return;
	snprintf(listing->denied_because, sizeof(listing->denied_because),
		 "%zu of %zu processes may not be looked into %s", scan->denied, scan->seen,
		 geteuid()
			 ? "by this user: run sudo gilwatch list"
			 : "even by root: a security module, or a missing CAP_SYS_PTRACE, forbids "
			   "it");
	if (scan->denied_named)
		snprintf(listing->denied_because + strlen(listing->denied_because),
			 sizeof(listing->denied_because) - strlen(listing->denied_because),
			 " (%zu of them are named like a Python)", scan->denied_named);
}

static int fill(const struct gw_scan_result *scan, struct gw_listing *listing)
{
	struct means means = {.probes = -1};
	struct utsname name;

	if (uname(&name) == 0)
		gw_text_copy(listing->kernel, sizeof(listing->kernel), name.release);
	gw_features_require(&means.error);
	gw_text_copy(listing->rights, sizeof(listing->rights), means.error.text);
	listing->seen = scan->seen;
	listing->denied = scan->denied;
	tell_denied(scan, listing);
	listing->process = calloc(scan->count + 1, sizeof(*listing->process));
	if (!listing->process)
		return -ENOMEM;
	for (size_t i = 0; i < scan->count; i++)
		describe(&scan->process[i], &means, &listing->process[i]);
	listing->count = scan->count;
	return 0;
}

int gw_listing_make(struct gw_listing *listing, struct gw_error *err)
{
	static const struct gw_scan_filter all;
	struct gw_file_cache *cache = gw_file_cache_new();
	struct gw_scan_result scan;
	int code;

	memset(listing, 0, sizeof(*listing));
	code = gw_scan_processes(&all, 1, cache, &scan, err);
	if (!code && fill(&scan, listing))
		code = gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	gw_scan_free(&scan);
	gw_file_cache_free(cache);
	return code;
}
