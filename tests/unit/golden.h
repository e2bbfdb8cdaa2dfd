/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
#ifndef GW_GOLDEN_H
#define GW_GOLDEN_H

/* Fails the test unless text is what the golden file holds; GW_GOLDEN_UPDATE=1 writes it first. */
void assert_golden(const char *name, const char *text);

#endif
