// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/terminal.h"

#include <curses.h>
#include <errno.h>
#include <langinfo.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <term.h>
#include <unistd.h>
#include <wchar.h>

/* <term.h> makes common words into its own. */
#undef columns
#undef lines

#include "util/colour.h"
#include "view/rescue.h"
#include "view/state.h"

/* How long an Esc may be the beginning of another key's sequence. */
#define ESCAPE_MS 50

struct gw_terminal {
	SCREEN *screen;
	int signals;
	int utf8;
	attr_t pen[GW_PEN_COUNT];
	struct gw_grid drawn; /* what curses has been given last; no size: that is not known */
};

int gw_terminal_possible(void)
{
	const char *term = getenv("TERM");

	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && term && term[0] &&
	       strcmp(term, "dumb") != 0;
}

static void stop_and_go(sigset_t *set)
{
	sigemptyset(set);
	sigaddset(set, SIGTSTP);
	sigaddset(set, SIGCONT);
}

void gw_terminal_hold_signals(void)
{
	sigset_t set;

	stop_and_go(&set);
	sigprocmask(SIG_BLOCK, &set, NULL);
}

/* ---- pens ---- */

static void plain_pens(attr_t *pen)
{
	pen[GW_PEN_BOLD] = A_BOLD;
	pen[GW_PEN_DIM] = A_DIM;
	pen[GW_PEN_TITLE] = A_REVERSE;
	pen[GW_PEN_SELECTED] = A_REVERSE | A_BOLD;
	pen[GW_PEN_CRITICAL] = A_REVERSE | A_BOLD;
	pen[GW_PEN_WARNING] = A_BOLD;
	pen[GW_PEN_GOOD] = A_BOLD;
}

static void coloured_pens(attr_t *pen)
{
	static const struct {
		enum gw_pen pen;
		short colour;
		attr_t with;
	} coloured[] = {
		{GW_PEN_CRITICAL, COLOR_RED, A_BOLD},
		{GW_PEN_WARNING, COLOR_YELLOW, A_BOLD},
		{GW_PEN_GOOD, COLOR_GREEN, A_BOLD},
		{GW_PEN_STATE + GW_STATE_PYTHON, COLOR_GREEN, 0},
		{GW_PEN_STATE + GW_STATE_NATIVE, COLOR_BLUE, 0},
		{GW_PEN_STATE + GW_STATE_GIL_WAIT, COLOR_RED, 0},
		{GW_PEN_STATE + GW_STATE_HELD_OFF, COLOR_MAGENTA, A_BOLD},
		{GW_PEN_STATE + GW_STATE_RUNQUEUE, COLOR_YELLOW, 0},
		{GW_PEN_STATE + GW_STATE_DISK, COLOR_CYAN, 0},
		{GW_PEN_STATE + GW_STATE_NET, COLOR_CYAN, 0},
		{GW_PEN_STATE + GW_STATE_PIPE, COLOR_CYAN, 0},
		{GW_PEN_STATE + GW_STATE_POLL, COLOR_CYAN, 0},
		{GW_PEN_STATE + GW_STATE_FAULT, COLOR_MAGENTA, 0},
		{GW_PEN_STATE + GW_STATE_STOPPED, COLOR_YELLOW, 0},
	};
	short background = COLOR_BLACK;

	start_color();
	if (use_default_colors() == OK)
		background = -1;
	for (size_t i = 0; i < sizeof(coloured) / sizeof(coloured[0]); i++) {
		short pair = (short)(i + 1);

		if (init_pair(pair, coloured[i].colour, background) == OK)
			pen[coloured[i].pen] = (attr_t)COLOR_PAIR(pair) | coloured[i].with;
	}
}

/* ---- open and close ---- */

static int refuse(struct gw_terminal *t, struct gw_error *err)
{
	const char *term = getenv("TERM");

	gw_terminal_close(t);
	return gw_error_set(
		err, -ENOTTY, GW_STATUS_USAGE,
		"this terminal (TERM=%.40s) cannot show a screen; for rows instead, give "
		"a count, as in: gilwatch -p PID 1 60",
		term ? term : "");
}

static int set_up(struct gw_terminal *t)
{
	sigset_t set;

	stop_and_go(&set);
	t->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (t->signals < 0)
		return -errno;
	set_escdelay(ESCAPE_MS);
	cbreak();
	noecho();
	nonl();
	curs_set(0);
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	plain_pens(t->pen);
	/* One that has none cannot be made to show them. */
	if (has_colors() && gw_colour_wanted(1))
		coloured_pens(t->pen);
	return 0;
}

int gw_terminal_open(struct gw_terminal **terminal, struct gw_error *err)
{
	struct gw_terminal *t = calloc(1, sizeof(*t));

	if (!t)
		return gw_error_set(err, -ENOMEM, GW_STATUS_FAILURE, "out of memory");
	t->signals = -1;
	t->utf8 = !strcmp(nl_langinfo(CODESET), "UTF-8");
	gw_rescue_note();
	t->screen = newterm(NULL, stdout, stdin);
	if (!t->screen || set_up(t))
		return refuse(t, err);
	gw_rescue_arm(tigetstr("rmcup"), tigetstr("cnorm"), tigetstr("sgr0"));
	*terminal = t;
	return 0;
}

/*
 * A terminal without a second screen, as GNU screen by itself, keeps what was on it: what comes
 * next begins on the last line, which is to be empty.
 */
static void leave(void)
{
	attrset(A_NORMAL);
	move(getmaxy(stdscr) - 1, 0);
	clrtoeol();
	refresh();
	endwin();
}

void gw_terminal_close(struct gw_terminal *t)
{
	if (!t)
		return;
	if (t->screen) {
		leave();
		gw_rescue_disarm();
		delscreen(t->screen);
	}
	gw_grid_free(&t->drawn);
	if (t->signals >= 0)
		close(t->signals);
	free(t);
}

/* ---- stop and go ---- */

int gw_terminal_signal_fd(const struct gw_terminal *t)
{
	return t->signals;
}

static void stop(struct gw_terminal *t)
{
	struct sigaction standard = {.sa_handler = SIG_DFL}, curses;
	sigset_t set;

	leave();
	gw_grid_free(&t->drawn);
	sigaction(SIGTSTP, &standard, &curses);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL); /* here it stops, and here it goes on */
	sigprocmask(SIG_BLOCK, &set, NULL);
	sigaction(SIGTSTP, &curses, NULL);
}

int gw_terminal_signals(struct gw_terminal *t)
{
	struct signalfd_siginfo info;
	int any = 0;

	while (read(t->signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
		if (info.ssi_signo == SIGTSTP)
			stop(t);
		any = 1;
	}
	if (!any)
		return 0;
	/* Whoever had the terminal meanwhile may have left it in any state. */
	reset_prog_mode();
	clearok(curscr, TRUE);
	refresh();
	return 1;
}

/* ---- screen and keys ---- */

void gw_terminal_size(const struct gw_terminal *t, int *rows, int *columns)
{
	(void)t;
	getmaxyx(stdscr, *rows, *columns);
}

int gw_terminal_utf8(const struct gw_terminal *t)
{
	return t->utf8;
}

/* A console's font has 256 or 512 characters: whole and half blocks and shades, no eighths. */
int gw_terminal_no_eighths(const struct gw_terminal *t)
{
	const char *term = getenv("TERM");

	(void)t;
	return term && !strncmp(term, "linux", 5);
}

int gw_terminal_key(struct gw_terminal *t)
{
	static const struct {
		int curses, key;
	} keys[] = {
		{ERR, GW_KEY_NONE},
		{KEY_UP, GW_KEY_UP},
		{KEY_DOWN, GW_KEY_DOWN},
		{KEY_PPAGE, GW_KEY_PAGE_UP},
		{KEY_NPAGE, GW_KEY_PAGE_DOWN},
		{KEY_HOME, GW_KEY_HOME},
		{KEY_END, GW_KEY_END},
		{KEY_ENTER, GW_KEY_ENTER},
		{'\r', GW_KEY_ENTER},
		{'\n', GW_KEY_ENTER},
		{27, GW_KEY_ESCAPE},
		{KEY_BACKSPACE, GW_KEY_BACKSPACE},
		{127, GW_KEY_BACKSPACE},
		{'\b', GW_KEY_BACKSPACE},
		{KEY_RESIZE, GW_KEY_RESIZE},
	};
	int key = getch();

	/* Curses has cut or widened what was drawn. */
	if (key == KEY_RESIZE)
		gw_grid_free(&t->drawn);
	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (keys[i].curses == key)
			return keys[i].key;
	return key;
}

static int is_drawn(const struct gw_cell *cell, const struct gw_cell *drawn)
{
	return cell->pen == drawn->pen && !strcmp(cell->text, drawn->text);
}

/*
 * Curses goes by the C library's idea of how wide a character is. Where that is another than the
 * grid's, the rest of the line would not stand where it belongs.
 */
static const char *fitting(const struct gw_cell *cell, int cells)
{
	wchar_t wide[GW_CELL_BYTES];
	size_t count;

	if ((unsigned char)cell->text[0] < 0x80 && !cell->text[1])
		return cell->text;
	count = mbstowcs(wide, cell->text, GW_CELL_BYTES);
	if (count != (size_t)-1 && wcswidth(wide, count) == cells)
		return cell->text;
	return cells == 1 ? "?" : "??";
}

/* Beside a wide character no cell can be written alone. */
static int has_wide(const struct gw_cell *cell, int columns)
{
	for (int i = 0; i < columns; i++)
		if (!cell[i].text[0])
			return 1;
	return 0;
}

/* drawn: the row as it is on curses' screen; NULL: not known. */
static void draw_row(const struct gw_terminal *t, int row, const struct gw_cell *cell, int columns,
		     const struct gw_cell *drawn)
{
	int pen = -1;

	if (drawn && (has_wide(cell, columns) || has_wide(drawn, columns)))
		drawn = NULL;
	for (int i = 0; i < columns; i++) {
		if (!cell[i].text[0] || (drawn && is_drawn(&cell[i], &drawn[i])))
			continue;
		if (cell[i].pen != pen) {
			pen = cell[i].pen;
			attrset((int)t->pen[pen]);
		}
		move(row, i);
		addstr(fitting(&cell[i], i + 1 < columns && !cell[i + 1].text[0] ? 2 : 1));
	}
}

/* Curses compares what it is given with what is on the terminal, but takes its time to be given it.
 */
void gw_terminal_draw(struct gw_terminal *t, const struct gw_grid *grid)
{
	size_t columns = (size_t)grid->columns;
	int known = t->drawn.rows == grid->rows && t->drawn.columns == grid->columns;

	if (!known)
		erase();
	for (int row = 0; row < grid->rows; row++)
		draw_row(t, row, &grid->cell[(size_t)row * columns], grid->columns,
			 known ? &t->drawn.cell[(size_t)row * columns] : NULL);
	refresh();
	/* Without memory for it, all is drawn anew the next time. */
	if (!known && gw_grid_resize(&t->drawn, grid->rows, grid->columns))
		gw_grid_free(&t->drawn);
	else
		gw_grid_copy(&t->drawn, 0, grid, 0, grid->rows);
}
