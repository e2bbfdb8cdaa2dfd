/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * The page that text is written on: wrapping, columns, colour, and the way to ASCII. All text
 * passes through the terminal's escaping here and nowhere else; nothing is wider than the page.
 */
#ifndef GW_TEXT_PAGE_H
#define GW_TEXT_PAGE_H

#include <stdio.h>

#include "render/text.h"

#define GW_PAGE_WIDTH_LEAST 80
#define GW_PAGE_WIDTH_MOST  200
#define GW_PAGE_ROWS	    10 /* of tables, unless told otherwise */
#define GW_PAGE_REASONS	    12
#define GW_PAGE_CELL_MAX    4096 /* bytes of one cell or paragraph */

enum gw_style {
	GW_PLAIN,
	GW_BOLD,
	GW_RED,
	GW_YELLOW,
	GW_GREEN,
};

struct gw_page {
	FILE *out;
	int rows, width;
	bool colour, utf8;
	size_t pending; /* spaces owed before the next cell */
	/* Why figures are absent: each told once a process, at the end of the section it is in. */
	char reason[GW_PAGE_REASONS][192];
	size_t reason_count, reason_told;
};

enum gw_align {
	GW_LEFT,
	GW_RIGHT,
};

/* An empty page; what the options leave open or carry too far is set right. */
struct gw_page gw_page_of(const struct gw_text_options *options, FILE *out);

void gw_page_style(struct gw_page *page, enum gw_style style);

/* A section's title with an empty line before it. */
void gw_page_heading(struct gw_page *page, const char *title);

/*
 * A paragraph, wrapped at words. The first line starts with the label, which is ASCII of our own;
 * the others are indented by indent columns.
 */
void gw_page_wrap(struct gw_page *page, const char *label, int indent, const char *text);

/* The same where indent columns of the first line are written already. */
void gw_page_hang(struct gw_page *page, int indent, const char *text);

/* As gw_page_wrap, by printf's format; bounded to 4 KiB. */
void gw_page_print(struct gw_page *page, const char *label, int indent, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

/*
 * One cell of a row: padded to width, cut if it is longer. Padding is written only where something
 * follows it, so that no line ends in spaces.
 */
void gw_page_cell(struct gw_page *page, int width, enum gw_align align, const char *text);
void gw_page_end_row(struct gw_page *page);

/* Notes why something is shown as "–"; the reasons noted are told by gw_page_reasons. */
void gw_page_reason(struct gw_page *page, const char *reason);
void gw_page_reasons(struct gw_page *page);

#endif
