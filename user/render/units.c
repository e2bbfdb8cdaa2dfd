// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/units.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ABSENT "\xe2\x80\x93" /* – */

static struct gw_figure figure(const char *text)
{
	struct gw_figure made = {""};

	snprintf(made.text, sizeof(made.text), "%s", text);
	return made;
}

/* Three digits, decided after rounding: 9.996 is "10.0". */
static void three_digits(char *text, size_t size, double value)
{
	int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;

	snprintf(text, size, "%.*f", decimals, value);
}

static void trim_zeros(char *text)
{
	size_t end = strlen(text);

	if (!strchr(text, '.'))
		return;
	while (text[end - 1] == '0')
		text[--end] = '\0';
	if (text[end - 1] == '.')
		text[end - 1] = '\0';
}

struct unit {
	const char *name;
	double size;
	double below; /* the next unit is used from here on */
};

static struct gw_figure duration(int64_t ns, int short_form)
{
	static const struct unit units[] = {
		{"\xc2\xb5s", 1e3, 999.5}, {"ms", 1e6, 999.5},	{"s", 1e9, 9999.5},
		{"h", 3600e9, 999.5},	   {"d", 86400e9, 1e9},
	};
	const struct unit *unit = units;
	struct gw_figure made;
	char digits[GW_FIGURE_SIZE];

	if (ns < 0)
		return figure(ABSENT);
	if (!ns)
		return figure("0 s");
	if (ns < 1000) {
		snprintf(made.text, sizeof(made.text), "%d ns", (int)ns);
		return made;
	}
	while ((double)ns / unit->size >= unit->below)
		unit++;
	three_digits(digits, sizeof(digits), (double)ns / unit->size);
	if (short_form)
		trim_zeros(digits);
	snprintf(made.text, sizeof(made.text), "%.10s %s", digits, unit->name);
	return made;
}

struct gw_figure gw_duration(int64_t ns)
{
	return duration(ns, 0);
}

struct gw_figure gw_duration_short(int64_t ns)
{
	return duration(ns, 1);
}

struct gw_figure gw_number(double number)
{
	struct gw_figure made;

	if (!isfinite(number) || number < 0)
		return figure(ABSENT);
	if (number >= 999999.5)
		return figure(">999999");
	three_digits(made.text, sizeof(made.text), number);
	return made;
}

static struct gw_figure percent(double ratio)
{
	struct gw_figure made;
	double value = ratio * 100;

	if (!isfinite(ratio) || ratio < 0)
		return figure(ABSENT);
	if (value == 0)
		return figure("0");
	if (value < 0.05)
		return figure("<0.1");
	if (value >= 99999)
		return figure(">99999");
	snprintf(made.text, sizeof(made.text), "%.*f", value < 99.95 ? 1 : 0, value);
	return made;
}

struct gw_figure gw_percent(int64_t part_ns, int64_t whole_ns)
{
	if (part_ns < 0 || whole_ns < 0 || (!whole_ns && part_ns))
		return figure(ABSENT);
	return percent(whole_ns ? (double)part_ns / (double)whole_ns : 0);
}

struct gw_figure gw_share(double ratio)
{
	struct gw_figure made = percent(ratio);

	if (isfinite(ratio) && ratio >= 0)
		strcat(made.text, " %");
	return made;
}

static struct gw_figure thousands(double value)
{
	static const struct unit units[] = {
		{"k", 1e3, 999.5},  {"M", 1e6, 999.5},	{"G", 1e9, 999.5},
		{"T", 1e12, 999.5}, {"P", 1e15, 999.5}, {"E", 1e18, 1e9},
	};
	const struct unit *unit = units;
	struct gw_figure made;
	char digits[GW_FIGURE_SIZE];

	while (value / unit->size >= unit->below)
		unit++;
	three_digits(digits, sizeof(digits), value / unit->size);
	snprintf(made.text, sizeof(made.text), "%.10s %s", digits, unit->name);
	return made;
}

struct gw_figure gw_count(int64_t count)
{
	struct gw_figure made;

	if (count < 0)
		return figure(ABSENT);
	if (count >= 10000)
		return thousands((double)count);
	if (count >= 1000)
		snprintf(made.text, sizeof(made.text), "%d,%03d", (int)(count / 1000),
			 (int)(count % 1000));
	else
		snprintf(made.text, sizeof(made.text), "%d", (int)count);
	return made;
}

struct gw_figure gw_rate(int64_t count, int64_t ns)
{
	struct gw_figure made;
	double rate = ns > 0 ? (double)count / ((double)ns / 1e9) : 0;

	if (count < 0 || ns < 0 || (!ns && count))
		return figure(ABSENT);
	if (rate >= 999.5)
		made = thousands(rate);
	else if (rate >= 9.95)
		snprintf(made.text, sizeof(made.text), "%.0f", rate);
	else if (rate == 0 || rate >= 0.05)
		snprintf(made.text, sizeof(made.text), rate == 0 ? "0" : "%.1f", rate);
	else
		snprintf(made.text, sizeof(made.text), "<0.1");
	strcat(made.text, "/s");
	return made;
}
