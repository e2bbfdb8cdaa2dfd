// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "probe/drop.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>

#include "probe/rights.h"

/* include/uapi/linux/capability.h */
#define CAP_COUNT_MAX 64

static const struct {
	int bit;
	int only_for_perf_events;
} needed[] = {
	{GW_CAP_BPF_BIT, 0},	    /* reading the maps, new links */
	{GW_CAP_PERFMON_BIT, 0},    /* the same */
	{GW_CAP_SYS_PTRACE_BIT, 0}, /* memory and mappings of processes that begin */
	{CAP_DAC_READ_SEARCH, 0},   /* their files, whose directories may be closed to others */
	{CAP_SETUID, 0},	    /* the child that reads these becomes nobody */
	{CAP_SETGID, 0},
	{GW_CAP_SYS_ADMIN_BIT, 1}, /* perf events where the kernel wants it; map_files */
};

#define NEEDED (sizeof(needed) / sizeof(needed[0]))

static int is_kept(int bit, int perf_events)
{
	for (size_t i = 0; i < NEEDED; i++)
		if (needed[i].bit == bit && (perf_events || !needed[i].only_for_perf_events))
			return 1;
	return 0;
}

static void name(int bit, char *kept, size_t size)
{
	char *text = cap_to_name(bit);
	size_t used = strlen(kept);

	if (!text)
		return;
	for (char *c = text; *c; c++)
		if (*c >= 'a' && *c <= 'z')
			*c = (char)(*c - 'a' + 'A');
	snprintf(kept + used, size - used, "%s%s", used ? ", " : "", text);
	cap_free(text);
}

/* What the bounding set still has could come back by an execve, which never happens. */
static void shrink_bounding_set(int perf_events)
{
	for (int bit = 0; bit < CAP_COUNT_MAX; bit++)
		if (!is_kept(bit, perf_events) && cap_get_bound(bit) == 1)
			cap_drop_bound(bit); /* without CAP_SETPCAP it stays: no_new_privs holds */
}

static int set(cap_t now, cap_t next, int perf_events, char *kept, size_t size)
{
	cap_flag_value_t has;

	for (cap_value_t bit = 0; bit < CAP_COUNT_MAX; bit++) {
		if (!is_kept(bit, perf_events) || cap_get_flag(now, bit, CAP_PERMITTED, &has) ||
		    has != CAP_SET)
			continue;
		if (cap_set_flag(next, CAP_PERMITTED, 1, &bit, CAP_SET) ||
		    cap_set_flag(next, CAP_EFFECTIVE, 1, &bit, CAP_SET))
			return -errno;
		name(bit, kept, size);
	}
	return cap_set_proc(next) ? -errno : 0;
}

int gw_rights_drop(int perf_events, char *kept, size_t size, struct gw_error *err)
{
	cap_t now = cap_get_proc(), next = cap_init();
	int code = now && next ? 0 : -ENOMEM;

	kept[0] = '\0';
	if (!code) {
		shrink_bounding_set(perf_events);
		cap_reset_ambient();
		code = set(now, next, perf_events, kept, size);
	}
	if (!code && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		code = -errno;
	if (now)
		cap_free(now);
	if (next)
		cap_free(next);
	return code ? gw_error_set(err, code, GW_STATUS_RIGHTS,
				   "gilwatch cannot give up the rights that it does not need (%s)",
				   strerror(-code))
		    : 0;
}
