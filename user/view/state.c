// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/state.h"

#include <string.h>

#define MILLISECOND_NS 1000000ULL
/* The screen of a thread is not longer than this on a screen of the least size. */
#define DETAIL_LINES 60
/* Nor is the help. */
#define HELP_LINES 60

void gw_view_state_init(struct gw_view_state *s, uint64_t interval_ns)
{
	memset(s, 0, sizeof(*s));
	s->threads = 1;
	s->interval_ns = interval_ns;
}

/* ---- the selected row ---- */

const struct gw_row *gw_view_selected(const struct gw_view_state *s, const struct gw_rows *rows)
{
	return s->selected < rows->count ? &rows->row[s->selected] : NULL;
}

static int is_selected(const struct gw_view_state *s, const struct gw_row *row)
{
	return row->pid == s->pid && row->tid == s->tid && row->start_ns == s->start_ns;
}

static void keep_on_screen(struct gw_view_state *s, const struct gw_rows *rows, size_t page)
{
	if (page < 1)
		page = 1;
	if (s->selected >= rows->count)
		s->selected = rows->count ? rows->count - 1 : 0;
	if (s->top > s->selected)
		s->top = s->selected;
	if (s->selected >= s->top + page)
		s->top = s->selected - page + 1;
	/* No empty lines below the last row while there are rows above the first. */
	if (s->top + page > rows->count)
		s->top = rows->count > page ? rows->count - page : 0;
}

static void note_selected(struct gw_view_state *s, const struct gw_rows *rows)
{
	const struct gw_row *row = gw_view_selected(s, rows);

	if (!row)
		return;
	s->pid = row->pid;
	s->tid = row->tid;
	s->start_ns = row->start_ns;
}

void gw_view_follow(struct gw_view_state *s, const struct gw_rows *rows, size_t page)
{
	/* At the top, what is busiest is of interest, whoever that is; else the chosen one. */
	if (s->selected > 0 || s->detail)
		for (size_t i = 0; i < rows->count; i++)
			if (is_selected(s, &rows->row[i])) {
				s->selected = i;
				break;
			}
	keep_on_screen(s, rows, page);
	note_selected(s, rows);
}

static void move(struct gw_view_state *s, const struct gw_rows *rows, size_t page, long by)
{
	if (by < 0)
		s->selected -= (size_t)-by < s->selected ? (size_t)-by : s->selected;
	else
		s->selected += (size_t)by;
	keep_on_screen(s, rows, page);
	note_selected(s, rows);
}

/* ---- processes that are open ---- */

static void toggle_opened(struct gw_view_state *s, uint32_t pid)
{
	for (size_t i = 0; i < s->opened_count; i++) {
		if (s->opened[i] != pid)
			continue;
		s->opened[i] = s->opened[--s->opened_count];
		return;
	}
	/* The first one that was opened makes room. */
	if (s->opened_count == GW_OPENED_MAX)
		memmove(s->opened, s->opened + 1, --s->opened_count * sizeof(s->opened[0]));
	s->opened[s->opened_count++] = pid;
	s->threads = 1;
}

static void enter(struct gw_view_state *s, const struct gw_rows *rows)
{
	const struct gw_row *row = gw_view_selected(s, rows);

	if (!row || s->detail)
		return;
	note_selected(s, rows);
	if (row->tid) {
		s->detail = 1;
		s->detail_top = 0;
	} else {
		toggle_opened(s, row->pid);
	}
}

struct gw_rows_options gw_view_rows_options(const struct gw_view_state *s)
{
	return (struct gw_rows_options){
		.sort = s->sort,
		.reverse = s->reverse,
		.threads = s->threads,
		.filter = s->typing ? s->typed : s->filter,
		.opened = s->opened,
		.opened_count = s->opened_count,
	};
}

/* ---- keys ---- */

static void escape(struct gw_view_state *s)
{
	if (s->help)
		s->help = 0;
	else if (s->detail)
		s->detail = 0;
	else
		s->filter[0] = '\0';
}

/* While a filter is typed, keys are its characters. */
static void type(struct gw_view_state *s, int key)
{
	size_t length = strlen(s->typed);

	if (key == GW_KEY_ENTER) {
		memcpy(s->filter, s->typed, sizeof(s->filter));
		s->typing = 0;
	} else if (key == GW_KEY_ESCAPE) {
		s->typing = 0;
	} else if (key == GW_KEY_BACKSPACE) {
		if (length)
			s->typed[length - 1] = '\0';
	} else if (key >= ' ' && key < 0x7f && length + 1 < sizeof(s->typed)) {
		s->typed[length] = (char)key;
		s->typed[length + 1] = '\0';
	}
}

static void change_interval(struct gw_view_state *s, int longer)
{
	static const uint64_t step_ms[] = {100, 200, 500, 1000, 2000, 5000, 10000, 30000, 60000};
	size_t count = sizeof(step_ms) / sizeof(step_ms[0]), at = 0;

	while (at < count && step_ms[at] * MILLISECOND_NS < s->interval_ns)
		at++;
	if (longer && at < count && step_ms[at] * MILLISECOND_NS == s->interval_ns)
		at++;
	if (longer ? at < count : at > 0)
		s->interval_ns = step_ms[longer ? at : at - 1] * MILLISECOND_NS;
}

static void change_sort(struct gw_view_state *s, int by)
{
	s->sort = (enum gw_sort)(((int)s->sort + GW_SORT_COUNT + by) % GW_SORT_COUNT);
}

/* Keys that move about. 1: it was one. */
static int move_key(struct gw_view_state *s, int key, const struct gw_rows *rows, size_t page)
{
	int lines = s->detail && (key == GW_KEY_PAGE_UP || key == GW_KEY_PAGE_DOWN);

	switch (key) {
	case GW_KEY_UP:
		move(s, rows, page, -1);
		return 1;
	case GW_KEY_DOWN:
		move(s, rows, page, 1);
		return 1;
	case GW_KEY_PAGE_UP:
	case GW_KEY_PAGE_DOWN:
		/* Of a thread's screen, lines; its screen knows how many there are. */
		if (lines)
			s->detail_top += key == GW_KEY_PAGE_UP ? -5 : 5;
		else
			move(s, rows, page, key == GW_KEY_PAGE_UP ? -(long)page : (long)page);
		if (s->detail_top < 0)
			s->detail_top = 0;
		if (s->detail_top > DETAIL_LINES)
			s->detail_top = DETAIL_LINES;
		return 1;
	case GW_KEY_HOME:
		move(s, rows, page, -(long)rows->count);
		return 1;
	case GW_KEY_END:
		move(s, rows, page, (long)rows->count);
		return 1;
	case GW_KEY_ENTER:
		enter(s, rows);
		return 1;
	case GW_KEY_ESCAPE:
		escape(s);
		return 1;
	default:
		return 0;
	}
}

static enum gw_view_action reset(struct gw_view_state *s)
{
	s->mode = GW_MODE_MARK;
	return GW_VIEW_RESET;
}

/* 1: the key moves about in the help. */
static int scroll_help(struct gw_view_state *s, int key)
{
	int by = key == GW_KEY_PAGE_UP	   ? -5
		 : key == GW_KEY_PAGE_DOWN ? 5
		 : key == GW_KEY_UP	   ? -1
		 : key == GW_KEY_DOWN	   ? 1
					   : 0;

	s->help_top += by;
	if (s->help_top < 0)
		s->help_top = 0;
	if (s->help_top > HELP_LINES)
		s->help_top = HELP_LINES;
	return by != 0;
}

static enum gw_view_action letter_key(struct gw_view_state *s, int key)
{
	switch (key) {
	case 'q':
	case 'Q':
		return GW_VIEW_QUIT;
	case 's':
		change_sort(s, 1);
		break;
	case 'S':
		change_sort(s, -1);
		break;
	case 'R':
		s->reverse = !s->reverse;
		break;
	case 'p':
	case ' ':
		s->paused = !s->paused;
		break;
	case 'r':
		return reset(s);
	case 'm':
		s->mode = (enum gw_view_mode)(((int)s->mode + 1) % GW_MODE_COUNT);
		break;
	case 't':
		s->threads = !s->threads;
		s->detail = 0;
		break;
	case '/':
		s->typing = 1;
		s->detail = 0;
		memcpy(s->typed, s->filter, sizeof(s->typed));
		break;
	case '+':
	case '-':
		change_interval(s, key == '+');
		break;
	case 'w':
		return GW_VIEW_WRITE;
	case 'h':
	case '?':
		s->help = 1;
		s->help_top = 0;
		break;
	default:
		break;
	}
	return GW_VIEW_NOTHING;
}

enum gw_view_action gw_view_key(struct gw_view_state *s, int key, const struct gw_rows *rows,
				size_t page)
{
	if (key == GW_KEY_NONE || key == GW_KEY_RESIZE)
		return GW_VIEW_NOTHING;
	s->message[0] = '\0';
	if (s->typing) {
		type(s, key);
		return GW_VIEW_NOTHING;
	}
	/* Any key but q leaves the help unless it moves about in it, and does nothing else. */
	if (s->help && key != 'q' && key != 'Q') {
		s->help = scroll_help(s, key);
		return GW_VIEW_NOTHING;
	}
	if (move_key(s, key, rows, page))
		return GW_VIEW_NOTHING;
	return letter_key(s, key);
}
