// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/commands.h"
#include "cmd/listing.h"
#include "cmd/pick.h"
#include "probe/session.h"
#include "render/list.h"
#include "util/error.h"

uint32_t gw_pick(const struct gw_listing *listing, const char *answer)
{
	char *end;
	long number;

	answer += strspn(answer, " \t");
	if (*answer < '0' || *answer > '9')
		return 0;
	errno = 0;
	number = strtol(answer, &end, 10);
	if (errno || end[strspn(end, " \t\n")] || number > INT_MAX)
		return 0;
	for (size_t i = 0; i < listing->count; i++)
		if (listing->process[i].pid == (uint32_t)number)
			return (uint32_t)number;
	if (number >= 1 && (size_t)number <= listing->count)
		return listing->process[number - 1].pid;
	return 0;
}

/* 0: the user wants none. */
static uint32_t ask(const struct gw_listing *listing)
{
	char answer[64];

	for (;;) {
		uint32_t pid;

		printf("\nWhich one? Its number or PID (q to quit): ");
		fflush(stdout);
		if (!fgets(answer, sizeof(answer), stdin)) {
			putchar('\n');
			return 0;
		}
		if (answer[0] == 'q' || answer[0] == 'Q')
			return 0;
		pid = gw_pick(listing, answer);
		if (pid)
			return pid;
		printf("That is none of the list.");
	}
}

static int watch(uint32_t pid)
{
	char name[] = "gilwatch", option[] = "-p", number[16];
	char *argv[] = {name, option, number, NULL};

	snprintf(number, sizeof(number), "%" PRIu32, pid);
	return gw_command_live(3, argv);
}

static void show(const struct gw_listing *listing)
{
	struct gw_list_options options = {.numbered = true};

	gw_text_options_detect(&options.text, stdout);
	gw_list_text_write(listing, &options, stdout);
}

/* Of a program that ends with its list. */
static int status_of(const struct gw_listing *listing, const struct gw_error *err)
{
	if (err->text[0])
		return (int)err->status;
	if (listing->rights[0])
		return GW_STATUS_RIGHTS;
	return listing->count ? GW_OK : GW_STATUS_TARGET;
}

int gw_command_pick(void)
{
	struct gw_listing listing = {0};
	struct gw_error err = {0};
	uint32_t pid = 0;
	int code;

	gw_session_be_quiet();
	code = gw_listing_make(&listing, &err);
	if (!code) {
		show(&listing);
		if (listing.count && !listing.rights[0])
			pid = ask(&listing);
	}
	if (code)
		fprintf(stderr, "gilwatch: %s\n", err.text);
	code = status_of(&listing, &err);
	gw_listing_clear(&listing);
	return pid ? watch(pid) : code;
}
