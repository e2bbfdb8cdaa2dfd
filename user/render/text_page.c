// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "render/text_page.h"

#include <stdarg.h>
#include <string.h>

#include "render/escape.h"

#define PARAGRAPH_SIZE GW_PAGE_CELL_MAX

struct gw_page gw_page_of(const struct gw_text_options *options, FILE *out)
{
	struct gw_page page = {.out = out, .colour = options->colour, .utf8 = options->utf8};

	page.rows = options->rows > 0 ? options->rows : GW_PAGE_ROWS;
	page.width = options->width < GW_PAGE_WIDTH_LEAST ? GW_PAGE_WIDTH_LEAST : options->width;
	if (page.width > GW_PAGE_WIDTH_MOST)
		page.width = GW_PAGE_WIDTH_MOST;
	return page;
}

void gw_page_style(struct gw_page *page, enum gw_style style)
{
	static const char *const code[] = {
		[GW_PLAIN] = "\033[0m",	    [GW_BOLD] = "\033[1m",     [GW_RED] = "\033[1;31m",
		[GW_YELLOW] = "\033[1;33m", [GW_GREEN] = "\033[1;32m",
	};

	if (page->colour)
		fputs(code[style], page->out);
}

void gw_page_heading(struct gw_page *page, const char *title)
{
	fputc('\n', page->out);
	gw_page_style(page, GW_BOLD);
	gw_page_cell(page, page->width, GW_LEFT, title);
	gw_page_style(page, GW_PLAIN);
	gw_page_end_row(page);
}

static void spaces(struct gw_page *page, size_t count)
{
	while (count--)
		fputc(' ', page->out);
}

/* The bytes of the first columns columns of a text, at least one character. */
static size_t bytes_of_columns(const char *text, size_t columns)
{
	size_t length = strlen(text), at = 0, taken = 0, used;
	uint32_t character;

	while (at < length) {
		used = gw_utf8_next(text + at, length - at, &character);
		taken += (size_t)gw_columns_of(character);
		if (at && taken > columns)
			break;
		at += used;
	}
	return at;
}

static size_t columns_of_bytes(const char *text, size_t bytes)
{
	char part[PARAGRAPH_SIZE];

	snprintf(part, sizeof(part), "%.*s", (int)bytes, text);
	return gw_columns(part);
}

/* The bytes of a word; a number and its unit are one, and so are "3" and "%),". */
static size_t word_bytes(const char *text)
{
	static const char *const units[] = {"ns", "us", "\xc2\xb5s", "ms", "s", "h",
					    "d",  "k",	"M",	     "G",  "%"};
	size_t bytes = strcspn(text, " ");
	const char *next = text + bytes + 1;

	if (!text[bytes] || !bytes || text[bytes - 1] < '0' || text[bytes - 1] > '9')
		return bytes;
	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++) {
		size_t unit = strlen(units[i]);

		if (!strncmp(next, units[i], unit) && (!next[unit] || strchr(" ,.;)", next[unit])))
			return bytes + 1 + strcspn(next, " ");
	}
	return bytes;
}

/* Writes words of text, which is fit for a terminal, from column at on. */
static void wrap_words(struct gw_page *page, size_t at, size_t indent, const char *text)
{
	size_t room = (size_t)page->width, start = at, bytes, columns;

	for (;;) {
		text += strspn(text, " ");
		if (!*text)
			return;
		bytes = word_bytes(text);
		columns = columns_of_bytes(text, bytes);
		if (at > start && at + 1 + columns > room) {
			fputc('\n', page->out);
			spaces(page, indent);
			at = start = indent;
		} else if (at > start) {
			fputc(' ', page->out);
			at++;
		}
		/* A word that no line can hold is broken where the line ends. */
		if (at + columns > room) {
			bytes = bytes_of_columns(text, room > at ? room - at : 1);
			columns = room > at ? room - at : 1;
		}
		fwrite(text, 1, bytes, page->out);
		at += columns;
		text += bytes;
		if (*text && *text != ' ') {
			fputc('\n', page->out);
			spaces(page, indent);
			at = start = indent;
		}
	}
}

void gw_page_hang(struct gw_page *page, int indent, const char *text)
{
	char clean[PARAGRAPH_SIZE];

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), page->utf8);
	wrap_words(page, (size_t)indent, (size_t)indent, clean);
	fputc('\n', page->out);
}

void gw_page_wrap(struct gw_page *page, const char *label, int indent, const char *text)
{
	char clean[PARAGRAPH_SIZE];

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), page->utf8);
	fputs(label, page->out);
	wrap_words(page, strlen(label), (size_t)indent, clean);
	fputc('\n', page->out);
}

void gw_page_print(struct gw_page *page, const char *label, int indent, const char *format, ...)
{
	char text[PARAGRAPH_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	gw_page_wrap(page, label, indent, text);
}

void gw_page_cell(struct gw_page *page, int width, enum gw_align align, const char *text)
{
	char clean[PARAGRAPH_SIZE];
	size_t columns, room = (size_t)width;

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), page->utf8);
	gw_cut_columns(clean, sizeof(clean), room, page->utf8);
	columns = gw_columns(clean);
	if (align == GW_RIGHT)
		page->pending += room - columns;
	if (columns) {
		spaces(page, page->pending);
		page->pending = 0;
	}
	fputs(clean, page->out);
	if (align == GW_LEFT)
		page->pending += room - columns;
}

void gw_page_end_row(struct gw_page *page)
{
	page->pending = 0;
	fputc('\n', page->out);
}

void gw_page_reason(struct gw_page *page, const char *reason)
{
	if (!reason[0])
		reason = "it is not known";
	for (size_t i = 0; i < page->reason_count; i++) {
		if (!strcmp(page->reason[i], reason))
			return;
	}
	if (page->reason_count < GW_PAGE_REASONS)
		snprintf(page->reason[page->reason_count++], sizeof(page->reason[0]), "%s", reason);
}

void gw_page_reasons(struct gw_page *page)
{
	for (; page->reason_told < page->reason_count; page->reason_told++)
		gw_page_print(page, "  ", 4, "\xe2\x80\x93 means not known: %s.",
			      page->reason[page->reason_told]);
}
