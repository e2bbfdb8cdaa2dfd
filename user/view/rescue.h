/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Gives the terminal back where a signal ends gilwatch with a screen on it. */
#ifndef GW_RESCUE_H
#define GW_RESCUE_H

/* Notes how the terminal is before a screen is put on it. */
void gw_rescue_note(void);

/*
 * From now on a crash, or what else would end it, writes these sequences (terminfo's; NULL and -1:
 * none), sets the terminal to what was noted, and goes on as it would have.
 */
void gw_rescue_arm(const char *leave_screen, const char *show_cursor, const char *plain);
void gw_rescue_disarm(void);

#endif
