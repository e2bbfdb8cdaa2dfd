// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"
#include "render/list.h"
#include "render/text_page.h"

#define CELL_SIZE     512
#define COMMAND_LEAST 12
#define COLUMN_LEAST  8

enum column {
	COLUMN_NUMBER,
	COLUMN_PID,
	COLUMN_USER,
	COLUMN_PYTHON,
	COLUMN_BUILD,
	COLUMN_GIL,
	COLUMN_THREADS,
	COLUMN_ENGINES,
	COLUMN_PLACE,
	COLUMNS,
};

static const struct {
	const char *title;
	enum gw_align align;
	int widest; /* what is longer is cut, so that the command has room */
} columns[COLUMNS] = {
	[COLUMN_NUMBER] = {"#", GW_RIGHT, 5},	 [COLUMN_PID] = {"PID", GW_RIGHT, 10},
	[COLUMN_USER] = {"USER", GW_LEFT, 10},	 [COLUMN_PYTHON] = {"PYTHON", GW_LEFT, 13},
	[COLUMN_BUILD] = {"BUILD", GW_LEFT, 6},	 [COLUMN_GIL] = {"GIL", GW_LEFT, 3},
	[COLUMN_THREADS] = {"THR", GW_RIGHT, 6}, [COLUMN_ENGINES] = {"ENGINES", GW_LEFT, 7},
	[COLUMN_PLACE] = {"WHERE", GW_LEFT, 19},
};

static const char *of_three(int value, const char *no, const char *yes)
{
	return value < 0 ? "?" : value ? yes : no;
}

static const char *engines_of(const struct gw_listed *process)
{
	if (process->sched.can)
		return process->uprobe.can ? "both" : "sched";
	return process->uprobe.can ? "uprobe" : "none";
}

/* PyPy and others by their name; a free-threaded build as 3.13.2t, as its program is called. */
static void version_of(const struct gw_python_facts *python, char *text, size_t size)
{
	const char *version = python->version[0] ? python->version : "?";

	if (strcmp(python->implementation, "CPython"))
		snprintf(text, size, "%s %s", python->implementation, version);
	else
		snprintf(text, size, "%s%s", version, python->free_threaded > 0 ? "t" : "");
}

static void cell_of(const struct gw_listed *process, size_t row, enum column column, char *text,
		    size_t size)
{
	const struct gw_python_facts *python = &process->python;

	text[0] = '\0';
	switch (column) {
	case COLUMN_NUMBER:
		snprintf(text, size, "%zu", row + 1);
		break;
	case COLUMN_PID:
		snprintf(text, size, "%" PRIu32, process->pid);
		break;
	case COLUMN_USER:
		snprintf(text, size, "%s", process->user);
		break;
	case COLUMN_PYTHON:
		version_of(python, text, size);
		break;
	case COLUMN_BUILD:
		snprintf(text, size, "%s", of_three(python->shared, "static", "shared"));
		break;
	case COLUMN_GIL:
		snprintf(text, size, "%s", of_three(python->gil_enabled, "off", "on"));
		break;
	case COLUMN_THREADS:
		snprintf(text, size, "%" PRIu64, process->threads);
		break;
	case COLUMN_ENGINES:
		snprintf(text, size, "%s", engines_of(process));
		break;
	case COLUMN_PLACE:
		gw_listed_place(process, text, size);
		break;
	case COLUMNS:
		break;
	}
}

static int columns_of(const char *text, int utf8)
{
	char clean[CELL_SIZE];

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), utf8);
	return (int)gw_columns(clean);
}

/* Gives the command its room at the cost of a column. */
static void narrow(int width[COLUMNS], enum column column, int room)
{
	int left = room - COMMAND_LEAST;

	for (int c = 0; c < COLUMNS; c++)
		left -= width[c] ? width[c] + 1 : 0;
	if (left < 0 && width[column] > COLUMN_LEAST)
		width[column] +=
			left < COLUMN_LEAST - width[column] ? COLUMN_LEAST - width[column] : left;
}

static void measure(const struct gw_listing *listing, const struct gw_list_options *o,
		    int width[COLUMNS])
{
	char text[CELL_SIZE];

	for (int c = 0; c < COLUMNS; c++) {
		width[c] = (int)strlen(columns[c].title);
		for (size_t i = 0; i < listing->count; i++) {
			int columns;

			cell_of(&listing->process[i], i, (enum column)c, text, sizeof(text));
			columns = columns_of(text, o->text.utf8);
			if (columns > width[c])
				width[c] = columns;
		}
		if (width[c] > columns[c].widest && !o->whole)
			width[c] = columns[c].widest;
	}
	if (!o->numbered)
		width[COLUMN_NUMBER] = 0;
	if (o->whole)
		return;
	narrow(width, COLUMN_PLACE, o->text.width);
	narrow(width, COLUMN_USER, o->text.width);
}

/* Writes one row; the command has what is left of the line, or as much as it takes. */
static void write_row(struct gw_page *page, const struct gw_list_options *o,
		      const int width[COLUMNS], const struct gw_listed *process, size_t row)
{
	int left = page->width;
	char text[CELL_SIZE];

	for (int c = 0; c < COLUMNS; c++) {
		if (!width[c])
			continue;
		if (process)
			cell_of(process, row, (enum column)c, text, sizeof(text));
		gw_page_cell(page, width[c], columns[c].align, process ? text : columns[c].title);
		page->pending++;
		left -= width[c] + 1;
	}
	if (o->whole)
		left = GW_PAGE_CELL_MAX;
	else if (left < (int)strlen("COMMAND"))
		left = (int)strlen("COMMAND");
	gw_page_cell(page, left, GW_LEFT,
		     !process		   ? "COMMAND"
		     : process->command[0] ? process->command
					   : process->comm);
	gw_page_end_row(page);
}

static int is_told(const struct gw_listing *listing, size_t until, const char *because)
{
	if (!strcmp(because, listing->rights))
		return 1;
	for (size_t i = 0; i < until; i++)
		if (!strcmp(because, listing->process[i].sched.because) ||
		    !strcmp(because, listing->process[i].uprobe.because))
			return 1;
	return 0;
}

/* A sentence about a process, which starts with its PID in some way. */
static void write_note(struct gw_page *page, const struct gw_listed *process, const char *because)
{
	if (strncmp(because, "process ", strlen("process ")))
		gw_page_print(page, "- ", 2, "process %" PRIu32 " (%s): %s", process->pid,
			      process->comm, because);
	else
		gw_page_wrap(page, "- ", 2, because);
}

/* Why engines cannot be used; a reason that several processes share is told once. */
static void write_notes(struct gw_page *page, const struct gw_listing *listing)
{
	if (listing->rights[0])
		gw_page_wrap(page, "- ", 2, listing->rights);
	for (size_t i = 0; i < listing->count; i++) {
		const struct gw_listed *process = &listing->process[i];
		const char *sched = process->sched.because, *uprobe = process->uprobe.because;

		if (sched[0] && !is_told(listing, i, sched))
			write_note(page, process, sched);
		if (uprobe[0] && strcmp(sched, uprobe) && !is_told(listing, i, uprobe))
			write_note(page, process, uprobe);
	}
	if (listing->denied_because[0])
		gw_page_wrap(page, "- ", 2, listing->denied_because);
}

int gw_list_text_write(const struct gw_listing *listing, const struct gw_list_options *options,
		       FILE *out)
{
	struct gw_page page = {
		.out = out,
		.width = options->text.width,
		.colour = options->text.colour,
		.utf8 = options->text.utf8,
	};
	int width[COLUMNS];

	if (listing->count) {
		measure(listing, options, width);
		gw_page_style(&page, GW_BOLD);
		write_row(&page, options, width, NULL, 0);
		gw_page_style(&page, GW_PLAIN);
		for (size_t i = 0; i < listing->count; i++)
			write_row(&page, options, width, &listing->process[i], i);
	} else {
		fputs("There is no Python process that can be seen.\n", out);
	}
	write_notes(&page, listing);
	return ferror(out) ? -EIO : 0;
}
