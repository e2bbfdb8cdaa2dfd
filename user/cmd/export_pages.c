// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
/* The page at "/", and what gilwatch says of itself. */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "cmd/export_parts.h"
#include "render/escape.h"
#include "target/proc_parse.h"
#include "util/clock.h"

/* ---- the page ---- */

static void put_html(FILE *out, const char *text)
{
	char clean[1024];

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), 1);
	for (const char *c = clean; *c; c++) {
		switch (*c) {
		case '<':
			fputs("&lt;", out);
			break;
		case '>':
			fputs("&gt;", out);
			break;
		case '&':
			fputs("&amp;", out);
			break;
		case '"':
			fputs("&quot;", out);
			break;
		default:
			fputc(*c, out);
		}
	}
}

static const char *how(const struct gw_daemon *d, const struct gw_watched *watched)
{
	if (watched->slot == GW_NO_SLOT || watched->kind == GW_WATCHED_REFUSED)
		return "refused";
	switch (watched->kind) {
	case GW_WATCHED_NEW:
		return "starting";
	case GW_WATCHED_OPAQUE:
		return "no GIL facts";
	default:
		break;
	}
	switch (gw_session_process(d->standing.watch.session, watched->slot)->engine) {
	case GW_ENGINE_UPROBE:
		return "uprobe";
	case GW_ENGINE_OFF:
		return "GIL off";
	default:
		return "sched";
	}
}

static void put_target(FILE *out, const struct gw_daemon *d, const struct gw_watched *watched)
{
	const struct gw_target *target = watched->target;

	fprintf(out, "<tr><td>%d</td><td>", watched->pid);
	put_html(out, target ? target->proc.comm : "");
	fputs("</td><td>", out);
	put_html(out, target ? target->python.version : "");
	fprintf(out, "</td><td>%s</td><td>", how(d, watched));
	put_html(out, watched->place ? watched->place->cgroup : "");
	fputs("</td><td>", out);
	put_html(out, watched->error.text);
	fputs("</td></tr>\n", out);
}

/* A refused one is let go of, and said all the same. */
static int is_listed(const struct gw_watched *watched)
{
	return watched->kind == GW_WATCHED_REFUSED ||
	       (watched->kind != GW_WATCHED_OTHER && !watched->unwanted);
}

static void put_page(FILE *out, const struct gw_daemon *d)
{
	const struct gw_watched_list *list = &d->standing.watch.list;

	fputs("<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
	      "<title>gilwatch</title></head><body>\n"
	      "<h1>gilwatch " GW_VERSION "</h1>\n"
	      "<p><a href=\"/metrics\">metrics</a> · <a href=\"/healthz\">healthz</a> · "
	      "<a href=\"/readyz\">readyz</a></p>\n"
	      "<table><tr><th>PID</th><th>command</th><th>Python</th><th>measured by</th>"
	      "<th>cgroup</th><th></th></tr>\n",
	      out);
	for (size_t i = 0; i < list->count; i++)
		if (is_listed(list->watched[i]))
			put_target(out, d, list->watched[i]);
	fputs("</table>\n</body></html>\n", out);
}

struct gw_body *gw_daemon_index(const struct gw_daemon *d)
{
	size_t length = 0;
	char *text = NULL;
	FILE *out = open_memstream(&text, &length);

	if (!out)
		return NULL;
	put_page(out, d);
	if (!fclose(out))
		return gw_body_new(text, length);
	free(text);
	return NULL;
}

/* ---- of itself ---- */

static int64_t count_descriptors(void)
{
	DIR *fds = opendir("/proc/self/fd");
	int64_t count = -1; /* that of the directory itself */

	if (!fds)
		return 0;
	for (struct dirent *entry; (entry = readdir(fds));)
		count += entry->d_name[0] != '.';
	closedir(fds);
	return count;
}

static void describe_process(struct gw_daemon *d, struct gw_self *self)
{
	struct rusage usage;
	struct rlimit files;
	char text[256];
	long long virtual = 0, resident = 0;
	int64_t page = sysconf(_SC_PAGESIZE);
	struct timespec real;

	getrusage(RUSAGE_SELF, &usage);
	self->cpu_ns = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000000000LL +
		       (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) * 1000LL;
	if (!getrlimit(RLIMIT_NOFILE, &files))
		self->max_fds = (int64_t)files.rlim_cur;
	self->open_fds = count_descriptors();
	if (gw_read_text("/proc/self/statm", text, sizeof(text)) > 0)
		sscanf(text, "%lld %lld", &virtual, &resident);
	self->virtual_bytes = virtual * page;
	self->resident_bytes = resident * page;
	if (self->start_time_ns)
		return;
	clock_gettime(CLOCK_REALTIME, &real);
	self->start_time_ns = real.tv_sec * 1000000000LL + real.tv_nsec -
			      (int64_t)(gw_clock_now_ns() - d->begun_ns);
}

static void describe_refusals(const struct gw_standing *s, struct gw_self *self)
{
	const uint64_t *by = s->refused_by;

	memset(self->attach_failures, 0, sizeof(self->attach_failures));
	self->attach_failures[GW_ATTACH_RIGHTS] = (int64_t)by[GW_STATUS_RIGHTS];
	self->attach_failures[GW_ATTACH_KERNEL] = (int64_t)by[GW_STATUS_KERNEL];
	self->attach_failures[GW_ATTACH_TARGET] = (int64_t)by[GW_STATUS_TARGET];
	self->attach_failures[GW_ATTACH_OTHER] =
		(int64_t)(by[GW_OK] + by[GW_STATUS_FAILURE] + by[GW_STATUS_USAGE] +
			  by[GW_STATUS_NOTHING] + by[GW_STATUS_PARTIAL]);
}

static size_t count_slots(const struct gw_session *session)
{
	size_t used = 0;

	for (uint32_t slot = 0; slot < gw_session_slots(session); slot++)
		used += gw_session_process(session, slot)->origin != GW_ORIGIN_NONE;
	return used;
}

void gw_daemon_describe(struct gw_daemon *d, struct gw_self *self)
{
	const struct gw_standing *s = &d->standing;
	const struct gw_session *session = s->watch.session;

	describe_process(d, self);
	/* It is in force where probes come and go by themselves. */
	self->overhead_budget = s->watch.engine == GW_CHOICE_AUTO ? s->watch.budget : 0;
	describe_refusals(s, self);
	self->targets[GW_TARGET_STARTING] = (int64_t)gw_standing_count(s, GW_WATCHED_NEW);
	self->targets[GW_TARGET_OPAQUE] = (int64_t)gw_standing_count(s, GW_WATCHED_OPAQUE);
	self->targets[GW_TARGET_REFUSED] = (int64_t)gw_standing_count(s, GW_WATCHED_REFUSED);
	self->missed[GW_MISSED_NO_SLOT] = (int64_t)s->no_slot;
	self->missed[GW_MISSED_ENDED_EARLY] = (int64_t)s->ended_early;
	self->map_entries[GW_MAP_PROCESSES] = (int64_t)count_slots(session);
	self->map_entries[GW_MAP_CPU_TIMES] = (int64_t)s->cpu_times;
	self->map_max_entries[GW_MAP_PROCESSES] =
		(int64_t)gw_session_map_room(session, GW_SESSION_PROCESSES);
	self->map_max_entries[GW_MAP_CPU_TIMES] =
		(int64_t)gw_session_map_room(session, GW_SESSION_CPU_TIMES);
}
