/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/* What the figures rest on that only probes can give: holds, acquisitions, releases. */
#ifndef GW_PROBES_BASIS_H
#define GW_PROBES_BASIS_H

#include "model/snapshot.h"

/*
 * Fills the coverage of probes_basis, whose kind is set, and the reason of a sampled one, by the
 * view's elapsed_ns, exact_ns and windows.
 */
void gw_probes_basis_fill(struct gw_process_view *view);

/*
 * The time to which what probes counted refers: that in which there were any. GW_ABSENT_NS: there
 * were none meanwhile, and of a rate nothing can be said.
 */
int64_t gw_probed_ns(const struct gw_process_view *view);

#endif
