/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the files of a watch that lasts have in common. */
#ifndef GW_STANDING_PARTS_H
#define GW_STANDING_PARTS_H

#include "watch/standing.h"

/* Whether a process was asked for by its number. */
int gw_standing_is_selected(const struct gw_standing *standing, pid_t pid);

/* Counts one that cannot be watched, or that gets no probes; data is the struct gw_standing. */
void gw_standing_note_refusal(const struct gw_watched *watched, const struct gw_error *why,
			      void *data);

#endif
