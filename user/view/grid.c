// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/grid.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render/escape.h"

#define TEXT_SIZE 2048

static struct gw_cell *cell_at(const struct gw_grid *grid, int row, int column)
{
	return &grid->cell[(size_t)row * (size_t)grid->columns + (size_t)column];
}

void gw_grid_clear(struct gw_grid *grid)
{
	for (size_t i = 0; i < (size_t)grid->rows * (size_t)grid->columns; i++)
		grid->cell[i] = (struct gw_cell){.text = " "};
}

int gw_grid_resize(struct gw_grid *grid, int rows, int columns)
{
	size_t count = (size_t)rows * (size_t)columns;
	struct gw_cell *cell = realloc(grid->cell, (count + 1) * sizeof(*cell));

	if (!cell)
		return -ENOMEM;
	grid->cell = cell;
	grid->rows = rows;
	grid->columns = columns;
	gw_grid_clear(grid);
	return 0;
}

void gw_grid_free(struct gw_grid *grid)
{
	free(grid->cell);
	grid->cell = NULL;
	grid->rows = grid->columns = 0;
}

/* What combines goes into the cell before it, as far as there is room. */
static void combine(struct gw_grid *grid, int row, int column, const char *text, size_t bytes)
{
	struct gw_cell *cell;
	size_t used;

	if (column <= 0 || column > grid->columns)
		return;
	cell = cell_at(grid, row, column - 1);
	used = strlen(cell->text);
	if (!used || used + bytes >= sizeof(cell->text))
		return;
	memcpy(cell->text + used, text, bytes);
	cell->text[used + bytes] = '\0';
}

static void set(struct gw_grid *grid, int row, int column, enum gw_pen pen, const char *text,
		size_t bytes, int wide)
{
	struct gw_cell *cell = cell_at(grid, row, column);

	memcpy(cell->text, text, bytes);
	cell->text[bytes] = '\0';
	cell->pen = (uint8_t)pen;
	if (wide)
		*cell_at(grid, row, column + 1) = (struct gw_cell){.text = "", .pen = cell->pen};
}

/* Text that is fit for a terminal already. */
static int write_clean(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		       const char *text)
{
	size_t left = strlen(text), bytes;
	int at = column, end = column + width;
	uint32_t character;

	if (end > grid->columns)
		end = grid->columns;
	for (; left; text += bytes, left -= bytes) {
		int columns;

		bytes = gw_utf8_next(text, left, &character);
		columns = gw_columns_of(character);
		if (!columns) {
			combine(grid, row, at, text, bytes);
			continue;
		}
		if (at + columns > end)
			break;
		set(grid, row, at, pen, text, bytes, columns == 2);
		at += columns;
	}
	return at - column;
}

static int clean_text(const struct gw_grid *grid, int width, const char *text, char *clean)
{
	if (width <= 0)
		return 0;
	gw_escape_terminal(text, strlen(text), clean, TEXT_SIZE, grid->utf8);
	gw_cut_columns(clean, TEXT_SIZE, (size_t)width, grid->utf8);
	return 1;
}

static int is_inside(const struct gw_grid *grid, int row, int column)
{
	return row >= 0 && row < grid->rows && column >= 0 && column < grid->columns;
}

int gw_grid_put(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		const char *text)
{
	char clean[TEXT_SIZE];

	if (!is_inside(grid, row, column))
		return 0;
	if (width > grid->columns - column)
		width = grid->columns - column;
	if (!clean_text(grid, width, text, clean))
		return 0;
	return write_clean(grid, row, column, width, pen, clean);
}

void gw_grid_put_right(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		       const char *text)
{
	char clean[TEXT_SIZE];
	int columns;

	if (!is_inside(grid, row, column) || !clean_text(grid, width, text, clean))
		return;
	columns = (int)gw_columns(clean);
	if (column + width - columns < grid->columns)
		write_clean(grid, row, column + width - columns, columns, pen, clean);
}

/* Bytes of the number at the end and of the character before it; 0: it does not end in a number. */
static size_t number_length(const char *name)
{
	size_t length = strlen(name), digits = 0;

	while (digits < length && isdigit((unsigned char)name[length - 1 - digits]))
		digits++;
	if (!digits || digits == length || !isgraph((unsigned char)name[length - 1 - digits]))
		return 0;
	return digits + 1;
}

void gw_grid_put_name(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		      const char *name)
{
	char clean[TEXT_SIZE];
	int tail = (int)number_length(name);

	gw_escape_terminal(name, strlen(name), clean, sizeof(clean), grid->utf8);
	if ((int)gw_columns(clean) <= width || 2 * tail > width)
		tail = 0;
	gw_grid_put(grid, row, column, width - tail, pen, name);
	if (tail)
		gw_grid_put_right(grid, row, column, width, pen, name + strlen(name) - tail);
}

int gw_grid_print(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen,
		  const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	return gw_grid_put(grid, row, column, width, pen, text);
}

/* The bytes of as many words as fit into width columns; at least one character. */
static size_t line_bytes(const char *text, int width)
{
	size_t left = strlen(text), at = 0, space = 0, bytes;
	uint32_t character;
	int columns = 0;

	while (at < left) {
		bytes = gw_utf8_next(text + at, left - at, &character);
		columns += gw_columns_of(character);
		if (columns > width && at)
			return space ? space : at;
		if (character == ' ')
			space = at;
		at += bytes;
	}
	return at;
}

int gw_grid_wrap(struct gw_grid *grid, int row, int column, int first, int rows, enum gw_pen pen,
		 const char *text)
{
	int width = grid->columns - column - first, used = 0;
	char clean[TEXT_SIZE], line[TEXT_SIZE];
	const char *at = clean;

	gw_escape_terminal(text, strlen(text), clean, sizeof(clean), grid->utf8);
	while (*at && used < rows && width > 0) {
		size_t bytes = line_bytes(at, width);

		if (used + 1 == rows)
			bytes = strlen(at);
		memcpy(line, at, bytes);
		line[bytes] = '\0';
		gw_cut_columns(line, sizeof(line), (size_t)width, grid->utf8);
		if (is_inside(grid, row + used, column + first))
			write_clean(grid, row + used, column + first, width, pen, line);
		at += bytes;
		at += strspn(at, " ");
		used++;
		first = 0;
		width = grid->columns - column;
	}
	return used;
}

void gw_grid_paint(struct gw_grid *grid, int row, int column, int width, enum gw_pen pen)
{
	for (int i = column; i < column + width; i++)
		if (is_inside(grid, row, i))
			cell_at(grid, row, i)->pen = (uint8_t)pen;
}

void gw_grid_copy(struct gw_grid *to, int to_row, const struct gw_grid *from, int from_row,
		  int rows)
{
	for (int i = 0; i < rows; i++)
		if (is_inside(to, to_row + i, 0) && is_inside(from, from_row + i, 0))
			memcpy(cell_at(to, to_row + i, 0), cell_at(from, from_row + i, 0),
			       (size_t)to->columns * sizeof(*to->cell));
}
