/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* Whether people want colours. */
#ifndef GW_COLOUR_H
#define GW_COLOUR_H

/*
 * By the environment: NO_COLOR (https://no-color.org) takes them away, else CLICOLOR_FORCE gives
 * them to whatever is written to, and else CLICOLOR=0 takes them away
 * (http://bixense.com/clicolors); without any of them, terminals that have colours show them.
 */
int gw_colour_wanted(int terminal_has_them);

#endif
