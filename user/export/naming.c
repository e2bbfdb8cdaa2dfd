// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "export/naming.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "util/text.h"

#define MATCHES	 10
#define SHORT_ID 12 /* as docker ps shows ids */

static const struct {
	const char *name;
	size_t offset;
} fields[] = {
	{"unit", offsetof(struct gw_origin_facts, unit)},
	{"container", offsetof(struct gw_origin_facts, container)},
	{"cgroup", offsetof(struct gw_origin_facts, cgroup)},
	{"comm", offsetof(struct gw_origin_facts, comm)},
	{"command", offsetof(struct gw_origin_facts, command)},
};

#define FIELDS (sizeof(fields) / sizeof(fields[0]))

static const char *field_of(const struct gw_origin_facts *facts, size_t field)
{
	return *(const char *const *)((const char *)facts + fields[field].offset);
}

/* ---- rules ---- */

static int refuse(const char *text, struct gw_error *err)
{
	return gw_error_set(err, -EINVAL, GW_STATUS_USAGE,
			    "\"%.80s\" is no rule for groups: give NAME=FIELD:REGEX, FIELD one of "
			    "unit, container, cgroup, comm, command",
			    text);
}

static int parse_rule(const char *text, struct gw_group_rule *rule, struct gw_error *err)
{
	const char *equals = strchr(text, '='), *colon = equals ? strchr(equals, ':') : NULL;
	size_t length = equals ? (size_t)(equals - text) : 0;
	char reason[128];
	int code;

	if (!colon || !length || length >= sizeof(rule->name))
		return refuse(text, err);
	memcpy(rule->name, text, length);
	rule->name[length] = '\0';
	length = (size_t)(colon - equals - 1);
	for (rule->field = 0; rule->field < FIELDS; rule->field++)
		if (strlen(fields[rule->field].name) == length &&
		    !strncmp(fields[rule->field].name, equals + 1, length))
			break;
	if (rule->field == FIELDS)
		return refuse(text, err);
	code = regcomp(&rule->regex, colon + 1, REG_EXTENDED);
	if (!code)
		return 0;
	regerror(code, &rule->regex, reason, sizeof(reason));
	return gw_error_set(err, -EINVAL, GW_STATUS_USAGE, "\"%.80s\" is no regular expression: %s",
			    colon + 1, reason);
}

int gw_group_rules_add(struct gw_group_rules *rules, const char *text, struct gw_error *err)
{
	size_t size = (rules->count + 1) * sizeof(*rules->rule);
	struct gw_group_rule *more = realloc(rules->rule, size);
	int code;

	if (!more)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	rules->rule = more;
	code = parse_rule(text, &more[rules->count], err);
	if (!code)
		rules->count++;
	return code;
}

void gw_group_rules_free(struct gw_group_rules *rules)
{
	for (size_t i = 0; i < rules->count; i++)
		regfree(&rules->rule[i].regex);
	free(rules->rule);
	memset(rules, 0, sizeof(*rules));
}

/* The rule's name with what the parentheses matched in it. */
static void fill_in(const char *pattern, const char *text, const regmatch_t *match, char *name)
{
	size_t used = 0;

	for (; *pattern && used < GW_GROUP_NAME_MAX - 1; pattern++) {
		const regmatch_t *part;
		size_t length;

		if (pattern[0] != '\\' || pattern[1] < '1' || pattern[1] > '9') {
			name[used++] = *pattern;
			continue;
		}
		part = &match[*++pattern - '0'];
		if (part->rm_so < 0)
			continue;
		length = (size_t)(part->rm_eo - part->rm_so);
		if (length > GW_GROUP_NAME_MAX - 1 - used)
			length = GW_GROUP_NAME_MAX - 1 - used;
		memcpy(name + used, text + part->rm_so, length);
		used += length;
	}
	name[used] = '\0';
}

static int by_rule(const struct gw_group_rules *rules, const struct gw_origin_facts *facts,
		   char *name)
{
	for (size_t i = 0; rules && i < rules->count; i++) {
		const char *text = field_of(facts, rules->rule[i].field);
		regmatch_t match[MATCHES];

		if (!*text || regexec(&rules->rule[i].regex, text, MATCHES, match, 0))
			continue;
		fill_in(rules->rule[i].name, text, match, name);
		return name[0] != '\0';
	}
	return 0;
}

/* ---- what there is without rules ---- */

static int ends_with(const char *text, size_t length, const char *end)
{
	size_t size = strlen(end);

	return length > size && !strncmp(text + length - size, end, size);
}

static int is_unit(const char *component, size_t length)
{
	if (ends_with(component, length, ".service"))
		/* The manager of a user's own units, not one of them. */
		return strncmp(component, "user@", 5) != 0;
	return ends_with(component, length, ".scope") && strncmp(component, "session-", 8) &&
	       strncmp(component, "init.scope", length);
}

void gw_unit_of(const char *cgroup, char *unit, size_t size)
{
	unit[0] = '\0';
	while (*cgroup) {
		size_t length = strcspn(cgroup, "/");

		if (is_unit(cgroup, length) && length < size) {
			memcpy(unit, cgroup, length);
			unit[length] = '\0';
		}
		cgroup += length + (cgroup[length] == '/');
	}
}

static int is_long_id(const char *id)
{
	return strlen(id) >= 32 && strspn(id, "0123456789abcdef") >= 32;
}

void gw_group_name(const struct gw_group_rules *rules, const struct gw_origin_facts *facts,
		   char name[GW_GROUP_NAME_MAX])
{
	if (by_rule(rules, facts, name))
		return;
	if (*facts->container)
		snprintf(name, GW_GROUP_NAME_MAX, "%s/%.*s", facts->runtime,
			 is_long_id(facts->container) ? SHORT_ID : 100, facts->container);
	else if (*facts->unit)
		gw_text_copy(name, GW_GROUP_NAME_MAX, facts->unit);
	else
		gw_text_copy(name, GW_GROUP_NAME_MAX, *facts->comm ? facts->comm : "unknown");
}
