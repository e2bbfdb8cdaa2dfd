// SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause
#include "model/probes_basis.h"

#include <inttypes.h>
#include <stdio.h>

void gw_probes_basis_fill(struct gw_process_view *view)
{
	struct gw_basis *basis = &view->probes_basis;
	int used;

	basis->coverage_ns = view->exact_ns;
	if (basis->kind != GW_BASIS_SAMPLED)
		return;
	used = snprintf(basis->reason, sizeof(basis->reason),
			"there were probes for %.3g of %.3g s", (double)view->exact_ns / 1e9,
			(double)view->elapsed_ns / 1e9);
	if (view->windows)
		snprintf(basis->reason + used, sizeof(basis->reason) - (size_t)used,
			 ", with %" PRIu64
			 " windows of some milliseconds, in which longer holds are "
			 "not seen whole",
			 view->windows);
}

int64_t gw_probed_ns(const struct gw_process_view *view)
{
	if (view->probes_basis.kind != GW_BASIS_SAMPLED)
		return view->elapsed_ns;
	return view->exact_ns > 0 ? view->exact_ns : GW_ABSENT_NS;
}
