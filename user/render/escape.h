/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * Bytes of the target, or of a file, made fit for where they go. Their owner may want to write to
 * the terminal of a root user: no control character and nothing that reorders text may pass.
 */
#ifndef GW_ESCAPE_H
#define GW_ESCAPE_H

#include <stddef.h>
#include <stdint.h>

/*
 * Reads one character of at most length bytes (length > 0). Returns the bytes that it takes; what
 * is not UTF-8 is one byte and U+FFFD.
 */
size_t gw_utf8_next(const char *in, size_t length, uint32_t *character);

/* Columns of a character on a terminal: 0 (it combines), 1 or 2. */
int gw_columns_of(uint32_t character);

/* Columns of a string that is fit for a terminal. */
size_t gw_columns(const char *text);

/*
 * For a terminal: control characters become \xNN, C1 too; what is invalid, invisible or changes the
 * direction of text becomes U+FFFD; printable UTF-8 stays, or is brought to ASCII where utf8 is 0.
 * length bounds the input, which also ends at a NUL. The output ends with NUL, holds only whole
 * characters and escapes, and is cut where size ends. Returns its length.
 */
size_t gw_escape_terminal(const char *in, size_t length, char *out, size_t size, int utf8);

/* For JSON: valid UTF-8; what is not becomes U+FFFD. Bounds and result as above. */
size_t gw_escape_utf8(const char *in, size_t length, char *out, size_t size);

/* Cuts a terminal string to so many columns; where anything is lost it ends in "…" or "~". */
void gw_cut_columns(char *text, size_t size, size_t columns, int utf8);

#endif
