// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "view/rescue.h"

#include <signal.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

/* Crashes, and what else ends a program that does not expect it: SIGQUIT is a key (Ctrl-\). */
static const int deadly[] = {SIGSEGV, SIGBUS,  SIGILL,	SIGFPE,	 SIGABRT,   SIGSYS,
			     SIGTRAP, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM,   SIGVTALRM,
			     SIGPROF, SIGXCPU, SIGXFSZ, SIGPOLL, SIGSTKFLT, SIGPWR};

#define DEADLY (sizeof(deadly) / sizeof(deadly[0]))

/* A handler of signals knows nothing but what is here: the only state of the program that is. */
static struct {
	struct termios before;
	int noted;
	char sequence[256];
	size_t length;
	char stack[8192 * 4]; /* of its own: the crash may be for want of one */
} rescue;

static void give_back(int number)
{
	ssize_t written = write(STDOUT_FILENO, rescue.sequence, rescue.length);

	(void)written; /* there is nobody to tell */
	if (rescue.noted)
		tcsetattr(STDIN_FILENO, TCSANOW, &rescue.before);
	/* The standard action is back (SA_RESETHAND) and follows as soon as this returns. */
	raise(number);
}

void gw_rescue_note(void)
{
	rescue.noted = !tcgetattr(STDIN_FILENO, &rescue.before);
}

/* Terminfo's delays, as "$<5>", are no part of what a terminal is sent. */
static void append(const char *sequence)
{
	if (!sequence || sequence == (const char *)-1)
		return;
	while (*sequence && rescue.length < sizeof(rescue.sequence)) {
		if (sequence[0] == '$' && sequence[1] == '<')
			sequence += strcspn(sequence, ">") + 1;
		else
			rescue.sequence[rescue.length++] = *sequence++;
	}
}

static void handle(void (*handler)(int))
{
	struct sigaction action = {
		.sa_handler = handler,
		.sa_flags = handler == SIG_DFL ? 0 : (int)(SA_RESETHAND | SA_ONSTACK),
	};

	for (size_t i = 0; i < DEADLY; i++) {
		struct sigaction now;

		/* One that whoever started this has switched off ends nothing. */
		if (!sigaction(deadly[i], NULL, &now) && now.sa_handler != SIG_IGN)
			sigaction(deadly[i], &action, NULL);
	}
}

void gw_rescue_arm(const char *leave_screen, const char *show_cursor, const char *plain)
{
	stack_t stack = {.ss_sp = rescue.stack, .ss_size = sizeof(rescue.stack)};

	rescue.length = 0;
	append(plain);
	append(show_cursor);
	append(leave_screen);
	sigaltstack(&stack, NULL);
	handle(give_back);
}

void gw_rescue_disarm(void)
{
	handle(SIG_DFL);
}
