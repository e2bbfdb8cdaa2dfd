// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "verdict/say.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* Bytes of a name that a sentence shows. */
#define NAME_SHOWN 32

void gw_say(struct gw_verdict *verdict, const char *format, ...)
{
	size_t length = strnlen(verdict->text, sizeof(verdict->text) - 1);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(verdict->text + length, sizeof(verdict->text) - length, format, arguments);
	va_end(arguments);
}

void gw_say_thread(struct gw_verdict *verdict, const struct gw_thread_view *thread)
{
	size_t length = strnlen(thread->name, sizeof(thread->name));

	if (length > NAME_SHOWN) {
		length = NAME_SHOWN;
		/* Not inside a UTF-8 character: its later bytes are 10xxxxxx. */
		while (length > 0 && ((unsigned char)thread->name[length] & 0xc0) == 0x80)
			length--;
	}
	if (length == 0)
		gw_say(verdict, "a thread (tid %u)", thread->tid);
	else
		gw_say(verdict, "%.*s (tid %u)", (int)length, thread->name, thread->tid);
}

void gw_say_cpus(struct gw_verdict *verdict, const struct gw_facts *facts)
{
	if (facts->cpus_usable > 0)
		gw_say(verdict, "%.3g usable CPU%s, ", facts->cpus_usable,
		       facts->cpus_usable == 1.0 ? "" : "s");
	gw_say(verdict, "%.1f used", facts->cpus_used);
}

void gw_evidence(struct gw_verdict *verdict, const char *name, double value)
{
	struct gw_evidence *evidence;

	if (verdict->evidence_count >= GW_VERDICT_EVIDENCE_MAX)
		return;
	evidence = &verdict->evidence[verdict->evidence_count++];
	snprintf(evidence->name, sizeof(evidence->name), "%s", name);
	evidence->value = value;
}

void gw_evidence_cpus(struct gw_verdict *verdict, const struct gw_facts *facts)
{
	if (facts->cpus_usable > 0)
		gw_evidence(verdict, "usable_cpus", facts->cpus_usable);
	gw_evidence(verdict, "used_cpus", facts->cpus_used);
}

const char *gw_plural(uint64_t number)
{
	return number == 1 ? "" : "s";
}

const char *gw_state_name(enum gw_state state)
{
	static const char *const name[GW_STATE_COUNT] = {
		[GW_STATE_PYTHON] = "python",	  [GW_STATE_NATIVE] = "native",
		[GW_STATE_GIL_WAIT] = "gil_wait", [GW_STATE_HELD_OFF] = "held_off",
		[GW_STATE_RUNQUEUE] = "runqueue", [GW_STATE_DISK] = "disk",
		[GW_STATE_NET] = "net",		  [GW_STATE_PIPE] = "pipe",
		[GW_STATE_POLL] = "poll",	  [GW_STATE_SLEEP] = "sleep",
		[GW_STATE_LOCK] = "lock",	  [GW_STATE_FAULT] = "fault",
		[GW_STATE_CHILD] = "child",	  [GW_STATE_STOPPED] = "stopped",
		[GW_STATE_OTHER] = "other",	  [GW_STATE_UNKNOWN] = "unknown",
	};

	return (unsigned int)state < GW_STATE_COUNT ? name[state] : "unknown";
}

const char *gw_where_name(enum gw_where where)
{
	static const char *const name[GW_WHERE_COUNT] = {
		[GW_RUNNING] = "running",
		[GW_RUNNABLE] = "the run queue",
		[GW_STOPPED] = "a stop",
		[GW_BLOCKED_GIL] = "a GIL wait",
		[GW_BLOCKED_LOCK] = "a lock",
		[GW_BLOCKED_SLEEP] = "sleep",
		[GW_BLOCKED_DISK] = "disk I/O",
		[GW_BLOCKED_NET] = "network I/O",
		[GW_BLOCKED_PIPE] = "a pipe",
		[GW_BLOCKED_POLL] = "poll",
		[GW_BLOCKED_FAULT] = "page faults",
		[GW_BLOCKED_CHILD] = "a wait for a child",
		[GW_BLOCKED_OTHER] = "a system call",
	};

	return (unsigned int)where < GW_WHERE_COUNT ? name[where] : "a system call";
}
